//! Token files of a NovaLink: a logon without a password proves who it is by being able to read one.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use tempfile::TempDir;

/// The folder of token files: one that the user named, or a private temporary one made when it is first needed.
#[derive(Debug, Default)]
pub(crate) struct TokenFiles {
    named: Option<PathBuf>,
    temporary: Option<TempDir>,
}

impl TokenFiles {
    pub(crate) const fn new(named: Option<PathBuf>) -> Self {
        Self {
            named,
            temporary: None,
        }
    }

    /// Writes a token into a new file that only its owner can read.
    pub(crate) fn write(&mut self, name: &str, token: &SecretString) -> io::Result<PathBuf> {
        let path = self.folder()?.join(format!("token-{name}"));
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        file.write_all(token.expose_secret().as_bytes())?;
        Ok(path)
    }

    pub(crate) fn remove(&self, path: &Path) {
        if let Err(error) = fs::remove_file(path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "a token file cannot be removed");
        }
    }

    fn folder(&mut self) -> io::Result<PathBuf> {
        if let Some(named) = &self.named {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(named)?;
            return Ok(named.clone());
        }
        if self.temporary.is_none() {
            let private = Permissions::from_mode(0o700);
            let folder = tempfile::Builder::new()
                .prefix("powervm-sim-")
                .permissions(private)
                .tempdir()?;
            self.temporary = Some(folder);
        }
        let folder = self
            .temporary
            .as_ref()
            .map(|folder| folder.path().to_path_buf());
        folder.ok_or_else(|| io::Error::other("no temporary folder"))
    }
}
