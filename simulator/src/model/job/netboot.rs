//! Job `GetNetworkBootDevices`: what a partition could be started from over the network (`docs/protocol/jobs.md`).

use powervm_schema::xml::{Element, Namespace};
use uuid::Uuid;

use super::Job;
use super::lifecycle::End;
use crate::model::names::PartitionState;
use crate::model::partition::Partition;
use crate::model::system::ManagedSystem;
use crate::model::world::World;

/// Where Open Firmware counts virtual slots from.
const FIRST_UNIT: u32 = 0x3000_0000;

impl World {
    /// Only of a partition that is off: a real console starts its firmware to ask it.
    pub(super) fn network_boot_devices(&self, job: &Job) -> End {
        let partition = job.target.owner().and_then(|owner| self.partition(owner));
        let Some(partition) = partition else {
            return End::Failed("The partition was not found.".to_owned());
        };
        let profile = job.parameter("LogicalPartitionProfileUUID").map(str::trim);
        if let Some(profile) = profile.filter(|profile| !profile.is_empty()) {
            let known = Uuid::try_parse(profile).ok();
            if known.and_then(|uuid| partition.profile(uuid)).is_none() {
                let profile: String = profile.chars().take(60).collect();
                return End::Failed(format!("HSCL800F The profile {profile} was not found."));
            }
        }
        if partition.state != PartitionState::NotActivated {
            return End::Failed(format!(
                "HSCL05DF Partition {} is {}. It must be not activated.",
                partition.name, partition.state
            ));
        }
        let system = self.systems.get(&partition.system);
        let list = system.map(|system| collection(system, partition).to_xml());
        End::Ok(vec![("result".to_owned(), list.unwrap_or_default())])
    }
}

/// `NetworkBootDevice_Collection`, the virtual adapters in the order of their slots first.
fn collection(system: &ManagedSystem, partition: &Partition) -> Element {
    let ethernet = partition.network_adapters.values();
    let ethernet = ethernet.map(|adapter| (adapter.slot, "l-lan", adapter.mac));
    let vnics = partition.vnics.values();
    let vnics = vnics.map(|vnic| (vnic.slot, "vnic", vnic.mac));
    let mut virtual_adapters: Vec<(u16, &str, u64)> = ethernet.chain(vnics).collect();
    virtual_adapters.sort_unstable();
    let mut list = Element::new(Namespace::Uom, "NetworkBootDevice_Collection");
    for (slot, kind, mac) in virtual_adapters {
        let path = format!("/vdevice/{kind}@{:x}", FIRST_UNIT + u32::from(slot));
        let location = format!("{}-T1", system.machine.slot_location(partition.id, slot));
        list.push(device(&path, false, &location, mac));
    }
    let own = partition.logical_ports.values();
    for port in own.filter(|port| port.vnic.is_none()) {
        let adapter = system.sriov_adapter(port.adapter);
        let place = adapter.map_or("", |adapter| adapter.location.as_str());
        let location = format!("{place}-T{}-S{}", port.port + 1, port.number);
        let path = format!("/pci@{:x}/ethernet@0", 0x8000_0000 + u32::from(port.number));
        list.push(device(&path, true, &location, port.mac));
    }
    list
}

fn device(path: &str, physical: bool, location: &str, mac: u64) -> Element {
    Element::new(Namespace::Uom, "NetworkBootDevice")
        .with_leaf("BootDevice", path)
        .with_leaf("IsPhysicalDevice", physical.to_string())
        .with_leaf("LocationCode", location)
        .with_leaf("MACAddressValue", format!("{mac:012X}"))
}
