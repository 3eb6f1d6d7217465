//! `powervm-harness ci watch`

use std::env;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::backoff::Backoff;
use crate::config::Config;
use crate::queue::Queue;
use crate::watch::{self, Processes};

use super::{Stop, Watch, gerrit, runtime, seed, until_signal};

pub(super) fn watch(command: &Watch) -> Result<u8, Stop> {
    let config = Config::load(&command.config)?;
    let config_file =
        std::path::absolute(&command.config).map_err(|error| Stop::Other(error.to_string()))?;
    let program = env::current_exe()
        .map_err(|error| Stop::Other(format!("this program cannot be found: {error}")))?;
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

/// What runs left that were killed: nothing is under way yet, and nobody else has this queue.
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
