//! What a deploy decides before it changes anything.

use std::collections::BTreeSet;

use powervm_schema::units::Gigabytes;
use powervm_schema::view::FieldValue;
use uuid::Uuid;

use super::driver::{Disks, Driver, path_of};
use super::ibmi;
use super::imaged;
use super::plug;
use super::request::SpawnRequest;
use super::room;
use super::volume::request::refuse_twins;
use crate::error::{Error, ErrorKind, Result};
use crate::host::switches::MANAGEMENT;
use crate::host::{Switch, System, Vios};
use crate::network::{Mac, NetworkInterface};
use crate::partition::name::partition_name;
use crate::partition::sizing::Processors;
use crate::partition::{PartitionUuid, Sizing, SizingError, SlotMap};
use crate::rest::Groups;
use crate::storage::names;

/// A deploy, decided.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// UUID of the partition.
    pub(super) partition: PartitionUuid,
    /// Its name.
    pub(super) name: String,
    /// Its size.
    pub(super) sizing: Sizing,
    /// Number of its processor pool.
    pub(super) pool: u32,
    /// Its interfaces, in order.
    pub(super) interfaces: Vec<PlannedInterface>,
    /// Its management interface.
    pub(super) management: Option<PlannedManagement>,
    /// Disks that have the boot disk's name already.
    pub(super) namesakes: BTreeSet<String>,
    /// The Virtual I/O Servers that can work.
    pub(super) vioses: Vec<Vios>,
    /// Of a server with IBM i, whether it has virtual devices alone.
    pub(super) restricted_io: Option<bool>,
}

/// An interface with the address that it will have, where that can be chosen.
#[derive(Debug, Clone)]
pub(super) struct PlannedInterface {
    /// Whose it is.
    pub(super) instance: Uuid,
    pub(super) interface: NetworkInterface,
    /// The switch, where it is known beforehand.
    pub(super) switch: Option<Switch>,
    pub(super) mac: Option<Mac>,
    /// The slot that it had, and is to have again.
    pub(super) slot: Option<u32>,
}

/// The management interface.
#[derive(Debug, Clone)]
pub(super) struct PlannedManagement {
    pub(super) switch: Switch,
    pub(super) mac: Option<Mac>,
    /// The slot that it had, and is to have again.
    pub(super) slot: Option<u32>,
}

impl Plan {
    /// Decides, and checks all that can be known before anything is changed.
    pub(super) async fn make(
        driver: &Driver,
        request: &SpawnRequest,
        has_disk: bool,
    ) -> Result<Self> {
        refuse_twins(&request.volumes)?;
        if request.image.is_none() && request.volumes.is_empty() && !has_disk {
            return Err(Error::invalid(
                "the server has neither an image nor a volume to boot from",
                "give it one of them",
            ));
        }
        let partition = PartitionUuid::of_instance(request.instance);
        let name = partition_name(&request.name).map_err(|error| {
            Error::caused(
                ErrorKind::Invalid,
                error.to_string(),
                "give the server a name",
                error,
            )
        })?;
        let (system, vioses, switches, namesakes, (), (), ()) = futures_util::try_join!(
            driver.system(),
            driver.active_vioses(),
            driver.switches(),
            namesakes(driver, request),
            check_room(driver, request),
            refuse_existing(driver, partition, &name),
            refuse_taken_name(driver, partition, &name),
        )?;
        let is_ibmi = ibmi::is_asked(request);
        let limits = match is_ibmi {
            true => ibmi::limits(&system)?,
            false => &system.limits,
        };
        let sizing = Sizing::of(&request.flavor, driver.config().sizing(), limits)?;
        limits.check(&sizing)?;
        system.room.check(&name, &sizing)?;
        let pool = find_pool(driver, &sizing).await?;
        let mut interfaces = Vec::new();
        for (index, interface) in request.networks.iter().enumerate() {
            let mac = choose_mac(&system, request, interface, index)?;
            interfaces.push(PlannedInterface {
                instance: request.instance,
                interface: interface.clone(),
                switch: plug::switch_for(interface, &switches)?,
                mac,
                slot: None,
            });
        }
        refuse_same_addresses(&interfaces)?;
        plug::foresee(driver, &interfaces).await?;
        let management = driver
            .config()
            .use_rmc_mgmt_vif
            .then(|| switches.named(MANAGEMENT))
            .flatten();
        let management = management.map(|switch| PlannedManagement {
            switch: switch.clone(),
            mac: system
                .limits
                .custom_mac
                .then(|| Mac::derived(request.instance, "mgmt")),
            slot: None,
        });
        Ok(Self {
            restricted_io: is_ibmi.then_some(system.ibmi.restricted_io),
            partition,
            name,
            sizing,
            pool,
            interfaces,
            management,
            namesakes,
            vioses,
        })
    }

    /// Gives everything the slot that it had, and what is new one above those.
    pub(super) fn take_slots(&mut self, slots: &SlotMap) {
        // The first of the new ones are for buses of the Virtual I/O Servers.
        let mut spare = slots.spare().skip(self.vioses.len());
        for planned in &mut self.interfaces {
            let own = planned.mac.and_then(|mac| slots.interface(mac));
            planned.slot = own.or_else(|| spare.next());
        }
        if let Some(planned) = &mut self.management {
            let own = slots.only_on(MANAGEMENT);
            planned.mac = planned.mac.map(|mac| own.map_or(mac, |(_, own)| own));
            planned.slot = own.map(|(slot, _)| slot).or_else(|| spare.next());
        }
        let new = self.vioses.len() + self.interfaces.len() + 1;
        self.sizing.max_slots = self.sizing.max_slots.max(slots.needed(new));
    }

    /// Whether every address is known before the adapters are made.
    pub(super) fn knows_addresses(&self) -> bool {
        self.interfaces.iter().all(|planned| planned.mac.is_some())
            && self
                .management
                .as_ref()
                .is_none_or(|planned| planned.mac.is_some())
    }
}

async fn refuse_existing(driver: &Driver, partition: PartitionUuid, name: &str) -> Result<()> {
    match driver
        .session()
        .quick(&path_of(partition), "PartitionName")
        .await
    {
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) => Err(error),
        Ok(found) => Err(Error::operation(
            ErrorKind::Exists,
            format!(
                "the instance has a partition already: {} ({partition})",
                found.as_str().unwrap_or(name)
            ),
            "destroy it first",
        )),
    }
}

/// That no other partition of the system has the name, nor a Virtual I/O Server: the server would refuse it, but only
/// when images are on their way already.
async fn refuse_taken_name(driver: &Driver, partition: PartitionUuid, name: &str) -> Result<()> {
    let is_other = |(own, uuid): &(String, Uuid)| own == name && *uuid != partition.as_uuid();
    let mut is_taken = driver.partition_names().await?.iter().any(is_other);
    if is_taken {
        // It may have gone since that was read.
        driver.forget_partition_names().await;
        is_taken = driver.partition_names().await?.iter().any(is_other);
    }
    let vioses = driver.vioses().await?;
    match is_taken || vioses.iter().any(|vios| vios.name == name) {
        true => Err(super::partition::name_is_taken(name, None)),
        false => Ok(()),
    }
}

/// That the storage can have the boot disk.
async fn check_room(driver: &Driver, request: &SpawnRequest) -> Result<()> {
    let Some(image) = &request.image else {
        return Ok(());
    };
    let disk = match &driver.shared.disks {
        Disks::Ssp { .. } => names::boot_unit(&request.name),
        Disks::Local(_) => names::boot_virtual_disk(&request.name, request.instance),
    };
    let image = Gigabytes::holding(image.size);
    let wanted = Gigabytes::whole(request.flavor.root_gb).max(image);
    room::check(driver, &disk, wanted, Gigabytes::default()).await
}

/// Disks that have the boot disk's name already.
async fn namesakes(driver: &Driver, request: &SpawnRequest) -> Result<BTreeSet<String>> {
    if request.image.is_none() {
        return Ok(BTreeSet::new());
    }
    let unit = names::boot_unit(&request.name);
    let disk = names::boot_virtual_disk(&request.name, request.instance);
    imaged::namesakes(driver, &unit, &disk).await
}

/// Number of the processor pool that the flavor names; 0 is the default pool.
///
/// # Errors
/// There is no such pool, or several.
pub(super) async fn find_pool(driver: &Driver, sizing: &Sizing) -> Result<u32> {
    let Processors::Shared {
        pool: Some(name), ..
    } = &sizing.processors
    else {
        return Ok(0);
    };
    let path = format!(
        "ManagedSystem/{}/SharedProcessorPool",
        driver.shared.system.uuid
    );
    let feed = driver.session().get_feed(&path, Groups::None).await?;
    let mut found = feed
        .entries
        .iter()
        .filter(|entry| entry.content.child_value("PoolName") == Some(name.as_str()));
    match (found.next(), found.next()) {
        (Some(entry), None) => entry
            .content
            .child_value("PoolID")
            .and_then(u32::from_wire)
            .ok_or_else(|| SizingError::PoolNotFound { name: name.clone() }.into()),
        (None, _) => Err(SizingError::PoolNotFound { name: name.clone() }.into()),
        (Some(_), Some(_)) => Err(SizingError::PoolNotUnique { name: name.clone() }.into()),
    }
}

fn choose_mac(
    system: &System,
    request: &SpawnRequest,
    interface: &NetworkInterface,
    index: usize,
) -> Result<Option<Mac>> {
    match (interface.mac, system.limits.custom_mac) {
        (Some(mac), true) => Ok(Some(mac)),
        (None, true) => Ok(Some(Mac::derived(request.instance, &format!("nic{index}")))),
        (None, false) => Ok(None),
        (Some(mac), false) => Err(Error::operation(
            ErrorKind::Precondition,
            format!(
                "the host cannot give an adapter the address {mac}: it chooses addresses itself"
            ),
            "leave the address out, or use another host",
        )),
    }
}

fn refuse_same_addresses(interfaces: &[PlannedInterface]) -> Result<()> {
    let mut seen = BTreeSet::new();
    match interfaces
        .iter()
        .filter_map(|planned| planned.mac)
        .find(|mac| !seen.insert(*mac))
    {
        None => Ok(()),
        Some(mac) => Err(Error::invalid(
            format!("two interfaces are to have the address {mac}"),
            "give each its own, or leave them out",
        )),
    }
}
