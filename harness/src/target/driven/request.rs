//! From what a scenario wants to what the driver is asked, and back.

use std::collections::{BTreeMap, BTreeSet};

use powervm_driver::host::switches::MANAGEMENT;
use powervm_driver::network::NetworkInterface;
use powervm_driver::operations::{
    Control, InterfaceInfo, Progress, Server, SpawnRequest, StorageKind,
};
use powervm_driver::partition::Flavor;
use powervm_driver::saga::Phase;
use powervm_driver::storage::image::{Image as DriverImage, ImageSource};
use powervm_driver::storage::media::ConfigDrive;
use powervm_driver::volume::Connection;
use tokio_util::sync::CancellationToken;

use crate::image::{Image, Origin};
use crate::target::{Order, PhaseWatch, ServerView, Size};

/// Goes along with an operation of the driver.
pub(super) fn control(watch: PhaseWatch, cancel: &CancellationToken) -> Control {
    let note = move |progress: &Progress| {
        let Progress::Step(event) = progress else {
            return;
        };
        match &event.phase {
            Phase::Begin => watch(&event.step, None),
            Phase::End { .. } => watch(&event.step, Some(true)),
            Phase::Failed { .. } => watch(&event.step, Some(false)),
            _ => {}
        }
    };
    Control::default()
        .watched_by(note)
        .cancelled_by(cancel.clone())
}

/// A server as ordered, with these volumes, and with interfaces that are known already or new ones.
pub(super) fn spawn(
    order: &Order,
    volumes: Vec<Connection>,
    networks: Vec<NetworkInterface>,
) -> SpawnRequest {
    SpawnRequest {
        instance: order.instance.uuid,
        name: order.instance.name.clone(),
        flavor: flavor(&order.size),
        image: order.image.as_ref().map(image),
        volumes,
        metadata: BTreeMap::new(),
        networks,
        config_drive: order.config_drive.then(ConfigDrive::default),
        power_on: order.power_on,
    }
}

/// New interfaces, whose addresses follow from the instance.
pub(super) fn new_interfaces(order: &Order) -> Vec<NetworkInterface> {
    let vlans = order.networks.iter();
    vlans.map(|vlan| NetworkInterface::on_vlan(*vlan)).collect()
}

/// The interfaces that were asked for, in the order of their slots: the one to the management network is the driver's.
fn asked_for(server: &Server) -> Vec<&InterfaceInfo> {
    let interfaces = server.interfaces.iter();
    let mut interfaces: Vec<_> = interfaces
        .filter(|interface| interface.switch.as_deref() != Some(MANAGEMENT))
        .collect();
    interfaces.sort_by_key(|interface| interface.slot);
    interfaces
}

/// The interfaces that a server has, to be made again as they are.
pub(super) fn same_interfaces(server: &Server) -> Vec<NetworkInterface> {
    asked_for(server)
        .into_iter()
        .filter_map(|interface| {
            Some(NetworkInterface {
                mac: interface.mac,
                ..NetworkInterface::on_vlan(interface.vlan?)
            })
        })
        .collect()
}

pub(super) fn flavor(size: &Size) -> Flavor {
    Flavor {
        vcpus: size.vcpus,
        memory_mb: size.memory_mb,
        root_gb: size.root_gb,
        extra_specs: size.extra_specs.clone(),
    }
}

pub(super) fn image(image: &Image) -> DriverImage {
    DriverImage {
        id: image.uuid,
        name: image.name.clone(),
        checksum: image.md5.clone(),
        size: image.bytes,
        source: match &image.origin {
            Origin::Memory(bytes) => ImageSource::Bytes(bytes.clone()),
            Origin::File(path) => ImageSource::File(path.clone()),
            Origin::Temporary(path) => ImageSource::File(path.to_path_buf()),
        },
    }
}

/// What there is to see of a server that is at that place among the hosts.
pub(super) fn view(server: &Server, place: usize) -> ServerView {
    let interfaces = asked_for(server).into_iter().filter_map(|interface| {
        let mac = interface.mac.map(|mac| mac.to_string());
        Some((interface.vlan?, mac.unwrap_or_default()))
    });
    ServerView {
        name: server.summary.name.clone(),
        state: server.summary.state.clone(),
        vcpus: Some(server.vcpus),
        memory_mb: Some(server.memory_mb),
        interfaces: Some(interfaces.collect()),
        volumes: Some(volumes(server)),
        host: place + 1,
    }
}

/// A volume is there once for each Virtual I/O Server that leads to it.
fn volumes(server: &Server) -> usize {
    let mut by_server: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for storage in &server.storage {
        if storage.kind == StorageKind::PhysicalVolume {
            let disks = by_server.entry(&storage.served_by).or_default();
            disks.insert(&storage.name);
        }
    }
    by_server.values().map(BTreeSet::len).max().unwrap_or(0)
}
