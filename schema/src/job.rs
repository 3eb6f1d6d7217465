//! Jobs: requests and their responses.
//!
//! A client reads the template of an operation, adds parameters and puts it back; the response tells the job's
//! number, state and results. Source of the shapes: the recordings `job_request_power_off.txt` and
//! `job_response_completed_ok.txt`; see `docs/protocol/jobs.md`.

use crate::view::{spelled, view};
use crate::xml::Element;

spelled! {
    /// How far a job is.
    pub enum JobStatus {
        NotStarted = "NOT_STARTED",
        Running = "RUNNING",
        CompletedOk = "COMPLETED_OK",
        CompletedWithWarnings = "COMPLETED_WITH_WARNINGS",
        CompletedWithError = "COMPLETED_WITH_ERROR",
        FailedBeforeCompletion = "FAILED_BEFORE_COMPLETION",
        Canceled = "CANCELED",
    }
}

impl JobStatus {
    /// Whether the job may still change.
    pub fn is_pending(&self) -> bool {
        matches!(self, Self::NotStarted | Self::Running)
    }
}

view! {
    /// What is asked for: an operation on a type of object, and its parameters.
    pub struct JobRequest = "JobRequest" in Web {
        "RequestedOperation" child(RequestedOperation) requested_operation requested_operation_mut;
        "JobParameters" list(JobParameter in "JobParameter")
            parameters push_parameter retain_parameters;
    }
}

view! {
    /// An operation and the type that it is of.
    pub struct RequestedOperation = "RequestedOperation" in Web {
        "OperationName" text operation set_operation;
        /// Name of the REST type that the request goes to, such as `LogicalPartition`.
        "GroupName" text group set_group;
        "ProgressType" text progress_type set_progress_type;
    }
}

view! {
    /// A named text: input of a request, output among the results of a response.
    pub struct JobParameter = "JobParameter" in Web {
        "ParameterName" text name set_name;
        "ParameterValue" text value set_value;
    }
}

view! {
    /// What became of a request.
    pub struct JobResponse = "JobResponse" in Web {
        "RequestURL" href request_url set_request_url;
        "TargetUuid" text target_uuid set_target_uuid;
        /// A decimal number of 13 digits, unique on its server.
        "JobID" text job_id set_job_id;
        /// Milliseconds since 1970; 0 before the start.
        "TimeStarted" value(u64) time_started set_time_started;
        /// Milliseconds since 1970; 0 before the end.
        "TimeCompleted" value(u64) time_completed set_time_completed;
        "Status" value(JobStatus) status set_status;
        "ResponseException" child(ResponseException) exception exception_mut;
        "JobRequestInstance" child(JobRequest) request request_mut;
        "Progress" child(JobProgress) progress progress_mut;
        "Results" list(JobParameter in "JobParameter") results push_result retain_results;
    }
}

view! {
    /// Why a job could not do its work.
    pub struct ResponseException = "ResponseException" in Web {
        "Message" text message set_message;
        "StackTrace" text stack_trace set_stack_trace;
    }
}

view! {
    /// How far a job is, in its own terms.
    pub struct JobProgress = "Progress" in Web {
        "CompletedTasks" opaque;
        "DiscreteProgress" text discrete set_discrete;
        "LinearProgress" text linear set_linear;
    }
}

impl JobParameter {
    /// A parameter with this name and value.
    pub fn named_value(name: &str, value: &str) -> Self {
        let mut parameter = Self(
            Element::new(Self::NAMESPACE, Self::TYPE).with_attributes(&[("schemaVersion", "V1_0")]),
        );
        parameter.set_name(name).set_value(value);
        parameter
    }
}

impl JobRequest {
    /// A request for an operation without parameters.
    pub fn operation(group: &str, operation: &str) -> Self {
        let mut request = Self::new();
        request
            .requested_operation_mut()
            .set_operation(operation)
            .set_group(group);
        request.0.insert_ordered(
            crate::view::new_element(Self::NAMESPACE, "JobParameters", None),
            Self::ORDER,
        );
        request
    }
}

impl<'e> JobRequest<&'e Element> {
    /// The value of the first parameter with this name; empty when it has none.
    pub fn parameter(&self, name: &str) -> Option<&'e str> {
        self.parameters()
            .find(|parameter| parameter.name() == Some(name))
            .map(|found| found.value().unwrap_or_default())
    }
}

impl<'e> JobResponse<&'e Element> {
    /// The value of the first result with this name; empty when it has none.
    pub fn result(&self, name: &str) -> Option<&'e str> {
        self.results()
            .find(|result| result.name() == Some(name))
            .map(|found| found.value().unwrap_or_default())
    }
}
