//! The media repository of a Virtual I/O Server (`docs/protocol/storage.md`).

use std::collections::BTreeSet;
use std::sync::Arc;

use super::volume_group::failed;
use super::{Content, MediaRepository, OpticalMedium, VolumeGroup};
use crate::model::command::{MediumRequest, RepositoryRequest};
use crate::model::names::MountType;
use crate::model::refusal::Refusal;
use crate::model::units::Gigabytes;
use crate::model::vios::{Backing, VirtualIoServer};

/// The longest `MediaName`.
pub const NAME_LENGTH: usize = 37;

/// Makes, changes or removes the repository of a volume group, as posted.
pub(super) fn replace_repository(
    vios: &VirtualIoServer,
    group: &mut VolumeGroup,
    posted: Vec<RepositoryRequest>,
) -> Result<(), Refusal> {
    let mut posted = posted.into_iter();
    let (first, second) = (posted.next(), posted.next());
    if second.is_some() {
        return Err(one_only(vios));
    }
    match (group.repository.take(), first) {
        (None, None) => Ok(()),
        (Some(there), None) => remove(vios, group, &there),
        (None, Some(request)) => make(vios, group, request),
        (Some(there), Some(request)) => {
            if request.name != there.name {
                return Err(one_only(vios));
            }
            change(vios, group, there, request)
        }
    }
}

fn one_only(vios: &VirtualIoServer) -> Refusal {
    failed(
        vios,
        "it has a media repository already, and can have only one.",
    )
}

fn remove(
    vios: &VirtualIoServer,
    group: &VolumeGroup,
    repository: &MediaRepository,
) -> Result<(), Refusal> {
    repository
        .media
        .values()
        .try_for_each(|medium| check_is_unloaded(vios, group, medium))
}

fn make(
    vios: &VirtualIoServer,
    group: &mut VolumeGroup,
    request: RepositoryRequest,
) -> Result<(), Refusal> {
    if vios.repository_group().is_some() {
        return Err(one_only(vios));
    }
    if request.name.is_empty()
        || request.name.len() > NAME_LENGTH
        || request.size == Gigabytes::ZERO
    {
        return Err(failed(vios, "a media repository needs a name and a size."));
    }
    if request.size > group.free() {
        return Err(failed(
            vios,
            &format!(
                "volume group {} has only {} GB for a media repository.",
                group.name,
                group.free()
            ),
        ));
    }
    let empty = MediaRepository {
        name: request.name.clone(),
        size: request.size,
        media: imbl::OrdMap::new(),
    };
    change(vios, group, empty, request)
}

fn change(
    vios: &VirtualIoServer,
    group: &mut VolumeGroup,
    mut repository: MediaRepository,
    request: RepositoryRequest,
) -> Result<(), Refusal> {
    if request.size < repository.size {
        return Err(failed(vios, "a media repository cannot shrink."));
    }
    repository.size = request.size;
    let listed: BTreeSet<&str> = request
        .media
        .iter()
        .map(|medium| medium.name.as_str())
        .collect();
    let gone: Vec<Arc<OpticalMedium>> = repository
        .media
        .values()
        .filter(|medium| !listed.contains(medium.name.as_str()))
        .map(Arc::clone)
        .collect();
    for medium in gone {
        check_is_unloaded(vios, group, &medium)?;
        repository.media.remove(&medium.name);
    }
    for medium in request.media {
        if !repository.media.contains_key(&medium.name) {
            let MediumRequest { name, mount, size } = medium;
            add(
                vios,
                &mut repository,
                &name,
                mount.unwrap_or(MountType::ReadWrite),
                size.unwrap_or(Gigabytes::ZERO),
                None,
            )?;
        }
    }
    group.repository = Some(repository);
    Ok(())
}

/// Puts a medium into a repository that has room for it.
pub(in crate::model) fn add(
    vios: &VirtualIoServer,
    repository: &mut MediaRepository,
    name: &str,
    mount: MountType,
    size: Gigabytes,
    content: Option<Content>,
) -> Result<(), Refusal> {
    check_name(name)?;
    if repository.media.contains_key(name) {
        return Err(failed(
            vios,
            &format!("there is a medium {name} in the repository already."),
        ));
    }
    if size > repository.free() {
        return Err(failed(
            vios,
            &format!(
                "the media repository has only {} GB free, {name} needs {size} GB.",
                repository.free()
            ),
        ));
    }
    let medium = OpticalMedium {
        name: name.to_owned(),
        mount,
        size,
        content,
    };
    repository.media.insert(name.to_owned(), Arc::new(medium));
    Ok(())
}

/// Letters, digits, dots and underscores, not beginning with a dot.
pub(in crate::model) fn check_name(name: &str) -> Result<(), Refusal> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"_.".contains(&byte);
    if !name.is_empty()
        && name.len() <= NAME_LENGTH
        && !name.starts_with('.')
        && name.bytes().all(good)
    {
        return Ok(());
    }
    Err(Refusal::logic(format!(
        "The media name {name:?} is not valid: it takes 1 to {NAME_LENGTH} letters, digits, dots and underscores, and no dot first."
    )))
}

fn check_is_unloaded(
    vios: &VirtualIoServer,
    group: &VolumeGroup,
    medium: &OpticalMedium,
) -> Result<(), Refusal> {
    if vios.maps(&Backing::OpticalMedium {
        group: group.uuid,
        name: medium.name.clone(),
    }) {
        return Err(failed(
            vios,
            &format!(
                "medium {} is loaded in a drive. Unload it first.",
                medium.name
            ),
        ));
    }
    Ok(())
}
