//! Recordings from files and folders, whatever their form.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::{Captured, Exchange, Recording, cassette, journal, section_text};

/// The largest file that is read, in bytes.
const LARGEST: u64 = 1 << 30;
/// How deep folders are searched.
const DEEPEST: usize = 8;
/// How many files a folder may have.
const MOST_FILES: usize = 100_000;
/// Files of other kinds in a folder are passed over.
const ENDINGS: [&str; 6] = ["txt", "xml", "yml", "yaml", "json", "jsonl"];

/// What keeps reading within bounds.
#[derive(Clone, Copy, Debug)]
struct Limits {
    file: u64,
    depth: usize,
    files: usize,
}

const LIMITS: Limits = Limits {
    file: LARGEST,
    depth: DEEPEST,
    files: MOST_FILES,
};

/// Why a recording cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be read.
    #[error("{path} cannot be read: {source}")]
    File {
        /// The file.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is too large, or there are too many.
    #[error("{0}")]
    TooMuch(String),
    /// It has none of the forms that are known.
    #[error(
        "{0} is no recording: known are those of powervm-sim record, VCR cassettes (YAML), pypowervm's test data, and bare XML"
    )]
    Unknown(String),
    /// It has a form that is known, but is damaged.
    #[error("the recording is damaged: {0}")]
    Syntax(String),
    /// The same, of this file.
    #[error("{path}: {source}")]
    In {
        /// The file.
        path: String,
        /// What is wrong with it.
        source: Box<ReadError>,
    },
}

/// Reads files, and folders with all that lies in them. Files of a folder that are no recordings are passed over.
///
/// # Errors
/// [`ReadError`] that names the file.
pub fn read_all(paths: &[PathBuf]) -> Result<Recording, ReadError> {
    read_within(paths, LIMITS)
}

fn read_within(paths: &[PathBuf], limits: Limits) -> Result<Recording, ReadError> {
    let mut whole = Recording::default();
    for path in paths {
        if path.is_dir() {
            let mut files = Vec::new();
            gather(path, 0, limits, &mut files)?;
            files.sort();
            for file in files {
                match read_file(&file, limits) {
                    Ok(recording) => add(&mut whole, recording),
                    Err(ReadError::Unknown(_)) => {}
                    Err(error) => return Err(error),
                }
            }
        } else {
            add(&mut whole, read_file(path, limits)?);
        }
    }
    Ok(whole)
}

fn add(whole: &mut Recording, part: Recording) {
    whole.upstream = whole.upstream.take().or(part.upstream);
    whole.exchanges.extend(part.exchanges);
}

fn gather(
    folder: &Path,
    depth: usize,
    limits: Limits,
    files: &mut Vec<PathBuf>,
) -> Result<(), ReadError> {
    if depth > limits.depth {
        return Ok(());
    }
    for entry in fs::read_dir(folder).map_err(|error| told(folder, error))? {
        let entry = entry.map_err(|error| told(folder, error))?;
        let (path, kind) = (
            entry.path(),
            entry.file_type().map_err(|error| told(folder, error))?,
        );
        let ending = path.extension().and_then(|ending| ending.to_str());
        if kind.is_dir() {
            gather(&path, depth + 1, limits, files)?;
        } else if kind.is_file() && ending.is_some_and(|ending| ENDINGS.contains(&ending)) {
            files.push(path);
        }
        if files.len() > limits.files {
            let most = limits.files;
            let text = format!("{} has more than {most} files", folder.display());
            return Err(ReadError::TooMuch(text));
        }
    }
    Ok(())
}

/// Reads one file.
///
/// # Errors
/// [`ReadError`] that names the file.
pub fn read(path: &Path) -> Result<Recording, ReadError> {
    read_file(path, LIMITS)
}

fn read_file(path: &Path, limits: Limits) -> Result<Recording, ReadError> {
    let largest = limits.file;
    let mut bytes = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(largest + 1).read_to_end(&mut bytes))
        .map_err(|error| told(path, error))?;
    if bytes.len() as u64 > largest {
        let text = format!("{} is larger than {largest} bytes", path.display());
        return Err(ReadError::TooMuch(text));
    }
    let unknown = || ReadError::Unknown(path.display().to_string());
    // A recording that was cut may end in the middle of a character.
    let text = match std::str::from_utf8(&bytes) {
        Ok(text) => text,
        Err(error) => {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let text = std::str::from_utf8(valid).unwrap_or_default();
            if error.error_len().is_some() || !journal::is_journal(text) {
                return Err(unknown());
            }
            text
        }
    };
    parse(text, path).map_err(|source| match source {
        ReadError::Unknown(_) => unknown(),
        source => ReadError::In {
            path: path.display().to_string(),
            source: Box::new(source),
        },
    })
}

fn parse(text: &str, path: &Path) -> Result<Recording, ReadError> {
    if journal::is_journal(text) {
        return journal::parse(text);
    }
    let exchanges = if cassette::is_cassette(text) {
        cassette::parse(text)?
    } else if section_text::is_sections(text) {
        section_text::parse(text).into_iter().collect()
    } else if text.trim_start().starts_with('<') {
        vec![bare(text, path)]
    } else {
        return Err(ReadError::Unknown(String::new()));
    };
    Ok(Recording {
        upstream: None,
        exchanges,
    })
}

/// A document of its own: where it came from says its SELF link, or else the name of the file.
fn bare(text: &str, path: &Path) -> Exchange {
    let self_link = text.split("<link").skip(1).find(|link| {
        let tag = link.split('>').next().unwrap_or_default();
        tag.contains("\"SELF\"") || tag.contains("'SELF'")
    });
    let url = self_link.and_then(|link| {
        let at = link.find("/rest/api/")?;
        let rest = link.get(at..)?;
        rest.get(..rest.find(['"', '\''])?).map(str::to_owned)
    });
    let name = path
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or("document");
    Exchange {
        at_ms: 0,
        took_ms: 0,
        method: "GET".to_owned(),
        url: url.unwrap_or_else(|| format!("/rest/api/uom/{name}")),
        request_headers: Vec::new(),
        request_body: Captured::default(),
        status: 200,
        headers: vec![(
            "content-type".to_owned(),
            "application/atom+xml; charset=UTF-8".to_owned(),
        )],
        body: Captured::kept(text.to_owned()),
    }
}

fn told(path: &Path, source: std::io::Error) -> ReadError {
    ReadError::File {
        path: path.display().to_string(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_too_large_too_many_and_too_deep_are_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("deep");
        fs::create_dir(&deep).unwrap();
        for file in ["one.xml", "two.xml", "deep/three.xml"] {
            fs::write(folder.path().join(file), "<a/>").unwrap();
        }
        let read = |limits| {
            let read = read_within(&[folder.path().to_owned()], limits);
            read.map(|recording| recording.exchanges.len())
                .map_err(|error| error.to_string())
        };
        let exact = Limits {
            file: 4,
            depth: 1,
            files: 3,
        };
        assert_eq!(read(exact), Ok(3));
        assert_eq!(read(Limits { depth: 0, ..exact }), Ok(2));
        let error = read(Limits { files: 2, ..exact }).unwrap_err();
        assert!(error.contains("more than 2 files"), "{error}");
        let error = read(Limits { file: 3, ..exact }).unwrap_err();
        assert!(error.contains("larger than 3 bytes"), "{error}");
    }
}
