//! The files that a configuration names: whether they can be used, and whether others can read or change them.

use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{Config, Problem};

/// What is wrong with a file that holds a secret: it cannot be read, or others can.
#[must_use]
pub fn secret_file(key: &str, path: &Path) -> Vec<Problem> {
    let name = path.display();
    let found = File::open(path).and_then(|file| file.metadata());
    let found = match found {
        Ok(found) => found,
        Err(error) => {
            let what = format!("the file {name} cannot be read: {error}");
            return vec![Problem::of(key, what)];
        }
    };
    if !found.is_file() {
        return vec![Problem::of(key, format!("{name} is no file"))];
    }
    let others = found.permissions().mode() & 0o077;
    if others == 0 {
        return Vec::new();
    }
    let what = format!("others may use the file {name}, which holds a secret: chmod 600 {name}");
    vec![Problem::odd(key, what)]
}

impl Config {
    /// What is wrong with the files that it names.
    #[must_use]
    pub fn file_problems(&self) -> Vec<Problem> {
        let mut problems = self.vnc.file_problems();
        problems.extend(self.store.file_problems());
        let folder = self
            .journal
            .parent()
            .filter(|path| !path.as_os_str().is_empty());
        if let Some(folder) = folder {
            match folder.metadata() {
                Ok(found) if !found.is_dir() => {
                    let what = format!("{} is no folder", folder.display());
                    problems.push(Problem::of("journal", what));
                }
                Ok(found) if found.permissions().mode() & 0o022 != 0 => {
                    let name = folder.display();
                    let what =
                        format!("others may write into the folder {name}: chmod go-w {name}");
                    problems.push(Problem::odd("journal", what));
                }
                // What is not there is made.
                _ => {}
            }
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};

    use super::*;

    #[test]
    fn a_secret_is_its_owners() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        assert!(secret_file("key", &file)[0].stops);
        fs::write(&file, "x").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        let found = secret_file("key", &file);
        assert!(found.len() == 1 && !found[0].stops && found[0].what.contains("chmod 600"));
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        assert_eq!(secret_file("key", &file), []);
        assert!(secret_file("key", folder.path())[0].stops);
    }

    #[test]
    fn a_journal_is_in_a_folder_of_its_owners() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config {
            journal: folder.path().join("journal"),
            ..Config::default()
        };
        fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
        assert_eq!(config.file_problems().len(), 1);
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        assert_eq!(config.file_problems(), []);
    }
}
