//! Media repositories, and the media in them.

use std::collections::BTreeSet;

use powervm_schema::storage::{VirtualMediaRepository, VolumeGroup};
use powervm_schema::units::Gigabytes;
use powervm_schema::xml::Element;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::host::Vios;
use crate::rest::{Groups, Session};
use crate::storage::names::REPOSITORY;
use crate::transaction::{Changed, Group};

/// The place of a media repository: a volume group of a Virtual I/O Server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// UUID of the Virtual I/O Server.
    pub vios: String,
    /// UUID of the volume group.
    pub group: String,
}

impl Repository {
    fn path(&self) -> String {
        format!("VirtualIOServer/{}/VolumeGroup/{}", self.vios, self.group)
    }

    /// Every repository of these Virtual I/O Servers, whatever its name.
    ///
    /// # Errors
    /// Those of the requests.
    pub async fn find_all(session: &Session, vioses: &[Vios]) -> Result<Vec<Self>> {
        let mut found = Vec::new();
        for (vios, groups) in volume_groups(session, vioses).await? {
            for (group, element) in groups {
                if VolumeGroup(&element).media_repositories().next().is_some() {
                    found.push(Self {
                        vios: vios.uuid.clone(),
                        group,
                    });
                }
            }
        }
        Ok(found)
    }

    /// Names of the media in it.
    ///
    /// # Errors
    /// Those of the request.
    pub async fn media(&self, session: &Session) -> Result<BTreeSet<String>> {
        let entry = session.get_entry(&self.path(), Groups::None).await?;
        let group = VolumeGroup(&entry.content);
        let names = group.media_repositories().flat_map(|repository| {
            let media: Vec<_> = repository
                .optical_media()
                .filter_map(|media| media.name().map(str::to_owned))
                .collect();
            media
        });
        Ok(names.collect())
    }

    /// Makes a repository of so many gigabytes in this volume group of the first Virtual I/O Server
    /// that has it and is not the management partition.
    ///
    /// # Errors
    /// None has it; those of the requests.
    pub async fn create(
        session: &Session,
        joint: &Group,
        vioses: &[Vios],
        group_name: &str,
        size_gb: u64,
    ) -> Result<Self> {
        let groups = volume_groups(session, vioses).await?;
        let place = groups
            .into_iter()
            .filter(|(vios, _)| !vios.is_management)
            .find_map(|(vios, groups)| {
                let (group, _) = groups
                    .into_iter()
                    .find(|(_, element)| VolumeGroup(element).name() == Some(group_name))?;
                Some(Self {
                    vios: vios.uuid.clone(),
                    group,
                })
            });
        let place = place.ok_or_else(|| {
            Error::operation(
                ErrorKind::Precondition,
                format!(
                    "no active Virtual I/O Server has a media repository, nor a volume group '{group_name}' to make one in"
                ),
                "make a media repository, or correct vopt_media_volume_group",
            )
        })?;
        let edit = move |group: &mut Element| {
            let mut group = VolumeGroup(group);
            if group.media_repositories().next().is_some() {
                return Ok(Changed::No);
            }
            let mut repository = VirtualMediaRepository::new();
            repository
                .set_name(REPOSITORY)
                .set_size(Gigabytes::whole(size_gb));
            group.push_media_repository(repository);
            Ok(Changed::Yes)
        };
        joint.edit(&place.path(), &[], edit).await?;
        tracing::info!(vios = place.vios, "made a media repository");
        Ok(place)
    }

    /// Removes media by their names; what is not there needs no removing.
    ///
    /// # Errors
    /// Those of the request, such as a medium that is still mapped.
    pub async fn remove_media(&self, joint: &Group, names: &[String]) -> Result<()> {
        let names = names.to_vec();
        let edit = move |group: &mut Element| {
            let mut changed = false;
            // Edited where they are, so that a repository's other content stays as it was read.
            if let Some(repositories) = group.child_mut("MediaRepositories") {
                for repository in repositories.children_mut() {
                    VirtualMediaRepository(repository).retain_optical_media(|media| {
                        let goes = media
                            .name()
                            .is_some_and(|name| names.iter().any(|wanted| wanted == name));
                        changed |= goes;
                        !goes
                    });
                }
            }
            Ok(changed.into())
        };
        joint.edit(&self.path(), &[], edit).await.map(drop)
    }
}

type VolumeGroups = Vec<(String, Element)>;

async fn volume_groups<'v>(
    session: &Session,
    vioses: &'v [Vios],
) -> Result<Vec<(&'v Vios, VolumeGroups)>> {
    let reads = vioses.iter().map(|vios| async move {
        let feed = session
            .get_feed(&format!("{}/VolumeGroup", vios.path()), Groups::None)
            .await?;
        Ok((
            vios,
            feed.entries
                .into_iter()
                .map(|entry| (entry.id, entry.content))
                .collect(),
        ))
    });
    futures_util::future::try_join_all(reads).await
}
