//! Saying in Gerrit how a run ended: once, whatever the network does.
//!
//! A vote is written down before it is sent. After an answer that does not tell whether Gerrit did it, and after a
//! restart, the change's messages are read: a message of ours that ends with the run's name is the vote. Only when there
//! is none it is sent (again).

mod message;

use std::time::Duration;

use crate::backoff::Backoff;
use crate::gerrit::{AccountInfo, ChangeInfo, Gerrit, GerritError, ReviewInput};

pub use message::{duration, is_about, message, review, tag};

/// How long a request whose answer got lost may still be on its way before the messages are read.
const SETTLING: Duration = Duration::from_secs(30);

/// What is to be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ballot {
    /// The run's name.
    pub run_id: String,
    /// The change.
    pub change: u64,
    /// The patch set.
    pub patch_set: u32,
    /// The patch set's commit.
    pub commit: String,
    /// Whether nobody asked for this run: then one word of ours on the patch set is enough.
    pub is_first: bool,
    /// Whether it may have been sent before, by a CI that ended in the middle of it.
    pub is_resumed: bool,
    /// The words and the vote.
    pub review: ReviewInput,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cast {
    /// Gerrit has it.
    Said,
    /// Gerrit has had it before.
    WasSaid,
    /// The patch set is not the newest any more, or the change is closed or taken back.
    Outdated(String),
    /// The caller does not want it any more.
    Unwanted,
    /// Gerrit does not take it.
    Refused(GerritError),
}

/// Says it, however long Gerrit is away. `intend` writes down that it is about to be sent, and says whether it is still
/// wanted.
///
/// # Errors
/// What `intend` fails with: then nothing was sent.
pub async fn cast<E>(
    gerrit: &Gerrit,
    own: &AccountInfo,
    ballot: &Ballot,
    backoff: &mut Backoff,
    mut intend: impl FnMut() -> Result<bool, E>,
) -> Result<Cast, E> {
    let mut review = ballot.review.clone();
    if ballot.is_resumed {
        tokio::time::sleep(SETTLING).await;
    }
    loop {
        let change = match gerrit.change(ballot.change).await {
            Ok(Some(change)) => change,
            Ok(None) => return Ok(Cast::Outdated("the change is gone".to_owned())),
            Err(error) if may_pass(&error) => {
                pause(ballot, backoff, &error, Duration::ZERO).await;
                continue;
            }
            Err(error) => return Ok(Cast::Refused(error)),
        };
        if is_said(&change, own, ballot) {
            return Ok(Cast::WasSaid);
        }
        if let Some(why) = outdated(&change, ballot) {
            return Ok(Cast::Outdated(why));
        }
        if !intend()? {
            return Ok(Cast::Unwanted);
        }
        match gerrit.review(ballot.change, &ballot.commit, &review).await {
            Ok(()) => return Ok(Cast::Said),
            Err(
                error @ GerritError::Refused {
                    status: 400 | 403, ..
                },
            ) if !review.labels.is_empty() => {
                // The result is worth more than the vote.
                tracing::warn!(run = ballot.run_id, %error, "Gerrit takes no vote of ours: commenting without one");
                review.labels.clear();
            }
            Err(error) if may_pass(&error) => {
                let is_unknown = matches!(
                    error,
                    GerritError::Lost { .. }
                        | GerritError::Failed { .. }
                        | GerritError::Garbled { .. }
                );
                let settling = if is_unknown { SETTLING } else { Duration::ZERO };
                pause(ballot, backoff, &error, settling).await;
            }
            Err(error) => return Ok(Cast::Refused(error)),
        }
    }
}

/// A password that is being renewed passes, too: nobody wants to lose a day's results for that.
fn may_pass(error: &GerritError) -> bool {
    error.is_passing() || matches!(error, GerritError::Refused { status: 401, .. })
}

async fn pause(ballot: &Ballot, backoff: &mut Backoff, error: &GerritError, least: Duration) {
    let wait = backoff.wait(error.retry_after()).max(least);
    tracing::warn!(run = ballot.run_id, %error, seconds = wait.as_secs(), "the vote waits");
    tokio::time::sleep(wait).await;
}

fn is_said(change: &ChangeInfo, own: &AccountInfo, ballot: &Ballot) -> bool {
    change.messages.iter().any(|message| {
        let is_ours = message.author.as_ref().is_some_and(|author| author.is(own));
        let is_tagged = message.tag.as_deref() == Some(&ballot.review.tag);
        let is_of_this = message.patch_set == Some(ballot.patch_set);
        is_ours
            && (is_about(&message.message, &ballot.run_id)
                || (ballot.is_first && is_tagged && is_of_this))
    })
}

fn outdated(change: &ChangeInfo, ballot: &Ballot) -> Option<String> {
    if !change.is_ready() {
        return Some("the change is closed or not ready for review".to_owned());
    }
    let current = change.current().map(|(commit, ..)| commit);
    (current != Some(&ballot.commit)).then(|| "there is a newer patch set".to_owned())
}
