//! One operation on one server: begun, timed, ended.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::report::{OperationReport, RefusedReport};
use crate::scenario::{Action, Work};
use crate::stats::millis;
use crate::target::{Failure, Host, Instance, Order, PhaseWatch, ServerView};

/// Hears the name of every phase that the operation enters.
pub(super) type Enter = Arc<dyn Fn(&str) + Send + Sync>;

/// What an operation does to its server, every name and amount resolved.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub(super) instance: Instance,
    pub(super) work: Work,
    /// Set for a deploy.
    pub(super) order: Option<Order>,
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
    pub(super) result: Result<Option<ServerView>, Failure>,
    pub(super) phases: Vec<Phase>,
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
        (Action::Create(_), Some(order)) => host.create(order, watch, cancel).await.map(Some),
        // An order is made for every deploy, so this arm is never reached; a show is harmless.
        (Action::Create(_) | Action::Show, _) => host.show(instance).await.map(Some),
        (Action::Stop, _) => host.stop(instance, watch, cancel).await.map(|()| None),
        (Action::Start, _) => host.start(instance, watch, cancel).await.map(|()| None),
        (Action::Reboot(kind), _) => host
            .reboot(instance, *kind, watch, cancel)
            .await
            .map(|()| None),
        (Action::Delete, _) => host.delete(instance, watch, cancel).await.map(|()| None),
    };
    let end = since.elapsed();
    let phases = std::mem::take(&mut phases.lock().unwrap_or_else(PoisonError::into_inner).ended);
    Outcome {
        operation,
        span: (begin, end),
        result,
        phases,
    }
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
