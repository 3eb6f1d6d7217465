//! Snapshots, forks and the state file.

use super::*;

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
    let routes = router(&simulator, SecretString::from(TOKEN));
    let api = Api::with(simulator, routes);
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
