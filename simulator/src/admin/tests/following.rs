//! The stream of changes.

use super::*;

/// Reads the stream's next event as name and data.
async fn next(body: &mut Body) -> (String, Value) {
    loop {
        let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
        let text = String::from_utf8(frame.to_vec()).unwrap();
        let field = |name: &str| {
            let mut lines = text.lines();
            lines.find_map(|line| Some(line.strip_prefix(name)?.trim().to_owned()))
        };
        if let (Some(name), Some(data)) = (field("event:"), field("data:")) {
            return (name, serde_json::from_str(&data).unwrap());
        }
    }
}

async fn opened(api: &Api, path: &str) -> http::Response<Body> {
    let request = Request::get(path).header("authorization", format!("Bearer {TOKEN}"));
    let request = request.body(Body::empty()).unwrap();
    api.router.clone().oneshot(request).await.unwrap()
}

async fn follow(api: &Api, path: &str) -> Body {
    let answer = opened(api, path).await;
    assert_eq!(answer.status(), 200);
    answer.into_body()
}

#[tokio::test(start_paused = true)]
async fn changes_are_told_as_they_happen() {
    let api = Api::new();
    let mut stream = follow(&api, "/events").await;
    let (name, begin) = next(&mut stream).await;
    assert_eq!(name, "begin");
    let order = json!({"incident": "rmc_lost", "target": "vios2", "for_ms": 60_000});
    api.post("/incidents", order).await;
    let (name, change) = next(&mut stream).await;
    assert_eq!(name, "change");
    assert!(change["generation"].as_u64() > begin["generation"].as_u64());
    let resource = change["resource"].as_str().unwrap();
    assert!(resource.starts_with("VirtualIOServer/"), "{change}");
    // What happens by itself is told as well, at its time.
    let (_, back) = next(&mut stream).await;
    assert_eq!(back["resource"], change["resource"]);
    assert!(back["at"].as_u64().unwrap() >= change["at"].as_u64().unwrap() + 60_000);
    // Who comes later can have the past.
    let path = format!("/events?after={}", begin["last"]);
    let mut later = follow(&api, &path).await;
    assert_eq!(next(&mut later).await.0, "begin");
    assert_eq!(next(&mut later).await.1["at"], change["at"]);
}

#[tokio::test(start_paused = true)]
async fn a_loaded_snapshot_begins_the_stream_anew() {
    let api = Api::new();
    api.post("/snapshots/before", Value::Null).await;
    let order = json!({"incident": "rmc_lost", "target": "vios2"});
    api.post("/incidents", order.clone()).await;
    let mut stream = follow(&api, "/events").await;
    let (_, begin) = next(&mut stream).await;
    api.post("/snapshots/before/load", Value::Null).await;
    let (name, again) = next(&mut stream).await;
    assert_eq!(name, "begin");
    assert!(again["last"].as_u64() < begin["last"].as_u64());
    api.post("/incidents", order).await;
    assert_eq!(next(&mut stream).await.0, "change");
}

#[tokio::test(start_paused = true)]
async fn streams_are_bounded_and_give_their_places_back() {
    let api = Api::new();
    let mut open = Vec::new();
    for _ in 0..64 {
        open.push(follow(&api, "/events").await);
    }
    assert_eq!(opened(&api, "/events").await.status(), 409);
    open.pop();
    assert_eq!(opened(&api, "/events").await.status(), 200);
}
