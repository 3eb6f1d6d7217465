//! Jobs, from the template to the deletion.

use std::time::Duration;

use axum::response::Response;
use powervm_driver::rest::{Job, Session};
use powervm_driver::{Error, ErrorKind};
use powervm_schema::xml::Element;
use tokio::time::Instant;

use crate::fake::{Fake, Seen, answer, refusal, web};

fn template() -> Response {
    let inner = "<Metadata><Atom/></Metadata><RequestedOperation><OperationName>PowerOff</OperationName><GroupName>LogicalPartition</GroupName></RequestedOperation><JobParameters schemaVersion=\"V1_0\"><Metadata><Atom/></Metadata></JobParameters>";
    answer(200, web("JobRequest", "", inner))
}

fn report(status: &str, rest: &str) -> Response {
    let inner = format!("<JobID>1376474747145</JobID><Status>{status}</Status>{rest}");
    answer(200, web("JobResponse", "j", &inner))
}

fn result(name: &str, value: &str) -> String {
    format!(
        "<JobParameter><ParameterName>{name}</ParameterName><ParameterValue><![CDATA[{value}]]></ParameterValue></JobParameter>"
    )
}

/// A server whose job has these statuses, the last one for ever.
fn jobs(statuses: &'static [&'static str], results: String) -> Fake {
    let results = format!("<Results>{results}</Results>");
    Fake::new(
        move |seen: &Seen, before| match (seen.method.as_str(), seen.uri.as_str()) {
            ("GET", uri) if uri.contains("/do/") => template(),
            ("PUT", _) => report(statuses[0], &results),
            ("GET", _) => report(
                statuses.get(before + 1).unwrap_or(statuses.last().unwrap()),
                &results,
            ),
            _ => answer(204, ""),
        },
    )
}

async fn power_off(session: &Session) -> Result<powervm_driver::rest::JobOutcome, Error> {
    let job = Job::new("LogicalPartition/1?group=None", "PowerOff")
        .parameter("operation", "shutdown")
        .parameter("immediate", "true")
        .timeout(Duration::from_secs(10))
        .accept(["HSCL1558", "PVME04000005"]);
    session.job(job).await
}

#[tokio::test(start_paused = true)]
async fn a_job_is_submitted_watched_and_deleted() {
    let fake = jobs(
        &["NOT_STARTED", "RUNNING", "COMPLETED_OK"],
        result("a", "1 < 2") + &result("b", ""),
    );
    let start = Instant::now();
    let outcome = power_off(&fake.session().await).await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 2);
    assert_eq!(
        (outcome.results["a"].as_str(), outcome.results["b"].as_str()),
        ("1 < 2", "")
    );
    assert_eq!(
        fake.lines(),
        [
            "GET /rest/api/uom/LogicalPartition/1/do/PowerOff",
            "PUT /rest/api/uom/LogicalPartition/1/do/PowerOff",
            "GET /rest/api/uom/jobs/1376474747145?group=None",
            "GET /rest/api/uom/jobs/1376474747145?group=None",
            "DELETE /rest/api/uom/jobs/1376474747145",
        ]
    );
    let submission = &fake.seen()[2];
    assert_eq!(
        submission.header("content-type"),
        Some("application/vnd.ibm.powervm.web+xml; type=JobRequest")
    );
    let request = Element::parse(submission.body.as_bytes()).unwrap();
    let parameters: Vec<String> = request
        .child("JobParameters")
        .unwrap()
        .children_named("JobParameter")
        .map(|p| {
            format!(
                "{}={}",
                p.child("ParameterName").unwrap().text(),
                p.child("ParameterValue").unwrap().text()
            )
        })
        .collect();
    assert_eq!(parameters, ["operation=shutdown", "immediate=true"]);
}

#[tokio::test(start_paused = true)]
async fn the_form_of_an_operation_is_read_once() {
    let fake = jobs(&["COMPLETED_OK"], String::new());
    let session = fake.session().await;
    let one = async |target: &str, operation: &str| {
        session.job(Job::new(target, operation)).await.unwrap();
    };
    let (first, second) = (
        one("LogicalPartition/0A-1", "PowerOff"),
        one("LogicalPartition/FB-2", "PowerOff"),
    );
    tokio::join!(first, second);
    one("LogicalPartition/0A-1", "PowerOn").await;
    one("VirtualIOServer/0A-1", "PowerOff").await;
    let lines = fake.lines();
    let forms: Vec<_> = lines
        .iter()
        .filter(|line| line.starts_with("GET"))
        .collect();
    assert_eq!(forms.len(), 3, "{forms:?}");
    let submitted = lines.iter().filter(|line| line.starts_with("PUT"));
    assert_eq!(submitted.count(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_job_done_at_once_is_not_looked_at() {
    let fake = jobs(&["COMPLETED_OK"], String::new());
    let start = Instant::now();
    power_off(&fake.session().await).await.unwrap();
    assert_eq!((fake.lines().len(), start.elapsed()), (3, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn failures_are_told_and_some_are_accepted() {
    let fake = jobs(
        &["COMPLETED_WITH_ERROR"],
        result("result", "HSCL0001 no way"),
    );
    let error = power_off(&fake.session().await).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::JobFailed);
    assert!(error.mentions("HSCL0001"));
    assert!(
        error.to_string().contains("PowerOff on LogicalPartition/1"),
        "{error}"
    );
    assert_eq!(
        fake.lines().last().unwrap(),
        "DELETE /rest/api/uom/jobs/1376474747145"
    );

    let fake = jobs(
        &["COMPLETED_WITH_ERROR"],
        result("result", "HSCL1558 it is off already"),
    );
    let outcome = power_off(&fake.session().await).await.unwrap();
    assert_eq!(outcome.accepted.as_deref(), Some("HSCL1558"));

    let fake = Fake::new(|seen, _| match seen.method.as_str() {
        "GET" => template(),
        _ => refusal(500, "x", "REST0126 HSCL1558 it is off already"),
    });
    let outcome = power_off(&fake.session().await).await.unwrap();
    assert_eq!(
        (outcome.accepted.as_deref(), outcome.status.as_str()),
        (Some("HSCL1558"), "REFUSED")
    );

    for status in [
        "COMPLETED_WITH_WARNINGS",
        "CANCELED_WHILE_RUNNING",
        "SOMETHING_NEW",
    ] {
        let fake = Fake::new(move |seen, _| match seen.method.as_str() {
            "GET" => template(),
            "PUT" => report(
                status,
                "<ResponseException><Message>it was odd</Message></ResponseException>",
            ),
            _ => answer(204, ""),
        });
        let error = power_off(&fake.session().await).await.unwrap_err();
        assert!(error.to_string().contains("it was odd"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_that_never_ends_is_cancelled_and_seen_off() {
    let fake = Fake::new(
        |seen, before| match (seen.method.as_str(), seen.uri.as_str()) {
            ("GET", uri) if uri.contains("/do/") => template(),
            ("PUT", _) => report("RUNNING", ""),
            // It takes a while to heed the cancellation.
            ("GET", _) if before < 14 => report("RUNNING", ""),
            ("GET", _) => report("CANCELED_WHILE_RUNNING", ""),
            ("POST", _) => answer(200, ""),
            _ => answer(204, ""),
        },
    );
    let session = fake.session().await;
    let start = Instant::now();
    let error = power_off(&session).await.unwrap_err();
    // Not told before it can do no more harm.
    assert_eq!(
        (error.kind(), start.elapsed().as_secs()),
        (ErrorKind::TimedOut, 15)
    );
    assert!(
        fake.lines()
            .contains(&"POST /rest/api/uom/jobs/1376474747145/cancel?group=None".to_owned())
    );
    assert_eq!(
        fake.lines().last().unwrap(),
        "DELETE /rest/api/uom/jobs/1376474747145"
    );
    assert_eq!(
        fake.lines()
            .iter()
            .filter(|line| line.contains("cancel"))
            .count(),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn a_job_that_heeds_no_cancellation_is_told_and_left_to_a_task() {
    let fake = Fake::new(
        |seen, before| match (seen.method.as_str(), seen.uri.as_str()) {
            ("GET", uri) if uri.contains("/do/") => template(),
            ("PUT", _) => report("RUNNING", ""),
            ("GET", _) if before < 70 => report("RUNNING", ""),
            ("GET", _) => report("CANCELED_WHILE_RUNNING", ""),
            ("POST", _) => refusal(412, "x", "not now"),
            _ => answer(204, ""),
        },
    );
    let session = fake.session().await;
    let start = Instant::now();
    let error = power_off(&session).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(
        (40..=42).contains(&start.elapsed().as_secs()),
        "{:?}",
        start.elapsed()
    );
    tokio::time::sleep(Duration::from_secs(100)).await;
    let lines = fake.lines();
    assert_eq!(
        lines.last().unwrap(),
        "DELETE /rest/api/uom/jobs/1376474747145"
    );
    let told = lines.iter().filter(|line| line.contains("cancel")).count();
    assert!(told > 5, "it was told {told} times");
}

#[tokio::test(start_paused = true)]
async fn a_job_that_ended_well_before_it_could_be_cancelled_has_ended_well() {
    let fake = Fake::new(
        |seen, before| match (seen.method.as_str(), seen.uri.as_str()) {
            ("GET", uri) if uri.contains("/do/") => template(),
            ("PUT", _) => report("RUNNING", ""),
            ("GET", _) if before < 11 => report("RUNNING", ""),
            ("GET", _) => report("COMPLETED_OK", ""),
            ("POST", _) => refusal(412, "x", "it has ended"),
            _ => answer(204, ""),
        },
    );
    let outcome = power_off(&fake.session().await).await.unwrap();
    assert_eq!(outcome.status, "COMPLETED_OK");
}

#[tokio::test(start_paused = true)]
async fn a_refused_look_is_repeated_and_a_job_that_nobody_may_look_at_is_cancelled() {
    let refusing = |looks: usize| {
        Fake::new(
            move |seen, before| match (seen.method.as_str(), seen.uri.as_str()) {
                ("GET", uri) if uri.contains("/do/") => template(),
                ("PUT", _) => report("NOT_STARTED", ""),
                ("GET", _) if before < looks => refusal(412, "x", "not now"),
                ("GET", _) => report("COMPLETED_OK", ""),
                ("POST", _) => answer(200, ""),
                _ => answer(204, ""),
            },
        )
    };
    let fake = refusing(2);
    power_off(&fake.session().await).await.unwrap();
    assert!(!fake.lines().iter().any(|line| line.contains("cancel")));

    let fake = refusing(1000);
    let error = power_off(&fake.session().await).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(fake.lines().iter().any(|line| line.contains("cancel")));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_job_is_still_deleted() {
    let fake = jobs(
        &[
            "NOT_STARTED",
            "RUNNING",
            "RUNNING",
            "RUNNING",
            "COMPLETED_OK",
        ],
        String::new(),
    );
    let session = fake.session().await;
    tokio::time::timeout(Duration::from_millis(1500), power_off(&session))
        .await
        .unwrap_err();
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(
        fake.lines().last().unwrap(),
        "DELETE /rest/api/uom/jobs/1376474747145"
    );
}

#[tokio::test(start_paused = true)]
async fn a_job_that_the_server_forgot_is_no_missing_partition() {
    let fake = Fake::new(|seen, _| match (seen.method.as_str(), seen.uri.as_str()) {
        ("GET", uri) if uri.contains("/do/") => template(),
        ("PUT", _) => report("RUNNING", ""),
        _ => refusal(404, "x", "REST0005 No such Job"),
    });
    assert_eq!(
        power_off(&fake.session().await).await.unwrap_err().kind(),
        ErrorKind::JobFailed
    );
}

#[tokio::test(start_paused = true)]
async fn odd_job_documents_are_refused() {
    for (id, status, kind) in [
        ("../../web/Logon", "RUNNING", ErrorKind::UnknownOutcome),
        ("", "RUNNING", ErrorKind::UnknownOutcome),
        ("1", "", ErrorKind::UnknownOutcome),
    ] {
        let fake = Fake::new(move |seen, _| match seen.method.as_str() {
            "GET" => template(),
            _ => answer(
                200,
                web(
                    "JobResponse",
                    "j",
                    &format!("<JobID>{id}</JobID><Status>{status}</Status>"),
                ),
            ),
        });
        assert_eq!(
            power_off(&fake.session().await).await.unwrap_err().kind(),
            kind
        );
        assert_eq!(fake.lines().len(), 2);
    }
    let fake = Fake::new(|_, _| answer(200, web("File", "f", "")));
    assert_eq!(
        power_off(&fake.session().await).await.unwrap_err().kind(),
        ErrorKind::BadAnswer
    );
}
