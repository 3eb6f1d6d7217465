//! What the machine tells of itself that this program runs on, when that is a partition of the host.

use std::path::PathBuf;

/// The machine that this program runs on.
#[derive(Debug, Clone)]
pub struct Machine {
    proc: PathBuf,
}

impl Default for Machine {
    fn default() -> Self {
        Self::told_of_in("/proc")
    }
}

impl Machine {
    /// A machine whose kernel tells of it in this folder.
    #[must_use]
    pub fn told_of_in(proc: impl Into<PathBuf>) -> Self {
        Self { proc: proc.into() }
    }

    /// Number of the partition that it is; none for a machine that is none.
    #[must_use]
    pub fn partition_id(&self) -> Option<u32> {
        let text = self.read("ppc64/lparcfg")?;
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("partition_id="))?;
        line.trim().parse().ok()
    }

    /// Seconds since it was started.
    #[must_use]
    pub fn uptime(&self) -> Option<u64> {
        let text = self.read("uptime")?;
        let seconds = text.split(['.', ' ']).next()?;
        seconds.parse().ok()
    }

    /// How fast its processors run, in MHz.
    #[must_use]
    pub fn clock_mhz(&self) -> Option<u32> {
        let text = self.read("cpuinfo")?;
        let line = text.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            (name.trim() == "clock").then_some(value)
        })?;
        let whole = line.trim().split(['.', 'M']).next()?;
        whole.parse().ok()
    }

    fn read(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.proc.join(name)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_tells_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let machine = Machine::told_of_in(folder.path());
        assert_eq!(
            (
                machine.partition_id(),
                machine.uptime(),
                machine.clock_mhz()
            ),
            (None, None, None)
        );
        std::fs::create_dir(folder.path().join("ppc64")).unwrap();
        for (name, text) in [
            (
                "ppc64/lparcfg",
                "lparcfg 1.9\nserial_number=IBM,022125D4A\npartition_id=2\n",
            ),
            ("uptime", "93784.57 1471.20\n"),
            (
                "cpuinfo",
                "processor\t: 0\ncpu\t\t: POWER8\nclock\t\t: 4116.000000MHz\n",
            ),
        ] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        assert_eq!(
            (
                machine.partition_id(),
                machine.uptime(),
                machine.clock_mhz()
            ),
            (Some(2), Some(93784), Some(4116))
        );
    }
}
