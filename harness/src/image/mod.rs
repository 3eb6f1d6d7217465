//! The disk image that scenarios deploy: made here, or any raw image of the user's.

mod download;
mod made;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use md5::Md5;
use serde::Serialize;
use sha2::{Digest, Sha256};
use tempfile::TempPath;
use thiserror::Error;
use uuid::Uuid;

pub use self::download::download;
pub use self::made::{MADE_NAME, bootable};

/// An image that cannot be used.
#[derive(Debug, Error)]
pub enum ImageError {
    /// The file cannot be read.
    #[error("cannot read the image {}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// It cannot be fetched.
    #[error("cannot fetch the image: {problem}")]
    Download {
        /// Why not.
        problem: String,
    },
    /// There is nothing in it.
    #[error("the image {name} is empty")]
    Empty {
        /// The image.
        name: String,
    },
    /// It is in a format that a partition cannot boot from as it is.
    #[error("the image {name} is {format}, not raw; convert it first, for example with `{with}`")]
    NotRaw {
        /// The image.
        name: String,
        /// What it is.
        format: &'static str,
        /// A command that makes a raw image of it.
        with: &'static str,
    },
}

/// Where an image's bytes are.
#[derive(Debug, Clone)]
pub enum Origin {
    /// In memory.
    Memory(Bytes),
    /// In a file.
    File(PathBuf),
    /// In a temporary file that goes with the last copy of this.
    Temporary(Arc<TempPath>),
}

/// A raw disk image and its checksums.
#[derive(Debug, Clone)]
pub struct Image {
    /// What the image service would call it.
    pub name: String,
    /// Its identity in the image service.
    pub uuid: Uuid,
    /// Its length in bytes.
    pub bytes: u64,
    /// SHA-256 in hexadecimal; what a deploy puts on a disk is compared with it.
    pub sha256: String,
    /// MD5 in hexadecimal: the checksum that the image service keeps and that names of image logical units carry.
    pub md5: String,
    /// Where its bytes are.
    pub origin: Origin,
}

/// What reports say about an image; never a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImageFacts {
    /// Its name.
    pub name: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
}

impl Image {
    /// The small image that is made when there is none.
    #[must_use]
    pub fn made() -> Self {
        Self::holding(bootable())
    }

    /// One that firmware would not start from, of so many bytes: for runs that only look whether they arrive, thousands
    /// of times.
    #[must_use]
    pub fn noise(bytes: usize) -> Self {
        Self::holding(made::noise(bytes))
    }

    fn holding(content: Vec<u8>) -> Self {
        let bytes = Bytes::from(content);
        let (sha256, md5) = (hex(&Sha256::digest(&bytes)), hex(&Md5::digest(&bytes)));
        let length = bytes.len() as u64;
        Self::new(
            MADE_NAME.to_owned(),
            length,
            sha256,
            md5,
            Origin::Memory(bytes),
        )
    }

    /// A raw image file, read once for its checksums.
    ///
    /// # Errors
    /// [`ImageError`] when it cannot be read, is empty, or is compressed or in a format such as qcow2.
    pub fn file(path: &Path) -> Result<Self, ImageError> {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        Self::file_named(path, name)
    }

    /// As [`Image::file`], under another name than the file's.
    ///
    /// # Errors
    /// As [`Image::file`].
    pub fn file_named(path: &Path, name: String) -> Result<Self, ImageError> {
        let read = |error| ImageError::Read {
            path: path.to_owned(),
            error,
        };
        let mut file = File::open(path).map_err(read)?;
        let (mut sha256, mut md5, mut bytes) = (Sha256::new(), Md5::new(), 0_u64);
        let mut buffer = vec![0_u8; 1 << 20];
        loop {
            let count = file.read(&mut buffer).map_err(read)?;
            let Some(part) = buffer.get(..count).filter(|part| !part.is_empty()) else {
                break;
            };
            if bytes == 0 {
                refuse_wrapped(&name, part)?;
            }
            sha256.update(part);
            md5.update(part);
            bytes += count as u64;
        }
        if bytes == 0 {
            return Err(ImageError::Empty { name });
        }
        Ok(Self::new(
            name,
            bytes,
            hex(&sha256.finalize()),
            hex(&md5.finalize()),
            Origin::File(path.to_owned()),
        ))
    }

    fn new(name: String, bytes: u64, sha256: String, md5: String, origin: Origin) -> Self {
        let uuid = derived_uuid(&[b"image", sha256.as_bytes()]);
        Self {
            name,
            uuid,
            bytes,
            sha256,
            md5,
            origin,
        }
    }

    /// Another image of the same content: another name and identity in the image service.
    #[must_use]
    pub fn labelled(&self, label: &str) -> Self {
        let name = format!("{label}-{}", self.name);
        let uuid = derived_uuid(&[b"image", self.sha256.as_bytes(), label.as_bytes()]);
        Self {
            name,
            uuid,
            ..self.clone()
        }
    }

    /// What reports say about it.
    #[must_use]
    pub fn facts(&self) -> ImageFacts {
        ImageFacts {
            name: self.name.clone(),
            bytes: self.bytes,
            sha256: self.sha256.clone(),
        }
    }
}

/// A UUID that depends on nothing but `parts`; its top bit is clear, as a partition's has to be.
#[must_use]
pub fn derived_uuid(parts: &[&[u8]]) -> Uuid {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut bytes = [0_u8; 16];
    for (byte, hashed) in bytes.iter_mut().zip(hash.finalize()) {
        *byte = hashed;
    }
    if let Some(first) = bytes.first_mut() {
        *first &= 0x7f;
    }
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// Bytes in lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// Formats that people take for disk images, by their first bytes.
const WRAPPED: [(&[u8], &str, &str); 6] = [
    (
        b"QFI\xfb",
        "a qcow2 image",
        "qemu-img convert -O raw IN OUT",
    ),
    (b"KDMV", "a VMDK image", "qemu-img convert -O raw IN OUT"),
    (
        b"vhdxfile",
        "a VHDX image",
        "qemu-img convert -O raw IN OUT",
    ),
    (b"\x1f\x8b", "compressed with gzip", "gunzip"),
    (b"\xfd7zXZ\0", "compressed with xz", "unxz"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "unzstd"),
];

fn refuse_wrapped(name: &str, head: &[u8]) -> Result<(), ImageError> {
    match WRAPPED.iter().find(|(magic, ..)| head.starts_with(magic)) {
        None => Ok(()),
        Some((_, format, with)) => Err(ImageError::NotRaw {
            name: name.to_owned(),
            format,
            with,
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Image, ImageError, derived_uuid, hex};

    #[test]
    fn a_file_is_hashed_and_wrapped_formats_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("disk.raw");
        fs::write(&path, b"abc").expect("a file");
        let image = Image::file(&path).expect("a raw image");
        assert_eq!(
            image.sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(image.md5, "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!((image.bytes, image.name.as_str()), (3, "disk.raw"));
        fs::write(&path, b"QFI\xfb\0\0\0\x03").expect("a file");
        assert!(matches!(
            Image::file(&path),
            Err(ImageError::NotRaw {
                format: "a qcow2 image",
                ..
            })
        ));
        fs::write(&path, b"").expect("a file");
        assert!(matches!(Image::file(&path), Err(ImageError::Empty { .. })));
        assert!(matches!(
            Image::file(&folder.path().join("none")),
            Err(ImageError::Read { .. })
        ));
    }

    #[test]
    fn the_made_image_is_the_same_every_time() {
        let (one, two) = (Image::made(), Image::made());
        assert_eq!(one.sha256, two.sha256);
        assert_eq!(one.uuid, two.uuid);
        assert_ne!(one.labelled("a").uuid, one.labelled("b").uuid);
        assert_eq!(one.labelled("a").sha256, one.sha256);
    }

    #[test]
    fn derived_uuids_tell_their_parts_apart_and_leave_the_top_bit() {
        assert_ne!(derived_uuid(&[b"ab", b"c"]), derived_uuid(&[b"a", b"bc"]));
        for number in 0..64_u8 {
            assert_eq!(derived_uuid(&[&[number]]).as_bytes()[0] & 0x80, 0);
        }
        assert_eq!(hex(&[0, 255]), "00ff");
    }
}
