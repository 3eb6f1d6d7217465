//! Jobs: work that outlasts a request, such as power on and off.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use http::Method;
use powervm_schema::job::JobRequest;
use powervm_schema::xml::{Element, Namespace};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;
use tracing::Instrument;

use super::exchange::{ATOM, ATOM_UTF8, Exchange};
use super::path::{Groups, resolve};
use super::session::Session;
use crate::error::{Error, ErrorKind, Result, printable, seconds};

const REQUEST: &str = "application/vnd.ibm.powervm.web+xml; type=JobRequest";
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

    fn judged(self, job: &Job) -> Result<JobOutcome> {
        let Report {
            id,
            status,
            results,
            message,
        } = self;
        let said = |wanted: &&String| message.contains(wanted.as_str());
        let accepted = if status == "COMPLETED_OK" {
            None
        } else {
            job.accepted.iter().find(said).cloned()
        };
        if status == "COMPLETED_OK" || accepted.is_some() {
            return Ok(JobOutcome {
                id,
                status,
                results,
                message,
                accepted,
            });
        }
        Err(Report {
            id,
            status,
            results,
            message,
        }
        .failure(job, None)
        .into())
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

impl Session {
    /// Runs a job and waits for its end: reads the template, submits it, looks every second, and deletes the job.
    /// A job that is done in the answer to its submission is not looked at again.
    ///
    /// It goes on in a task of its own when the returned future is dropped, so that the job is deleted in the end.
    ///
    /// # Errors
    /// [`Error::Job`] when it ended in any other status than `COMPLETED_OK` (warnings included) without one of the
    /// accepted identifiers, or was cancelled for its timeout. [`Error::UnknownOutcome`] when the answer to the
    /// submission was lost: the job may be running, so look at its target.
    pub async fn job(&self, job: Job) -> Result<JobOutcome> {
        let session = self.clone();
        let span = tracing::info_span!("job", operation = %job.operation, target = %job.target);
        let task = tokio::spawn(async move { session.run_job(&job).await }.instrument(span));
        task.await
            .unwrap_or_else(|_| Err(Error::internal("the task of a job was torn down")))
    }

    async fn run_job(&self, job: &Job) -> Result<JobOutcome> {
        let deadline = Instant::now() + job.timeout;
        let mut report = match self.submit(job).await {
            Ok(report) => report,
            Err(error) => return refused_but_accepted(job, error),
        };
        while report.is_running() {
            let now = Instant::now();
            if now >= deadline {
                return Err(self.give_up(job, report).await.into());
            }
            tokio::time::sleep(self.core.options.job_poll.min(deadline - now)).await;
            report = match self.look_at(&report.id).await {
                Ok(report) => report,
                // A job outlives a server that is away for a while.
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::Unreachable | ErrorKind::Interrupted | ErrorKind::Busy
                    ) =>
                {
                    tracing::warn!(%error, "could not look at the job, trying again");
                    report
                }
                Err(error) if error.is_not_found() => {
                    let message = "the server does not know the job any more".to_owned();
                    return Err(Report { message, ..report }.failure(job, None).into());
                }
                Err(error) => return Err(error),
            };
        }
        self.forget(&report.id).await;
        report.judged(job)
    }

    async fn submit(&self, job: &Job) -> Result<Report> {
        let base = job
            .target
            .split('?')
            .next()
            .unwrap_or_default()
            .trim_end_matches('/');
        let path = resolve(&format!("{base}/do/{}", job.operation), Groups::Omitted)?;
        let exchange = Exchange::new(Method::GET, path, ATOM, self.core.options.answer_timeout);
        let answer = self.exchange(&exchange).await?;
        let template = self.entry_of(&exchange, &answer)?.content;
        let call = self.core.call_of(&exchange.method, &exchange.path);
        let bad = |problem: &str| Error::BadAnswer {
            call: call.clone(),
            status: answer.status,
            problem: problem.to_owned(),
        };
        if template.local_name() != "JobRequest" {
            return Err(bad("another document than a JobRequest"));
        }
        let submission = Exchange::new(
            Method::PUT,
            exchange.path.clone(),
            ATOM_UTF8,
            self.core.options.answer_timeout,
        )
        .with_body(REQUEST.to_owned(), filled(template, job).to_xml());
        let answer = self.exchange(&submission).await?;
        self.report_of(&submission, &answer)
    }

    async fn look_at(&self, id: &str) -> Result<Report> {
        let path = resolve(&format!("jobs/{id}"), Groups::None)?;
        let exchange = Exchange::new(Method::GET, path, ATOM, self.core.options.answer_timeout);
        let answer = self.exchange(&exchange).await?;
        self.report_of(&exchange, &answer)
    }

    fn report_of(&self, exchange: &Exchange, answer: &super::answer::Answer) -> Result<Report> {
        let entry = self.entry_of(exchange, answer)?;
        Report::of(&entry.content).ok_or_else(|| {
            let call = self.core.call_of(&exchange.method, &exchange.path);
            let problem = "a JobResponse without a job number or status".to_owned();
            super::answer::unreadable(call, answer.status, problem, exchange.changes)
        })
    }

    /// Cancels a job and leaves it to a task to see its end and delete it.
    async fn give_up(&self, job: &Job, report: Report) -> JobFailure {
        let id = report.id.clone();
        if let Ok(path) = resolve(&format!("jobs/{id}/cancel"), Groups::None) {
            let cancel = Exchange::new(
                Method::POST,
                path,
                ATOM_UTF8,
                self.core.options.answer_timeout,
            );
            if let Err(error) = self.exchange(&cancel).await {
                tracing::warn!(%error, job = id, "could not cancel the job");
            }
        }
        let session = self.clone();
        tokio::spawn(async move { session.see_off(&id).await }.in_current_span());
        report.failure(job, Some(job.timeout))
    }

    async fn see_off(&self, id: &str) {
        let until = Instant::now() + DEFAULT_TIMEOUT;
        while Instant::now() < until {
            tokio::time::sleep(self.core.options.job_poll).await;
            match self.look_at(id).await {
                Ok(report) if report.is_running() => {}
                Ok(_) => return self.forget(id).await,
                Err(error) if error.is_not_found() => return,
                Err(error) => {
                    tracing::debug!(%error, job = id, "could not look at the cancelled job")
                }
            }
        }
        tracing::warn!(job = id, "the cancelled job never ended; delete it by hand");
    }

    /// Deletes an ended job. The job is done either way, so failures are only logged.
    async fn forget(&self, id: &str) {
        if let Err(error) = self.clear_away(&format!("jobs/{id}")).await {
            tracing::warn!(%error, job = id, "could not delete the job");
        }
    }
}

/// A server may refuse the submission with the same identifiers that a job ends with ("it is off already").
fn refused_but_accepted(job: &Job, error: Error) -> Result<JobOutcome> {
    let Some(accepted) = job
        .accepted
        .iter()
        .find(|identifier| error.mentions(identifier))
    else {
        return Err(error);
    };
    let message = error
        .refusal()
        .map(|refusal| refusal.message.clone())
        .unwrap_or_default();
    Ok(JobOutcome {
        id: String::new(),
        status: "REFUSED".to_owned(),
        results: BTreeMap::new(),
        message,
        accepted: Some(accepted.clone()),
    })
}

/// The template with the job's parameters in it.
fn filled(mut template: Element, job: &Job) -> Element {
    let web = |name: &str| Element::new(Namespace::Web, name);
    if template.child("JobParameters").is_none() {
        template.push(web("JobParameters").with_attributes(&[("schemaVersion", "V1_0")]));
    }
    if let Some(parameters) = template.child_mut("JobParameters") {
        let secrets = job
            .secrets
            .iter()
            .map(|(name, value)| (name, value.expose_secret()));
        let open = job
            .parameters
            .iter()
            .map(|(name, value)| (name, value.as_str()));
        for (name, value) in open.chain(secrets) {
            let parameter = web("JobParameter").with_attributes(&[("schemaVersion", "V1_0")]);
            parameters.push(
                parameter
                    .with(Element::leaf(Namespace::Web, "ParameterName", name))
                    .with(Element::leaf(Namespace::Web, "ParameterValue", value)),
            );
        }
    }
    template
}
