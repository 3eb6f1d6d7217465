//! Virtual NICs: interfaces of a partition that Virtual I/O Servers serve from SR-IOV logical ports.

use crate::view::{spelled, view};

spelled! {
    /// How a backing device does.
    pub enum BackingDeviceStatus {
        Operational = "OPERATIONAL",
        PoweredOff = "POWERED_OFF",
        LinkDown = "LINK_DOWN",
        NetworkError = "NETWORK_ERROR",
        Unresponsive = "UNRESPONSIVE",
        AdapterError = "ADAPTER_ERROR",
        Unknown = "UNKNOWN",
    }
}

view! {
    /// A virtual NIC, at `/rest/api/uom/LogicalPartition/<UUID>/VirtualNICDedicated/<UUID>`.
    pub struct VirtualNicDedicated = "VirtualNICDedicated" in Uom {
        "AdapterType" text adapter_type set_adapter_type;
        "DynamicReconfigurationConnectorName" text connector_name set_connector_name;
        "LocationCode" text location_code set_location_code;
        "LocalPartitionID" value(u32) local_partition_id set_local_partition_id;
        "RequiredAdapter" value(bool) required set_required;
        "VariedOn" value(bool) varied_on set_varied_on;
        "UseNextAvailableSlotID" value(bool) use_next_available_slot set_use_next_available_slot;
        "UseNextAvailableHighSlotID" value(bool)
            use_next_available_high_slot set_use_next_available_high_slot;
        "VirtualSlotNumber" value(u32) slot set_slot;
        "Enabled" value(bool) enabled set_enabled;
        "Details" child(VirtualNicDetails) details details_mut;
        "AssociatedBackingDevices"
            list(VirtualNicBackingDeviceChoice in "VirtualNICBackingDeviceChoice")
            backing_devices push_backing_device retain_backing_devices;
    }
}

view! {
    /// What a virtual NIC is to its partition.
    ///
    /// Addresses (`IPAddress`, `SubnetMask`, `Gateway`) are there only when the group `Advanced` was asked for, the
    /// device name only with `VNIC`.
    pub struct VirtualNicDetails = "Details" in Uom {
        /// 0 is none.
        "PortVLANID" value(u16) port_vlan set_port_vlan;
        "PortVLANIDPriority" value(u8) port_vlan_priority set_port_vlan_priority;
        /// `ALL`, `NONE` or numbers.
        "AllowedVLANIDs" text allowed_vlans set_allowed_vlans;
        "MACAddress" text mac_address set_mac_address;
        "IPAddress" @ "V1_6_0" text ip_address set_ip_address;
        "SubnetMask" @ "V1_6_0" text subnet_mask set_subnet_mask;
        "Gateway" @ "V1_6_0" text gateway set_gateway;
        /// `ALL`, `NONE` or addresses.
        "AllowedOperatingSystemMACAddresses" text allowed_mac_addresses set_allowed_mac_addresses;
        "OSDeviceName" text device_name set_device_name;
        /// `DEDICATED`
        "DesiredMode" text desired_mode set_desired_mode;
        "DesiredCapacityPercentage" text desired_capacity set_desired_capacity;
        /// Whether the device with the best priority takes over again when it is well.
        "AutoPriorityFailover" @ "V1_4_0" value(bool)
            auto_priority_failover set_auto_priority_failover;
    }
}

view! {
    /// One backing device of a virtual NIC.
    pub struct VirtualNicBackingDeviceChoice = "VirtualNICBackingDeviceChoice" in Uom, bare, {
        "VirtualNICSRIOVBackingDevice" child(VirtualNicBackingDevice) sriov sriov_mut;
    }
}

view! {
    /// A logical port of a Virtual I/O Server behind a virtual NIC.
    pub struct VirtualNicBackingDevice = "VirtualNICSRIOVBackingDevice" in Uom {
        /// `SRIOV`
        "DeviceType" text device_type set_device_type;
        "AssociatedVirtualIOServer" href virtual_io_server set_virtual_io_server;
        "AssociatedVirtualNICSwitch" opaque;
        /// Only in the list of a Virtual I/O Server.
        "AssociatedVirtualNICDedicated" href virtual_nic set_virtual_nic;
        "IsActive" @ "V1_4_0" value(bool) active set_active;
        "Status" @ "V1_4_0" value(BackingDeviceStatus) status set_status;
        /// 1 to 100; the lowest is preferred.
        "FailOverPriority" @ "V1_4_0" value(u8) failover_priority set_failover_priority;
        "BackingDeviceAction" text action set_action;
        "RelatedSRIOVAdapterID" value(u16) adapter_id set_adapter_id;
        /// In percent.
        "CurrentCapacityPercentage" text capacity set_capacity;
        /// In percent.
        "MaxCapacityPercentage" text maximum_capacity set_maximum_capacity;
        "RelatedSRIOVPhysicalPortID" value(u16) physical_port_id set_physical_port_id;
        "RelatedSRIOVLogicalPort" href logical_port set_logical_port;
        "DesiredCapacityPercentage" @ "V1_4_0" text desired_capacity set_desired_capacity;
        "DesiredMaxCapacityPercentage" @ "V1_4_0" text
            desired_maximum_capacity set_desired_maximum_capacity;
    }
}
