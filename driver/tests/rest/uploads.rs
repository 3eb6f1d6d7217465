//! Files that are streamed, and Files that never stay.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use powervm_driver::rest::{ServiceTransport, Session, SessionOptions, Upload};
use powervm_driver::{Error, ErrorKind};
use powervm_schema::xml::Element;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::Instant;

use crate::fake::{Fake, answer, endpoint, options, refusal, token_answer, web};

const FILE: &str = "6233b070-31cc-4b57-99bd-37f80e845de9";

fn files() -> Fake {
    Fake::new(|seen, _| match seen.method.as_str() {
        "PUT" if seen.uri.contains("contents") => answer(204, ""),
        "PUT" => answer(
            200,
            web(
                "File",
                "atom-id",
                &format!("<Filename>f</Filename><FileUUID>{FILE}</FileUUID>"),
            ),
        ),
        _ => answer(204, ""),
    })
}

fn with_contents(contents: fn() -> axum::response::Response) -> Fake {
    Fake::new(move |seen, _| match seen.method.as_str() {
        "PUT" if seen.uri.contains("contents") => contents(),
        "PUT" => answer(
            200,
            web("File", "atom-id", &format!("<FileUUID>{FILE}</FileUUID>")),
        ),
        _ => answer(204, ""),
    })
}

fn disk(size: u64) -> Upload {
    Upload::disk("image", "VIOS-UUID", "27UDID", size).sha256("ab12")
}

async fn send(
    session: &Session,
    size: u64,
    source: impl AsyncRead + Send + 'static,
) -> Result<(), Error> {
    session.upload(disk(size), source, |_| {}).await
}

#[tokio::test]
async fn an_upload_makes_fills_and_deletes_its_file() {
    let fake = files();
    let progress = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&progress);
    let data = vec![b'x'; 200_000];
    let session = fake.session().await;
    session
        .upload(disk(200_000), io::Cursor::new(data), move |sent| {
            seen.lock().unwrap().push(sent)
        })
        .await
        .unwrap();
    assert_eq!(
        fake.lines(),
        [
            "PUT /rest/api/web/File".to_owned(),
            format!("PUT /rest/api/web/File/contents/{FILE}"),
            format!("DELETE /rest/api/web/File/{FILE}"),
        ]
    );
    let requests = fake.seen();
    assert_eq!(
        requests[1].header("content-type"),
        Some("application/vnd.ibm.powervm.web+xml; type=File")
    );
    let file = Element::parse(requests[1].body.as_bytes()).unwrap();
    let fields: Vec<String> = file
        .children()
        .skip(1)
        .map(|c| format!("{}={}", c.local_name(), c.text()))
        .collect();
    assert_eq!(
        fields,
        [
            "Filename=image",
            "InternetMediaType=application/octet-stream",
            "SHA256=ab12",
            "ExpectedFileSizeInBytes=200000",
            "FileEnumType=BROKERED_DISK_IMAGE",
            "TargetVirtualIOServerUUID=VIOS-UUID",
            "TargetDeviceUniqueDeviceID=27UDID",
        ]
    );
    let contents = &requests[2];
    assert_eq!(
        contents.header("accept"),
        Some("application/vnd.ibm.powervm.web+xml")
    );
    assert_eq!(
        contents.header("content-type"),
        Some("application/octet-stream")
    );
    assert_eq!(
        contents.header("content-length"),
        None,
        "NovaLink gets chunks"
    );
    assert_eq!(contents.body.len(), 200_000);
    let progress = progress.lock().unwrap().clone();
    assert!(
        progress.is_sorted() && progress.last() == Some(&200_000),
        "{progress:?}"
    );
}

#[tokio::test]
async fn an_empty_file_can_be_uploaded() {
    let fake = files();
    send(&fake.session().await, 0, io::Cursor::new(Vec::new()))
        .await
        .unwrap();
    assert_eq!(fake.lines().len(), 3);
}

#[tokio::test]
async fn a_source_of_another_size_never_looks_whole() {
    for (size, expected) in [
        (10, "more than its 10 bytes"),
        (1_000_000, "ended after 100000 of 1000000 bytes"),
    ] {
        let fake = files();
        let error = send(
            &fake.session().await,
            size,
            io::Cursor::new(vec![0; 100_000]),
        )
        .await
        .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Local);
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(fake.seen()[2].body, "BROKEN");
        assert_eq!(
            fake.lines().last().unwrap(),
            &format!("DELETE /rest/api/web/File/{FILE}")
        );
    }
}

/// Gives blocks until it fails, or stands still.
struct Faulty {
    blocks: usize,
    stands_still: bool,
}

impl AsyncRead for Faulty {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.blocks > 0 {
            self.blocks -= 1;
            buffer.put_slice(&[7; 1000]);
            return Poll::Ready(Ok(()));
        }
        if self.stands_still {
            Poll::Pending
        } else {
            Poll::Ready(Err(io::Error::other("the image server went away")))
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_fails_or_stands_still_is_named() {
    for (stands_still, expected) in [
        (false, "the image server went away"),
        (true, "it gave nothing for 60.0 s"),
    ] {
        let fake = files();
        let source = Faulty {
            blocks: 3,
            stands_still,
        };
        let error = send(&fake.session().await, 1_000_000, source)
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Source { .. }));
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(
            fake.lines().last().unwrap(),
            &format!("DELETE /rest/api/web/File/{FILE}")
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_taking_is_given_up() {
    let deleted = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&deleted);
    let router = Router::new().fallback(move |request: Request| {
        let counted = Arc::clone(&counted);
        async move {
            let path = request.uri().path().to_owned();
            match request.method().as_str() {
                "PUT" if path.ends_with("Logon") => token_answer("t"),
                "PUT" if path.contains("contents") => std::future::pending().await,
                "PUT" => answer(200, web("File", FILE, "")),
                _ => {
                    counted.fetch_add(1, Ordering::SeqCst);
                    answer(204, "")
                }
            }
        }
    });
    let session = Session::logon(
        endpoint(),
        Arc::new(ServiceTransport::new(router)),
        options(),
    )
    .await
    .unwrap();
    let start = Instant::now();
    let error = send(&session, 10, io::Cursor::new(vec![0; 10]))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), start.elapsed().as_secs()),
        (ErrorKind::UnknownOutcome, 60)
    );
    assert_eq!(deleted.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn contents_are_sent_once_whatever_the_answer() {
    for (contents, kind) in [
        ((|| refusal(503, "x", "busy")) as fn() -> _, ErrorKind::Busy),
        (|| answer(401, ""), ErrorKind::Unauthorized),
        (|| refusal(400, "x", "checksum"), ErrorKind::Refused),
        (|| answer(502, "<html>"), ErrorKind::UnknownOutcome),
    ] {
        let fake = with_contents(contents);
        let error = send(&fake.session().await, 3, io::Cursor::new(vec![0; 3]))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), kind);
        assert_eq!(
            fake.lines()
                .iter()
                .filter(|line| line.contains("contents"))
                .count(),
            1
        );
        assert_eq!(
            fake.lines().last().unwrap(),
            &format!("DELETE /rest/api/web/File/{FILE}")
        );
        assert_eq!(fake.logons(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_upload_deletes_its_file() {
    let fake = files();
    let session = fake.session().await;
    let source = Faulty {
        blocks: 1,
        stands_still: true,
    };
    tokio::time::timeout(Duration::from_secs(5), send(&session, 1_000_000, source))
        .await
        .unwrap_err();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(
        fake.lines().last().unwrap(),
        &format!("DELETE /rest/api/web/File/{FILE}")
    );
}

#[tokio::test(start_paused = true)]
async fn three_uploads_run_at_a_time() {
    let running = Arc::new((AtomicU64::new(0), AtomicU64::new(0)));
    let counted = Arc::clone(&running);
    let router = Router::new().fallback(move |request: Request| {
        let counted = Arc::clone(&counted);
        async move {
            let path = request.uri().path().to_owned();
            match request.method().as_str() {
                "PUT" if path.ends_with("Logon") => token_answer("t"),
                "PUT" if path.contains("contents") => {
                    let now = counted.0.fetch_add(1, Ordering::SeqCst) + 1;
                    counted.1.fetch_max(now, Ordering::SeqCst);
                    axum::body::to_bytes(request.into_body(), 100)
                        .await
                        .unwrap();
                    tokio::time::sleep(Duration::from_secs(10)).await;
                    counted.0.fetch_sub(1, Ordering::SeqCst);
                    answer(204, "")
                }
                "PUT" => answer(200, web("File", FILE, "")),
                _ => answer(204, ""),
            }
        }
    });
    let session: Session = Session::logon(
        endpoint(),
        Arc::new(ServiceTransport::new(router)),
        SessionOptions { ..options() },
    )
    .await
    .unwrap();
    let start = Instant::now();
    let tasks: Vec<_> = (0..7)
        .map(|_| {
            let session = session.clone();
            tokio::spawn(async move { send(&session, 3, io::Cursor::new(vec![0; 3])).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(
        (running.1.load(Ordering::SeqCst), start.elapsed().as_secs()),
        (3, 30)
    );
}
