//! Partition profiles of an HMC: what a partition is configured as when it is activated with one
//! (`docs/protocol/profiles.md`).

use std::sync::Arc;
use uuid::Uuid;

use super::command::{Outcome, ProfileRequest};
use super::names::{EventKind, Flavor, ProfileSync};
use super::partition::{Partition, PartitionMemory, ProcessorSetting, rules};
use super::refusal::Refusal;
use super::resource::{Owner, Resource};
use super::world::World;
use crate::clock::Millis;

/// How many profiles a partition may have.
pub const PROFILES: usize = 32;
/// The name of the profile that a partition begins with.
pub const DEFAULT: &str = "default_profile";

/// `LogicalPartitionProfile`
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its UUID.
    pub uuid: Uuid,
    /// `ProfileName`
    pub name: String,
    /// `ProfileMemory`; only what is configured counts.
    pub memory: PartitionMemory,
    /// `ProcessorAttributes`
    pub processors: ProcessorSetting,
    /// `MaximumVirtualIOSlots`
    pub maximum_slots: u32,
    /// Changes with the document.
    pub version: u64,
}

impl Partition {
    /// The profile with this UUID.
    #[must_use]
    pub fn profile(&self, uuid: Uuid) -> Option<&Arc<Profile>> {
        self.profiles.iter().find(|profile| profile.uuid == uuid)
    }

    /// A profile of the partition's present configuration.
    pub(crate) fn as_profile(&self, uuid: Uuid, name: &str, version: u64) -> Profile {
        Profile {
            uuid,
            name: name.to_owned(),
            memory: self.memory.clone(),
            processors: self.processors.configured.clone(),
            maximum_slots: self.maximum_slots,
            version,
        }
    }
}

impl World {
    /// A profile of a partition of either kind.
    #[must_use]
    pub fn profile(&self, owner: Owner, profile: Uuid) -> Option<&Arc<Profile>> {
        self.partition(owner)?.profile(profile)
    }

    pub(super) fn create_profile(
        &mut self,
        now: Millis,
        request: ProfileRequest,
    ) -> Result<Outcome, Refusal> {
        let partition = self.profiled(request.owner)?;
        if partition.profiles.len() >= PROFILES {
            return Err(Refusal::logic(format!(
                "Partition {} has its maximum of {PROFILES} profiles.",
                partition.name
            )));
        }
        let name = request
            .name
            .clone()
            .ok_or_else(|| Refusal::logic("These attributes are missing: ProfileName"))?;
        check_name(&partition, None, &name)?;
        let uuid = self.ids.named_uuid();
        let blank = partition.as_profile(uuid, &name, self.touch());
        let profile = self.configured(&partition, blank, &request)?;
        let resource = Resource::LogicalPartitionProfile {
            owner: request.owner,
            profile: uuid,
        };
        self.edit_partition(request.owner, |partition| {
            partition.profiles.push(Arc::new(profile));
        });
        self.announce(now, EventKind::AddUri, resource, "");
        Ok(Outcome::Written(resource))
    }

    pub(super) fn update_profile(
        &mut self,
        now: Millis,
        profile: Uuid,
        request: ProfileRequest,
    ) -> Result<Outcome, Refusal> {
        let partition = self.profiled(request.owner)?;
        let before = partition
            .profile(profile)
            .ok_or_else(|| Refusal::not_found("LogicalPartitionProfile", profile))?;
        let mut blank = (**before).clone();
        if let Some(name) = &request.name
            && *name != blank.name
        {
            check_name(&partition, Some(profile), name)?;
            blank.name.clone_from(name);
        }
        let mut after = self.configured(&partition, blank, &request)?;
        let resource = Resource::LogicalPartitionProfile {
            owner: request.owner,
            profile,
        };
        if after == **before {
            return Ok(Outcome::Written(resource));
        }
        after.version = self.touch();
        self.edit_partition(request.owner, |partition| put(partition, after));
        self.announce(now, EventKind::ModifyUri, resource, "Other");
        Ok(Outcome::Written(resource))
    }

    pub(super) fn delete_profile(
        &mut self,
        now: Millis,
        owner: Owner,
        profile: Uuid,
    ) -> Result<Outcome, Refusal> {
        let partition = self.profiled(owner)?;
        let gone = partition
            .profile(profile)
            .ok_or_else(|| Refusal::not_found("LogicalPartitionProfile", profile))?;
        if gone.uuid == partition.profile {
            return Err(Refusal::logic(format!(
                "HSCL1500E The profile {} is in use: it is the default profile of partition {}.",
                gone.name, partition.name
            )));
        }
        let resource = Resource::LogicalPartitionProfile { owner, profile };
        self.announce(now, EventKind::DeleteUri, resource, "");
        self.edit_partition(owner, |partition| {
            partition.profiles.retain(|kept| kept.uuid != profile);
        });
        Ok(Outcome::Deleted(resource))
    }

    /// Configures a partition as a profile says, before it is activated with it.
    ///
    /// # Errors
    /// Why the profile does not fit the system (any more).
    pub(super) fn apply_profile(
        &mut self,
        owner: Owner,
        partition: &Partition,
        profile: &Profile,
    ) -> Result<(), Refusal> {
        let system = self.system(partition.system)?;
        self.check_processor_pool(&system, Some(partition.uuid), &profile.processors)?;
        let highest = self.used_slots(owner).last().copied().unwrap_or(0);
        if u32::from(highest) >= profile.maximum_slots {
            return Err(Refusal::logic(format!(
                "HSCL0617 Virtual slot {highest} is in use, so the maximum cannot be {}.",
                profile.maximum_slots
            )));
        }
        self.edit_partition(owner, |partition| {
            let memory = &mut partition.memory;
            memory.minimum = profile.memory.minimum;
            memory.desired = profile.memory.desired;
            memory.maximum = profile.memory.maximum;
            memory.expansion_factor = profile.memory.expansion_factor;
            memory.page_table_ratio = profile.memory.page_table_ratio;
            partition.processors.configured = profile.processors.clone();
            partition.maximum_slots = profile.maximum_slots;
            partition.follow_configuration();
        });
        Ok(())
    }

    fn profiled(&self, owner: Owner) -> Result<Partition, Refusal> {
        if self.flavor == Flavor::NovaLink {
            return Err(Refusal::bad_request(
                "A NovaLink knows no partition profiles.",
            ));
        }
        let kind = match owner {
            Owner::Partition(_) => "LogicalPartition",
            Owner::Vios(_) => "VirtualIOServer",
        };
        self.partition(owner)
            .cloned()
            .ok_or_else(|| Refusal::not_found(kind, owner.uuid()))
    }

    fn configured(
        &self,
        partition: &Partition,
        blank: Profile,
        request: &ProfileRequest,
    ) -> Result<Profile, Refusal> {
        let system = self.system(partition.system)?;
        let memory = rules::memory(&system, &blank.memory, &request.memory)?;
        let processors = match &request.processors {
            Some(wish) => rules::processors(&system, Some(&blank.processors), wish)?,
            None => blank.processors.clone(),
        };
        let maximum_slots = request.maximum_slots.unwrap_or(blank.maximum_slots);
        rules::check_slots(maximum_slots)?;
        Ok(Profile {
            memory,
            processors,
            maximum_slots,
            ..blank
        })
    }
}

/// While profiles are synchronised, the default one follows the configuration.
pub(super) fn follow(partition: &mut Partition, version: u64) {
    if partition.settings.profile_sync != ProfileSync::On {
        return;
    }
    let Some(before) = partition.profile(partition.profile).map(Arc::clone) else {
        return;
    };
    let now = partition.as_profile(before.uuid, &before.name, before.version);
    if now != *before {
        put(partition, Profile { version, ..now });
    }
}

fn put(partition: &mut Partition, profile: Profile) {
    if let Some(place) = partition
        .profiles
        .iter_mut()
        .find(|place| place.uuid == profile.uuid)
    {
        *place = Arc::new(profile);
    }
}

fn check_name(partition: &Partition, except: Option<Uuid>, name: &str) -> Result<(), Refusal> {
    let good = |c: char| c == ' ' || c.is_ascii_graphic();
    if name.trim().is_empty() || name.len() > rules::NAME_LENGTH || !name.chars().all(good) {
        return Err(Refusal::logic(format!(
            "HSCL0617 The name of a profile has 1 to {} printable characters.",
            rules::NAME_LENGTH
        )));
    }
    let taken = |other: &Arc<Profile>| Some(other.uuid) != except && other.name == name;
    if partition.profiles.iter().any(taken) {
        return Err(Refusal::logic(format!(
            "Partition {} has a profile named {name} already.",
            partition.name
        )));
    }
    Ok(())
}
