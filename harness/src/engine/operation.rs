//! One operation on one server: begun, timed, ended.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::image::Image;
use crate::report::{OperationReport, RefusedReport};
use crate::scenario::{Action, Work};
use crate::stats::millis;
use crate::target::{Failure, Host, Instance, Order, PhaseWatch, ServerView, Task};

/// Hears the name of every phase that the operation enters.
pub(super) type Enter = Arc<dyn Fn(&str) + Send + Sync>;

/// What an operation does to its server, every name and amount resolved.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub(super) instance: Instance,
    pub(super) work: Work,
    /// What the server is to be like afterwards; not known of one that was never deployed.
    pub(super) order: Option<Order>,
    /// The image that a rescue starts from.
    pub(super) image: Option<Image>,
}

/// What came of an operation that succeeded.
#[derive(Debug, Clone)]
pub(super) enum Done {
    /// Nothing to be told.
    Nothing,
    /// The server, as the host shows it.
    View(ServerView),
    /// An image of the server.
    Image(Image),
}

/// A phase that ended: its name, how long it took and whether it succeeded.
#[derive(Debug, Clone)]
pub(super) struct Phase {
    pub(super) name: String,
    pub(super) took: Duration,
    pub(super) done: bool,
}

/// How an operation went.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    pub(super) operation: Operation,
    /// Begin and end, from the begin of the scenario.
    pub(super) span: (Duration, Duration),
    pub(super) result: Result<Done, Failure>,
    pub(super) phases: Vec<Phase>,
    /// The addresses of the server's interfaces afterwards, where somebody looked.
    pub(super) addresses: Option<BTreeSet<String>>,
}

impl Outcome {
    pub(super) fn report(&self) -> OperationReport {
        let (begin, end) = self.span;
        OperationReport {
            server: self.operation.instance.server.clone(),
            instance: self.operation.instance.uuid,
            begin_ms: millis(begin),
            took_ms: millis(end.saturating_sub(begin)),
            refused: self.result.as_ref().err().map(|failure| RefusedReport {
                kind: failure.kind,
                message: failure.message.clone(),
            }),
        }
    }
}

/// Collects the phases of an operation as they end.
#[derive(Debug, Default)]
struct Phases {
    open: Vec<(String, Instant)>,
    ended: Vec<Phase>,
}

/// Runs one operation to its end.
pub(super) async fn run(
    host: &dyn Host,
    operation: Operation,
    since: Instant,
    enter: Enter,
    cancel: &CancellationToken,
) -> Outcome {
    let phases: Arc<Mutex<Phases>> = Arc::default();
    let watch = watch(Arc::clone(&phases), enter);
    let begin = since.elapsed();
    let instance = &operation.instance;
    let result = match (&operation.work.action, &operation.order) {
        (Action::Create(spec), Some(order)) => {
            let cancel = cancel.child_token();
            let watch = match spec.cancel_in.clone() {
                None => watch,
                Some(phase) => broken_off(watch, phase, cancel.clone()),
            };
            host.create(order, watch, &cancel).await.map(Done::View)
        }
        (Action::Do(deed), Some(order)) => {
            let task = Task {
                deed: deed.clone(),
                order: order.clone(),
                image: operation.image.clone(),
            };
            let made = host.perform(&task, watch, cancel).await;
            made.map(|made| made.map_or(Done::Nothing, Done::Image))
        }
        (Action::Delete, _) => host
            .delete(instance, watch, cancel)
            .await
            .map(|()| Done::Nothing),
        // Of a server that was never deployed the host says that there is none.
        (Action::Create(_) | Action::Do(_) | Action::Show, _) => {
            host.show(instance).await.map(Done::View)
        }
    };
    let end = since.elapsed();
    let phases = std::mem::take(&mut phases.lock().unwrap_or_else(PoisonError::into_inner).ended);
    Outcome {
        operation,
        span: (begin, end),
        result,
        phases,
        addresses: None,
    }
}

/// Breaks a deploy off when this phase begins.
fn broken_off(watch: PhaseWatch, phase: String, cancel: CancellationToken) -> PhaseWatch {
    Arc::new(move |name, ended| {
        watch(name, ended);
        if ended.is_none() && name == phase {
            cancel.cancel();
        }
    })
}

fn watch(phases: Arc<Mutex<Phases>>, enter: Enter) -> PhaseWatch {
    Arc::new(move |name, ended| {
        let mut phases = phases.lock().unwrap_or_else(PoisonError::into_inner);
        match ended {
            None => {
                phases.open.push((name.to_owned(), Instant::now()));
                drop(phases);
                enter(name);
            }
            Some(done) => {
                if let Some(at) = phases.open.iter().rposition(|(open, _)| open == name) {
                    let (name, began) = phases.open.remove(at);
                    phases.ended.push(Phase {
                        name,
                        took: began.elapsed(),
                        done,
                    });
                }
            }
        }
    })
}
