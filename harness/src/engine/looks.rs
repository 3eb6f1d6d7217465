//! What servers look like after a step, read once for all checks.

use std::collections::BTreeMap;

use crate::scenario::{Action, Deed, RefusalKind};
use crate::target::{Failure, Host, ServerView};

use super::operation::Outcome;

/// Servers by the scenario's names.
pub(super) type Looks = BTreeMap<String, Result<ServerView, Failure>>;

/// Reads every server that an operation of the step left there.
pub(super) async fn all(host: &dyn Host, outcomes: &mut [Outcome]) -> Looks {
    let mut looks = Looks::new();
    for outcome in outcomes {
        let is_there = outcome.result.is_ok() && leaves_a_server(&outcome.operation.work.action);
        if !is_there || outcome.operation.order.is_none() {
            continue;
        }
        let instance = &outcome.operation.instance;
        let look = host.show(instance).await;
        let is_away = matches!(&look, Err(failure) if failure.kind == RefusalKind::NotFound);
        if is_away && may_be_away(&outcome.operation.work.action) {
            continue;
        }
        if let Ok(ServerView {
            interfaces: Some(interfaces),
            ..
        }) = &look
        {
            let addresses = interfaces.iter().map(|(_, address)| address.clone());
            outcome.addresses = Some(addresses.collect());
        }
        looks.insert(instance.server.clone(), look);
    }
    looks
}

/// Removed and shelved servers are away.
fn leaves_a_server(action: &Action) -> bool {
    !matches!(action, Action::Delete | Action::Do(Deed::Shelve(_)))
}

/// What is attached to a server that is shelved is not on the host before that server is.
fn may_be_away(action: &Action) -> bool {
    matches!(
        action,
        Action::Do(Deed::AttachVolume(_) | Deed::DetachVolume(_))
    )
}
