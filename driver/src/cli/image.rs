//! `powervm image …`

use std::path::Path;

use super::arguments::ImageVerb;
use super::output::{Output, Table};
use crate::error::Result;
use crate::operations::{Control, Driver};
use crate::storage::cached::CachedImage;
use crate::storage::image::Image;

pub(super) async fn run(
    driver: &Driver,
    verb: &ImageVerb,
    output: &Output,
    control: &Control,
) -> Result<()> {
    match verb {
        ImageVerb::List => output.print(&driver.images().await?, |images| table(images)),
        ImageVerb::Cache(given) => {
            let (name, checksum) = (given.image_name.as_deref(), given.image_checksum.as_deref());
            let image = read(&given.image, name, checksum).await?;
            let kept = driver.cache_image(image, control).await?;
            output.print(&kept, |kept| table(std::slice::from_ref(kept)))
        }
        ImageVerb::Prune { keep } => {
            let keep = keep.iter().cloned().collect();
            let removed = driver.prune_images(&keep, control).await?;
            output.print(&removed, |removed| table(removed))
        }
    }
}

/// The image that a file or URL is.
pub(super) async fn read(given: &str, name: Option<&str>, checksum: Option<&str>) -> Result<Image> {
    if given.starts_with("http://") || given.starts_with("https://") {
        return Image::from_url(given, name, checksum).await;
    }
    let path = Path::new(given);
    match checksum {
        None => Image::from_file(path, name).await,
        Some(checksum) => Image::described_file(path, name, checksum).await,
    }
}

fn table(images: &[CachedImage]) -> Table {
    let mut table = Table::with(&["Name", "GB", "State", "Clones"]);
    for image in images {
        let clones = image
            .clones
            .map_or_else(String::new, |clones| clones.to_string());
        table.row([
            image.name.clone(),
            format!("{:.2}", image.gigabytes),
            image.state.name().to_owned(),
            clones,
        ]);
    }
    table
}
