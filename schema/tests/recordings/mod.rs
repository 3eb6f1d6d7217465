//! The recorded responses that the tests read.

use std::fs;
use std::path::Path;

/// What a file holds.
pub(crate) enum Body {
    /// One XML document.
    Document(String),
    /// Several elements side by side, as a client builds them.
    Fragments(String),
    /// Not XML: metrics in JSON, a token.
    Other,
}

/// One file of the folder.
pub(crate) struct Recording {
    /// File name.
    pub(crate) name: String,
    /// What it holds.
    pub(crate) body: Body,
}

/// Reads the folder that `POWERVM_RECORDINGS` names, in the order of the file names.
///
/// `None`, with a word about why, when the variable is not set.
pub(crate) fn read_all() -> Option<Vec<Recording>> {
    let Some(folder) = std::env::var_os("POWERVM_RECORDINGS") else {
        println!(
            "POWERVM_RECORDINGS is not set, so nothing was compared with recorded responses; \
             `cargo xtask test` fetches them and sets it"
        );
        return None;
    };
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("POWERVM_RECORDINGS={}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    Some(files.iter().map(|path| read(path)).collect())
}

fn read(path: &Path) -> Recording {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}"));
    let body = if let Some((_, rest)) = text.split_once("BODY{") {
        let (body, _) = rest
            .rsplit_once("END OF SECTION}")
            .unwrap_or_else(|| panic!("{name}: no end"));
        document(body)
    } else if text.contains("\nSECTION:") {
        Body::Fragments(fragments(&text))
    } else {
        document(&text)
    };
    Recording { name, body }
}

fn document(text: &str) -> Body {
    let text = text.trim();
    if text.starts_with('<') {
        Body::Document(text.to_owned())
    } else {
        Body::Other
    }
}

/// The sections of a file of building blocks, each wrapped into one element.
fn fragments(text: &str) -> String {
    let mut wrapped = String::from("<sections>");
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if line.starts_with("SECTION:") {
            wrapped.push_str("<section>");
        } else if line.starts_with("END OF SECTION") {
            wrapped.push_str("</section>");
        } else {
            wrapped.push_str(line);
        }
    }
    wrapped + "</sections>"
}
