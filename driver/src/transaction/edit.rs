//! One edit of one resource, repeated until nobody came in between.

use std::sync::Arc;

use powervm_schema::xml::Element;

use super::apply::run_guarded;
use super::pace::{LOST_ANSWERS, TRIES, pause};
use super::{Changed, Edited};
use crate::error::{Error, ErrorKind, Result};
use crate::rest::{Groups, Session};

/// Reads the resource at `href` with these groups, applies `edit`, and sends the result back if it says
/// [`Changed::Yes`]. When somebody else changed the resource in between (412), or the answer was lost, it is read
/// again and the edit applied to what is there now.
///
/// # Errors
/// What the edit returned; [`Error::Conflict`] after 60 tries; and those of [`Session::get_entry`] and
/// [`Session::post`].
pub async fn edit<F>(
    session: &Session,
    href: &str,
    groups: Groups<'_>,
    mut edit: F,
) -> Result<Edited>
where
    F: FnMut(&mut Element) -> Result<Changed> + Send,
{
    let mut failed = 0;
    let mut lost = 0;
    loop {
        let mut entry = session.get_entry(href, groups).await?;
        if run_guarded(&mut edit, &mut entry.content)? == Changed::No {
            return Ok(Edited {
                entry: Arc::new(entry),
                changed: lost > 0,
            });
        }
        let to = entry.self_href().unwrap_or(href);
        match session
            .post(to, groups, &entry.content, entry.etag.as_deref())
            .await
        {
            Ok(entry) => {
                return Ok(Edited {
                    entry: Arc::new(entry),
                    changed: true,
                });
            }
            Err(error) => check(error, &mut failed, &mut lost)?,
        }
        pause(session, failed).await;
    }
}

/// Whether an update is worth repeating after this error; gives the error back when it is not.
pub(super) fn check(error: Error, failed: &mut u32, lost: &mut u32) -> Result<()> {
    match error.kind() {
        ErrorKind::Conflict => {
            *failed += 1;
            if *failed < TRIES {
                return Ok(());
            }
            match error.call() {
                Some(call) => Err(Error::Conflict {
                    call: call.clone(),
                    tries: *failed,
                }),
                None => Err(error),
            }
        }
        ErrorKind::UnknownOutcome if *lost < LOST_ANSWERS => {
            *lost += 1;
            tracing::warn!(%error, "the answer to an update was lost, looking whether it was made");
            Ok(())
        }
        _ => Err(error),
    }
}
