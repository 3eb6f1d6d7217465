//! Jobs: work that outlasts a request, such as power on and off.

mod course;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use powervm_schema::job::JobRequest;
use powervm_schema::xml::Element;
use secrecy::SecretString;

use crate::error::{ErrorKind, Result, printable, seconds};

/// What the known clients give a job.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1800);

/// A job to run: an operation on a resource, with parameters.
#[derive(Debug, Clone)]
pub struct Job {
    target: String,
    operation: String,
    parameters: Vec<(String, String)>,
    secrets: Vec<(String, SecretString)>,
    timeout: Duration,
    accepted: Vec<String>,
}

impl Job {
    /// An operation (`PowerOn`) on a resource (`LogicalPartition/UUID`) or a kind of resource (`Cluster`), given up
    /// after half an hour.
    pub fn new(target: impl Into<String>, operation: impl Into<String>) -> Job {
        Job {
            target: target.into(),
            operation: operation.into(),
            parameters: Vec::new(),
            secrets: Vec::new(),
            timeout: DEFAULT_TIMEOUT,
            accepted: Vec::new(),
        }
    }

    /// Adds a parameter. Boolean ones are the text `true` or left out.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Job {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// Adds a parameter that nobody is to read but the server.
    #[must_use]
    pub fn secret(mut self, name: impl Into<String>, value: SecretString) -> Job {
        self.secrets.push((name.into(), value));
        self
    }

    /// Whether a job that a server tells of may be this one: the same operation with the same parameters. Servers do
    /// not repeat secrets.
    pub(crate) fn may_be(&self, request: &JobRequest<&Element>) -> bool {
        let operation = request
            .requested_operation()
            .and_then(|operation| operation.operation());
        let given = |(name, value): &(String, String)| {
            request.parameter(name).unwrap_or_default().trim() == value.trim()
        };
        operation == Some(self.operation.as_str()) && self.parameters.iter().all(given)
    }

    /// Cancels the job when it runs longer than this.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Job {
        self.timeout = timeout;
        self
    }

    /// Message identifiers of failures that count as success, of the job or of its submission: `HSCL3681`, already on.
    #[must_use]
    pub fn accept<'a>(mut self, identifiers: impl IntoIterator<Item = &'a str>) -> Job {
        self.accepted
            .extend(identifiers.into_iter().map(str::to_owned));
        self
    }
}

/// How a job ended well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobOutcome {
    /// The job's number; empty when its submission was refused for an accepted reason.
    pub id: String,
    /// Its status: `COMPLETED_OK`, or another one when a failure was accepted (`REFUSED`: the submission was).
    pub status: String,
    /// Result parameters by name.
    pub results: BTreeMap<String, String>,
    /// What it said: the result `result`, or the message of its exception.
    pub message: String,
    /// The accepted identifier that made a failure count as success.
    pub accepted: Option<String>,
}

/// A job that did not end well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobFailure {
    /// The operation.
    pub operation: String,
    /// The resource it worked on.
    pub target: String,
    /// The job's number, if it got one.
    pub id: String,
    /// The last status seen.
    pub status: String,
    /// What the server said, with its HSCL, VIOS or PVME identifier.
    pub message: String,
    /// Result parameters by name.
    pub results: BTreeMap<String, String>,
    /// Set when it was cancelled for running longer than this.
    pub timed_out: Option<Duration>,
}

impl JobFailure {
    pub(crate) fn kind(&self) -> ErrorKind {
        if self.timed_out.is_some() {
            ErrorKind::TimedOut
        } else {
            ErrorKind::JobFailed
        }
    }
}

impl fmt::Display for JobFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let JobFailure {
            operation,
            target,
            id,
            status,
            message,
            ..
        } = self;
        match self.timed_out {
            Some(after) => write!(
                f,
                "job {id} ({operation} on {target}) still was {status} after {} and was cancelled; \
                 see what keeps the server, or allow the job more time",
                seconds(after)
            ),
            None => write!(
                f,
                "job {id} ({operation} on {target}) ended as {status}: {}; look the message identifier up",
                if message.is_empty() {
                    "the server gave no message"
                } else {
                    message
                }
            ),
        }
    }
}

impl std::error::Error for JobFailure {}

/// A `JobResponse` as far as it matters here.
struct Report {
    id: String,
    status: String,
    results: BTreeMap<String, String>,
    message: String,
}

impl Report {
    fn of(content: &Element) -> Option<Report> {
        let text = |name: &str| {
            content
                .child(name)
                .map(|child| child.text().trim().to_owned())
        };
        let id = text("JobID")
            .filter(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric()))?;
        let status = text("Status").filter(|status| !status.is_empty())?;
        let mut results = BTreeMap::new();
        for parameter in content
            .child("Results")
            .into_iter()
            .flat_map(Element::children)
        {
            if let Some(name) = parameter.child("ParameterName") {
                let value = parameter
                    .child("ParameterValue")
                    .map(|value| value.text().into_owned());
                results.insert(name.text().trim().to_owned(), value.unwrap_or_default());
            }
        }
        let exception = || {
            content
                .descend(&["ResponseException", "Message"])
                .map(|message| message.text().into_owned())
        };
        let message = results
            .get("result")
            .filter(|result| !result.trim().is_empty())
            .cloned()
            .or_else(exception);
        let message = printable(&message.unwrap_or_default());
        Some(Report {
            id,
            status: printable(&status),
            results,
            message,
        })
    }

    fn is_running(&self) -> bool {
        matches!(self.status.as_str(), "NOT_STARTED" | "RUNNING")
    }

    /// Whether it did what it was to do, or need not have.
    fn has_done_it(&self, job: &Job) -> bool {
        self.status == "COMPLETED_OK" || self.accepted(job).is_some()
    }

    /// The accepted identifier in what it said.
    fn accepted(&self, job: &Job) -> Option<String> {
        let said = |wanted: &&String| self.message.contains(wanted.as_str());
        (self.status != "COMPLETED_OK")
            .then(|| job.accepted.iter().find(said).cloned())
            .flatten()
    }

    fn judged(self, job: &Job) -> Result<JobOutcome> {
        if !self.has_done_it(job) {
            return Err(self.failure(job, None).into());
        }
        let accepted = self.accepted(job);
        Ok(JobOutcome {
            id: self.id,
            status: self.status,
            results: self.results,
            message: self.message,
            accepted,
        })
    }

    fn failure(self, job: &Job, timed_out: Option<Duration>) -> JobFailure {
        JobFailure {
            operation: job.operation.clone(),
            target: job.target.clone(),
            id: self.id,
            status: self.status,
            message: self.message,
            results: self.results,
            timed_out,
        }
    }
}
