//! Group commit: edits of one resource that wait together travel together.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use powervm_schema::atom::Entry;
use powervm_schema::xml::Element;
use tokio::sync::oneshot;
use tracing::Instrument;

use super::apply::{BoxedEdit, apply};
use super::edit::check;
use super::pace::pause;
use super::{Changed, Edited};
use crate::error::{Error, ErrorKind, Result};
use crate::rest::{CallCounts, Groups, Session};

/// Joins edits of the same resource. Clones share their queues; make one for all operations of a session.
///
/// There is one queue a resource. The first edit starts its update at once; those that come until its document is
/// read go with it, those that come later go together in the next. Edits with other extended groups take their turn
/// in the same queue but in updates of their own, since a document read without a group must not be sent with it.
#[derive(Clone)]
pub struct Group {
    session: Session,
    queues: Arc<Queues>,
}

type Queues = Mutex<BTreeMap<String, VecDeque<Pending>>>;

struct Pending {
    session: Session,
    href: String,
    groups: Vec<String>,
    edit: BoxedEdit,
    answer: oneshot::Sender<Result<Edited>>,
    /// It had something to change when it was last applied.
    changed: bool,
    /// It was in an update whose answer was lost, which may have been made.
    lost: bool,
}

impl Group {
    /// A group commit over this session.
    pub fn new(session: Session) -> Group {
        Group {
            session,
            queues: Arc::default(),
        }
    }

    /// The same queues; the requests of updates that this value begins are counted in `counts` as well.
    #[must_use]
    pub fn counted_in(&self, counts: CallCounts) -> Group {
        Group {
            session: self.session.counted_in(counts),
            queues: Arc::clone(&self.queues),
        }
    }

    /// Applies `edit` to the resource at `href` (a path or SELF link), read with these named groups, in the next
    /// update of it.
    ///
    /// An edit that fails is left out and harms no other; an update that the server refuses is repeated edit by
    /// edit, so that only the guilty one fails. Dropping the future before its update began takes the edit back;
    /// after that it may still be made.
    ///
    /// # Errors
    /// As [`edit()`](super::edit()).
    pub async fn edit<F>(&self, href: &str, groups: &[&str], edit: F) -> Result<Edited>
    where
        F: FnMut(&mut Element) -> Result<Changed> + Send + 'static,
    {
        let mut names: Vec<String> = groups.iter().map(|group| (*group).to_owned()).collect();
        names.sort_unstable();
        names.dedup();
        let (answer, outcome) = oneshot::channel();
        let pending = Pending {
            session: self.session.clone(),
            href: href.to_owned(),
            groups: names,
            edit: Box::new(edit),
            answer,
            changed: false,
            lost: false,
        };
        self.submit(pending);
        outcome
            .await
            .unwrap_or_else(|_| Err(Error::internal("the task of a group commit was torn down")))
    }

    fn submit(&self, pending: Pending) {
        let key = resource_of(&pending.href);
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        // A queue exists exactly while a task empties it.
        if let Some(queue) = queues.get_mut(&key) {
            queue.push_back(pending);
            return;
        }
        queues.insert(key.clone(), VecDeque::from([pending]));
        drop(queues);
        let lane = Lane {
            queues: Arc::clone(&self.queues),
            key,
        };
        let span = tracing::info_span!("group_commit", resource = %lane.key);
        tokio::spawn(async move { lane.empty().await }.instrument(span));
    }
}

/// What a resource is queued by: its UUID, whichever way it was reached.
fn resource_of(href: &str) -> String {
    let path = href.split('?').next().unwrap_or_default();
    path.trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .to_ascii_uppercase()
}

/// The task that empties one queue.
struct Lane {
    queues: Arc<Queues>,
    key: String,
}

impl Drop for Lane {
    /// Also after a panic in a transport: whoever waits is told, and the next edit starts a new task.
    fn drop(&mut self) {
        self.queues
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.key);
    }
}

impl Lane {
    async fn empty(mut self) {
        let mut last: Option<Known> = None;
        while let Some((session, href, groups)) = self.head() {
            let known = last.take().filter(|known| known.groups == groups);
            let update = Update {
                lane: &self,
                session,
                href,
                groups,
            };
            last = update.commit(known).await;
        }
        // The queue is gone already, and another task may have made a new one: leave that alone.
        self.key.clear();
    }

    /// The next edit that somebody still waits for. Without one the queue is removed, under the same lock, so that
    /// no edit can slip in between.
    fn head(&self) -> Option<(Session, String, Vec<String>)> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = queues.get_mut(&self.key)?;
        queue.retain(|pending| !pending.answer.is_closed());
        match queue.front() {
            Some(head) => Some((head.session.clone(), head.href.clone(), head.groups.clone())),
            None => {
                queues.remove(&self.key);
                None
            }
        }
    }

    /// Takes all edits with these groups out of the queue.
    fn take(&self, groups: &[String]) -> Vec<Pending> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(queue) = queues.get_mut(&self.key) else {
            return Vec::new();
        };
        let (taken, left) = std::mem::take(queue)
            .into_iter()
            .partition(|pending| pending.groups == groups);
        *queue = left;
        taken.into()
    }
}

/// A document and the groups it was read with.
struct Known {
    groups: Vec<String>,
    entry: Arc<Entry>,
}

/// One update: everything that waits for these groups when its document is at hand.
struct Update<'l> {
    lane: &'l Lane,
    session: Session,
    href: String,
    groups: Vec<String>,
}

impl Update<'_> {
    /// Commits all edits that wait. A document known from the update before saves a read; what it cannot vouch for
    /// (failures, and edits that find nothing to do) is looked at again with a fresh one. Returns the newest
    /// document.
    async fn commit(&self, known: Option<Known>) -> Option<Known> {
        let mut batch: Vec<Pending> = Vec::new();
        let mut known = known
            .map(|known| known.entry)
            .filter(|entry| entry.etag.is_some());
        let (mut failed, mut lost) = (0, 0);
        loop {
            let reused = known.is_some();
            let base = match known.take() {
                Some(entry) => entry,
                None => match self.read().await {
                    Ok(entry) => Arc::new(entry),
                    Err(error) => {
                        batch.extend(self.lane.take(&self.groups));
                        answer_all(batch, &error);
                        return None;
                    }
                },
            };
            batch.extend(self.lane.take(&self.groups));
            batch.retain(|pending| !pending.answer.is_closed());
            let applied = apply(
                &base.content,
                batch.iter_mut().map(|pending| &mut pending.edit),
            );
            if reused && (applied.any_failed() || !applied.any_changed()) {
                continue;
            }
            batch = settled(batch, applied.results);
            if batch.iter().all(|pending| !pending.changed) {
                answer_with(batch, &base);
                return Some(self.known(base));
            }
            let error = match self.send(&base, &applied.document).await {
                Ok(entry) => {
                    tracing::debug!(edits = batch.len(), "updated");
                    let entry = Arc::new(entry);
                    answer_with(batch, &entry);
                    return Some(self.known(entry));
                }
                Err(error) => error,
            };
            if batch.len() > 1 && error.kind() == ErrorKind::Refused {
                tracing::warn!(%error, edits = batch.len(), "the joint update was refused, repeating it edit by edit");
                for pending in batch {
                    self.commit_alone(pending).await;
                }
                return None;
            }
            let was_lost = error.kind() == ErrorKind::UnknownOutcome;
            if let Err(error) = check(error, &mut failed, &mut lost) {
                answer_all(batch, &error);
                return None;
            }
            for pending in &mut batch {
                pending.lost |= was_lost && pending.changed;
            }
            pause(&self.session, failed).await;
        }
    }

    async fn commit_alone(&self, pending: Pending) {
        let Pending {
            session,
            href,
            mut edit,
            answer,
            ..
        } = pending;
        if answer.is_closed() {
            return;
        }
        let names: Vec<&str> = self.groups.iter().map(String::as_str).collect();
        let outcome = super::edit(&session, &href, groups_of(&names), |document| {
            edit(document)
        })
        .await;
        let _ = answer.send(outcome);
    }

    async fn read(&self) -> Result<Entry> {
        let names: Vec<&str> = self.groups.iter().map(String::as_str).collect();
        self.session.get_entry(&self.href, groups_of(&names)).await
    }

    async fn send(&self, base: &Entry, document: &Element) -> Result<Entry> {
        let names: Vec<&str> = self.groups.iter().map(String::as_str).collect();
        let href = base.self_href().unwrap_or(&self.href);
        self.session
            .post(href, groups_of(&names), document, base.etag.as_deref())
            .await
    }

    fn known(&self, entry: Arc<Entry>) -> Known {
        Known {
            groups: self.groups.clone(),
            entry,
        }
    }
}

fn groups_of<'n>(names: &'n [&'n str]) -> Groups<'n> {
    if names.is_empty() {
        Groups::None
    } else {
        Groups::Named(names)
    }
}

/// Tells those whose edit failed, and notes of the others whether they changed something.
fn settled(batch: Vec<Pending>, results: Vec<Result<Changed>>) -> Vec<Pending> {
    let mut left = Vec::with_capacity(batch.len());
    for (mut pending, result) in batch.into_iter().zip(results) {
        match result {
            Ok(changed) => {
                pending.changed = changed == Changed::Yes;
                left.push(pending);
            }
            Err(error) => {
                let _ = pending.answer.send(Err(error));
            }
        }
    }
    left
}

fn answer_with(batch: Vec<Pending>, entry: &Arc<Entry>) {
    for pending in batch {
        let edited = Edited {
            entry: Arc::clone(entry),
            changed: pending.changed || pending.lost,
        };
        let _ = pending.answer.send(Ok(edited));
    }
}

fn answer_all(batch: Vec<Pending>, error: &Error) {
    for pending in batch {
        let _ = pending.answer.send(Err(error.clone()));
    }
}
