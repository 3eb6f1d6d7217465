//! A posted list of virtual SCSI mappings against those that are there (`docs/protocol/mappings.md`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use uuid::Uuid;

use super::{Backing, ScsiBus, ScsiClient, ScsiDevice, VirtualIoServer};
use crate::clock::Millis;
use crate::model::command::{Outcome, ScsiMapping, TargetName, UpdateVios};
use crate::model::names::MountType;
use crate::model::refusal::Refusal;
use crate::model::resource::{Owner, Resource};
use crate::model::world::World;

/// The most devices on one server adapter.
pub const DEVICES_PER_BUS: usize = 255;

/// What a posted list means: which buses and devices stay, and what is new.
#[derive(Debug, Default)]
struct Plan {
    kept: BTreeMap<u16, BTreeSet<String>>,
    new: Vec<(Place, Option<Backing>, ScsiMapping)>,
}

#[derive(Debug)]
enum Place {
    Bus(u16),
    NewBus(Uuid),
}

impl World {
    pub(in crate::model) fn update_vios(&mut self, now: Millis, request: UpdateVios) -> Result<Outcome, Refusal> {
        let resource = Resource::VirtualIoServer(request.vios);
        if !self.vioses.contains_key(&request.vios) {
            return Err(Refusal::not_found("VirtualIOServer", request.vios));
        }
        if let Some(base) = request.base {
            self.update_partition(now, crate::model::command::UpdatePartition { owner: Owner::Vios(request.vios), ..base })?;
        }
        if let Some(posted) = request.scsi_mappings {
            self.replace_mappings(now, request.vios, posted)?;
        }
        Ok(Outcome::Written(resource))
    }

    fn replace_mappings(&mut self, now: Millis, vios: Uuid, posted: Vec<ScsiMapping>) -> Result<(), Refusal> {
        let plan = self.plan_mappings(vios, posted)?;
        let Some(server) = self.vioses.get(&vios).map(Arc::clone) else { return Ok(()) };
        let (gone_buses, gone_devices) = leftovers(&server, &plan);
        if gone_buses.is_empty() && gone_devices.is_empty() && plan.new.is_empty() {
            return Ok(());
        }
        self.check_vios_is_ready(&server)?;
        for slot in &gone_buses {
            self.check_client_lets_go(&server, *slot)?;
        }
        let mut touched: BTreeSet<Backing> = BTreeSet::new();
        let mut clients: BTreeSet<Uuid> = BTreeSet::new();
        self.edit_vios(vios, |server, version| {
            for (slot, targets) in &gone_devices {
                let Some(bus) = server.buses.get_mut(slot).map(Arc::make_mut) else { continue };
                touched.extend(bus.devices.iter().filter(|device| targets.contains(&device.target)).map(|device| device.backing.clone()));
                bus.devices.retain(|device| !targets.contains(&device.target));
            }
            for slot in &gone_buses {
                if let Some(bus) = server.buses.remove(slot) {
                    touched.extend(bus.devices.iter().map(|device| device.backing.clone()));
                    clients.extend(bus.client.map(|client| client.partition));
                }
            }
            server.mappings_version = version;
        });
        for (place, backing, mapping) in plan.new {
            let slot = match place {
                Place::Bus(slot) => slot,
                Place::NewBus(client) => {
                    clients.insert(client);
                    self.add_bus(vios, client, &mapping)?
                }
            };
            if let Some(backing) = backing {
                touched.insert(backing.clone());
                self.add_device(vios, slot, backing, &mapping)?;
            }
        }
        self.settle_mappings(now, vios, &touched, &clients);
        Ok(())
    }

    /// Matches every posted mapping with what is there; refuses what cannot be.
    fn plan_mappings(&self, vios: Uuid, posted: Vec<ScsiMapping>) -> Result<Plan, Refusal> {
        let mut plan = Plan::default();
        let server = self.vioses.get(&vios).ok_or_else(|| Refusal::not_found("VirtualIOServer", vios))?;
        let by_udid: BTreeMap<String, u16> =
            server.buses.values().map(|bus| (self.server_udid(server, bus), bus.slot)).collect();
        for mapping in posted {
            let Some(udid) = &mapping.server_udid else {
                let client = mapping.client.ok_or_else(|| {
                    Refusal::logic("A new virtual SCSI mapping must name its client partition in AssociatedLogicalPartition.")
                })?;
                let backing = mapping.storage.as_ref().map(|name| self.find_storage(server, name)).transpose()?;
                plan.new.push((Place::NewBus(client), backing, mapping));
                continue;
            };
            let slot = *by_udid.get(udid).ok_or_else(|| {
                Refusal::logic(format!("There is no virtual SCSI server adapter {udid} on Virtual I/O Server {}.", server.partition.name))
            })?;
            let Some(bus) = server.buses.get(&slot) else { continue };
            let kept = plan.kept.entry(slot).or_default();
            let Some(name) = &mapping.storage else {
                kept.extend(device_by_target(bus, &mapping).map(|device| device.target.clone()));
                continue;
            };
            if let Some(device) = bus.devices.iter().find(|device| self.is_named(server, device, name)) {
                kept.insert(device.target.clone());
                continue;
            }
            let backing = self.find_storage(server, name)?;
            plan.new.push((Place::Bus(slot), Some(backing), mapping));
        }
        Ok(plan)
    }

    /// The mappings of a Virtual I/O Server as a client would post them back unchanged.
    #[must_use]
    pub fn posted_mappings(&self, vios: Uuid) -> Vec<ScsiMapping> {
        let Some(server) = self.vioses.get(&vios) else { return Vec::new() };
        let mut posted = Vec::new();
        for bus in server.buses.values() {
            let bare = ScsiMapping {
                client: bus.client.map(|client| client.partition),
                server_udid: Some(self.server_udid(server, bus)),
                ..ScsiMapping::default()
            };
            if bus.devices.is_empty() {
                posted.push(bare.clone());
            }
            posted.extend(bus.devices.iter().map(|device| ScsiMapping {
                target: Some(TargetName { udid: Some(device.target_udid.clone()), ..TargetName::default() }),
                ..bare.clone()
            }));
        }
        posted
    }

    /// `UniqueDeviceID` of a server adapter: `1e` and its location.
    #[must_use]
    pub fn server_udid(&self, vios: &VirtualIoServer, bus: &ScsiBus) -> String {
        let system = self.systems.get(&vios.partition.system);
        let location = system.map(|system| system.machine.slot_location(vios.partition.id, bus.slot)).unwrap_or_default();
        format!("1e{location}")
    }

    fn is_named(&self, vios: &VirtualIoServer, device: &ScsiDevice, name: &crate::model::command::StorageName) -> bool {
        use super::backing::Storage;
        use crate::model::command::StorageName;
        let same = |udid: &Option<String>, name: &Option<String>, own_udid: &str, own_name: &str| match udid {
            Some(udid) => udid == own_udid,
            None => name.as_deref() == Some(own_name),
        };
        match (self.storage(vios, &device.backing), name) {
            (Some(Storage::LogicalUnit(unit)), StorageName::LogicalUnit { udid, name }) => same(udid, name, &unit.udid, &unit.name),
            (Some(Storage::VirtualDisk(disk)), StorageName::VirtualDisk { udid, name }) => same(udid, name, &disk.udid, &disk.name),
            (Some(Storage::PhysicalVolume(volume)), StorageName::PhysicalVolume { udid, name }) => match name {
                Some(name) => *name == volume.name,
                None => udid.as_deref() == Some(volume.udid.as_str()),
            },
            (Some(Storage::OpticalMedium(medium)), StorageName::OpticalMedium { name }) => *name == medium.name,
            _ => false,
        }
    }

    /// Removing the adapter pair of an active client needs its operating system.
    fn check_client_lets_go(&self, server: &VirtualIoServer, slot: u16) -> Result<(), Refusal> {
        let client = server.buses.get(&slot).and_then(|bus| bus.client);
        match client.and_then(|client| self.partitions.get(&client.partition)) {
            Some(partition) if !partition.accepts_adapter_changes() => Err(self.no_rmc(partition)),
            _ => Ok(()),
        }
    }

    /// Makes a pair of adapters for a client.
    fn add_bus(&mut self, vios: Uuid, client: Uuid, mapping: &ScsiMapping) -> Result<u16, Refusal> {
        let server = self.vioses.get(&vios).map(Arc::clone).ok_or_else(|| Refusal::not_found("VirtualIOServer", vios))?;
        let partition = self.partitions.get(&client).filter(|partition| partition.system == server.partition.system);
        let partition = partition.map(Arc::clone).ok_or_else(|| {
            Refusal::logic(format!(
                "HSCL8012 The client partition {} of the mapping was not found on the managed system.",
                client.to_string().to_uppercase()
            ))
        })?;
        if !partition.accepts_adapter_changes() {
            return Err(self.no_rmc(&partition));
        }
        let client_slot = self.free_slot(Owner::Partition(client), mapping.client_slot)?;
        let slot = self.free_slot(Owner::Vios(vios), mapping.server_slot)?;
        let used: BTreeSet<u32> = server.buses.values().map(|bus| bus.vhost).collect();
        let vhost = (0..).find(|vhost| !used.contains(vhost)).unwrap_or(u32::MAX);
        let client = ScsiClient { partition: client, partition_id: partition.id, slot: client_slot };
        self.edit_vios(vios, |server, version| {
            server.buses.insert(slot, Arc::new(ScsiBus { slot, vhost, client: Some(client), devices: Vec::new() }));
            server.mappings_version = version;
        });
        Ok(slot)
    }

    /// Puts a device behind a server adapter, at the address and under the name asked for or the next free ones.
    fn add_device(&mut self, vios: Uuid, slot: u16, backing: Backing, mapping: &ScsiMapping) -> Result<(), Refusal> {
        let server = self.vioses.get(&vios).map(Arc::clone).ok_or_else(|| Refusal::not_found("VirtualIOServer", vios))?;
        let Some(bus) = server.buses.get(&slot) else { return Ok(()) };
        self.check_device(&server, bus, &backing)?;
        let wish = mapping.target.as_ref();
        let lua = lua_on(bus, wish.and_then(|target| target.lua.as_deref()))?;
        let target = target_name(&server, &backing, wish.and_then(|target| target.name.as_deref()))?;
        let serial = self.ids.hex(16);
        let target_udid = match &backing {
            Backing::LogicalUnit { .. } => {
                let udid = self.server_udid(&server, bus);
                format!("0a{serial}{}", udid.strip_prefix("1e").unwrap_or(&udid))
            }
            Backing::PhysicalVolume { .. } => format!("08{serial}"),
            Backing::VirtualDisk { .. } => format!("09{serial}"),
            Backing::OpticalMedium { .. } => format!("19{serial}"),
        };
        let device = Arc::new(ScsiDevice { backing, lua, target, target_udid });
        self.edit_vios(vios, |server, version| {
            if let Some(bus) = server.buses.get_mut(&slot) {
                Arc::make_mut(bus).devices.push(device);
            }
            server.mappings_version = version;
        });
        Ok(())
    }

    fn check_device(&self, server: &VirtualIoServer, bus: &ScsiBus, backing: &Backing) -> Result<(), Refusal> {
        let refuse = |why: String| {
            Err(Refusal::internal(format!("HSCL2970 The IOServer command on {} has failed: {why}", server.partition.name)))
        };
        if bus.devices.len() >= DEVICES_PER_BUS {
            return refuse(format!("{} has its maximum of {DEVICES_PER_BUS} devices.", bus.adapter_name()));
        }
        let Some(storage) = self.storage(server, backing) else {
            return refuse("the storage of the mapping has gone.".to_owned());
        };
        let client = bus.client.map(|client| client.partition);
        let same_client = |other: &ScsiBus| other.client.map(|client| client.partition) == client;
        if server.devices().any(|(other, device)| device.backing == *backing && same_client(other)) {
            return refuse(format!("{} is already mapped to this client partition.", storage.name()));
        }
        if let super::backing::Storage::OpticalMedium(medium) = &storage
            && medium.mount == MountType::ReadWrite
            && server.maps(backing)
        {
            return refuse(format!("the writable medium {} is already loaded in another drive.", medium.name));
        }
        Ok(())
    }

    /// Removes every server adapter that is paired with a client.
    pub(in crate::model) fn remove_buses_of(&mut self, now: Millis, client: Uuid) {
        let of_client = |bus: &ScsiBus| bus.client.is_some_and(|end| end.partition == client);
        let servers: Vec<Uuid> = self.vioses.values().filter(|vios| vios.buses.values().any(|bus| of_client(bus))).map(|vios| vios.partition.uuid).collect();
        for vios in servers {
            let mut touched = BTreeSet::new();
            self.edit_vios(vios, |server, version| {
                let slots: Vec<u16> = server.buses.values().filter(|bus| of_client(bus)).map(|bus| bus.slot).collect();
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
        let of_client = |bus: &ScsiBus| bus.client.is_some_and(|end| end.partition == client);
        let loaded = |vios: &VirtualIoServer| vios.devices().any(|(bus, device)| of_client(bus) && is_it(&device.backing));
        let servers: Vec<Uuid> = self.vioses.values().filter(|vios| loaded(vios)).map(|vios| vios.partition.uuid).collect();
        for vios in servers {
            self.edit_vios(vios, |server, version| {
                let slots: Vec<u16> = server.buses.values().filter(|bus| of_client(bus)).map(|bus| bus.slot).collect();
                for slot in slots {
                    if let Some(bus) = server.buses.get_mut(&slot).filter(|bus| bus.devices.iter().any(|device| is_it(&device.backing))) {
                        Arc::make_mut(bus).devices.retain(|device| !is_it(&device.backing));
                    }
                }
                server.mappings_version = version;
            });
            self.settle_mappings(now, vios, &BTreeSet::new(), &BTreeSet::new());
        }
    }

    /// What follows from changed mappings: units in use, available volumes, the clients' adapter lists, events.
    fn settle_mappings(&mut self, now: Millis, vios: Uuid, touched: &BTreeSet<Backing>, clients: &BTreeSet<Uuid>) {
        for backing in touched {
            match backing {
                Backing::LogicalUnit { tier, unit } => self.settle_unit_use(now, *tier, *unit),
                Backing::PhysicalVolume { .. } => self.edit_vios(vios, |server, version| server.storage_version = version),
                Backing::VirtualDisk { .. } | Backing::OpticalMedium { .. } => {}
            }
        }
        self.announce_partition(now, Owner::Vios(vios), "VirtualSCSIMappings");
        for client in clients {
            self.edit_partition(Owner::Partition(*client), |_| {});
            self.announce_partition(now, Owner::Partition(*client), "Other");
        }
    }

    /// Storage and mappings of a Virtual I/O Server can be had only while it runs with a live RMC connection.
    pub(in crate::model) fn check_vios_is_ready(&self, server: &VirtualIoServer) -> Result<(), Refusal> {
        let partition = &server.partition;
        if partition.state == crate::model::names::PartitionState::Running && partition.rmc.is_up() {
            return Ok(());
        }
        let machine = self.systems.get(&partition.system).map(|system| system.machine.to_string()).unwrap_or_default();
        Err(Refusal::internal(format!(
            "Virtual I/O Server {} with ID {} in System {machine} cannot be reached: it is {}, its RMC state is {}.",
            partition.name, partition.id, partition.state, partition.rmc
        )))
    }
}

/// Buses without any posted mapping, and devices without one on buses that stay.
fn leftovers(server: &VirtualIoServer, plan: &Plan) -> (Vec<u16>, BTreeMap<u16, BTreeSet<String>>) {
    let mut buses = Vec::new();
    let mut devices = BTreeMap::new();
    for bus in server.buses.values() {
        let Some(kept) = plan.kept.get(&bus.slot) else {
            buses.push(bus.slot);
            continue;
        };
        let gone: BTreeSet<String> =
            bus.devices.iter().map(|device| device.target.clone()).filter(|target| !kept.contains(target)).collect();
        if !gone.is_empty() {
            devices.insert(bus.slot, gone);
        }
    }
    (buses, devices)
}

/// The device that a mapping without storage means: the one with its target device. One whose document names neither
/// storage nor target means the bare adapter.
fn device_by_target<'a>(bus: &'a ScsiBus, mapping: &ScsiMapping) -> Option<&'a Arc<ScsiDevice>> {
    let target = mapping.target.as_ref()?;
    bus.devices.iter().find(|device| match (&target.udid, &target.name, &target.lua) {
        (Some(udid), ..) => *udid == device.target_udid,
        (None, Some(name), _) => *name == device.target,
        (None, None, Some(lua)) => *lua == device.lua,
        (None, None, None) => false,
    })
}

/// `0x81…`, `0x82…` and so on, 16 digits.
fn lua_on(bus: &ScsiBus, wish: Option<&str>) -> Result<String, Refusal> {
    let used: BTreeSet<&str> = bus.devices.iter().map(|device| device.lua.as_str()).collect();
    match wish {
        Some(lua) if used.contains(lua) => {
            Err(Refusal::logic(format!("The logical unit address {lua} is already in use on {}.", bus.adapter_name())))
        }
        Some(lua) if lua.is_empty() || lua.len() > 18 || !lua.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            Err(Refusal::logic("A logical unit address has up to 18 letters and digits, such as 0x8100000000000000."))
        }
        Some(lua) => Ok(lua.to_owned()),
        None => (1..=u64::from(u8::MAX))
            .map(|number| format!("0x{:016x}", (0x80 + number % 0x80) << 56 | (number / 0x80) << 48))
            .find(|lua| !used.contains(lua.as_str()))
            .ok_or_else(|| Refusal::logic(format!("No logical unit address is free on {}.", bus.adapter_name()))),
    }
}

/// `vtscsiN`, or `vtoptN` for media: the lowest free number of the Virtual I/O Server.
fn target_name(server: &VirtualIoServer, backing: &Backing, wish: Option<&str>) -> Result<String, Refusal> {
    let used: BTreeSet<&str> = server.devices().map(|(_, device)| device.target.as_str()).collect();
    match wish {
        Some(name) if used.contains(name) => Err(Refusal::internal(format!(
            "HSCL2970 The IOServer command on {} has failed: there is a device {name} already.",
            server.partition.name
        ))),
        Some(name) if name.is_empty() || name.len() > 15 || !name.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Err(Refusal::logic("The name of a target device has 1 to 15 printable characters."))
        }
        Some(name) => Ok(name.to_owned()),
        None => {
            let prefix = if matches!(backing, Backing::OpticalMedium { .. }) { "vtopt" } else { "vtscsi" };
            let names = (0_u32..).map(|number| format!("{prefix}{number}"));
            Ok(names.into_iter().find(|name| !used.contains(name.as_str())).unwrap_or_default())
        }
    }
}
