//! Jobs: the template of a request, and the response that a client polls.
//!
//! Recordings `job_request_power_off`, `job_response_completed_ok`, `job_response_exception` and the cassette
//! `refresher.yml`. Both are of the web service and have no etag element; a template has no link either.

use super::context::{Context, upper};
use super::writer::{CUR, ROO, ROR, WEB, Writer};
use crate::model::job::{Job, JobTarget, Shown};
use crate::model::names::JobStatus;

/// What the link back to the request is called.
const TITLE: &str = "The URL to which the JobRequest was submitted.";

/// `JobRequest` as GET of `…/do/{operation}` shows it: `GroupName` tells the client where to submit it.
pub(crate) fn render_template(cx: &Context<'_>, target: JobTarget, operation: &str) -> String {
    let mut w = cx.writer(1536);
    w.root("JobRequest", WEB, None, |w| {
        request(w, target.group_name(), operation, &[])
    });
    w.finish()
}

/// `JobResponse`
pub(crate) fn render(cx: &Context<'_>, job: &Job) -> String {
    let (group, uuid) = (
        job.target.group_name(),
        job.target.uuid().map(|uuid| target_uuid(job.target, uuid)),
    );
    let path = match &uuid {
        Some(uuid) => format!("{group}/{uuid}/do/{}", job.operation),
        None => format!("{group}/do/{}", job.operation),
    };
    let mut w = cx.writer(4096);
    w.root("JobResponse", WEB, None, |w| {
        w.raw(r#"<RequestURL kb="ROR" kxe="false" href=""#);
        w.escaped(&path);
        w.raw(r#"" rel="via" title=""#);
        w.raw(TITLE);
        w.raw(r#""/>"#);
        w.optional("TargetUuid", ROR, uuid.as_deref());
        w.value("JobID", ROR, job.id);
        w.value("TimeStarted", ROR, job.started.unwrap_or_default().0);
        w.value("TimeCompleted", ROR, job.completed.unwrap_or_default().0);
        w.value("Status", ROR, job.status);
        if let Some(exception) = &job.exception {
            w.section("ResponseException", ROR, |w| {
                w.text("Message", ROR, exception);
                w.text("StackTrace", ROR, exception);
            });
        }
        w.section("JobRequestInstance", ROR, |w| {
            request(w, group, &job.operation, &job.parameters)
        });
        w.section("Progress", ROO, |w| {
            if job.status == JobStatus::CompletedOk {
                w.value("LinearProgress", ROR, "1.0");
            } else if let Some(percent) = job.progress {
                w.value("LinearProgress", ROR, f64::from(percent) / 100.0);
            }
        });
        let results = job.results.iter();
        let results = results.map(|(name, value)| (name.as_str(), value.as_str()));
        w.section("Results", ROR, |w| parameters(w, results));
    });
    w.finish()
}

fn target_uuid(target: JobTarget, uuid: uuid::Uuid) -> String {
    match target {
        JobTarget::LogicalPartition(_) | JobTarget::VirtualIoServer(_) => upper(uuid),
        JobTarget::ManagedSystem(_) | JobTarget::ManagementConsole(_) | JobTarget::Cluster(_) => {
            uuid.to_string()
        }
    }
}

/// The echo of a request masks its secrets.
fn request(w: &mut Writer, group: &str, operation: &str, given: &[(String, String)]) {
    w.section("RequestedOperation", CUR, |w| {
        w.text("OperationName", ROR, operation);
        w.text("GroupName", ROR, group);
    });
    w.section("JobParameters", CUR, |w| parameters(w, Shown(given).iter()));
}

/// A value is always there, if empty: clients pair the list of names with the list of values.
fn parameters<'a>(w: &mut Writer, parameters: impl Iterator<Item = (&'a str, &'a str)>) {
    for (name, value) in parameters {
        w.member("JobParameter", |w| {
            w.text("ParameterName", ROR, name);
            w.text("ParameterValue", CUR, value);
        });
    }
}
