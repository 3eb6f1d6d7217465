//! `VirtualMediaRepository`: in a volume group, and in the storage of its Virtual I/O Server.

use super::storage;
use super::writer::{CUD, CUR, Writer};
use crate::model::storage::MediaRepository;

/// Writes each repository; media in the order of their names.
pub(crate) fn write_all<'m>(
    w: &mut Writer,
    repositories: impl IntoIterator<Item = &'m MediaRepository>,
) {
    for repository in repositories {
        w.member("VirtualMediaRepository", |w| {
            w.section("OpticalMedia", CUD, |w| {
                for medium in repository.media.values() {
                    storage::optical_medium(w, medium);
                }
            });
            w.text("RepositoryName", CUR, &repository.name);
            w.value("RepositorySize", CUR, repository.size);
        });
    }
}
