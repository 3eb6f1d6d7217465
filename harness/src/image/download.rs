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
    let remote = Remote::from_url(url, None, None)
        .await
        .map_err(|error| failed(error.to_string()))?;
    let (stream, _) = remote
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
