//! Adapter pairs and the devices behind them (`docs/protocol/mappings.md`).

use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

use super::backing::Storage;
use super::{Backing, ScsiBus, ScsiClient, ScsiDevice, VirtualIoServer};
use crate::clock::Millis;
use crate::model::command::{ScsiMapping, StorageName};
use crate::model::lowest::lowest_free;
use crate::model::names::MountType;
use crate::model::refusal::Refusal;
use crate::model::resource::Owner;
use crate::model::world::World;

/// The most devices on one server adapter.
pub const DEVICES_PER_BUS: usize = 255;

impl World {
    /// Makes a pair of adapters for a client.
    pub(in crate::model) fn add_bus(
        &mut self,
        vios: Uuid,
        client: Uuid,
        mapping: &ScsiMapping,
    ) -> Result<u16, Refusal> {
        let server = self
            .vioses
            .get(&vios)
            .map(Arc::clone)
            .ok_or_else(|| Refusal::not_found("VirtualIOServer", vios))?;
        let partition = self.client_of(&server, client)?;
        let client_slot = self.free_slot(Owner::Partition(client), mapping.client_slot)?;
        let slot = self.free_slot(Owner::Vios(vios), mapping.server_slot)?;
        let vhost = lowest_free(0, server.buses.values().map(|bus| bus.vhost));
        let client = ScsiClient {
            partition: client,
            partition_id: partition.id,
            slot: client_slot,
        };
        self.edit_vios(vios, |server, version| {
            server.buses.insert(
                slot,
                Arc::new(ScsiBus {
                    slot,
                    vhost,
                    client: Some(client),
                    awaited: None,
                    devices: Vec::new(),
                    version,
                }),
            );
            server.mappings_version = version;
        });
        Ok(slot)
    }

    /// Puts a device behind a server adapter, at the address and under the name asked for or the next free ones.
    pub(in crate::model) fn add_device(
        &mut self,
        vios: Uuid,
        slot: u16,
        backing: Backing,
        mapping: &ScsiMapping,
    ) -> Result<(), Refusal> {
        let server = self
            .vioses
            .get(&vios)
            .map(Arc::clone)
            .ok_or_else(|| Refusal::not_found("VirtualIOServer", vios))?;
        if let Some(StorageName::External(name)) = &mapping.storage {
            self.open_external(&server, name)?;
        }
        let server = self.vioses.get(&vios).map_or(server, Arc::clone);
        let Some(bus) = server.buses.get(&slot) else {
            return Ok(());
        };
        self.check_device(&server, bus, &backing)?;
        let wish = mapping.target.as_ref();
        let lua = lua_on(bus, wish.and_then(|target| target.lua.as_deref()))?;
        let target = target_name(
            &server,
            &backing,
            wish.and_then(|target| target.name.as_deref()),
        )?;
        let serial = self.ids.hex(16);
        let target_udid = match &backing {
            Backing::LogicalUnit { .. } => {
                let udid = self.server_udid(&server, bus);
                format!("0a{serial}{}", udid.strip_prefix("1e").unwrap_or(&udid))
            }
            Backing::PhysicalVolume { .. } => format!("08{serial}"),
            Backing::VirtualDisk { .. } | Backing::External { .. } => format!("09{serial}"),
            Backing::OpticalMedium { .. } => format!("19{serial}"),
        };
        let device = Arc::new(ScsiDevice {
            backing,
            lua,
            target,
            target_udid,
        });
        self.edit_vios(vios, |server, version| {
            if let Some(tag) = &mapping.tag {
                tag_volume(server, &device.backing, tag, version);
            }
            if let Some(mut bus) = server.buses.get_mut(&slot) {
                bus.devices.push(device);
                bus.version = version;
            }
            server.mappings_version = version;
        });
        Ok(())
    }

    fn check_device(
        &self,
        server: &VirtualIoServer,
        bus: &ScsiBus,
        backing: &Backing,
    ) -> Result<(), Refusal> {
        let refuse = |why: String| {
            Err(Refusal::internal(format!(
                "HSCL2970 The IOServer command on {} has failed: {why}",
                server.partition.name
            )))
        };
        if bus.devices.len() >= DEVICES_PER_BUS {
            return refuse(format!(
                "{} has its maximum of {DEVICES_PER_BUS} devices.",
                bus.adapter_name()
            ));
        }
        let Some(storage) = self.storage(server, backing) else {
            return refuse("the storage of the mapping has gone.".to_owned());
        };
        let client = bus.client.map(|client| client.partition);
        let mut of_client = server.buses.with(client).flat_map(|bus| &bus.devices);
        if of_client.any(|device| device.backing == *backing) {
            return refuse(format!(
                "{} is already mapped to this client partition.",
                storage.name()
            ));
        }
        if let Storage::OpticalMedium(medium) = &storage
            && medium.mount == MountType::ReadWrite
            && server.maps(backing)
        {
            return refuse(format!(
                "the writable medium {} is already loaded in another drive.",
                medium.name
            ));
        }
        Ok(())
    }

    /// Removes every server adapter that is paired with a client.
    pub(in crate::model) fn remove_buses_of(&mut self, now: Millis, client: Uuid) {
        for vios in self.servers_where(|vios| vios.buses.of(client).next().is_some()) {
            let mut touched = BTreeSet::new();
            self.edit_vios(vios, |server, version| {
                let slots: Vec<u16> = server.buses.slots_of(client).collect();
                for bus in slots.iter().filter_map(|slot| server.buses.remove(slot)) {
                    touched.extend(bus.devices.iter().map(|device| device.backing.clone()));
                }
                server.mappings_version = version;
            });
            self.settle_mappings(now, vios, &touched, &BTreeSet::new());
        }
    }

    /// Takes a medium out of a client's drives, as `remove_optical_name` of a power-on asks for.
    pub(in crate::model) fn eject_medium(&mut self, now: Millis, client: Uuid, medium: &str) {
        let is_it = |backing: &Backing| matches!(backing, Backing::OpticalMedium { name, .. } if name == medium);
        let loaded = |vios: &VirtualIoServer| {
            let mut devices = vios.buses.of(client).flat_map(|bus| &bus.devices);
            devices.any(|device| is_it(&device.backing))
        };
        for vios in self.servers_where(loaded) {
            self.edit_vios(vios, |server, version| {
                let slots: Vec<u16> = server.buses.slots_of(client).collect();
                for slot in slots {
                    if let Some(mut bus) = server
                        .buses
                        .get_mut(&slot)
                        .filter(|bus| bus.devices.iter().any(|device| is_it(&device.backing)))
                    {
                        bus.devices.retain(|device| !is_it(&device.backing));
                        bus.version = version;
                    }
                }
                server.mappings_version = version;
            });
            self.settle_mappings(now, vios, &BTreeSet::new(), &BTreeSet::new());
        }
    }
}

/// A volume keeps the tag that its last mapping brought.
fn tag_volume(server: &mut VirtualIoServer, backing: &Backing, tag: &str, version: u64) {
    let Backing::PhysicalVolume { name } = backing else {
        return;
    };
    for volume in server
        .physical_volumes
        .iter_mut()
        .filter(|volume| volume.name == *name)
    {
        Arc::make_mut(volume).options.tag = Some(tag.to_owned());
        server.storage_version = version;
    }
}

/// `0x81…`, `0x82…` and so on, 16 digits.
fn lua_on(bus: &ScsiBus, wish: Option<&str>) -> Result<String, Refusal> {
    let used: BTreeSet<&str> = bus
        .devices
        .iter()
        .map(|device| device.lua.as_str())
        .collect();
    match wish {
        Some(lua) if used.contains(lua) => Err(Refusal::logic(format!(
            "The logical unit address {lua} is already in use on {}.",
            bus.adapter_name()
        ))),
        Some(lua)
            if lua.is_empty()
                || lua.len() > 18
                || !lua.bytes().all(|byte| byte.is_ascii_alphanumeric()) =>
        {
            Err(Refusal::logic(
                "A logical unit address has up to 18 letters and digits, such as 0x8100000000000000.",
            ))
        }
        Some(lua) => Ok(lua.to_owned()),
        None => (1..=u64::from(u8::MAX))
            .map(|number| {
                format!(
                    "0x{:016x}",
                    (0x80 + number % 0x80) << 56 | (number / 0x80) << 48
                )
            })
            .find(|lua| !used.contains(lua.as_str()))
            .ok_or_else(|| {
                Refusal::logic(format!(
                    "No logical unit address is free on {}.",
                    bus.adapter_name()
                ))
            }),
    }
}

/// `vtscsiN`, or `vtoptN` for media: the lowest free number of the Virtual I/O Server.
fn target_name(
    server: &VirtualIoServer,
    backing: &Backing,
    wish: Option<&str>,
) -> Result<String, Refusal> {
    let used = |name: &str| server.devices().any(|(_, device)| device.target == name);
    match wish {
        Some(name) if used(name) => Err(Refusal::internal(format!(
            "HSCL2970 The IOServer command on {} has failed: there is a device {name} already.",
            server.partition.name
        ))),
        Some(name)
            if name.is_empty()
                || name.len() > 15
                || !name.bytes().all(|byte| byte.is_ascii_graphic()) =>
        {
            Err(Refusal::logic(
                "The name of a target device has 1 to 15 printable characters.",
            ))
        }
        Some(name) => Ok(name.to_owned()),
        None => {
            let prefix = if matches!(backing, Backing::OpticalMedium { .. }) {
                "vtopt"
            } else {
                "vtscsi"
            };
            let numbers = server.devices().filter_map(|(_, device)| {
                let digits = device.target.strip_prefix(prefix)?;
                let number: u32 = digits.parse().ok()?;
                // `vtscsi007` leaves `vtscsi7` free.
                let padded = digits.len() > 1 && digits.starts_with(['0', '+']);
                (!padded).then_some(number)
            });
            Ok(format!("{prefix}{}", lowest_free(0, numbers)))
        }
    }
}
