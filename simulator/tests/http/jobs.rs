//! Jobs from template to deletion.

use std::time::Duration;

use axum::body::Body;
use http::Method;
use powervm_simulator::weather::Weather;

use crate::client::{Client, job_body, novalink};

#[tokio::test(start_paused = true)]
async fn a_job_is_submitted_watched_and_deleted() {
    let client = Client::of(&novalink(Weather::Typical).build().unwrap()).await;
    let uuid = client.partition("lpar1").await;
    let path = format!("LogicalPartition/{uuid}/do/PowerOn");
    let template = client.get(&path).await;
    assert_eq!(
        (template.text("OperationName"), template.text("GroupName")),
        ("PowerOn".into(), "LogicalPartition".into())
    );
    assert!(template.body.contains("<JobParameters "));

    let submitted = client
        .put(
            &path,
            job_body("PowerOn", "LogicalPartition", &[("force", "true")]),
        )
        .await;
    assert_eq!(submitted.status, 200, "{}", submitted.body);
    assert!(["NOT_STARTED", "RUNNING"].contains(&submitted.text("Status").as_str()));
    let job = submitted.text("JobID");
    assert_eq!(job.len(), 13);
    let mut polls = 0;
    let done = loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let poll = client.get(&format!("jobs/{job}?group=None")).await;
        polls += 1;
        if !["NOT_STARTED", "RUNNING"].contains(&poll.text("Status").as_str()) {
            break poll;
        }
        assert!(polls < 60);
    };
    assert_eq!(done.text("Status"), "COMPLETED_OK");
    assert!(polls > 1);
    assert_eq!(client.delete(&format!("jobs/{job}")).await.status, 204);
    let gone = client.get(&format!("jobs/{job}")).await;
    assert_eq!(gone.status, 404);
    assert!(gone.text("Message").contains("REST0005"));
    assert_eq!(client.delete(&format!("jobs/{job}")).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_fails_is_still_200() {
    let client = Client::new().await;
    let uuid = client.partition("lpar1").await;
    let answer = client
        .put(
            &format!("LogicalPartition/{uuid}/do/PowerOff"),
            job_body(
                "PowerOff",
                "LogicalPartition",
                &[("operation", "shutdown"), ("immediate", "true")],
            ),
        )
        .await;
    assert_eq!(answer.status, 200);
    let job = client
        .get(&format!("jobs/{}?group=None", answer.text("JobID")))
        .await;
    assert_ne!(job.text("Status"), "COMPLETED_OK");
    assert!(job.body.contains("PVME"), "{}", job.body);
}

#[tokio::test(start_paused = true)]
async fn a_running_job_can_be_cancelled() {
    let client = Client::of(&novalink(Weather::Typical).build().unwrap()).await;
    let uuid = client.partition("lpar1").await;
    let answer = client
        .put(
            &format!("LogicalPartition/{uuid}/do/PowerOn"),
            job_body("PowerOn", "LogicalPartition", &[]),
        )
        .await;
    let url = format!(
        "/rest/api/uom/jobs/{}/cancel?group=None",
        answer.text("JobID")
    );
    let cancelled = client.send(Method::POST, &url, &[], Body::empty()).await;
    assert!(cancelled.status.is_success(), "{}", cancelled.body);
}

#[tokio::test]
async fn an_operation_that_does_not_exist_is_400() {
    let client = Client::new().await;
    let uuid = client.partition("lpar1").await;
    let path = format!("LogicalPartition/{uuid}/do/Toast");
    for answer in [
        client.get(&path).await,
        client
            .put(&path, job_body("Toast", "LogicalPartition", &[]))
            .await,
    ] {
        assert_eq!(answer.status, 400);
        assert!(answer.text("Message").contains("REST0006"));
    }
}
