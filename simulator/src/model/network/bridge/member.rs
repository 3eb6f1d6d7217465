//! Shared Ethernet adapters come and go.

use std::sync::Arc;
use uuid::Uuid;

use super::wish::Wanted;
use super::{ControlChannel, NetworkBridge, SharedEthernetAdapter, SharedEthernetSettings};
use crate::model::command::{SharedEthernetRequest, SlotChoice};
use crate::model::network::{NetworkAdapter, Trunk};
use crate::model::refusal::Refusal;
use crate::model::resource::Owner;
use crate::model::vios::VirtualIoServer;
use crate::model::world::World;

impl World {
    /// A Virtual I/O Server of the system whose devices can be set up now.
    pub(super) fn bridging_server(
        &self,
        system: Uuid,
        vios: Uuid,
    ) -> Result<Arc<VirtualIoServer>, Refusal> {
        let server = self
            .vioses
            .get(&vios)
            .filter(|server| server.partition.system == system)
            .ok_or_else(|| Refusal::not_found("VirtualIOServer", vios))?;
        self.changeable(Owner::Vios(vios))?;
        Ok(Arc::clone(server))
    }

    /// A new shared Ethernet adapter on a free port, without trunk adapters yet.
    pub(super) fn add_member(
        &mut self,
        system: Uuid,
        bridge: &NetworkBridge,
        request: &SharedEthernetRequest,
        primary: bool,
    ) -> Result<Uuid, Refusal> {
        let vios = request.vios.ok_or_else(|| {
            Refusal::bad_request("A new SharedEthernetAdapter needs an AssignedVirtualIOServer.")
        })?;
        let server = self.bridging_server(system, vios)?;
        let wish = request.backing_device.as_deref().ok_or_else(|| {
            Refusal::bad_request(
                "A new SharedEthernetAdapter needs an EthernetBackingDevice with a DeviceName.",
            )
        })?;
        let (device, location) = self.free_port(&server, wish)?;
        let udid = format!("10{}", self.ids.hex(16));
        self.edit_vios(vios, |server, version| {
            server.free_ports.retain(|(name, _)| *name != device);
            server.shared_ethernet.push(SharedEthernetAdapter {
                bridge: bridge.uuid,
                primary,
                device: String::new(),
                udid,
                backing_device: device,
                backing_location: location,
                trunks: Vec::new(),
                control_channel: None,
                settings: SharedEthernetSettings::default(),
            });
            server.network_version = version;
        });
        Ok(vios)
    }

    /// A port that nothing sits on: one of the server's own, or a promiscuous logical port.
    fn free_port(&self, server: &VirtualIoServer, wish: &str) -> Result<(String, String), Refusal> {
        if let Some(port) = server.free_ports.iter().find(|(device, _)| device == wish) {
            return Ok(port.clone());
        }
        let port = server
            .partition
            .logical_ports
            .values()
            .find(|port| port.device.as_deref() == Some(wish));
        let taken = server
            .shared_ethernet
            .iter()
            .any(|sea| sea.backing_device == wish);
        match port {
            Some(port) if taken || port.is_for_vnic() => Err(Refusal::logic(format!(
                "Device {wish} of {} is in use.",
                server.partition.name
            ))),
            Some(port) if !port.promiscuous => Err(Refusal::logic(format!(
                "Device {wish} of {} cannot be bridged: its logical port is not promiscuous.",
                server.partition.name
            ))),
            Some(port) => Ok((
                wish.to_owned(),
                self.logical_port_location(server.partition.system, port),
            )),
            None if taken => Err(Refusal::logic(format!(
                "Device {wish} of {} is in use.",
                server.partition.name
            ))),
            None => Err(Refusal::logic(format!(
                "{} has no free Ethernet device {}.",
                server.partition.name,
                wish.chars().take(32).collect::<String>()
            ))),
        }
    }

    /// Takes a shared Ethernet adapter with its trunk adapters and its control channel away; its port is free again.
    pub(super) fn remove_member(&mut self, vios: Uuid, bridge: Uuid) {
        self.edit_vios(vios, |server, version| {
            let (gone, stay): (Vec<_>, Vec<_>) = std::mem::take(&mut server.shared_ethernet)
                .into_iter()
                .partition(|sea| sea.bridge == bridge);
            server.shared_ethernet = stay;
            for sea in gone {
                let channel = sea.control_channel.map(|channel| channel.adapter);
                for adapter in sea.trunks.iter().chain(&channel) {
                    server.partition.network_adapters.remove(adapter);
                }
                let logical = server.partition.logical_ports.values();
                let mut logical = logical.filter_map(|port| port.device.as_deref());
                if !logical.any(|device| device == sea.backing_device) {
                    server
                        .free_ports
                        .push((sea.backing_device, sea.backing_location));
                    server.free_ports.sort();
                }
            }
            server.partition.version = version;
            server.network_version = version;
        });
    }

    /// Gives a member the trunk adapters that it is to have.
    pub(super) fn set_trunks(
        &mut self,
        vios: Uuid,
        bridge: &NetworkBridge,
        wanted: &[Wanted],
        priority: u8,
    ) -> Result<(), Refusal> {
        let kept: Vec<Uuid> = wanted.iter().filter_map(|trunk| trunk.adapter).collect();
        let before = self.trunks_of(vios, bridge.uuid);
        self.edit_member(vios, bridge.uuid, |server, place| {
            for gone in before.iter().filter(|uuid| !kept.contains(uuid)) {
                server.partition.network_adapters.remove(gone);
            }
            if let Some(sea) = server.shared_ethernet.get_mut(place) {
                sea.trunks.retain(|uuid| kept.contains(uuid));
            }
        });
        let mut trunks = Vec::new();
        for trunk in wanted {
            trunks.push(match trunk.adapter {
                Some(adapter) => self.change_trunk(vios, adapter, trunk)?,
                None => self.plug_trunk(vios, bridge, trunk, priority)?,
            });
        }
        self.edit_member(vios, bridge.uuid, |server, place| {
            let named = server.shared_ethernet.get(place);
            let named = named.is_some_and(|sea| !sea.device.is_empty());
            let device = (!named).then(|| Self::free_ethernet_device(server));
            if let Some(sea) = server.shared_ethernet.get_mut(place) {
                sea.trunks = trunks;
                sea.device = device.unwrap_or_else(|| std::mem::take(&mut sea.device));
            }
        });
        Ok(())
    }

    fn change_trunk(
        &mut self,
        vios: Uuid,
        adapter: Uuid,
        wanted: &Wanted,
    ) -> Result<Uuid, Refusal> {
        let owner = Owner::Vios(vios);
        let before = self
            .network_adapter(owner, adapter)
            .map(Arc::clone)
            .ok_or_else(|| Refusal::not_found("TrunkAdapter", adapter))?;
        let mut after = (*before).clone();
        after.vlan = wanted.vlan;
        after.tagged_vlans.clone_from(&wanted.tagged_vlans);
        after.tagged = !wanted.tagged_vlans.is_empty() || wanted.tagged.unwrap_or(before.tagged);
        if let (Some(trunk), Some(priority)) = (&mut after.trunk, wanted.priority) {
            trunk.priority = priority;
        }
        if after != *before {
            after.version = self.touch();
            self.edit_partition(owner, |partition| {
                partition.network_adapters.insert(adapter, Arc::new(after));
            });
        }
        Ok(adapter)
    }

    fn plug_trunk(
        &mut self,
        vios: Uuid,
        bridge: &NetworkBridge,
        wanted: &Wanted,
        priority: u8,
    ) -> Result<Uuid, Refusal> {
        let trunk = Some(Trunk {
            priority: wanted.priority.unwrap_or(priority),
            device: self
                .vioses
                .get(&vios)
                .map(|server| Self::free_ethernet_device(server)),
        });
        let mut adapter = self.bare_adapter(vios, bridge, wanted.slot, wanted.mac.as_deref())?;
        adapter.vlan = wanted.vlan;
        adapter.tagged = !wanted.tagged_vlans.is_empty() || wanted.tagged.unwrap_or(false);
        adapter.tagged_vlans.clone_from(&wanted.tagged_vlans);
        adapter.required = wanted.required.unwrap_or(true);
        adapter.trunk = trunk;
        Ok(self.insert_adapter(vios, adapter))
    }

    /// Gives a member its end of the control channel, or takes it away.
    pub(super) fn set_control_channel(
        &mut self,
        vios: Uuid,
        bridge: &NetworkBridge,
    ) -> Result<(), Refusal> {
        let member = self.vioses.get(&vios).and_then(|server| {
            let mut all = server.shared_ethernet.iter();
            all.find(|sea| sea.bridge == bridge.uuid)
        });
        let there = member.and_then(|sea| sea.control_channel.clone());
        let same = there.as_ref().and_then(|channel| {
            let adapter = self.network_adapter(Owner::Vios(vios), channel.adapter)?;
            Some(adapter.vlan)
        });
        if same == bridge.control_channel {
            return Ok(());
        }
        if let Some(channel) = there {
            self.edit_member(vios, bridge.uuid, |server, place| {
                server.partition.network_adapters.remove(&channel.adapter);
                if let Some(sea) = server.shared_ethernet.get_mut(place) {
                    sea.control_channel = None;
                }
            });
        }
        if let Some(vlan) = bridge.control_channel {
            let device = self
                .vioses
                .get(&vios)
                .map_or_else(String::new, |server| Self::free_ethernet_device(server));
            let mut adapter = self.bare_adapter(vios, bridge, SlotChoice::NextHigh, None)?;
            adapter.vlan = vlan;
            let adapter = self.insert_adapter(vios, adapter);
            self.edit_member(vios, bridge.uuid, |server, place| {
                if let Some(sea) = server.shared_ethernet.get_mut(place) {
                    sea.control_channel = Some(ControlChannel { adapter, device });
                }
            });
        }
        Ok(())
    }

    fn bare_adapter(
        &mut self,
        vios: Uuid,
        bridge: &NetworkBridge,
        slot: SlotChoice,
        mac: Option<&str>,
    ) -> Result<NetworkAdapter, Refusal> {
        let owner = Owner::Vios(vios);
        let partition = self.existing(owner)?;
        let slot = self.free_slot(owner, slot)?;
        let mac = match mac.filter(|text| !text.is_empty()) {
            Some(text) => self.check_mac(&partition, text)?,
            None => self.made_mac(&partition, slot),
        };
        Ok(NetworkAdapter {
            uuid: self.ids.named_uuid(),
            slot,
            mac,
            vlan: bridge.vlan,
            tagged_vlans: Vec::new(),
            tagged: false,
            switch: bridge.switch,
            switch_id: bridge.switch_id,
            required: true,
            allowed_os_macs: "ALL".to_owned(),
            quality_of_service: None,
            enabled: true,
            station: None,
            trunk: None,
            mtu: None,
            ovs_bridge: None,
            ovs_external_ids: None,
            version: self.touch(),
        })
    }

    fn insert_adapter(&mut self, vios: Uuid, adapter: NetworkAdapter) -> Uuid {
        let uuid = adapter.uuid;
        self.edit_partition(Owner::Vios(vios), |partition| {
            partition.network_adapters.insert(uuid, Arc::new(adapter));
        });
        uuid
    }

    fn trunks_of(&self, vios: Uuid, bridge: Uuid) -> Vec<Uuid> {
        let server = self.vioses.get(&vios);
        let members = server
            .into_iter()
            .flat_map(|server| &server.shared_ethernet);
        members
            .filter(|sea| sea.bridge == bridge)
            .flat_map(|sea| sea.trunks.iter().copied())
            .collect()
    }

    /// Changes the server of a member; `change` gets the member's place in the list.
    pub(super) fn edit_member(
        &mut self,
        vios: Uuid,
        bridge: Uuid,
        change: impl FnOnce(&mut VirtualIoServer, usize),
    ) {
        self.edit_vios(vios, |server, version| {
            let place = server
                .shared_ethernet
                .iter()
                .position(|sea| sea.bridge == bridge);
            if let Some(place) = place {
                change(server, place);
                server.network_version = version;
            }
        });
    }
}
