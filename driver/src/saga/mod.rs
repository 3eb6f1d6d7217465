//! Operations as small steps with a way back.
//!
//! A [`Saga`] is a set of named [`Step`]s over a shared context. A step runs when all steps that it comes `after`
//! are done, so independent branches run side by side. When one fails, or the caller cancels, nothing new starts,
//! what runs is awaited, and everything that was begun is undone in the reverse order, the failed step included:
//! a failed step may have done its work (the answer was lost), so an undo means "make sure that it is absent" and
//! has to tolerate being run on nothing, and being run again.
//!
//! The semantics follow those of distributed sagas as the `steno` crate documents them, without its weight;
//! `docs/decisions/saga.md` says where and why ours differ.
//!
//! ```
//! use std::sync::{Arc, Mutex};
//! use powervm_driver::saga::{RunOptions, Saga, Step};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), powervm_driver::Error> {
//! struct Deploy { log: Mutex<Vec<&'static str>> }
//! let context = Arc::new(Deploy { log: Mutex::default() });
//! let saga = Saga::new("deploy")
//!     .step(Step::new("disk", |deploy: Arc<Deploy>| async move {
//!         deploy.log.lock().unwrap().push("disk");
//!         Ok(())
//!     }).undo(|deploy: Arc<Deploy>| async move {
//!         deploy.log.lock().unwrap().push("no disk");
//!         Ok(())
//!     }))
//!     .step(Step::new("map", |deploy: Arc<Deploy>| async move {
//!         deploy.log.lock().unwrap().push("map");
//!         Ok(())
//!     }).after(["disk"]));
//! saga.run(context.clone(), RunOptions::default()).await?;
//! assert_eq!(*context.log.lock().unwrap(), ["disk", "map"]);
//! # Ok(())
//! # }
//! ```

mod graph;
mod observer;
mod outline;
mod report;
mod run;
mod step;
mod worker;

pub use observer::{Event, NoObserver, Observer, Phase, observe_with};
pub use outline::{Outline, OutlinedStep};
pub use report::{SagaFailure, StepFailure};
pub use run::{Rehearsal, RunOptions, cancellation, checkpoint};
pub use step::{Saga, Snapshot, Step};
