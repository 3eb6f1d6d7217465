//! What a run leaves in its own process: tasks that still live, connections that are still open.

use std::fs;
use std::time::Duration;

use tokio::runtime::Handle;

/// How often it is looked whether everything has ended.
const LOOKS: u32 = 50;
/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// What there was before a run.
#[derive(Debug, Clone, Copy)]
pub struct Watch {
    tasks: usize,
    sockets: usize,
}

impl Watch {
    /// Counts what there is now, on the runtime that this is called on.
    #[must_use]
    pub fn begin() -> Self {
        Self {
            tasks: Handle::current().metrics().num_alive_tasks(),
            sockets: open_sockets(),
        }
    }

    /// What there is more, in words, once what is ending has had five seconds for it; nothing after a clean run.
    /// Everything that the run used has to be dropped by then.
    pub async fn leaks(self) -> Vec<String> {
        for _ in 0..LOOKS {
            if self.found().is_empty() {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        self.found()
    }

    /// How many more tasks there are than before, once those that are ending have had that long for it, in whole
    /// seconds of the runtime's clock.
    pub async fn tasks_after(self, patience: Duration) -> usize {
        for _ in 0..patience.as_secs() {
            if self.more_tasks() == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        self.more_tasks()
    }

    fn more_tasks(self) -> usize {
        let now = Handle::current().metrics().num_alive_tasks();
        now.saturating_sub(self.tasks)
    }

    fn found(self) -> Vec<String> {
        let tasks = Handle::current().metrics().num_alive_tasks();
        let tasks = more("tasks that still live", self.tasks, tasks);
        tasks
            .into_iter()
            .chain(more_sockets(self.sockets))
            .collect()
    }
}

/// The same of a run on several runtimes: each has tasks of its own, but connections are the process's.
#[derive(Debug, Clone, Copy)]
pub struct Connections(usize);

impl Connections {
    /// Counts what there is now.
    #[must_use]
    pub fn begin() -> Self {
        Self(open_sockets())
    }

    /// What there is more, in words. Every runtime of the run has to be gone by then.
    #[must_use]
    pub fn leak(self) -> Option<String> {
        more_sockets(self.0)
    }
}

fn more_sockets(before: usize) -> Option<String> {
    more("connections that are still open", before, open_sockets())
}

fn more(what: &str, before: usize, now: usize) -> Option<String> {
    let count = now.saturating_sub(before);
    (count > 0).then(|| format!("{count} {what}, {before} before the run and {now} after it"))
}

/// How many sockets this process has open; 0 where `/proc` does not tell.
fn open_sockets() -> usize {
    let Ok(files) = fs::read_dir("/proc/self/fd") else {
        return 0;
    };
    let targets = files
        .flatten()
        .filter_map(|file| fs::read_link(file.path()).ok());
    targets
        .filter(|target| target.to_string_lossy().starts_with("socket:"))
        .count()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Watch;

    #[tokio::test(start_paused = true)]
    async fn a_task_that_lives_on_is_told_and_one_that_ends_is_not() {
        let watch = Watch::begin();
        let task = tokio::spawn(std::future::pending::<()>());
        let ending = tokio::spawn(tokio::time::sleep(Duration::from_secs(1)));
        assert_eq!(watch.tasks_after(Duration::from_secs(2)).await, 1);
        let leaks = watch.leaks().await;
        assert!(ending.is_finished());
        assert!(
            leaks.iter().any(|leak| leak.starts_with("1 tasks")),
            "{leaks:?}"
        );
        task.abort();
        let leaks = watch.leaks().await;
        assert!(
            !leaks.iter().any(|leak| leak.contains("tasks")),
            "{leaks:?}"
        );
    }

    #[tokio::test]
    async fn an_open_connection_is_counted() {
        if !cfg!(target_os = "linux") {
            return;
        }
        let before = super::open_sockets();
        let listeners: Vec<_> = (0..50)
            .map(|_| std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port"))
            .collect();
        // Other tests of this process open and close theirs meanwhile.
        assert!(super::open_sockets() > before + listeners.len() / 2);
    }
}
