//! An image file: blank parts take no room, and it has its name only when it is whole.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tokio::fs;
use tokio::io::{AsyncSeekExt, AsyncWriteExt};

use crate::error::{Error, ErrorKind, Result};

/// What is left out when it is blank. Filesystems have blocks of this size or smaller ones.
const PIECE: usize = 64 * 1024;

/// A file's name, and the name that it has until it is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Paths {
    whole: PathBuf,
    partial: PathBuf,
}

impl Paths {
    /// For the image at `whole`. `tag` tells the partial file from that of anybody else.
    ///
    /// # Errors
    /// It has no name.
    pub(crate) fn of(whole: &Path, tag: u32) -> Result<Self> {
        let name = whole.file_name().ok_or_else(|| {
            Error::invalid(
                format!("{} is no file's name", whole.display()),
                "give the name of an image file that does not exist yet",
            )
        })?;
        let partial = format!(".{}.{tag:08x}.part", name.to_string_lossy());
        Ok(Self {
            whole: whole.to_owned(),
            partial: whole.with_file_name(partial),
        })
    }

    /// That the image can be made: there is none, and its folder is there.
    ///
    /// # Errors
    /// Why not.
    pub(crate) async fn check(&self) -> Result<()> {
        if fs::symlink_metadata(&self.whole).await.is_ok() {
            return Err(self.exists());
        }
        let folder = self
            .partial
            .parent()
            .filter(|folder| *folder != Path::new(""));
        let is_folder = match folder {
            None => true,
            Some(folder) => fs::metadata(folder).await.is_ok_and(|found| found.is_dir()),
        };
        if is_folder {
            return Ok(());
        }
        Err(Error::operation(
            ErrorKind::Local,
            format!("the folder of {} is not there", self.whole.display()),
            "make it first",
        ))
    }

    /// Gives the whole file its name.
    ///
    /// # Errors
    /// Another file has it meanwhile; the file system refuses.
    pub(crate) async fn place(&self) -> Result<()> {
        match fs::hard_link(&self.partial, &self.whole).await {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if !self.is_placed().await {
                    return Err(self.exists());
                }
            }
            // Placed already, by a call before this one.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let there = fs::symlink_metadata(&self.whole).await;
                return there
                    .map(drop)
                    .map_err(|_| self.failed("given its name", error));
            }
            // A file system without links.
            Err(_) => {
                let renamed = fs::rename(&self.partial, &self.whole).await;
                return renamed.map_err(|error| self.failed("given its name", error));
            }
        }
        remove(&self.partial)
            .await
            .map_err(|error| self.failed("given its name", error))
    }

    /// Takes the partial file away and, where it had been `placed`, the whole one.
    ///
    /// # Errors
    /// The file system refuses.
    pub(crate) async fn clear(&self, placed: bool) -> Result<()> {
        let is_partial = fs::symlink_metadata(&self.partial).await.is_ok();
        // Beside a partial file, one of the image's name is somebody else's unless it is the same.
        if placed && (!is_partial || self.is_placed().await) {
            remove(&self.whole)
                .await
                .map_err(|error| self.failed("removed", error))?;
        }
        remove(&self.partial)
            .await
            .map_err(|error| self.failed("removed", error))
    }

    async fn is_placed(&self) -> bool {
        match (
            fs::metadata(&self.partial).await,
            fs::metadata(&self.whole).await,
        ) {
            (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
            _ => false,
        }
    }

    fn exists(&self) -> Error {
        Error::operation(
            ErrorKind::Exists,
            format!("the file {} exists", self.whole.display()),
            "choose another name, or remove it first",
        )
    }

    fn failed(&self, what: &str, error: io::Error) -> Error {
        Error::caused(
            ErrorKind::Local,
            format!(
                "the image file {} could not be {what}",
                self.whole.display()
            ),
            "see that its file system has room and this user may write there",
            error,
        )
    }
}

async fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// A partial image file.
pub(crate) struct ImageFile(Paths);

impl ImageFile {
    pub(crate) fn at(paths: Paths) -> Self {
        Self(paths)
    }

    /// From its beginning, whatever a try before this one has written.
    pub(super) async fn begin(&self) -> Result<Writing<'_>> {
        let file = fs::File::create(&self.0.partial).await;
        Ok(Writing {
            paths: &self.0,
            file: file.map_err(|error| self.0.failed("written", error))?,
        })
    }
}

/// A partial image file that is being written.
pub(super) struct Writing<'a> {
    paths: &'a Paths,
    file: fs::File,
}

impl Writing<'_> {
    pub(super) async fn write(&mut self, block: &[u8]) -> Result<()> {
        let written = async {
            let mut rest = block;
            while !rest.is_empty() {
                let blank = length_of(rest, true);
                if blank > 0 {
                    let blank = i64::try_from(blank).map_err(io::Error::other)?;
                    self.file.seek(io::SeekFrom::Current(blank)).await?;
                }
                rest = rest.get(blank..).unwrap_or_default();
                let (full, after) = rest.split_at(length_of(rest, false));
                self.file.write_all(full).await?;
                rest = after;
            }
            Ok(())
        };
        written
            .await
            .map_err(|error| self.paths.failed("written", error))
    }

    /// The file is `size` bytes long, and on its disk.
    pub(super) async fn end(mut self, size: u64) -> Result<()> {
        let ended = async {
            self.file.flush().await?;
            self.file.set_len(size).await?;
            self.file.sync_all().await
        };
        ended
            .await
            .map_err(|error| self.paths.failed("written", error))
    }
}

/// How many bytes from the beginning belong to pieces that are all blank, or none of them.
fn length_of(bytes: &[u8], blank: bool) -> usize {
    let is_blank = |piece: &[u8]| piece.iter().all(|byte| *byte == 0);
    let pieces = bytes
        .chunks(PIECE)
        .take_while(|piece| is_blank(piece) == blank);
    pieces.map(<[u8]>::len).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn blank_parts_take_no_room_and_read_as_blank() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::of(&folder.path().join("a.raw"), 7).unwrap();
        let mut content = vec![0; 8 << 20];
        content[3 << 20] = 1;
        let file = ImageFile::at(paths.clone());
        let mut writing = file.begin().await.unwrap();
        for block in content.chunks(1 << 20) {
            writing.write(block).await.unwrap();
        }
        writing.end(content.len() as u64).await.unwrap();
        paths.place().await.unwrap();
        // Again, and nothing changes.
        paths.place().await.unwrap();
        let path = folder.path().join("a.raw");
        assert_eq!(std::fs::read(&path).unwrap(), content);
        assert!(std::fs::metadata(&path).unwrap().blocks() * 512 < 1 << 20);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        paths.clear(true).await.unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_file_of_somebody_else_is_neither_replaced_nor_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.raw");
        let paths = Paths::of(&path, 7).unwrap();
        paths.check().await.unwrap();
        ImageFile::at(paths.clone())
            .begin()
            .await
            .unwrap()
            .end(1)
            .await
            .unwrap();
        std::fs::write(&path, "theirs").unwrap();
        assert!(paths.check().await.is_err() && paths.place().await.is_err());
        paths.clear(true).await.unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"theirs");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(Paths::of(Path::new("/"), 7).is_err());
        let nowhere = Paths::of(&folder.path().join("b/c.raw"), 7).unwrap();
        assert!(nowhere.check().await.is_err());
    }
}
