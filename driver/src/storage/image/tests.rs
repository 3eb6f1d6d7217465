use futures_util::StreamExt;

use super::*;

const ABC_MD5: &str = "900150983cd24fb0d6963f7d28e17f72";
const ABC_SHA256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn bytes(content: &'static [u8]) -> ImageSource {
    ImageSource::Bytes(Bytes::from_static(content))
}

async fn read(image: &Image) -> Result<Vec<u8>, String> {
    let mut stream = image.open().await.unwrap();
    let mut content = Vec::new();
    while let Some(block) = stream.next().await {
        match block {
            Ok(block) => content.extend_from_slice(&block),
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(content)
}

#[tokio::test]
async fn content_is_compared_with_a_digest_and_not_with_a_version() {
    let no_digits = "a version of 32 characters, so!!";
    assert_eq!(no_digits.len(), ABC_MD5.len());
    for checksum in [ABC_MD5, ABC_SHA256, no_digits, "version-7", ""] {
        let content = read(&Image::new("abc", checksum, 3, bytes(b"abc"))).await;
        assert_eq!(content.unwrap(), b"abc", "{checksum}");
    }
}

#[tokio::test]
async fn another_content_than_the_checksum_says_fails_the_stream() {
    for checksum in [ABC_MD5, ABC_SHA256] {
        let content = read(&Image::new("abc", checksum, 3, bytes(b"abd"))).await;
        assert!(content.unwrap_err().contains(checksum));
    }
}

#[tokio::test]
async fn a_source_of_another_size_is_refused_at_once() {
    let error = Image::new("abc", "", 4, bytes(b"abc"))
        .open()
        .await
        .err()
        .unwrap();
    assert!(error.to_string().contains("3 bytes, not 4"), "{error}");
}

#[tokio::test]
async fn a_file_is_an_image_with_its_md5() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.raw");
    std::fs::write(&path, b"abc").unwrap();
    let image = Image::from_file(&path, None).await.unwrap();
    assert_eq!(
        (image.name.as_str(), image.checksum.as_str(), image.size),
        ("tiny", ABC_MD5, 3)
    );
    assert_eq!(image.id, Image::new("other", ABC_MD5, 3, bytes(b"abc")).id);
    assert_eq!(read(&image).await.unwrap(), b"abc");
    let missing = Image::from_file(&folder.path().join("none"), None)
        .await
        .unwrap_err();
    assert!(missing.to_string().contains("none"), "{missing}");
    assert!(Image::from_file(folder.path(), None).await.is_err());
}

mod from_a_server {
    use axum::Router;
    use axum::body::Body as AxumBody;
    use axum::http::{Response, StatusCode};
    use axum::response::Redirect;
    use axum::routing::get;

    use super::*;
    use crate::rest::ServiceTransport;

    fn image(path: &str, size: u64, checksum: &str) -> Image {
        let router = Router::new()
            .route("/abc.raw", get(async || "abc"))
            .route("/moved", get(async || Redirect::temporary("/abc.raw")))
            .route("/loop", get(async || Redirect::temporary("/loop")))
            .route("/refused", get(async || StatusCode::FORBIDDEN))
            .route(
                "/cut",
                get(async || {
                    let blocks = [
                        Ok(Bytes::from_static(b"ab")),
                        Err(std::io::Error::other("connection lost")),
                    ];
                    Response::new(AxumBody::from_stream(futures_util::stream::iter(blocks)))
                }),
            )
            .route(
                "/short",
                get(async || {
                    Response::new(AxumBody::from_stream(futures_util::stream::iter([Ok::<
                        _,
                        std::io::Error,
                    >(
                        "ab"
                    )])))
                }),
            );
        let transport = Arc::new(ServiceTransport::new(router));
        Image::new(
            "abc",
            checksum,
            size,
            ImageSource::Through(format!("http://images.test{path}"), transport),
        )
    }

    #[tokio::test]
    async fn streams_and_follows() {
        for path in ["/abc.raw", "/moved"] {
            assert_eq!(
                read(&image(path, 3, ABC_MD5)).await.unwrap(),
                b"abc",
                "{path}"
            );
        }
        let found = image("/abc.raw", 0, "").source.describe().await.unwrap();
        assert_eq!((found.size, found.version), (3, None));
    }

    #[tokio::test]
    async fn what_a_server_can_do_wrong_is_said() {
        for (path, part) in [
            ("/loop", "more than 5 times"),
            ("/refused", "403"),
            ("/none", "404"),
        ] {
            let error = image(path, 3, "").open().await.err().unwrap().to_string();
            assert!(error.contains(part), "{path}: {error}");
        }
        for (path, part) in [
            ("/cut", "connection lost"),
            ("/short", "after 2 of 3 bytes"),
        ] {
            let error = read(&image(path, 3, "")).await.unwrap_err();
            assert!(error.contains(part), "{path}: {error}");
        }
    }

    #[test]
    fn urls_that_cannot_work_are_refused_without_showing_secrets() {
        for url in [
            "ftp://a/b",
            "file:///etc/passwd",
            "http://",
            "a b",
            "images/x.raw",
        ] {
            let source = ImageSource::Url(url.to_owned());
            let runtime = tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap();
            assert!(runtime.block_on(source.describe()).is_err(), "{url}");
        }
        let signed = ImageSource::Url("https://images.test/a.raw?Signature=hush".to_owned());
        assert_eq!(
            format!("{signed:?} {signed}"),
            "https://images.test/a.raw https://images.test/a.raw"
        );
        assert!(
            !ImageSource::Url("https://me:hush@images.test/a".to_owned())
                .to_string()
                .contains("hush")
        );
    }
}

#[tokio::test]
async fn a_url_without_a_checksum_is_told_by_its_version_and_read_as_it_comes() {
    let served = axum::Router::new().route(
        "/tiny.raw",
        axum::routing::get(|| async { ([(http::header::ETAG, "\"7\"")], "abc") }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/tiny.raw", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, served).await });

    let image = Image::from_url(&url, None, None).await.unwrap();
    assert_eq!((image.name.as_str(), image.size), ("tiny", 3));
    assert_eq!(image.checksum.len(), ABC_MD5.len());
    assert_ne!(image.checksum, ABC_MD5);
    assert_eq!(read(&image).await.unwrap(), b"abc");

    let known = Image::from_url(&url, None, Some(ABC_MD5)).await.unwrap();
    assert_eq!(known.checksum, ABC_MD5);
    assert_eq!(read(&known).await.unwrap(), b"abc");
}
