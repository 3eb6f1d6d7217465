//! Objects as files of a folder, which the hosts may share.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::future::BoxFuture;

use super::{LIMIT, Store, check_name, too_large};
use crate::error::{Error, ErrorKind, Result};

/// Files of one folder, readable by their owner alone. One is replaced whole or not at all, also when the machine fails.
#[derive(Debug, Clone)]
pub struct FileStore {
    folder: PathBuf,
}

impl FileStore {
    /// Of this folder, which is made when something is put there.
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    async fn on_thread<T: Send + 'static>(
        &self,
        name: &str,
        work: impl FnOnce(&Path, &Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T> {
        check_name(name)?;
        let (folder, path) = (self.folder.clone(), self.folder.join(name));
        let told = path.display().to_string();
        let done = tokio::task::spawn_blocking(move || work(&folder, &path)).await;
        done.map_err(io::Error::other)
            .and_then(|done| done)
            .map_err(|error| {
                let what = format!("the file {told} of the store cannot be used: {error}");
                let remedy = "name a folder of this user's own as nvram_store_folder";
                Error::caused(ErrorKind::Local, what, remedy, error)
            })
    }
}

impl Store for FileStore {
    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Bytes>>> {
        Box::pin(async move {
            let read = self.on_thread(name, |_, path| read(path)).await?;
            match read {
                Some(content) if content.len() > LIMIT => Err(too_large(name)),
                content => Ok(content.map(Bytes::from)),
            }
        })
    }

    fn put<'a>(&'a self, name: &'a str, content: Bytes) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.on_thread(name, move |folder, path| write(folder, path, &content)))
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.on_thread(name, |_, path| {
            absent_is_fine(fs::remove_file(path)).map(drop)
        }))
    }
}

fn absent_is_fine<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        outcome => outcome.map(Some),
    }
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let Some(file) = absent_is_fine(File::open(path))? else {
        return Ok(None);
    };
    let mut content = Vec::new();
    let most = u64::try_from(LIMIT).unwrap_or(u64::MAX).saturating_add(1);
    file.take(most).read_to_end(&mut content)?;
    Ok(Some(content))
}

fn write(folder: &Path, path: &Path, content: &[u8]) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_put_is_got_until_it_is_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::in_folder(&folder.path().join("deeper"));
        assert_eq!(store.get("one").await.unwrap(), None);
        store.delete("one").await.unwrap();
        store
            .put("one", Bytes::from_static(b"first"))
            .await
            .unwrap();
        store
            .put("one", Bytes::from_static(b"second"))
            .await
            .unwrap();
        assert_eq!(store.get("one").await.unwrap().unwrap(), "second");
        let left: Vec<_> = fs::read_dir(folder.path().join("deeper"))
            .unwrap()
            .collect();
        assert_eq!(left.len(), 1, "nothing of the replacement is left");
        store.delete("one").await.unwrap();
        assert_eq!(store.get("one").await.unwrap(), None);
    }

    #[tokio::test]
    async fn what_is_no_name_or_too_large_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::in_folder(folder.path());
        for name in ["", "../up", "a/b", ".hidden"] {
            assert!(store.get(name).await.is_err(), "{name}");
        }
        fs::write(folder.path().join("large"), vec![0; LIMIT + 1]).unwrap();
        let error = store.get("large").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge);
        let blocked = folder.path().join("blocked");
        fs::write(&blocked, b"a file").unwrap();
        let error = FileStore::in_folder(&blocked)
            .put("one", Bytes::from_static(b"x"))
            .await
            .unwrap_err();
        assert!(error.to_string().contains("nvram_store_folder"), "{error}");
    }
}
