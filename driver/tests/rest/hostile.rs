//! Servers that are broken, are something else, or mean harm.

use axum::body::Body;
use futures_util::stream;
use powervm_driver::rest::{Groups, SessionOptions};
use powervm_driver::{Error, ErrorKind};
use powervm_schema::xml::{Element, Namespace};

use crate::fake::{Fake, answer, feed, options, refusal, resource, web};

async fn read_error(body: impl Into<Vec<u8>>) -> Error {
    let body = body.into();
    let fake = Fake::new(move |_, _| answer(200, body.clone()));
    fake.session()
        .await
        .get_entry("X/1", Groups::None)
        .await
        .unwrap_err()
}

#[tokio::test]
async fn what_is_no_document_is_a_bad_answer() {
    let whole = resource("X", "1", "", "1", "<A>text</A>");
    let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (b"".to_vec(), "no body"),
        (b"\x00\xff\xfe garbage".to_vec(), "no document"),
        (
            b"<html><head><title>Sign in</title></head></html>".to_vec(),
            "an element html instead of an entry",
        ),
        (b"{\"json\": true}".to_vec(), "no document"),
        (whole.as_bytes()[..whole.len() / 2].to_vec(), "no document"),
        (feed(&[]).into_bytes(), "a feed instead of an entry"),
        (
            b"<entry xmlns=\"http://www.w3.org/2005/Atom\"><content/></entry>".to_vec(),
            "no document",
        ),
        (
            b"<!DOCTYPE x [<!ENTITY a \"aaaa\">]><x>&a;</x>".to_vec(),
            "no document",
        ),
        (deep.into_bytes(), "no document"),
        (b"<X>\xc3\x28</X>".to_vec(), "no document"),
    ];
    for (body, expected) in cases {
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        let error = read_error(body).await;
        assert_eq!(error.kind(), ErrorKind::BadAnswer, "{shown}: {error}");
        let text = error.to_string();
        assert!(
            text.starts_with("GET http://127.0.0.1:12080/rest/api/uom/X/1?group=None answered 200"),
            "{text}"
        );
        assert!(text.contains(expected), "{shown}: {text}");
        assert!(text.len() < 1000, "{text}");
    }
}

#[tokio::test]
async fn after_a_change_an_unreadable_answer_leaves_the_outcome_open() {
    let fake = Fake::new(|_, _| answer(200, "<html>thank you</html>"));
    let session = fake.session().await;
    let error = session
        .create("X", &Element::new(Namespace::Uom, "X"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownOutcome);
    assert!(
        error
            .to_string()
            .contains("an element html instead of an entry"),
        "{error}"
    );
}

#[tokio::test]
async fn too_much_is_not_read() {
    let small = SessionOptions {
        document_limit: 1 << 20,
        ..options()
    };
    // Without a length: an endless stream. With one: refused before a byte is read.
    let endless = Fake::new(|_, _| {
        let blocks = stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 1 << 16]));
        answer(200, Body::from_stream(blocks))
    });
    let error = endless
        .session_with(small.clone())
        .await
        .get_feed("X", Groups::None)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(
        error.to_string().contains("more than 1048576 bytes"),
        "{error}"
    );
    let declared = Fake::new(|_, _| {
        let mut response = answer(
            200,
            Body::from_stream(stream::pending::<Result<Vec<u8>, std::io::Error>>()),
        );
        response
            .headers_mut()
            .insert("content-length", "99999999999".parse().unwrap());
        response
    });
    let session = declared.session_with(small).await;
    assert_eq!(
        session
            .get_feed("X", Groups::None)
            .await
            .unwrap_err()
            .kind(),
        ErrorKind::TooLarge
    );
    let error = session
        .create("X", &Element::new(Namespace::Uom, "X"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownOutcome);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_off_or_stands_still_is_told() {
    let half = Fake::new(|_, _| {
        let start = Ok(b"<feed xmlns='http://www.w3.org/2005/Atom'>".to_vec());
        let end = Err(std::io::Error::other("reset"));
        answer(200, Body::from_stream(stream::iter([start, end])))
    });
    let error = half
        .session()
        .await
        .get_feed("X", Groups::None)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), half.lines().len()),
        (ErrorKind::Interrupted, 3)
    );
    let still = Fake::new(|_, _| {
        let start = stream::iter([Ok::<_, std::io::Error>(b"<feed".to_vec())]);
        answer(
            200,
            Body::from_stream(futures_util::StreamExt::chain(start, stream::pending())),
        )
    });
    let error = still
        .session()
        .await
        .get_feed("X", Groups::None)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), still.lines().len()),
        (ErrorKind::TimedOut, 1)
    );
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let fake = Fake::new(|_, _| {
        let mut response = answer(302, "");
        response
            .headers_mut()
            .insert("location", "http://evil.example/".parse().unwrap());
        response
    });
    let error = fake
        .session()
        .await
        .get_feed("X", Groups::None)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), fake.lines().len()),
        (ErrorKind::BadAnswer, 1)
    );
}

#[tokio::test]
async fn refusals_are_read_in_all_their_shapes() {
    let fake = Fake::new(|seen, _| match seen.uri.as_str() {
        "/rest/api/uom/Documented?group=None" => {
            refusal(400, "INVALID_URL", "REST0026 Unknown group\u{7f}\n X")
        }
        "/rest/api/uom/Bare?group=None" => answer(
            403,
            "<HttpErrorResponse><HTTPStatus>403</HTTPStatus><ReasonCode>authority</ReasonCode></HttpErrorResponse>",
        ),
        "/rest/api/uom/Other?group=None" => answer(500, web("LogonResponse", "1", "")),
        _ => answer(406, "<html>Console Internal Error</html>"),
    });
    let session = fake.session().await;
    let mut said = Vec::new();
    for path in ["Documented", "Bare", "Other", "Html"] {
        let error = session.get_feed(path, Groups::None).await.unwrap_err();
        let refusal = error.refusal().unwrap().clone();
        said.push((
            error.kind(),
            refusal.status.as_u16(),
            refusal.reason,
            refusal.message,
            refusal.documented,
        ));
    }
    let expect = |kind, status, reason: &str, message: &str, documented| {
        (
            kind,
            status,
            reason.to_owned(),
            message.to_owned(),
            documented,
        )
    };
    assert_eq!(
        said,
        [
            expect(
                ErrorKind::Refused,
                400,
                "INVALID_URL",
                "REST0026 Unknown group   X",
                true
            ),
            expect(ErrorKind::Forbidden, 403, "authority", "", true),
            expect(ErrorKind::Refused, 500, "", "", false),
            expect(ErrorKind::Refused, 406, "", "", false),
        ]
    );
}

#[tokio::test]
async fn quick_values_must_be_json() {
    let fake = Fake::new(|_, _| answer(200, "<html/>"));
    let error = fake
        .session()
        .await
        .quick("LogicalPartition/1", "PartitionState")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadAnswer);
}
