//! What a scenario calls things, and what they are called on the host.

use crate::image::{Image, derived_uuid, hex};
use crate::target::Instance;

/// Gives servers their partition names and UUIDs: the same seed and scenario, the same names.
#[derive(Debug, Clone)]
pub(super) struct Names {
    seed: [u8; 8],
    scenario: String,
    prefix: String,
}

impl Names {
    pub(super) fn new(seed: u64, scenario: &str) -> Self {
        let seed = seed.to_be_bytes();
        let tag = derived_uuid(&[b"run", &seed, scenario.as_bytes()]);
        let tag = hex(tag.as_bytes().get(12..).unwrap_or_default());
        Self {
            seed,
            scenario: scenario.to_owned(),
            prefix: format!("ph{tag}"),
        }
    }

    /// The instance that a server of the scenario is.
    pub(super) fn instance(&self, server: &str) -> Instance {
        Instance {
            server: server.to_owned(),
            // The server's name first: the names of local disks take the first characters only.
            name: format!("{server}-{}", self.prefix),
            uuid: derived_uuid(&[
                b"instance",
                &self.seed,
                self.scenario.as_bytes(),
                server.as_bytes(),
            ]),
        }
    }

    /// The image of this word: one of its own for every scenario, so that a cache is as cold as the scenario wants it.
    pub(super) fn image(&self, image: &Image, word: &str) -> Image {
        image.labelled(&format!("{}-{word}", self.prefix))
    }
}
