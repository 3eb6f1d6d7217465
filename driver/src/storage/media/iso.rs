//! Writes a small ISO 9660 image: Joliet and Rock Ridge names, a volume label, one date for all.
//!
//! The crate `hadris-iso` lays the image out. It dates what it writes with the wall clock, so the
//! dates are written again afterwards: the same files at the same time give the same bytes.
//! `docs/decisions/config-drive.md` says why this crate and how its images were checked.

use std::collections::BTreeMap;
use std::io::Cursor;

use hadris_iso::joliet::JolietLevel;
use hadris_iso::read::PathSeparator;
use hadris_iso::rrip::RripOptions;
use hadris_iso::write::options::{BaseIsoLevel, CreationFeatures, IsoFormatOptions};
use hadris_iso::write::{InputEntry, InputMetadata, InputTree, IsoImageWriter};

use super::iso_dates::{IsoDate, set_dates};
use crate::error::{Error, ErrorKind};

/// The most that the files of one image may hold together, in bytes: a config drive is read by
/// tools that load it whole.
pub const MAX_CONTENT: u64 = 64 << 20;

/// A file of the image: its path (`/` separated, no leading one) and its content.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Makes an image of `files` with this volume label, dated `seconds` after the Unix epoch.
///
/// # Errors
/// Paths that no file system takes, contents above [`MAX_CONTENT`], or a layout that the format
/// does not allow.
pub fn write(label: &str, files: &Files, seconds: i64) -> Result<Vec<u8>, Error> {
    let content: u64 = files.values().map(|file| file.len() as u64).sum();
    if content > MAX_CONTENT {
        return Err(failed(format!(
            "its files have {content} bytes, above the limit of {MAX_CONTENT}"
        )));
    }
    let date =
        IsoDate::of(seconds).ok_or_else(|| failed(format!("no date is {seconds} s after 1970")))?;
    let metadata = InputMetadata {
        uid: Some(0),
        gid: Some(0),
        created: Some(seconds),
        modified: Some(seconds),
        accessed: Some(seconds),
        ..InputMetadata::default()
    };
    let tree = InputTree::new(
        PathSeparator::ForwardSlash,
        Folder::of(files)?.entries(metadata),
    );
    let image = IsoImageWriter::create(Cursor::new(Vec::new()), tree, options(label))
        .map_err(|error| failed(error.to_string()))?;
    let mut bytes = image.into_inner();
    set_dates(&mut bytes, date)
        .ok_or_else(|| failed("its records could not be dated".to_owned()))?;
    Ok(bytes)
}

fn options(label: &str) -> IsoFormatOptions {
    IsoFormatOptions {
        volume_name: label.to_owned(),
        system_id: None,
        volume_set_id: None,
        publisher_id: None,
        preparer_id: None,
        application_id: None,
        sector_size: 2048,
        path_separator: PathSeparator::ForwardSlash,
        // The label `config-2` is what cloud-init looks for, and it is not in the standard's alphabet.
        strict_charset: false,
        features: CreationFeatures {
            filenames: BaseIsoLevel::Level1 {
                supports_lowercase: false,
                supports_rrip: true,
            },
            long_filenames: false,
            joliet: Some(JolietLevel::Level3),
            rock_ridge: Some(RripOptions {
                preserve_timestamps: true,
                ..RripOptions::default()
            }),
            el_torito: None,
            hybrid_boot: None,
        },
    }
}

/// A directory on its way into the image.
#[derive(Default)]
struct Folder<'a> {
    folders: BTreeMap<&'a str, Folder<'a>>,
    files: BTreeMap<&'a str, &'a [u8]>,
}

impl<'a> Folder<'a> {
    fn of(files: &'a Files) -> Result<Self, Error> {
        let mut root = Self::default();
        for (path, content) in files {
            let mut names: Vec<&str> = path.split('/').collect();
            let legal = names.iter().all(|name| is_legal(name));
            let Some(file) = names.pop().filter(|_| legal) else {
                return Err(failed(format!("'{path}' is no path that it can hold")));
            };
            let mut folder = &mut root;
            for name in names {
                folder = folder.folders.entry(name).or_default();
            }
            folder.files.insert(file, content);
        }
        if root.has_a_name_twice() {
            return Err(failed("a file and a folder have the same path".to_owned()));
        }
        Ok(root)
    }

    fn has_a_name_twice(&self) -> bool {
        self.folders
            .iter()
            .any(|(name, folder)| self.files.contains_key(name) || folder.has_a_name_twice())
    }

    fn entries(self, metadata: InputMetadata) -> Vec<InputEntry> {
        let folders = self.folders.into_iter().map(|(name, folder)| {
            InputEntry::directory(name, folder.entries(metadata)).with_metadata(metadata)
        });
        let files = self.files.into_iter().map(|(name, content)| {
            InputEntry::file(name, content.to_vec()).with_metadata(metadata)
        });
        folders.chain(files).collect()
    }
}

/// Joliet keeps 64 characters of a name, without these.
fn is_legal(name: &str) -> bool {
    !name.is_empty()
        && name != "."
        && name != ".."
        && name.encode_utf16().count() <= 64
        && !name
            .chars()
            .any(|c| c.is_control() || "*/:;?\\".contains(c))
}

fn failed(why: String) -> Error {
    Error::operation(
        ErrorKind::Invalid,
        format!("no ISO 9660 image can be made: {why}"),
        "give it fewer, smaller or differently named files",
    )
}
