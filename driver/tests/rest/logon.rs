//! Getting in, staying in, and knowing when not to knock again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use powervm_driver::rest::{Endpoint, Groups, ServiceTransport, Session, SessionOptions};
use powervm_driver::{Error, ErrorKind};
use tokio::time::Instant;

use crate::fake::{Fake, PASSWORD, TOKEN, answer, endpoint, feed, options, refusal, token_answer};

/// Answers every request with what the closure gives for its number, from 0.
async fn logon(
    endpoint: Endpoint,
    options: SessionOptions,
    handler: impl Fn(usize) -> Response + Clone + Send + Sync + 'static,
) -> (Result<Session, Error>, usize) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let router = Router::new().fallback(move || {
        let response = handler(counted.fetch_add(1, Ordering::SeqCst));
        async move { response }
    });
    let session = Session::logon(endpoint, Arc::new(ServiceTransport::new(router)), options).await;
    (session, count.load(Ordering::SeqCst))
}

#[tokio::test(start_paused = true)]
async fn a_refused_password_is_never_tried_again() {
    let patient = SessionOptions {
        connect_tries: 60,
        ..options()
    };
    let (session, requests) = logon(endpoint(), patient, |_| {
        refusal(401, "bad", "wrong password")
    })
    .await;
    let error = session.unwrap_err();
    assert_eq!((error.kind(), requests), (ErrorKind::Unauthorized, 1));
    assert!(
        error.to_string().contains("check the user, the password"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_starting_is_waited_for() {
    let start = Instant::now();
    let patient = SessionOptions {
        connect_tries: 5,
        ..options()
    };
    let starting = |number| {
        if number < 3 {
            answer(404, "not yet")
        } else {
            token_answer(TOKEN)
        }
    };
    let (session, requests) = logon(endpoint(), patient, starting).await;
    assert!(session.is_ok());
    assert_eq!((requests, start.elapsed().as_secs()), (4, 6));
}

#[tokio::test]
async fn what_is_no_logon_answer_is_told() {
    for (body, expected) in [
        ("", "no body"),
        (
            "<html><body>Log in</body></html>",
            "another document than a LogonResponse",
        ),
        ("<html><p>Log in", "no document"),
        ("<LogonResponse/>", "without a usable session token"),
        (
            "<LogonResponse><X-API-Session> </X-API-Session></LogonResponse>",
            "without a usable session token",
        ),
        (
            "<LogonResponse><X-API-Session>a\u{e9}</X-API-Session></LogonResponse>",
            "without a usable session token",
        ),
    ] {
        let (session, _) = logon(endpoint(), options(), move |_| answer(200, body)).await;
        let error = session.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadAnswer);
        assert!(error.to_string().contains(expected), "{body}: {error}");
    }
}

#[tokio::test]
async fn a_token_file_is_read_on_this_machine_only() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    std::fs::write(&file, format!("{TOKEN}\n")).unwrap();
    let named = |path: String, novalink: bool| {
        move |_| {
            let mut response = answer(
                200,
                format!(
                    "<LogonResponse><X-API-SessionFile>{path}</X-API-SessionFile></LogonResponse>"
                ),
            );
            if novalink {
                response
                    .headers_mut()
                    .insert("X-MC-Type", "PVM".parse().unwrap());
            }
            response
        }
    };
    let path = |path: &std::path::Path| path.display().to_string();
    let local = Endpoint::new("http://localhost").unwrap();
    let (session, _) = logon(local.clone(), options(), named(path(&file), true)).await;
    assert!(!session.unwrap().has_password());

    let (session, requests) = logon(
        Endpoint::new("http://10.0.0.1").unwrap(),
        options(),
        named(path(&file), true),
    )
    .await;
    assert_eq!(requests, 0);
    assert!(session.unwrap_err().to_string().contains("another machine"));

    for (path, novalink, expected) in [
        (path(&file), false, "an HMC takes no token file"),
        (path(&directory.path().join("none")), true, "cannot be read"),
        (path(directory.path()), true, "is no file"),
        ("token".to_owned(), true, "no absolute path"),
        ("/dev/zero".to_owned(), true, "is no file"),
    ] {
        let (session, _) = logon(local.clone(), options(), named(path, novalink)).await;
        let error = session.unwrap_err();
        assert!(matches!(error, Error::Credentials { .. }), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn an_expired_session_is_renewed_once_for_all() {
    // Only the second token is good, so all ten meet the expiry.
    let fake = Fake::new(|seen, _| match seen.header("x-api-session") {
        Some(token) if token == format!("{TOKEN}2=") => answer(200, feed(&[])),
        _ => answer(401, ""),
    });
    let session = fake.session().await;
    let tasks: Vec<_> = (0..10)
        .map(|_| {
            let session = session.clone();
            tokio::spawn(async move { session.get_feed("Cluster", Groups::None).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(fake.logons(), 2);
}

#[tokio::test]
async fn a_storm_of_401_costs_one_logon_a_request() {
    let fake = Fake::new(|_, _| answer(401, ""));
    let session = fake.session().await;
    for number in 1..4 {
        let error = session.get_feed("Cluster", Groups::None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized);
        assert_eq!(
            (fake.logons(), fake.lines().len()),
            (1 + number, 2 * number)
        );
    }
}

#[tokio::test]
async fn a_refused_renewal_is_the_last() {
    let logons = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&logons);
    let router = Router::new().fallback(move |request: axum::extract::Request| {
        let first =
            request.uri().path().ends_with("Logon") && counted.fetch_add(1, Ordering::SeqCst) == 0;
        let response = if first {
            token_answer(TOKEN)
        } else {
            refusal(401, "x", "the account may be locked soon")
        };
        async move { response }
    });
    let session = Session::logon(
        endpoint(),
        Arc::new(ServiceTransport::new(router)),
        options(),
    )
    .await
    .unwrap();
    for _ in 0..5 {
        assert_eq!(
            session
                .get_feed("Cluster", Groups::None)
                .await
                .unwrap_err()
                .kind(),
            ErrorKind::Unauthorized
        );
    }
    assert_eq!(
        logons.load(Ordering::SeqCst),
        2,
        "three refusals would lock the account"
    );
}

#[tokio::test(start_paused = true)]
async fn a_logon_without_an_answer_ends() {
    let router = Router::new().fallback(std::future::pending::<Response>);
    let start = Instant::now();
    let short = SessionOptions {
        answer_timeout: Duration::from_secs(30),
        ..options()
    };
    let error = Session::logon(endpoint(), Arc::new(ServiceTransport::new(router)), short)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), start.elapsed().as_secs()),
        (ErrorKind::TimedOut, 30)
    );
    assert!(!error.to_string().contains(PASSWORD));
}
