//! One configuration change at a time per Virtual I/O Server.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use uuid::Uuid;

use crate::clock::{Clock, Millis};

/// Until when each Virtual I/O Server is occupied. No lock is held while anybody waits.
#[derive(Clone, Debug, Default)]
pub struct Queues {
    busy_until: Arc<Mutex<BTreeMap<Uuid, Millis>>>,
    freed: Arc<Notify>,
}

impl Queues {
    /// Waits until the server is free and occupies it for `duration`; returns when the occupation ends.
    ///
    /// Who asks first among those that wait is first. Whoever gives up after this still leaves the server occupied,
    /// as a real one does not stop what it began.
    pub async fn occupy(&self, clock: &Clock, server: Uuid, duration: Duration) -> Millis {
        loop {
            let freed = self.freed.notified();
            tokio::pin!(freed);
            freed.as_mut().enable();
            match self.claim(clock.now(), server, duration) {
                Ok(end) => return end,
                Err(busy) => tokio::select! {
                    () = clock.sleep_until(busy) => {}
                    () = freed => {}
                },
            }
        }
    }

    /// Frees a server before its time, if it is still occupied until `end`: the change was refused at its beginning.
    pub fn release(&self, server: Uuid, end: Millis, now: Millis) {
        let mut busy_until = self
            .busy_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if busy_until.get(&server) == Some(&end) {
            busy_until.insert(server, now);
            self.freed.notify_waiters();
        }
    }

    /// Frees every server.
    pub fn clear(&self) {
        self.busy_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        self.freed.notify_waiters();
    }

    fn claim(&self, now: Millis, server: Uuid, duration: Duration) -> Result<Millis, Millis> {
        let mut busy_until = self
            .busy_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match busy_until.get(&server) {
            Some(busy) if *busy > now => Err(*busy),
            _ => {
                let end = now.after(duration);
                busy_until.insert(server, end);
                Ok(end)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn changes_of_one_server_follow_each_other() {
        let (queues, clock) = (Queues::default(), Clock::new(1.0));
        let one = Uuid::from_u128(1);
        let change = |server| {
            let (queues, clock) = (queues.clone(), clock.clone());
            tokio::spawn(async move {
                let end = queues.occupy(&clock, server, Duration::from_secs(5)).await;
                clock.sleep_until(end).await;
                clock.now().since(Millis::EPOCH).as_secs()
            })
        };
        let (a, b, c) = (change(one), change(one), change(Uuid::from_u128(2)));
        assert_eq!(
            (a.await.unwrap(), b.await.unwrap(), c.await.unwrap()),
            (5, 10, 5)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_change_frees_its_place() {
        let (queues, clock, server) = (Queues::default(), Clock::new(1.0), Uuid::from_u128(1));
        let end = queues.occupy(&clock, server, Duration::from_secs(5)).await;
        let waiting = tokio::spawn({
            let (queues, clock) = (queues.clone(), clock.clone());
            async move { queues.occupy(&clock, server, Duration::from_secs(5)).await }
        });
        tokio::task::yield_now().await;
        queues.release(server, end, clock.now());
        assert_eq!(waiting.await.unwrap(), Millis::EPOCH.plus(5000));
        assert_eq!(clock.now(), Millis::EPOCH);
    }
}
