//! The description: complete, and true.

use super::*;

/// Parameters that name something or nothing: refusals count as answers here.
fn filled(path: &str) -> String {
    path.replace("{name}", "nothing")
        .replace("{other}", "nothing")
        .replace("{id}", "0")
        .replace("{journey}", "0")
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
            assert!(
                answers.contains_key(&status.to_string()),
                "{method} {path}: {text}"
            );
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

/// A partition of another simulator comes, and another journey is given up.
async fn arrive(api: &Api) {
    use crate::admin::arrivals::Asked;
    use crate::inventory::{Inventory, Sizes};
    use crate::model::migration::journey::Journey;
    use crate::model::migration::{Manner, Options};
    let sizes = Sizes {
        partitions: 1,
        ..Sizes::default()
    };
    let mut inventory = Inventory::sized(crate::Flavor::NovaLink, sizes);
    let partition = &mut inventory.systems[0].partitions[0];
    (partition.disk_gb, partition.running, partition.fc_adapters) = (None, false, 0);
    let elsewhere = Simulator::builder().seed(8).inventory(inventory).build();
    let elsewhere = elsewhere.unwrap().world();
    let mut partitions = elsewhere.partitions.values();
    let one = partitions.find(|partition| !partition.is_management);
    let key = elsewhere.console.public_ssh_key.clone();
    let known = crate::model::Command::UpdateConsole {
        console: api.simulator.world().console.uuid,
        authorized_keys: key.clone().into_iter().collect(),
    };
    api.simulator.apply(known).unwrap();
    let asked = Asked::from(Journey {
        manner: Manner::Inactive,
        options: Options {
            target: "neo".to_owned(),
            ..Options::default()
        },
        key,
        bundle: elsewhere.bundle(one.unwrap().uuid).unwrap(),
    });
    let asked = serde_json::to_value(asked).unwrap();
    let put = |path: &'static str, body| api.call(Method::PUT, path, Some(body));
    api.post("/arrivals/check", asked.clone()).await;
    put(
        "/arrivals/00000000-0000-0000-0000-000000000001",
        asked.clone(),
    )
    .await;
    api.get("/arrivals").await;
    api.post(
        "/arrivals/00000000-0000-0000-0000-000000000001/take-in",
        asked,
    )
    .await;
    let other = "/arrivals/00000000-0000-0000-0000-000000000002";
    api.call(Method::DELETE, other, None).await;
    api.get("/arrivals").await;
}

/// Asks for everything that there is, so that each answer is held against its description.
#[tokio::test]
async fn every_request_succeeds_as_described() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let built = Simulator::builder().seed(7).state_file(path).build();
    let simulator = built.unwrap();
    let routes = router(&simulator, SecretString::from(TOKEN));
    let api = Api::with(simulator, routes);
    let (first, last) = super::storage::ports(&api);
    for path in [
        "/health",
        "/openapi.json",
        "/counters",
        "/metrics",
        "/inventory",
        "/contents",
        "/invariants",
        "/firmware-errors",
        "/clock",
        "/stepping",
        "/volumes",
        "/san",
        "/events",
    ] {
        api.get(path).await;
    }
    let fault = json!({"resource": "Tier", "id": null, "first": 1, "fault": {"vios_down": {}}});
    let fault = api.post("/faults", fault).await["id"].clone();
    api.get("/faults").await;
    let delete = |path: String| api.call(Method::DELETE, Box::leak(path.into_boxed_str()), None);
    delete(format!("/faults/{fault}")).await;
    delete("/faults".to_owned()).await;
    let incident = json!({"incident": "rmc_lost", "target": "vios1", "for_ms": 1});
    api.post("/incidents", incident).await;
    api.post("/incidents/lost-events", Value::Null).await;
    let put = |path: &'static str, body| api.call(Method::PUT, path, Some(body));
    put("/clock", json!({"scale": 0})).await;
    api.post("/clock/advance", json!({"milliseconds": 10}))
        .await;
    put("/stepping", json!({"hold_jobs": true})).await;
    api.post("/step", json!({"until": "job", "times": 1})).await;
    api.post("/snapshots/a", Value::Null).await;
    let document = api.get("/snapshots/a").await;
    put("/snapshots/b", document).await;
    api.get("/snapshots").await;
    api.get("/snapshots/a/diff/now").await;
    api.post("/snapshots/a/load", Value::Null).await;
    let fork = api.post("/snapshots/a/fork", Value::Null).await["id"].clone();
    api.get("/forks").await;
    delete(format!("/forks/{fork}")).await;
    delete("/snapshots/a".to_owned()).await;
    api.post("/state/save", Value::Null).await;
    let order =
        json!({"name": "v", "gigabytes": 1, "content": {"bytes": 1, "sha256": "0".repeat(64)}});
    let volume = api.post("/volumes", order).await["id"].clone();
    let path = format!("/volumes/{}", volume.as_str().unwrap());
    api.get(&path).await;
    let host = json!({"connector": {"wwpns": [first, last], "host": "web-1"}});
    api.post(&format!("{path}/map"), host.clone()).await;
    api.post(&format!("{path}/extend"), json!({"gigabytes": 2}))
        .await;
    api.post(&format!("{path}/unmap"), host).await;
    delete(path).await;
    arrive(&api).await;
    let world = api.simulator.world();
    let vios = world.vioses.values().next().unwrap();
    let slot = vios.buses.values().next().unwrap().slot;
    let strand = json!({"vios": vios.partition.uuid, "slot": slot, "any": true});
    api.post("/adapters/strand", strand).await;
    api.rest(Method::GET, "/rest/api/uom/Tier", "").await;
    api.get("/requests?after=0&most=5").await;
    delete("/requests".to_owned()).await;
    let succeeded = api.succeeded.lock().unwrap().clone();
    let all = operations()
        .iter()
        .map(|operation| format!("{} {}", operation.method, operation.path))
        .collect();
    assert_eq!(succeeded, all);
}
