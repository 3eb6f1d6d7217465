//! When a request is repeated, and when it must not be.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{Method, Request, Response};
use powervm_driver::ErrorKind;
use powervm_driver::rest::{
    Body, Groups, ServiceTransport, Session, SessionOptions, Transport, TransportError,
    TransportFailure,
};
use powervm_schema::xml::{Element, Namespace};
use tokio::time::Instant;

use crate::fake::{Fake, answer, endpoint, feed, options, refusal, resource};

const BUSY: &str = "Unable to send command to VIOS at this moment. VIOS 1*9999 is busy processing some other request. Please retry.";

/// Fails the first requests after the logon, before or after the server saw them.
struct Breaking {
    inner: ServiceTransport<axum::Router>,
    left: AtomicUsize,
    after_commit: bool,
}

impl Transport for Breaking {
    fn call(
        &self,
        request: Request<Body>,
    ) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        let spared = request.uri().path().ends_with("Logon");
        let take = |left: usize| left.checked_sub(1);
        let broken = !spared
            && self
                .left
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, take)
                .is_ok();
        Box::pin(async move {
            match (broken, self.after_commit) {
                (false, _) => self.inner.call(request).await,
                (true, false) => Err(TransportError::new(TransportFailure::Connect, "refused")),
                (true, true) => {
                    self.inner.call(request).await?;
                    Err(TransportError::new(
                        TransportFailure::Broken,
                        "reset by peer",
                    ))
                }
            }
        })
    }
}

async fn breaking(fake: &Fake, times: usize, after_commit: bool) -> Session {
    let transport = Breaking {
        inner: ServiceTransport::new(fake.router()),
        left: AtomicUsize::new(times),
        after_commit,
    };
    Session::logon(endpoint(), Arc::new(transport), options())
        .await
        .unwrap()
}

fn good() -> Fake {
    Fake::new(|seen, before| match seen.method.as_str() {
        "GET" => answer(200, feed(&[])),
        "DELETE" if before > 0 => refusal(404, "x", "REST0005 gone"),
        "DELETE" => answer(204, ""),
        _ => answer(200, resource("X", "1", "", "1", "")),
    })
}

fn document() -> Element {
    Element::new(Namespace::Uom, "X")
}

#[tokio::test(start_paused = true)]
async fn a_busy_vios_is_asked_again_after_5_10_and_15_seconds() {
    let fake = Fake::new(|_, before| {
        if before < 3 {
            refusal(500, "Unknown internal error.", BUSY)
        } else {
            answer(200, resource("X", "1", "", "1", ""))
        }
    });
    let session = fake.session().await;
    let start = Instant::now();
    session
        .post("X/1", Groups::None, &document(), Some("1"))
        .await
        .unwrap();
    assert_eq!((start.elapsed().as_secs(), fake.lines().len()), (30, 4));
}

#[tokio::test(start_paused = true)]
async fn one_that_stays_busy_is_told() {
    let fake = Fake::new(|_, _| refusal(503, "x", "not now"));
    let session = fake.session().await;
    let error = session.create("X", &document()).await.unwrap_err();
    assert_eq!((error.kind(), fake.lines().len()), (ErrorKind::Busy, 4));
    assert!(
        error
            .to_string()
            .contains("PUT http://127.0.0.1:12080/rest/api/uom/X was refused with 503"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_503_of_something_else_is_not_busy() {
    let fake = Fake::new(|_, _| answer(503, "<html>maintenance</html>"));
    let session = fake.session().await;
    let error = session.get_feed("X", Groups::None).await.unwrap_err();
    assert_eq!((error.kind(), fake.lines().len()), (ErrorKind::Refused, 1));
}

#[tokio::test(start_paused = true)]
async fn what_never_arrived_is_sent_again_whatever_it_is() {
    let fake = good();
    let session = breaking(&fake, 2, false).await;
    session.create("X", &document()).await.unwrap();
    assert_eq!(fake.lines(), ["PUT /rest/api/uom/X"]);
}

#[tokio::test(start_paused = true)]
async fn a_broken_read_is_repeated_and_then_given_up() {
    let fake = good();
    breaking(&fake, 2, true)
        .await
        .get_feed("X", Groups::None)
        .await
        .unwrap();
    assert_eq!(fake.lines().len(), 3);
    let error = breaking(&fake, 3, true)
        .await
        .get_feed("X", Groups::None)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
}

#[tokio::test(start_paused = true)]
async fn a_change_whose_answer_is_lost_is_not_repeated() {
    let fake = good();
    for method in [Method::PUT, Method::POST] {
        let session = breaking(&fake, 1, true).await;
        let result = match method {
            Method::PUT => session.create("X", &document()).await,
            _ => session.post("X", Groups::None, &document(), None).await,
        };
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownOutcome);
        assert!(
            error.to_string().contains("look before you repeat it"),
            "{error}"
        );
    }
    assert_eq!(fake.lines().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_gave_up_leaves_a_change_open() {
    let fake = Fake::new(|_, _| answer(504, "<html>gateway timeout</html>"));
    let session = fake.session().await;
    assert_eq!(
        session.create("X", &document()).await.unwrap_err().kind(),
        ErrorKind::UnknownOutcome
    );
    assert_eq!(
        session
            .get_feed("X", Groups::None)
            .await
            .unwrap_err()
            .kind(),
        ErrorKind::Refused
    );
}

#[tokio::test(start_paused = true)]
async fn a_delete_that_was_made_but_not_answered_is_done() {
    let fake = good();
    breaking(&fake, 1, true)
        .await
        .delete("X/1", None)
        .await
        .unwrap();
    assert_eq!(fake.lines().len(), 2);
    // Without the lost answer, the same 404 is one.
    let error = breaking(&fake, 0, true)
        .await
        .delete("X/1", None)
        .await
        .unwrap_err();
    assert!(error.is_not_found() && error.mentions("REST0005"));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_waited_for_once() {
    let never = axum::Router::new().fallback(|request: axum::extract::Request| async move {
        if request.uri().path().ends_with("Logon") {
            return crate::fake::token_answer("t");
        }
        std::future::pending().await
    });
    let short = SessionOptions {
        answer_timeout: Duration::from_secs(60),
        update_timeout: Duration::from_secs(300),
        ..options()
    };
    let session = Session::logon(endpoint(), Arc::new(ServiceTransport::new(never)), short)
        .await
        .unwrap();
    let start = Instant::now();
    assert_eq!(
        session
            .get_feed("X", Groups::None)
            .await
            .unwrap_err()
            .kind(),
        ErrorKind::TimedOut
    );
    assert_eq!(start.elapsed().as_secs(), 60);
    let error = session
        .post("X", Groups::None, &document(), None)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), start.elapsed().as_secs()),
        (ErrorKind::UnknownOutcome, 360)
    );
    assert!(
        error.to_string().contains("nothing came for 300.0 s"),
        "{error}"
    );
}
