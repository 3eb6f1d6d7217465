//! Time, steps, the log and the numbers.

use super::*;

#[tokio::test(start_paused = true)]
async fn time_stands_and_steps() {
    let api = Api::of(Weather::Typical);
    assert_eq!(
        api.call(Method::PUT, "/clock", Some(json!({"scale": 0})))
            .await["scale"],
        0.0
    );
    api.call(Method::PUT, "/stepping", Some(json!({"hold_jobs": true})))
        .await;
    let vios = api
        .simulator
        .world()
        .vioses
        .values()
        .next()
        .unwrap()
        .partition
        .uuid;
    let submit = crate::model::command::SubmitJob {
        target: crate::model::job::JobTarget::VirtualIoServer(vios),
        operation: "PowerOff".to_owned(),
        parameters: Vec::new(),
    };
    api.simulator
        .apply(crate::model::Command::SubmitJob(submit))
        .unwrap();
    assert!(
        api.post("/step", json!({"until": "idle"})).await["reached"]
            .as_bool()
            .unwrap()
    );
    let waiting = api.get("/stepping").await;
    assert_eq!(waiting["held"][0]["operation"], "PowerOff");
    assert_eq!(waiting["next"], Value::Null);
    let stepped = api.post("/step", json!({"until": "job"})).await;
    assert_eq!(
        (&stepped["reached"], &stepped["jobs"][0]),
        (&json!(true), &waiting["held"][0]["id"])
    );
    assert!(stepped["now"].as_u64() > waiting["now"].as_u64());
    assert_eq!(
        api.post("/step", json!({"until": "moment"})).await["reached"],
        false
    );
}

#[tokio::test(start_paused = true)]
async fn requests_are_logged_with_their_times() {
    let api = Api::of(Weather::Typical);
    api.rest(Method::GET, "/rest/api/uom/ManagedSystem?group=None", "")
        .await;
    api.rest(Method::GET, "/rest/api/uom/Nothing", "").await;
    let log = api
        .get("/requests?status=200&contains=ManagedSystem&method=GET")
        .await;
    assert_eq!(log["total"], 2);
    let request = &log["requests"][0];
    assert_eq!(request["url"], "/rest/api/uom/ManagedSystem?group=None");
    assert!(request["simulated_ms"].as_u64().unwrap() > 10, "{request}");
    assert!(request["received"].as_u64().unwrap() > 1000, "{request}");
    assert_eq!(
        api.get("/requests?after=1&most=5").await["requests"][0]["status"],
        400
    );
    api.call(Method::DELETE, "/requests", None).await;
    assert_eq!(api.get("/requests").await["requests"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn numbers_are_told_as_prometheus_reads_them() {
    let api = Api::new();
    api.rest(Method::GET, "/rest/api/uom/ManagedSystem", "")
        .await;
    api.rest(Method::GET, "/rest/api/uom/Nothing", "").await;
    let (_, text) = api.send(&Method::GET, "/metrics", None, TOKEN).await;
    for line in [
        "# TYPE powervm_sim_requests counter",
        "powervm_sim_requests_total{method=\"GET\"} 2",
        "powervm_sim_answers_total{status=\"400\"} 1",
        "powervm_sim_faults_total 0",
        "# TYPE powervm_sim_request_duration_seconds histogram",
        "powervm_sim_request_duration_seconds_count{class=\"other\"} 1",
        "powervm_sim_request_duration_seconds_bucket{le=\"+Inf\",class=\"other\"} 1",
        "powervm_sim_partitions 1",
    ] {
        assert!(
            text.lines().any(|told| told.starts_with(line)),
            "{line}\n{text}"
        );
    }
    assert!(text.ends_with("# EOF\n"));
}
