//! `JobRequest`: which job on what, with which parameters.

use powervm_schema::xml::Element;

use super::body::{excerpt, invalid, required, text};
use crate::http::kind::Kind;
use crate::http::target::Target;
use crate::model::Refusal;
use crate::model::command::SubmitJob;
use crate::model::job::JobTarget;

/// The most parameters of one job.
const MOST_PARAMETERS: usize = 256;

/// What the job of a URL works on.
pub(crate) fn job_target(target: &Target) -> Result<JobTarget, Refusal> {
    match (target.kind(), target.id()) {
        (Some(Kind::LogicalPartition), Some(uuid)) => Ok(JobTarget::LogicalPartition(uuid)),
        (Some(Kind::VirtualIoServer), Some(uuid)) => Ok(JobTarget::VirtualIoServer(uuid)),
        (Some(Kind::ManagedSystem), Some(uuid)) => Ok(JobTarget::ManagedSystem(uuid)),
        (Some(Kind::ManagementConsole), uuid) => Ok(JobTarget::ManagementConsole(uuid)),
        (Some(Kind::Cluster), uuid) => Ok(JobTarget::Cluster(uuid)),
        _ => Err(Refusal::no_such_operation()),
    }
}

/// Reads a job request. The URL names the operation; a body that names another one is refused.
pub(crate) fn submit(
    root: &Element,
    target: JobTarget,
    operation: &str,
) -> Result<SubmitJob, Refusal> {
    if let Some(named) = root
        .child("RequestedOperation")
        .and_then(|requested| text(requested, "OperationName"))
        && named != operation
    {
        return Err(invalid(format!(
            "OperationName is '{}', but the URL asks for '{}'.",
            excerpt(named),
            excerpt(operation)
        )));
    }
    let given = root.child("JobParameters");
    let parameters = given
        .into_iter()
        .flat_map(|list| list.children_named("JobParameter"))
        .map(parameter);
    let parameters: Vec<(String, String)> = parameters.collect::<Result<_, Refusal>>()?;
    if parameters.len() > MOST_PARAMETERS {
        return Err(invalid(format!(
            "A job takes at most {MOST_PARAMETERS} parameters."
        )));
    }
    Ok(SubmitJob {
        target,
        operation: operation.to_owned(),
        parameters,
    })
}

/// A value may be CDATA; white space in it is kept.
fn parameter(element: &Element) -> Result<(String, String), Refusal> {
    let value = element
        .child("ParameterValue")
        .map(|value| value.text().into_owned())
        .unwrap_or_default();
    Ok((required(element, "ParameterName")?.to_owned(), value))
}
