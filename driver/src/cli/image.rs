//! `powervm image …`

use super::arguments::ImageVerb;
use super::output::{Output, Table};
use super::server::image_of;
use crate::error::Result;
use crate::operations::{Control, Driver};
use crate::storage::cached::CachedImage;

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
            let image = image_of(&given.image, name, checksum).await?;
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
