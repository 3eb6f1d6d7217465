//! Virtual switches, networks, bridges and the adapters of partitions.

mod bridge;

pub use bridge::{
    BackingDeviceChoice, ConfigurationState, EthernetBackingDevice, HighAvailabilityMode,
    IpInterface, LoadGroup, NetworkBridge, SharedEthernetAdapter, TrunkAdapter,
};

use crate::view::{FieldError, spelled, view};
use crate::xml::Element;

spelled! {
    /// How a switch forwards between its own ports: itself, or through the physical switch.
    pub enum SwitchMode {
        Veb = "Veb",
        Vepa = "Vepa",
    }
}

view! {
    /// A virtual switch, at `/rest/api/uom/ManagedSystem/<UUID>/VirtualSwitch/<UUID>`.
    pub struct VirtualSwitch = "VirtualSwitch" in Uom {
        "SwitchID" value(u32) id set_id;
        "SwitchMode" value(SwitchMode) mode set_mode;
        /// The default one is `ETHERNET0`; older consoles write `ETHERNET0(Default)`.
        "SwitchName" text name set_name;
        "VirtualNetworks" links virtual_networks set_virtual_networks;
    }
}

view! {
    /// A VLAN on a switch, at `/rest/api/uom/ManagedSystem/<UUID>/VirtualNetwork/<UUID>`.
    pub struct VirtualNetwork = "VirtualNetwork" in Uom {
        "AssociatedSwitch" href switch set_switch;
        "NetworkName" text name set_name;
        "NetworkVLANID" value(u16) vlan set_vlan;
        "VswitchID" value(u32) switch_id set_switch_id;
        "TaggedNetwork" value(bool) tagged set_tagged;
    }
}

view! {
    /// A partition's virtual ethernet adapter, at
    /// `/rest/api/uom/LogicalPartition/<UUID>/ClientNetworkAdapter/<UUID>`.
    ///
    /// Addresses (`IPAddress`, `SubnetMask`, `Gateway`) are there only when the group `Advanced` was asked for.
    pub struct ClientNetworkAdapter = "ClientNetworkAdapter" in Uom {
        "AdapterType" text adapter_type set_adapter_type;
        "DynamicReconfigurationConnectorName" text connector_name set_connector_name;
        /// `U<type>.<model>.<serial>-V<partition>-C<slot>`.
        "LocationCode" text location_code set_location_code;
        "LocalPartitionID" value(u32) local_partition_id set_local_partition_id;
        "RequiredAdapter" value(bool) required set_required;
        "VariedOn" value(bool) varied_on set_varied_on;
        /// Asks for the lowest free slot.
        "UseNextAvailableSlotID" value(bool) use_next_available_slot set_use_next_available_slot;
        /// Asks for the slot after the highest in use.
        "UseNextAvailableHighSlotID" value(bool)
            use_next_available_high_slot set_use_next_available_high_slot;
        "VirtualSlotNumber" value(u32) slot set_slot;
        "Enabled" value(bool) enabled set_enabled;
        /// `ALL`, `NONE` or addresses.
        "AllowedOperatingSystemMACAddresses" text allowed_mac_addresses set_allowed_mac_addresses;
        /// Twelve upper-case hexadecimal digits without separators.
        "MACAddress" text mac_address set_mac_address;
        "PortVLANID" value(u16) port_vlan set_port_vlan;
        "QualityOfServicePriority" value(u8)
            quality_of_service_priority set_quality_of_service_priority;
        "QualityOfServicePriorityEnabled" value(bool) quality_of_service_priority_enabled
            set_quality_of_service_priority_enabled;
        /// Numbers separated by white space, as sent; see [`tagged_vlan_ids`](ClientNetworkAdapter::tagged_vlan_ids).
        "TaggedVLANIDs" text tagged_vlans set_tagged_vlans;
        "TaggedVLANSupported" value(bool) tagged_vlan_supported set_tagged_vlan_supported;
        "VirtualStationInterfaceTypeID" text
            station_interface_type_id set_station_interface_type_id;
        "VirtualStationInterfaceTypeVersion" text
            station_interface_type_version set_station_interface_type_version;
        "VirtualStationInterfaceManagerID" text
            station_interface_manager_id set_station_interface_manager_id;
        /// One link.
        "AssociatedVirtualSwitch" links virtual_switch set_virtual_switch;
        "VirtualSwitchID" value(u32) virtual_switch_id set_virtual_switch_id;
        "DeviceName" text device_name set_device_name;
        "IPAddress" @ "V1_6_0" text ip_address set_ip_address;
        "SubnetMask" @ "V1_6_0" text subnet_mask set_subnet_mask;
        "Gateway" @ "V1_6_0" text gateway set_gateway;
        /// Only a trunk adapter has one.
        "TrunkPriority" value(u32) trunk_priority set_trunk_priority;
        "ConfiguredMTU" @ "V1_6_0" text configured_mtu set_configured_mtu;
        "OvsBridge" @ "V1_6_0" text ovs_bridge set_ovs_bridge;
        "OvsPortExternalIds" @ "V1_6_0" text ovs_port_external_ids set_ovs_port_external_ids;
        "VirtualNetworks" links virtual_networks set_virtual_networks;
    }
}

impl<E: std::borrow::Borrow<Element>> ClientNetworkAdapter<E> {
    /// The tagged VLANs as numbers; a known client sends several spaces between them.
    ///
    /// # Errors
    /// When one is not a number below 65536.
    pub fn tagged_vlan_ids(&self) -> Result<Vec<u16>, FieldError> {
        vlan_ids(self.0.borrow(), "TaggedVLANIDs")
    }
}

fn vlan_ids(adapter: &Element, name: &'static str) -> Result<Vec<u16>, FieldError> {
    let text = adapter.child_value(name).unwrap_or_default();
    text.split_ascii_whitespace()
        .map(|id| id.parse().ok())
        .collect::<Option<_>>()
        .ok_or_else(|| FieldError::new(name, text, "VLAN numbers separated by spaces"))
}
