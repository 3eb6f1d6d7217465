//! Who gets in, and how much.

use super::*;

async fn refused(api: &Api, path: &str, token: &str) -> (u16, String) {
    api.send(&Method::GET, path, None, token).await
}

#[tokio::test(start_paused = true)]
async fn a_token_in_a_url_is_refused_even_if_it_is_right() {
    let api = Api::new();
    for path in [
        "/clock?token=a-token".to_owned(),
        "/clock?Access_Token=wrong".to_owned(),
        "/clock?authorization=Bearer+a-token".to_owned(),
        "/clock?a%2Dtoken".to_owned(),
        "/clock?x=a%2Dtoken".to_owned(),
        format!("/snapshots/{TOKEN}"),
        "/health?token=x".to_owned(),
        "/nothing?token=x".to_owned(),
    ] {
        for token in [TOKEN, "wrong"] {
            let (status, text) = refused(&api, &path, token).await;
            assert_eq!(status, 400, "{path}: {text}");
            assert!(
                text.contains("Authorization") && !text.contains(TOKEN),
                "{text}"
            );
        }
    }
    assert_eq!(
        refused(&api, "/requests?contains=token", TOKEN).await.0,
        200
    );
}

#[tokio::test(start_paused = true)]
async fn only_the_whole_token_counts() {
    let api = Api::new();
    for token in ["", "a-toke", "a-token-", "A-TOKEN", "a-token a-token"] {
        assert_eq!(refused(&api, "/clock", token).await.0, 401, "{token}");
    }
    let request = Request::get("/clock").header("authorization", "Basic a-token");
    let answer = api
        .router
        .clone()
        .oneshot(request.body(Body::empty()).unwrap());
    assert_eq!(answer.await.unwrap().status(), 401);
}

#[tokio::test(start_paused = true)]
async fn rules_of_faults_are_bounded() {
    let api = Api::new();
    let order = json!({"path": "/x", "fault": "reset"});
    for _ in 0..crate::weather::faults::MOST_RULES {
        api.post("/faults", order.clone()).await;
    }
    let (status, text) = api.send(&Method::POST, "/faults", Some(order), TOKEN).await;
    assert_eq!(status, 400);
    assert!(text.contains("1000 fault rules"), "{text}");
    api.call(Method::DELETE, "/faults", None).await;
    let long = json!({"path": "x".repeat(5000), "fault": "reset"});
    let (status, text) = api.send(&Method::POST, "/faults", Some(long), TOKEN).await;
    assert_eq!(status, 400);
    assert!(text.contains("4096 bytes"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn snapshots_and_bodies_are_bounded() {
    let api = Api::new();
    for number in 0..crate::state::MOST_SNAPSHOTS {
        api.post(&format!("/snapshots/s{number}"), Value::Null)
            .await;
    }
    let (status, text) = api
        .send(&Method::POST, "/snapshots/more", None, TOKEN)
        .await;
    assert_eq!(status, 409);
    assert!(text.contains("64 snapshots"), "{text}");
    let (status, _) = api
        .send(&Method::POST, "/snapshots/..%2f..%2fx", None, TOKEN)
        .await;
    assert_eq!(status, 409);
    let request = Request::post("/volumes")
        .header("authorization", format!("Bearer {TOKEN}"))
        .header("content-length", (1_u64 << 40).to_string());
    let request = request.body(Body::from(vec![b' '; 17 << 20])).unwrap();
    let answer = api.router.clone().oneshot(request).await.unwrap();
    assert_eq!(answer.status(), 413);
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let request = Request::post("/volumes").header("authorization", format!("Bearer {TOKEN}"));
    let answer = api
        .router
        .clone()
        .oneshot(request.body(Body::from(deep)).unwrap());
    assert_eq!(answer.await.unwrap().status(), 400);
}
