//! Ways to look at a host from another side than its REST API.

use futures_util::future::BoxFuture;

use crate::audit::Inventory;

use super::{Content, Failure, Instance};

/// Sees what the REST API does not show.
pub trait Look: Send + Sync {
    /// More views of the inventory; none where there is no other side.
    fn inventories(&self) -> BoxFuture<'_, Result<Vec<Inventory>, Failure>>;

    /// What lies on the boot disk of a server; `disks` are the names of the disks that the REST API shows with it.
    fn content<'a>(&'a self, instance: &'a Instance, disks: &'a [String])
    -> BoxFuture<'a, Content>;
}

/// A host of which only the REST API can be seen.
#[derive(Debug, Clone, Copy, Default)]
pub struct Blind;

impl Look for Blind {
    fn inventories(&self) -> BoxFuture<'_, Result<Vec<Inventory>, Failure>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn content<'a>(&'a self, _: &'a Instance, _: &'a [String]) -> BoxFuture<'a, Content> {
        Box::pin(async {
            Content::NotCheckable(
                "not checkable on this target: the REST API does not read disks, and no admin API of a powervm-sim is given \
                 (--admin)".to_owned(),
            )
        })
    }
}
