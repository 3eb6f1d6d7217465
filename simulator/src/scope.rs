//! One NovaLink's view of a world that has several, kept until the world changes.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use uuid::Uuid;

use crate::model::World;

/// A system whose NovaLink answers.
pub(crate) struct Scope {
    pub(crate) system: Uuid,
    /// The last world that was looked at, and how.
    last: ArcSwapOption<(Arc<World>, Arc<World>)>,
}

impl Scope {
    pub(crate) fn new(system: Uuid) -> Self {
        Self {
            system,
            last: ArcSwapOption::empty(),
        }
    }

    /// How this NovaLink sees the world.
    pub(crate) fn of(&self, world: &Arc<World>) -> Arc<World> {
        if let Some(last) = &*self.last.load()
            && Arc::ptr_eq(&last.0, world)
        {
            return Arc::clone(&last.1);
        }
        let seen = Arc::new(world.of_system(self.system));
        self.last
            .store(Some(Arc::new((Arc::clone(world), Arc::clone(&seen)))));
        seen
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("system", &self.system)
            .finish_non_exhaustive()
    }
}
