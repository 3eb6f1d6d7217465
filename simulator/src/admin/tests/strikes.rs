//! Faults and incidents.

use super::*;

#[tokio::test(start_paused = true)]
async fn faults_strike_by_resource_and_job_and_are_read_back() {
    let api = Api::new();
    let order = json!({"resource": "ManagedSystem", "verb": "GET", "nth": 2, "fault": {"firmware": "HSCL3205"}});
    let id = api.post("/faults", order).await["id"].as_u64().unwrap();
    assert_eq!(
        api.rest(Method::GET, "/rest/api/uom/ManagedSystem", "")
            .await
            .0,
        200
    );
    let (status, text) = api
        .rest(Method::GET, "/rest/api/uom/ManagedSystem", "")
        .await;
    assert_eq!(status, 500);
    assert!(text.contains("HSCL3205"), "{text}");
    let listed = &api.get("/faults").await[0];
    assert_eq!(
        (&listed["id"], &listed["matched"], &listed["hits"]),
        (&json!(id), &json!(2), &json!(1))
    );
    assert_eq!(listed["last"][0]["path"], "/rest/api/uom/ManagedSystem");
    api.call(Method::DELETE, &format!("/faults/{id}"), None)
        .await;
    assert_eq!(api.get("/faults").await, json!([]));
    assert_eq!(api.get("/counters").await["faults"], 1);
}

const POWER_OFF: &str = r#"<JobRequest xmlns="http://www.ibm.com/xmlns/systems/power/firmware/web/mc/2012_10/" schemaVersion="V1_0"><RequestedOperation><OperationName>PowerOff</OperationName><GroupName>VirtualIOServer</GroupName></RequestedOperation></JobRequest>"#;

#[tokio::test(start_paused = true)]
async fn a_fault_decides_how_a_job_ends() {
    let api = Api::new();
    let world = api.simulator.world();
    let vios = world.vioses.values().next().unwrap().partition.uuid;
    api.post(
        "/faults",
        json!({"job": "PowerO*", "first": 1, "fault": {"job_error": "HSCL05DF not now"}}),
    )
    .await;
    let path = format!("/rest/api/uom/VirtualIOServer/{vios}/do/PowerOff");
    let (status, text) = api.rest(Method::PUT, &path, POWER_OFF).await;
    assert_eq!(status, 200, "{text}");
    assert!(
        text.contains("COMPLETED_WITH_ERROR") && text.contains("HSCL05DF not now"),
        "{text}"
    );
    let state = || api.simulator.world().vioses[&vios].partition.state;
    assert!(state().holds_resources());
    // The second one is what it would have been.
    let (_, text) = api.rest(Method::PUT, &path, POWER_OFF).await;
    assert!(text.contains("COMPLETED_OK"), "{text}");
    assert!(!state().holds_resources());
}

#[tokio::test(start_paused = true)]
async fn servers_go_down_and_come_back_by_themselves() {
    let api = Api::new();
    let state = |name: &str| {
        let world = api.simulator.world();
        let server = world
            .vioses
            .values()
            .find(|vios| vios.partition.name == name)
            .unwrap();
        (
            server.partition.state.as_str(),
            server.partition.rmc.as_str(),
        )
    };
    api.post(
        "/incidents",
        json!({"incident": "rmc_lost", "target": "vios1", "for_ms": 5000}),
    )
    .await;
    assert_eq!(state("vios1"), ("running", "inactive"));
    let fault = json!({"resource": "VolumeGroup", "first": 1, "when": "after", "fault": {"vios_down": {"for_ms": 60000}}});
    api.post("/faults", fault).await;
    let world = api.simulator.world();
    let two = world
        .vioses
        .values()
        .find(|vios| vios.partition.name == "vios2")
        .unwrap()
        .partition
        .uuid;
    let groups = format!("/rest/api/uom/VirtualIOServer/{two}/VolumeGroup");
    assert_eq!(api.rest(Method::GET, &groups, "").await.0, 200);
    assert_eq!(state("vios2"), ("not activated", "inactive"));
    api.post("/clock/advance", json!({"milliseconds": 10_000}))
        .await;
    assert_eq!(
        (state("vios1"), state("vios2").0),
        (("running", "active"), "not activated")
    );
    api.post("/clock/advance", json!({"milliseconds": 60_000}))
        .await;
    assert_eq!(state("vios2").0, "running");
    api.post("/clock/advance", json!({"milliseconds": 60_000}))
        .await;
    assert_eq!(state("vios2"), ("running", "active"));
    assert_eq!(
        api.get("/invariants").await,
        json!({"violations": [], "refused": []})
    );
}
