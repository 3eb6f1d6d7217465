//! Reading what happened since the last time, page by page, and losing nothing.
//!
//! Moments are Gerrit's own throughout, so that clocks need not agree. A sweep asks for everything since the newest
//! change that the last one saw, and for five minutes before it: Gerrit's index may lag behind. What is read twice is
//! known by its key. A sweep that meets more pages than it may read in a row goes on where it was the next time, and
//! what is updated in between comes to the front of the one after it.

use std::time::Duration;

use crate::config::GerritConfig;
use crate::gerrit::model::CommentInfo;
use crate::gerrit::{ChangeInfo, Gerrit, GerritError, Timestamp};
use crate::trigger::Rules;

/// How far behind Gerrit's index may be.
const OVERLAP: Duration = Duration::from_secs(300);

/// A change, and comments that have to be read with it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The change.
    pub change: ChangeInfo,
    /// Comments on its patch sets as a whole, where a message of it refers to some.
    pub comments: Vec<CommentInfo>,
}

/// Where a sweep that may take several turns stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sweep {
    /// Everything that was updated since then is read.
    pub since: Timestamp,
    /// Changes that were read, the newest first.
    pub read: usize,
    /// The newest moment on its first page: the next sweep begins there.
    pub newest: Option<Timestamp>,
}

/// What a turn of a sweep gave.
#[derive(Debug)]
pub struct Turn {
    /// The changes.
    pub seen: Vec<Seen>,
    /// Where to go on; nothing when all was read.
    pub rest: Option<Sweep>,
    /// When all was read: up to where.
    pub newest: Option<Timestamp>,
}

impl Sweep {
    /// Of everything since then.
    #[must_use]
    pub fn since(seen: Timestamp) -> Self {
        Self {
            since: seen.earlier(OVERLAP),
            read: 0,
            newest: None,
        }
    }

    /// The next pages.
    ///
    /// # Errors
    /// Gerrit gave no answer; the same sweep can be tried again.
    pub async fn turn(
        mut self,
        gerrit: &Gerrit,
        rules: &Rules,
        config: &GerritConfig,
    ) -> Result<Turn, GerritError> {
        let query = format!(
            "project:{} after:\"{}\"",
            config.project,
            self.since.query()
        );
        let mut seen = Vec::new();
        for _ in 0..config.pages {
            let page = gerrit.changes(&query, self.read, config.page).await?;
            self.read += page.changes.len();
            if self.newest.is_none() {
                self.newest = page.changes.iter().map(|change| change.updated).max();
            }
            // A page that is empty and has more behind it would never end.
            let more = page.more && !page.changes.is_empty();
            for change in page.changes {
                seen.push(with_comments(gerrit, rules, change, self.since).await?);
            }
            if !more {
                return Ok(Turn {
                    seen,
                    rest: None,
                    newest: self.newest,
                });
            }
        }
        Ok(Turn {
            seen,
            rest: Some(self),
            newest: None,
        })
    }
}

/// Reads comments too, where the change cannot be judged without them.
async fn with_comments(
    gerrit: &Gerrit,
    rules: &Rules,
    change: ChangeInfo,
    after: Timestamp,
) -> Result<Seen, GerritError> {
    let comments = if rules.needs_comments(&change, after) {
        match gerrit.patch_set_comments(change.number).await {
            // Gone, or hidden, since it was listed.
            Err(GerritError::Refused { .. }) => Vec::new(),
            comments => comments?,
        }
    } else {
        Vec::new()
    };
    Ok(Seen { change, comments })
}
