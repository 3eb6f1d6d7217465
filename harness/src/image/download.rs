//! An image behind a URL, fetched once: it is hashed on its way and deployed from a temporary file.

use std::io::Write;
use std::pin::pin;
use std::sync::Arc;

use futures_util::StreamExt;
use powervm_driver::storage::image::Image as Remote;
use tempfile::NamedTempFile;

use super::{Image, ImageError, Origin};

/// Fetches an image over http or https.
///
/// # Errors
/// [`ImageError::Download`] when the server does not give it whole, and everything that [`Image::file`] refuses.
pub async fn download(url: &str) -> Result<Image, ImageError> {
    let failed = |problem: String| ImageError::Download { problem };
    // No checksum is known beforehand; it is made of what comes.
    let remote = Remote::from_url(url, None, Some(""))
        .await
        .map_err(|error| failed(error.to_string()))?;
    let stream = remote
        .open()
        .await
        .map_err(|error| failed(error.to_string()))?;
    let mut file = NamedTempFile::new()
        .map_err(|error| failed(format!("no temporary file can be made: {error}")))?;
    let mut stream = pin!(stream);
    while let Some(block) = stream.next().await {
        let block = block.map_err(|error| failed(error.to_string()))?;
        file.write_all(&block)
            .map_err(|error| failed(format!("the temporary file cannot be written: {error}")))?;
    }
    let path = file.into_temp_path();
    let mut image = Image::file_named(&path, remote.name)?;
    image.origin = Origin::Temporary(Arc::new(path));
    Ok(image)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::{ImageError, download};

    /// Answers HEAD and GET of anything with `body`, which it says has `length` bytes.
    async fn server(body: &'static [u8], length: usize) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            loop {
                let Ok((mut socket, _)) = listener.accept().await else {
                    return;
                };
                let mut request = [0_u8; 4096];
                let count = socket.read(&mut request).await.unwrap_or(0);
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
                );
                let _ = socket.write_all(head.as_bytes()).await;
                if request[..count].starts_with(b"GET") {
                    let _ = socket.write_all(body).await;
                }
            }
        });
        format!("http://{address}/images/disk.raw")
    }

    #[tokio::test]
    async fn an_image_is_fetched_hashed_and_gone_with_its_last_copy() {
        let image = download(&server(b"abc", 3).await).await.expect("an image");
        assert_eq!(
            image.sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(image.bytes, 3);
        let crate::image::Origin::Temporary(path) = &image.origin else {
            panic!("a temporary file")
        };
        let path = path.to_path_buf();
        let copy = image.labelled("copy");
        drop(image);
        assert!(path.is_file());
        drop(copy);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn half_an_image_is_none() {
        let result = download(&server(b"abc", 5).await).await;
        assert!(
            matches!(result, Err(ImageError::Download { .. })),
            "{result:?}"
        );
    }
}
