//! Between the driver and the simulator: counts what is sent, and cuts the driver off.

use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{Method, Request, Response};
use powervm_driver::journal::{Beginning, Journal, JournalFile, Outcome, Record};
use powervm_driver::rest::{Body, ServiceTransport, Transport, TransportError};
use powervm_driver::saga::{Event, Phase};
use powervm_driver::{Error, ErrorKind, Result};
use powervm_simulator::Simulator;
use tokio_util::sync::CancellationToken;

/// How late a request that was on its way when the driver died is heard.
const LATE: Duration = Duration::from_secs(5);

/// A request, as reports name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
}

impl Call {
    /// Whether it submits a job.
    pub(super) fn is_job(&self) -> bool {
        self.method == Method::PUT && self.path.contains("/do/")
    }
}

/// What befalls the driver at the request of that number, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strike {
    /// It dies before the request is sent.
    DiesBefore(usize),
    /// It dies when the server has done what was asked, and before the answer is there.
    DiesAfter(usize),
    /// It dies when the request is on its way; the server hears it some seconds later.
    DiesMeanwhile(usize),
    /// The job that is submitted does not begin until it is cancelled.
    HoldsJob(usize),
}

/// What happens at the journal's record of that number, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AtRecord {
    /// The driver dies before it is written.
    DiesBefore(usize),
    /// The driver dies when it is written.
    DiesAfter(usize),
    /// It cannot be written.
    Refuses(usize),
}

/// A record, as reports name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    /// The step; none at the beginning and end of the operation.
    pub(super) step: Option<String>,
    pub(super) what: &'static str,
}

/// What a wire and its owner both know.
#[derive(Default)]
pub(super) struct Line {
    state: Mutex<State>,
    death: CancellationToken,
}

#[derive(Default)]
struct State {
    armed: bool,
    calls: Vec<Call>,
    strikes: Vec<Strike>,
    records: Vec<Written>,
    at_record: Option<AtRecord>,
}

impl Line {
    /// Counts from here, and strikes.
    pub(super) fn arm(&self, strikes: Vec<Strike>) {
        let mut state = self.state();
        *state = State {
            armed: true,
            strikes,
            ..State::default()
        };
    }

    /// The same, with something that happens at a record of the journal.
    pub(super) fn arm_journal(&self, at_record: AtRecord) {
        self.arm(Vec::new());
        self.state().at_record = Some(at_record);
    }

    /// What was written since it was armed.
    pub(super) fn records(&self) -> Vec<Written> {
        self.state().records.clone()
    }

    /// What happens at this record.
    fn record(&self, written: Written) -> Option<AtRecord> {
        let mut state = self.state();
        if !state.armed {
            return None;
        }
        state.records.push(written);
        let number = state.records.len();
        state.at_record.filter(|at| match at {
            AtRecord::DiesBefore(at) | AtRecord::DiesAfter(at) | AtRecord::Refuses(at) => {
                *at == number
            }
        })
    }

    /// What was sent since it was armed.
    pub(super) fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// Ends when the driver died.
    pub(super) async fn death(&self) {
        self.death.cancelled().await;
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, call: Call) -> Vec<Strike> {
        let mut state = self.state();
        if !state.armed {
            return Vec::new();
        }
        state.calls.push(call);
        let number = state.calls.len();
        let is_now = |strike: &Strike| match strike {
            Strike::DiesBefore(at)
            | Strike::DiesAfter(at)
            | Strike::DiesMeanwhile(at)
            | Strike::HoldsJob(at) => *at == number,
        };
        state.strikes.iter().copied().filter(is_now).collect()
    }

    /// Nothing of a dead process goes on, least of all its cleaning up.
    async fn halt_if_dead(&self) {
        if self.death.is_cancelled() {
            pending::<()>().await;
        }
    }
}

/// The driver's way to the simulator.
pub(super) struct Wire {
    simulator: Simulator,
    service: Arc<dyn Transport>,
    line: Arc<Line>,
}

impl Wire {
    pub(super) fn to(simulator: &Simulator, line: Arc<Line>) -> Self {
        Self {
            simulator: simulator.clone(),
            service: Arc::new(ServiceTransport::new(simulator.router())),
            line,
        }
    }

    async fn carry(&self, request: Request<Body>) -> Result<Response<Body>, TransportError> {
        self.line.halt_if_dead().await;
        let call = Call {
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
        };
        let cancels_job = call.path.ends_with("/cancel");
        for strike in self.line.count(call) {
            match strike {
                Strike::DiesBefore(_) => self.line.death.cancel(),
                Strike::DiesAfter(_) => {
                    let _ = self.service.call(request).await;
                    self.line.death.cancel();
                    return pending().await;
                }
                Strike::DiesMeanwhile(_) => {
                    let service = Arc::clone(&self.service);
                    tokio::spawn(async move {
                        tokio::time::sleep(LATE).await;
                        let _ = service.call(request).await;
                    });
                    self.line.death.cancel();
                    return pending().await;
                }
                Strike::HoldsJob(_) => self.hold_jobs(true),
            }
        }
        self.line.halt_if_dead().await;
        let answer = self.service.call(request).await;
        self.line.halt_if_dead().await;
        if cancels_job {
            self.hold_jobs(false);
        }
        answer
    }

    fn hold_jobs(&self, hold: bool) {
        if let Err(refusal) = self.simulator.hold_jobs(hold) {
            tracing::error!(%refusal, "the simulator does not hold jobs");
        }
    }
}

impl Transport for Wire {
    fn call(
        &self,
        request: Request<Body>,
    ) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        Box::pin(self.carry(request))
    }
}

/// The journal of a process that may die: what it would write then is not written.
pub(super) struct Mortal {
    pub(super) journal: JournalFile,
    pub(super) line: Arc<Line>,
}

impl Mortal {
    async fn alive<T>(
        &self,
        written: Option<Written>,
        write: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        self.line.halt_if_dead().await;
        let at = written.and_then(|written| self.line.record(written));
        match at {
            Some(AtRecord::DiesBefore(_)) => self.line.death.cancel(),
            Some(AtRecord::Refuses(_)) => {
                return Err(Error::operation(
                    ErrorKind::Local,
                    "the journal cannot be written",
                    "this is a test",
                ));
            }
            Some(AtRecord::DiesAfter(_)) | None => {}
        }
        self.line.halt_if_dead().await;
        let outcome = write.await;
        if let Some(AtRecord::DiesAfter(_)) = at {
            self.line.death.cancel();
        }
        self.line.halt_if_dead().await;
        outcome
    }
}

fn written(step: Option<&str>, what: &'static str) -> Option<Written> {
    Some(Written {
        step: step.map(str::to_owned),
        what,
    })
}

fn name_of(phase: &Phase) -> &'static str {
    match phase {
        Phase::Begin => "begin",
        Phase::Noted => "note",
        Phase::End { .. } => "end",
        Phase::Failed { .. } => "failure",
        Phase::UndoBegin => "begin of the undo",
        Phase::UndoEnd { .. } => "end of the undo",
        Phase::UndoFailed { .. } => "failure of the undo",
    }
}

impl Journal for Mortal {
    fn begin<'a>(&'a self, beginning: &'a Beginning) -> BoxFuture<'a, Result<u64>> {
        let record = written(None, "begin");
        Box::pin(self.alive(record, self.journal.begin(beginning)))
    }

    fn note<'a>(&'a self, id: u64, event: &'a Event) -> BoxFuture<'a, Result<()>> {
        let record = written(Some(&event.step), name_of(&event.phase));
        Box::pin(self.alive(record, self.journal.note(id, event)))
    }

    fn end<'a>(&'a self, id: u64, outcome: &'a Outcome) -> BoxFuture<'a, Result<()>> {
        let record = written(None, "end");
        Box::pin(self.alive(record, self.journal.end(id, outcome)))
    }

    fn pending(&self) -> BoxFuture<'_, Result<Vec<Record>>> {
        Box::pin(self.alive(None, self.journal.pending()))
    }

    fn history(&self, most: usize) -> BoxFuture<'_, Result<Vec<Record>>> {
        Box::pin(self.alive(None, self.journal.history(most)))
    }
}
