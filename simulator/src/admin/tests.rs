use axum::body::Body;
use http::{Method, Request};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::*;
use crate::weather::Weather;

const TOKEN: &str = "a-token";

struct Api {
    simulator: Simulator,
    router: Router,
}

impl Api {
    fn new() -> Self {
        Self::of(Weather::Calm)
    }

    fn of(weather: Weather) -> Self {
        let builder = Simulator::builder().seed(7).weather(weather);
        let simulator = builder.check_invariants(true).build().unwrap();
        let router = router(&simulator, SecretString::from(TOKEN));
        Self { simulator, router }
    }

    async fn send(
        &self,
        method: &Method,
        path: &str,
        body: Option<Value>,
        token: &str,
    ) -> (u16, String) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {token}"))
            .body(body.map_or(Body::empty(), |body| Body::from(body.to_string())))
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let (status, text) = self.send(&method, path, body, TOKEN).await;
        assert!(status < 300, "{method} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    async fn get(&self, path: &str) -> Value {
        self.call(Method::GET, path, None).await
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.call(Method::POST, path, Some(body)).await
    }

    /// A request of the REST API, logged on.
    async fn rest(&self, method: Method, path: &str, body: &'static str) -> (u16, String) {
        use secrecy::ExposeSecret as _;
        let credentials = self.simulator.credentials();
        let now = self.simulator.now();
        let token = self
            .simulator
            .sessions()
            .logon(&credentials.user, &credentials.password, now);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("x-api-session", token.unwrap().expose_secret())
            .body(Body::from(body))
            .unwrap();
        let response = self.simulator.router().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = response
            .into_body()
            .collect()
            .await
            .map(|body| body.to_bytes());
        (
            status,
            body.map_or_else(
                |_| "(broken)".to_owned(),
                |body| String::from_utf8_lossy(&body).into_owned(),
            ),
        )
    }
}

/// Parameters that name something or nothing: refusals count as answers here.
fn filled(path: &str) -> String {
    path.replace("{name}", "nothing")
        .replace("{other}", "nothing")
        .replace("{id}", "0")
}

#[tokio::test(start_paused = true)]
async fn the_description_is_true() {
    let api = Api::new();
    let (status, text) = api.send(&Method::GET, "/openapi.json", None, "").await;
    assert_eq!(status, 200);
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let mut identifiers = std::collections::BTreeSet::new();
    let mut walked = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, described) in methods.as_object().unwrap() {
            walked += 1;
            assert!(
                identifiers.insert(described["operationId"].to_string()),
                "{described}"
            );
            let method: Method = method.to_uppercase().parse().unwrap();
            let open = described["security"] == json!([]);
            let (status, _) = api.send(&method, &filled(path), None, "wrong").await;
            assert_eq!(status == 401, !open, "{method} {path}: {status}");
            let (status, text) = api.send(&method, &filled(path), None, TOKEN).await;
            let answers = described["responses"].as_object().unwrap();
            let answer = answers.get(&status.to_string());
            let answer = answer
                .unwrap_or_else(|| panic!("{method} {path}: {status} is not described: {text}"));
            let content = &answer["content"]["application/json"]["schema"];
            if status == 200 && !content.is_null() {
                shaped_as(
                    &document,
                    content,
                    &serde_json::from_str(&text).unwrap(),
                    path,
                );
            }
        }
        // What is not described is not there.
        for method in [
            Method::GET,
            Method::PUT,
            Method::POST,
            Method::DELETE,
            Method::PATCH,
        ] {
            let described = methods.get(method.as_str().to_lowercase()).is_some();
            let (status, _) = api.send(&method, &filled(path), None, TOKEN).await;
            assert_eq!(status == 405, !described, "{method} {path}: {status}");
        }
    }
    assert_eq!(walked, operations().len());
    assert_eq!(api.send(&Method::GET, "/nothing", None, TOKEN).await.0, 404);
    every_reference_leads_somewhere(&document, &document);
}

/// That an answer has the fields of its schema and no others.
fn shaped_as(document: &Value, schema: &Value, value: &Value, path: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        let schema = document.pointer(reference.trim_start_matches('#')).unwrap();
        return shaped_as(document, schema, value, path);
    }
    if let (Some(properties), Some(fields)) = (schema["properties"].as_object(), value.as_object())
    {
        for (name, field) in fields {
            let schema = properties
                .get(name)
                .unwrap_or_else(|| panic!("{path}: {name} is not described"));
            shaped_as(document, schema, field, path);
        }
        for name in schema["required"].as_array().into_iter().flatten() {
            assert!(
                fields.contains_key(name.as_str().unwrap()),
                "{path}: no {name}"
            );
        }
    }
    if let (Some(items), Some(values)) = (schema.get("items"), value.as_array()) {
        values
            .iter()
            .for_each(|value| shaped_as(document, items, value, path));
    }
}

fn every_reference_leads_somewhere(document: &Value, part: &Value) {
    match part {
        Value::Object(fields) => {
            if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                assert!(
                    document
                        .pointer(reference.trim_start_matches('#'))
                        .is_some(),
                    "{reference}"
                );
            }
            fields
                .values()
                .for_each(|part| every_reference_leads_somewhere(document, part));
        }
        Value::Array(parts) => parts
            .iter()
            .for_each(|part| every_reference_leads_somewhere(document, part)),
        _ => {}
    }
}

#[tokio::test(start_paused = true)]
async fn wrong_bodies_are_refused_with_a_reason() {
    let api = Api::new();
    for (method, path, body) in [
        (Method::POST, "/faults", json!({"fault": "explode"})),
        (
            Method::POST,
            "/incidents",
            json!({"incident": "down", "target": "nobody"}),
        ),
        (
            Method::POST,
            "/incidents",
            json!({"incident": "down", "target": uuid::Uuid::nil()}),
        ),
        (Method::PUT, "/clock", json!({"scale": -1})),
        (
            Method::POST,
            "/clock/advance",
            json!({"milliseconds": u64::MAX}),
        ),
        (Method::PUT, "/stepping", json!([])),
        (Method::POST, "/step", json!({"until": "dawn"})),
        (
            Method::POST,
            "/step",
            json!({"until": "moment", "times": u64::MAX}),
        ),
        (
            Method::PUT,
            "/snapshots/x",
            json!({"format": "powervm-sim state"}),
        ),
        (Method::GET, "/requests?most=many", Value::Null),
    ] {
        let (status, text) = api.send(&method, path, Some(body), TOKEN).await;
        assert_eq!(status, 400, "{path}: {text}");
        assert!(text.starts_with("{\"error\":\""), "{text}");
    }
}

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
async fn snapshots_are_kept_loaded_compared_and_moved() {
    let api = Api::new();
    api.post("/snapshots/before", Value::Null).await;
    api.post("/incidents", json!({"incident": "down", "target": "vios2"}))
        .await;
    let found = api.get("/snapshots/before/diff/now").await;
    let state = found["differences"]
        .as_array()
        .unwrap()
        .iter()
        .find(|found| {
            found["path"]
                .as_str()
                .unwrap()
                .ends_with("/partition/state")
        });
    let state = state.unwrap_or_else(|| panic!("{found}"));
    assert_eq!(
        (&state["name"], &state["before"], &state["after"]),
        (&json!("vios2"), &json!("running"), &json!("not activated"))
    );
    let document = api.get("/snapshots/now").await;
    api.call(Method::PUT, "/snapshots/moved", Some(document))
        .await;
    assert_eq!(
        api.get("/snapshots/moved/diff/now").await["differences"],
        json!([])
    );
    api.call(Method::POST, "/snapshots/before/load", None).await;
    assert_eq!(
        api.get("/snapshots/before/diff/now").await["differences"],
        json!([])
    );
    assert_eq!(
        api.get("/snapshots").await["moved"]["virtual_io_servers"],
        2
    );
    api.call(Method::DELETE, "/snapshots/moved", None).await;
    assert_eq!(
        api.send(&Method::GET, "/snapshots/moved", None, TOKEN)
            .await
            .0,
        404
    );
}

#[tokio::test]
async fn forks_run_on_ports_of_their_own() {
    let api = Api::new();
    let fork = api.post("/snapshots/now/fork", Value::Null).await;
    let admin = fork["admin"].as_str().unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let send = |path: &str| client.post(format!("{admin}{path}")).bearer_auth(TOKEN);
    let down = send("/incidents").body(json!({"incident": "down", "target": "vios1"}).to_string());
    assert_eq!(down.send().await.unwrap().status(), 204);
    // Nothing of it here, and no forks of forks.
    assert!(
        api.simulator
            .world()
            .vioses
            .values()
            .all(|vios| vios.partition.state.holds_resources())
    );
    assert_eq!(
        send("/snapshots/now/fork").send().await.unwrap().status(),
        409
    );
    assert_eq!(api.get("/forks").await[0]["id"], fork["id"]);
    for _ in 1..8 {
        api.post("/snapshots/now/fork", Value::Null).await;
    }
    assert_eq!(
        api.send(&Method::POST, "/snapshots/now/fork", None, TOKEN)
            .await
            .0,
        409
    );
    api.call(Method::DELETE, "/forks/1", None).await;
    assert!(send("/incidents").send().await.is_err());
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

#[tokio::test(start_paused = true)]
async fn the_state_goes_to_its_file_if_there_is_one() {
    let api = Api::new();
    assert_eq!(
        api.send(&Method::POST, "/state/save", None, TOKEN).await.0,
        409
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let built = || Simulator::builder().seed(7).state_file(&path).build();
    let simulator = built().unwrap();
    let api = Api {
        router: router(&simulator, SecretString::from(TOKEN)),
        simulator,
    };
    api.post("/incidents", json!({"incident": "down", "target": "vios2"}))
        .await;
    api.post("/clock/advance", json!({"milliseconds": 3_600_000}))
        .await;
    api.post("/state/save", Value::Null).await;
    let (world, now) = (api.simulator.world(), api.simulator.now());
    assert!(matches!(built(), Err(crate::builder::BuildError::State(_))));
    drop(api);
    let again = built().unwrap();
    assert_eq!((again.now(), &again.world().vioses), (now, &world.vioses));
}
