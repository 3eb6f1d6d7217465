//! Whether a configuration can be used, whoever made it.

use super::keys::Key;
use super::{Config, DiskDriver, Problem, refused};
use crate::error::Result;

impl Config {
    /// Checks ranges, and what has to be given together.
    ///
    /// # Errors
    /// All values that are out of their range, missing, or contradict others.
    pub fn check(&self) -> Result<()> {
        let table = self.table();
        let wrong = |(name, value): (&String, &toml::Value)| {
            let wrong = Key::find(name)?.kind.wrong(value)?;
            Some(Problem::of(name, wrong))
        };
        let mut problems: Vec<Problem> = table.iter().filter_map(wrong).collect();
        problems.extend(self.contradictions());
        refused(&problems).map_or(Ok(()), Err)
    }

    /// What is missing beside what is there, and what cannot be together.
    #[must_use]
    pub fn contradictions(&self) -> Vec<Problem> {
        let mut problems = self.volumes.contradictions();
        problems.extend(self.vnc.contradictions());
        problems.extend(self.store.contradictions());
        if self.disk_driver == DiskDriver::LocalDisk && self.volume_group_name.is_empty() {
            let what = "localdisk needs a volume_group_name";
            problems.push(Problem::of("disk_driver", what));
        }
        problems
    }
}
