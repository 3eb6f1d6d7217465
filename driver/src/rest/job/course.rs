//! How a job goes: submitted, looked at until it ends, cancelled when it does not, and deleted.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use http::Method;
use powervm_schema::xml::{Element, Namespace};
use secrecy::ExposeSecret;
use tokio::time::Instant;
use tracing::Instrument;

use super::{DEFAULT_TIMEOUT, Job, JobOutcome, Report};
use crate::error::{Error, ErrorKind, Result};
use crate::rest::answer::{Answer, unreadable};
use crate::rest::exchange::{ATOM, ATOM_UTF8, Exchange};
use crate::rest::path::{Groups, resolve};
use crate::rest::session::Session;

const REQUEST: &str = "application/vnd.ibm.powervm.web+xml; type=JobRequest";
/// How often in a row a server may refuse a look at a job.
const LOOKS: u32 = 4;
/// How long a cancelled job is waited for before whoever asked for it is told; it may strike until it has ended.
const FAREWELL: Duration = Duration::from_secs(30);
/// How long after it was told to end a job is told so again.
const CANCEL_AGAIN: Duration = Duration::from_secs(5);

impl Session {
    /// Runs a job and waits for its end: reads the template unless it is known, submits it, looks every second, and
    /// deletes the job.
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
        let mut refused = 0;
        while report.is_running() {
            let now = Instant::now();
            if now >= deadline {
                return self.give_up(job, report).await;
            }
            tokio::time::sleep(self.core.options.job_poll.min(deadline - now)).await;
            match self.look_at(&report.id).await {
                Ok(seen) => {
                    report = seen;
                    refused = 0;
                }
                // A job outlives a server that is away for a while.
                Err(error) if is_away(&error) => {
                    tracing::warn!(%error, "could not look at the job, trying again");
                }
                Err(error) if refused + 1 < LOOKS => {
                    refused += 1;
                    tracing::warn!(%error, "a look at the job was refused, trying again");
                }
                Err(error) if error.is_not_found() => {
                    let message = "the server does not know the job any more".to_owned();
                    return Err(Report { message, ..report }.failure(job, None).into());
                }
                // Nobody is to find out later what became of a job that goes on unseen.
                Err(error) => {
                    return match self.end(&report.id).await {
                        Some(seen) if seen.has_done_it(job) => seen.judged(job),
                        _ => Err(error),
                    };
                }
            }
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
        let template = self.template(base, &path, job).await?;
        let submission = Exchange::new(
            Method::PUT,
            path,
            ATOM_UTF8,
            self.core.options.answer_timeout,
        )
        .with_body(REQUEST.to_owned(), filled(template, job).to_xml());
        let answer = self.exchange(&submission).await?;
        self.report_of(&submission, &answer)
    }

    /// The form to fill in. It is the same for all objects of a type, so it is read once for each operation; whoever
    /// comes meanwhile waits for it.
    async fn template(&self, base: &str, path: &str, job: &Job) -> Result<Element> {
        let kind = base.rsplit('/').find(|part| !is_identifier(part));
        let key = (kind.unwrap_or_default().to_owned(), job.operation.clone());
        let cell = {
            let templates = self.core.templates.lock();
            let mut templates = templates.unwrap_or_else(PoisonError::into_inner);
            Arc::clone(templates.entry(key).or_default())
        };
        let read = || self.read_template(path);
        cell.get_or_try_init(read).await.cloned()
    }

    async fn read_template(&self, path: &str) -> Result<Element> {
        let patience = self.core.options.answer_timeout;
        let exchange = Exchange::new(Method::GET, path.to_owned(), ATOM, patience);
        let answer = self.exchange(&exchange).await?;
        let template = self.entry_of(&exchange, &answer)?.content;
        if template.local_name() == "JobRequest" {
            return Ok(template);
        }
        Err(Error::BadAnswer {
            call: self.core.call_of(&exchange.method, &exchange.path),
            status: answer.status,
            problem: "another document than a JobRequest".to_owned(),
        })
    }

    async fn look_at(&self, id: &str) -> Result<Report> {
        let path = resolve(&format!("jobs/{id}"), Groups::None)?;
        let exchange = Exchange::new(Method::GET, path, ATOM, self.core.options.answer_timeout);
        let answer = self.exchange(&exchange).await?;
        self.report_of(&exchange, &answer)
    }

    fn report_of(&self, exchange: &Exchange, answer: &Answer) -> Result<Report> {
        let entry = self.entry_of(exchange, answer)?;
        let report = Report::of(&entry.content).ok_or_else(|| {
            let call = self.core.call_of(&exchange.method, &exchange.path);
            let problem = "a JobResponse without a job number or status".to_owned();
            unreadable(call, answer.status, problem, exchange.changes)
        })?;
        if let Ok(number) = report.id.parse() {
            self.core.newest_job.fetch_max(number, Ordering::Relaxed);
        }
        Ok(report)
    }

    /// Ends a job that takes too long. One that was done by then counts as done.
    async fn give_up(&self, job: &Job, report: Report) -> Result<JobOutcome> {
        match self.end(&report.id).await {
            Some(seen) if seen.has_done_it(job) => seen.judged(job),
            _ => Err(report.failure(job, Some(job.timeout)).into()),
        }
    }

    /// Cancels a job, waits a while for its end, and deletes it. What it was like in the end, if it has ended; a task
    /// sees to one that has not.
    async fn end(&self, id: &str) -> Option<Report> {
        self.tell_to_end(id).await;
        let ended = self.see_off(id, Instant::now() + FAREWELL).await;
        if let Some(ended) = ended {
            return ended;
        }
        let (session, id) = (self.clone(), id.to_owned());
        let seeing_off = async move {
            let until = Instant::now() + DEFAULT_TIMEOUT;
            if session.see_off(&id, until).await.is_none() {
                tracing::warn!(job = id, "the cancelled job never ended; delete it by hand");
            }
        };
        tokio::spawn(seeing_off.in_current_span());
        None
    }

    /// Waits for the end of a cancelled job and deletes it. Nothing when it has not ended in time; otherwise what it
    /// was like, if the server still knew it.
    async fn see_off(&self, id: &str, until: Instant) -> Option<Option<Report>> {
        let mut told = Instant::now();
        let mut unknown = 0;
        while Instant::now() < until {
            tokio::time::sleep(self.core.options.job_poll).await;
            match self.look_at(id).await {
                Ok(report) if report.is_running() => {}
                Ok(report) => {
                    self.forget(id).await;
                    return Some(Some(report));
                }
                Err(error) if error.is_not_found() => {
                    unknown += 1;
                    if unknown == LOOKS {
                        return Some(None);
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, job = id, "could not look at the cancelled job");
                }
            }
            if told.elapsed() >= CANCEL_AGAIN {
                self.tell_to_end(id).await;
                told = Instant::now();
            }
        }
        None
    }

    async fn tell_to_end(&self, id: &str) {
        if let Err(error) = self.cancel_job(id).await {
            tracing::warn!(%error, job = id, "could not cancel the job");
        }
    }

    /// Tells a job to end. It may do so later, or go on.
    ///
    /// # Errors
    /// Those of the request.
    pub(crate) async fn cancel_job(&self, id: &str) -> Result<()> {
        let path = resolve(&format!("jobs/{id}/cancel"), Groups::None)?;
        let cancel = Exchange::new(
            Method::POST,
            path,
            ATOM_UTF8,
            self.core.options.answer_timeout,
        );
        self.exchange(&cancel).await.map(drop)
    }

    /// Deletes an ended job. The job is done either way, so failures are only logged.
    async fn forget(&self, id: &str) {
        if let Err(error) = self.clear_away(&format!("jobs/{id}")).await {
            tracing::warn!(%error, job = id, "could not delete the job");
        }
    }
}

/// Whether it is the server that is away, rather than unwilling.
fn is_away(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Unreachable | ErrorKind::Interrupted | ErrorKind::TimedOut | ErrorKind::Busy
    )
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

/// Whether a part of a path names one object, and not a type.
fn is_identifier(part: &str) -> bool {
    part.bytes()
        .next()
        .is_none_or(|first| first.is_ascii_digit())
        || part.contains('-')
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
