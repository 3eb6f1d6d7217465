//! `powervm-harness ci watch`

use std::env;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::backoff::Backoff;
use crate::config::Config;
use crate::queue::Queue;
use crate::watch::{self, Processes};

use super::{Stop, Watch, gerrit, run, runtime, seed, until_signal};

pub(super) fn watch(command: &Watch) -> Result<u8, Stop> {
    let config = Config::load(&command.config)?;
    let config_file =
        std::path::absolute(&command.config).map_err(|error| Stop::Other(error.to_string()))?;
    let program = env::current_exe()
        .map_err(|error| Stop::Other(format!("this program cannot be found: {error}")))?;
    if config.run.isolation.is_empty() {
        // Runs see what this process sees.
        run::check(&config)?;
    }
    let gerrit = gerrit(&config)?;
    if !gerrit.has_credentials() {
        tracing::warn!("[gerrit] has no username: changes are run, and nothing is said");
    }
    let queue = Arc::new(Queue::open(&config.queue_file())?);
    clear(&config, &queue);
    let seed = seed(&config);
    runtime()?.block_on(async {
        let cancel = until_signal()?;
        let hints = config.stream.clone().map(|stream| {
            let (sender, hints) = mpsc::channel(64);
            let (project, cancel) = (config.gerrit.project.clone(), cancel.clone());
            tokio::spawn(async move {
                let mut backoff =
                    Backoff::new(Duration::from_secs(1), Duration::from_secs(300), seed);
                watch::listen(&stream, &project, &sender, &mut backoff, &cancel).await;
            });
            hints
        });
        let watch = watch::Watch {
            runner: Arc::new(Processes::new(config.clone(), config_file, program)),
            gerrit,
            queue,
            seed,
            config,
        };
        watch.watch(hints, command.once, cancel).await?;
        Ok(0)
    })
}

/// What runs left that were killed: nothing is under way yet, and nobody else has this queue. What is not a run of the
/// queue's stays: packages that were downloaded, and runs by hand.
fn clear(config: &Config, queue: &Queue) {
    for run in queue.runs() {
        let folder = config.work().join(&run.id);
        if folder.is_dir()
            && let Err(error) = std::fs::remove_dir_all(&folder)
        {
            tracing::warn!(%error, folder = %folder.display(), "the folder of a run that was killed cannot be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::gerrit::Timestamp;
    use crate::trigger::{Cause, Trigger};

    #[test]
    fn the_folders_of_killed_runs_are_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let mut config: Config = toml::from_str(
            "name = \"powervm\"\ncontact = \"https://wiki.example.org/ci\"\nstate = \"/nowhere\"\n\
             logs = \"/nowhere\"\nlogs_url = \"https://ci.example.org\"\n[gerrit]\n[run]\n",
        )
        .unwrap();
        config.state = folder.path().to_owned();
        let queue = Queue::open(&config.queue_file()).unwrap();
        let begun = Timestamp::from_millis(1_000);
        queue.begin(begun).unwrap();
        for change in [1, 2] {
            let trigger = Trigger {
                key: format!("patch set 1 of {change}"),
                change,
                patch_set: 1,
                commit: "0123456789abcdef0123456789abcdef01234567".to_owned(),
                branch: "master".to_owned(),
                cause: Cause::PatchSet,
                at: Timestamp::from_millis(2_000),
            };
            queue.offer(&[trigger]).unwrap();
        }
        // Killed as it ran; the other one has no folder yet.
        let run = queue.next().unwrap().unwrap();
        drop(queue);
        let queue = Queue::open(&config.queue_file()).unwrap();
        let work = config.work();
        for name in [run.id.as_str(), "manual", "cache"] {
            fs::create_dir_all(work.join(name).join("output")).unwrap();
            fs::write(work.join(name).join("output/job-output.txt"), "half").unwrap();
        }
        clear(&config, &queue);
        let mut left: Vec<_> = fs::read_dir(&work)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        left.sort();
        assert_eq!(left, ["cache", "manual"]);
        // The run itself waits again.
        assert_eq!(queue.next().unwrap().unwrap().id, run.id);
    }
}
