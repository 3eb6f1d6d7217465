//! Bridges between virtual switches and physical ports: network bridges, their load groups, shared Ethernet adapters
//! and trunk adapters.

use crate::view::{spelled, view};

spelled! {
    /// How two shared Ethernet adapters of one bridge stand in for each other.
    pub enum HighAvailabilityMode {
        Failover = "auto",
        LoadSharing = "sharing",
        Disabled = "disabled",
    }
}

spelled! {
    /// Whether a shared Ethernet adapter is set up.
    pub enum ConfigurationState {
        Configured = "Configured",
        Unconfigured = "UnConfigured",
        Invalid = "InvalidConfiguration",
    }
}

view! {
    /// One bridge, at `/rest/api/uom/ManagedSystem/<UUID>/NetworkBridge/<UUID>`: one shared Ethernet adapter, or two of
    /// the same make on different Virtual I/O Servers.
    ///
    /// An HMC is changed through the load groups and a NovaLink through the trunk adapters of the shared Ethernet
    /// adapters; each works the other out (`docs/protocol/network.md`).
    pub struct NetworkBridge = "NetworkBridge" in Uom {
        /// The VLAN of the control channel.
        "ControlChannelID" value(u16) control_channel_id set_control_channel_id;
        "FailoverEnabled" value(bool) failover set_failover;
        "LoadBalancingEnabled" value(bool) load_balancing set_load_balancing;
        "LoadGroups" list(LoadGroup in "LoadGroup") load_groups push_load_group retain_load_groups;
        /// The VLAN of untagged frames: that of the primary load group and of the primary trunk adapters.
        "PortVLANID" value(u16) port_vlan set_port_vlan;
        "SharedEthernetAdapters" list(SharedEthernetAdapter in "SharedEthernetAdapter")
            shared_ethernet_adapters push_shared_ethernet_adapter retain_shared_ethernet_adapters;
        "UniqueDeviceID" text udid set_udid;
        "VirtualNetworks" links virtual_networks set_virtual_networks;
    }
}

view! {
    /// Trunk adapters of a bridge that carry the same VLANs, one of each shared Ethernet adapter.
    pub struct LoadGroup = "LoadGroup" in Uom {
        "PortVLANID" value(u16) port_vlan set_port_vlan;
        "TrunkAdapters" list(TrunkAdapter in "TrunkAdapter")
            trunk_adapters push_trunk_adapter retain_trunk_adapters;
        /// Without the one of the port VLAN, except in the primary group.
        "VirtualNetworks" links virtual_networks set_virtual_networks;
    }
}

view! {
    /// What bridges trunk adapters of one Virtual I/O Server to a physical port.
    pub struct SharedEthernetAdapter = "SharedEthernetAdapter" in Uom {
        "AssignedVirtualIOServer" href virtual_io_server set_virtual_io_server;
        "ControlChannelInterfaceName" text
            control_channel_interface_name set_control_channel_interface_name;
        "BackingDeviceChoice" child(BackingDeviceChoice) backing_device backing_device_mut;
        "HighAvailabilityMode" value(HighAvailabilityMode)
            high_availability_mode set_high_availability_mode;
        /// `ent5` …
        "DeviceName" text device_name set_device_name;
        "JumboFramesEnabled" value(bool) jumbo_frames set_jumbo_frames;
        "PortVLANID" value(u16) port_vlan set_port_vlan;
        "QualityOfServiceMode" text quality_of_service_mode set_quality_of_service_mode;
        "QueueSize" value(u32) queue_size set_queue_size;
        "ThreadModeEnabled" value(bool) thread_mode set_thread_mode;
        "TrunkAdapters" list(TrunkAdapter in "TrunkAdapter")
            trunk_adapters push_trunk_adapter retain_trunk_adapters;
        /// Whether traffic runs through it while both are well.
        "IsPrimary" value(bool) is_primary set_is_primary;
        "IPInterface" child(IpInterface) ip_interface ip_interface_mut;
        /// Starts with `10`.
        "UniqueDeviceID" text udid set_udid;
        "LargeSend" value(bool) large_send set_large_send;
        "AddressToPing" text address_to_ping set_address_to_ping;
        "IIDPService" opaque;
        "ConfigurationState" @ "V1_3_0" value(ConfigurationState)
            configuration_state set_configuration_state;
    }
}

view! {
    /// What is behind a shared Ethernet adapter.
    pub struct BackingDeviceChoice = "BackingDeviceChoice" in Uom, bare, {
        "EthernetBackingDevice" child(EthernetBackingDevice) ethernet ethernet_mut;
    }
}

view! {
    /// A port that a shared Ethernet adapter sits on, or could.
    pub struct EthernetBackingDevice = "EthernetBackingDevice" in Uom {
        "AdapterID" text adapter_id set_adapter_id;
        "Description" text description set_description;
        /// `ent0` …
        "DeviceName" text device_name set_device_name;
        /// `physicalEthernetAdpter` (so spelled).
        "DeviceType" text device_type set_device_type;
        "DynamicReconfigurationConnectorName" text connector_name set_connector_name;
        "PhysicalLocation" text physical_location set_physical_location;
        /// Starts with `13`.
        "UniqueDeviceID" text udid set_udid;
        "IPInterface" child(IpInterface) ip_interface ip_interface_mut;
    }
}

view! {
    /// An IP interface on a device of a Virtual I/O Server.
    pub struct IpInterface = "IPInterface" in Uom {
        /// `en5` …
        "InterfaceName" text name set_name;
        "IPAddress" text ip_address set_ip_address;
        "SubnetMask" text subnet_mask set_subnet_mask;
        /// `Active`, `Inactive` or `Disconnected`.
        "State" text state set_state;
    }
}

view! {
    /// A virtual adapter that bridges: in a shared Ethernet adapter, in a load group or in the list of its server.
    pub struct TrunkAdapter = "TrunkAdapter" in Uom {
        "DynamicReconfigurationConnectorName" text connector_name set_connector_name;
        "LocationCode" text location_code set_location_code;
        /// Only in the list of a Virtual I/O Server.
        "LocalPartitionID" value(u32) local_partition_id set_local_partition_id;
        "RequiredAdapter" value(bool) required set_required;
        "VariedOn" value(bool) varied_on set_varied_on;
        "UseNextAvailableSlotID" value(bool) use_next_available_slot set_use_next_available_slot;
        "UseNextAvailableHighSlotID" value(bool)
            use_next_available_high_slot set_use_next_available_high_slot;
        "VirtualSlotNumber" value(u32) slot set_slot;
        "AllowedOperatingSystemMACAddresses" text allowed_mac_addresses set_allowed_mac_addresses;
        "Enabled" @ "V1_3_0" value(bool) enabled set_enabled;
        "MACAddress" text mac_address set_mac_address;
        "PortVLANID" value(u16) port_vlan set_port_vlan;
        "QualityOfServicePriorityEnabled" value(bool) quality_of_service_priority_enabled
            set_quality_of_service_priority_enabled;
        /// Numbers separated by white space; see [`tagged_vlan_ids`](TrunkAdapter::tagged_vlan_ids).
        "TaggedVLANIDs" text tagged_vlans set_tagged_vlans;
        "TaggedVLANSupported" value(bool) tagged_vlan_supported set_tagged_vlan_supported;
        /// One link; only in the list of a Virtual I/O Server.
        "AssociatedVirtualSwitch" links virtual_switch set_virtual_switch;
        "VirtualSwitchID" value(u32) virtual_switch_id set_virtual_switch_id;
        "DeviceName" text device_name set_device_name;
        "TrunkPriority" value(u32) trunk_priority set_trunk_priority;
    }
}

impl<E: std::borrow::Borrow<crate::xml::Element>> TrunkAdapter<E> {
    /// The tagged VLANs as numbers.
    ///
    /// # Errors
    /// When one is not a number below 65536.
    pub fn tagged_vlan_ids(&self) -> Result<Vec<u16>, crate::view::FieldError> {
        super::vlan_ids(self.0.borrow(), "TaggedVLANIDs")
    }
}
