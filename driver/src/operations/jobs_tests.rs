//! Whose a job may be.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use powervm_schema::job::{JobParameter, JobResponse};
use powervm_schema::xml::Element;
use tokio::time::Instant;

use super::Lost;
use crate::rest::Job;

/// What the server's clock says when the job is sent, in seconds since 1970.
const SENT: u64 = 1_700_000_000;

fn asked() -> Job {
    Job::new("LogicalPartition/1", "PowerOff").parameter("operation", "shutdown")
}

/// A job as a server tells of it: when it began, in seconds since 1970, or 0.
fn told(number: &str, kind: &str, began: u64) -> Element {
    let mut response = JobResponse::new();
    response.set_job_id(number).set_time_started(began * 1000);
    let mut request = response.request_mut();
    request.requested_operation_mut().set_operation(kind);
    request.push_parameter(JobParameter::named_value("operation", "shutdown"));
    response.0
}

/// Whether it may be the job that was sent ten seconds ago, when the newest known job was number 100.
async fn may_be(job: &Element) -> bool {
    let asked = asked();
    let lost = Lost {
        job: &asked,
        sent: Instant::now(),
        newest: Some(100),
    };
    tokio::time::advance(Duration::from_secs(10)).await;
    lost.may_be(&JobResponse(job), Some(SENT + 10))
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_is_told_from_the_jobs_of_others() {
    assert!(may_be(&told("101", "PowerOff", SENT)).await);
    assert!(may_be(&told("101", "PowerOff", SENT + 9)).await);
    assert!(may_be(&told("101", "PowerOff", 0)).await, "has not begun");
    assert!(
        !may_be(&told("101", "PowerOn", SENT)).await,
        "another operation"
    );
    assert!(
        !may_be(&told("100", "PowerOff", SENT)).await,
        "known before"
    );
    assert!(!may_be(&told("100", "PowerOff", 0)).await, "known before");
    assert!(
        !may_be(&told("101", "PowerOff", SENT - 5)).await,
        "began before"
    );
    // A clock of whole seconds is not proof of one or two.
    assert!(may_be(&told("101", "PowerOff", SENT - 2)).await);
}
