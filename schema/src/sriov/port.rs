//! Physical and logical ports of SR-IOV adapters.

use crate::network::SwitchMode;
use crate::view::{spelled, view};

spelled! {
    /// The speed of a physical port.
    pub enum SriovSpeed {
        E10Mbps = "E10Mbps",
        E100Mbps = "E100Mbps",
        E1Gbps = "E1Gbps",
        E10Gbps = "E10Gbps",
        E40Gbps = "E40Gbps",
        E100Gbps = "E100Gbps",
        Auto = "Auto",
        Unknown = "Unknown",
    }
}

spelled! {
    /// What a logical port is for.
    pub enum LogicalPortUsage {
        NotVnic = "NOT_VNIC",
        DedicatedVnic = "DEDICATED_VNIC",
        SharedVnic = "SHARED_VNIC",
    }
}

view! {
    /// A physical port, `SRIOVEthernetPhysicalPort`, `SRIOVRoCEPhysicalPort` or
    /// `SRIOVConvergedNetworkAdapterPhysicalPort`; the last has elements for Fibre Channel besides.
    pub struct SriovPhysicalPort = "SRIOVEthernetPhysicalPort" in Uom {
        "ConfiguredConnectionSpeed" value(SriovSpeed) configured_speed set_configured_speed;
        "ConfiguredFlowControl" value(bool) configured_flow_control set_configured_flow_control;
        /// `E_1500` or `E_9000`.
        "ConfiguredMTU" text configured_mtu set_configured_mtu;
        "ConfiguredOptions" texts configured_options push_configured_option;
        "ConfiguredPortSwitchMode" value(SwitchMode)
            configured_switch_mode set_configured_switch_mode;
        "CurrentConnectionSpeed" value(SriovSpeed) current_speed set_current_speed;
        "CurrentOptions" texts current_options push_current_option;
        /// The physical network, by users' choice; empty is the default one.
        "Label" text label set_label;
        "LocationCode" text location_code set_location_code;
        "MaximumDiagnosticsLogicalPorts" value(u16)
            maximum_diagnostics_ports set_maximum_diagnostics_ports;
        "MaximumPromiscuousLogicalPorts" value(u16)
            maximum_promiscuous_ports set_maximum_promiscuous_ports;
        /// From 0 within its adapter.
        "PhysicalPortID" value(u16) id set_id;
        "PortCapabilities" texts capabilities push_capability;
        /// `Ethernet`, `RoCE` or `Cna`.
        "PortType" text port_type set_port_type;
        "PortLogicalPortLimit" value(u16) logical_port_limit set_logical_port_limit;
        "SubLabel" text sublabel set_sublabel;
        "SupportedConnectionSpeeds" texts supported_speeds push_supported_speed;
        "SupportedMTUs" texts supported_mtus push_supported_mtu;
        "SupportedOptions" texts supported_options push_supported_option;
        "SupportedPriorityAccessControlList" opaque;
        "LinkStatus" value(bool) link_status set_link_status;
        "DefaultPortVFConfigurationOption" opaque;
        "SelectedPortVFConfigurationOption" opaque;
        "SupportedPortVFConfigurationOptions" opaque;
        /// In percent, `2.0%`.
        "AllocatedCapacity" text allocated_capacity set_allocated_capacity;
        "ConfiguredMaxEthernetLogicalPorts" value(u16)
            configured_maximum_logical_ports set_configured_maximum_logical_ports;
        "ConfiguredEthernetLogicalPorts" value(u16)
            configured_logical_ports set_configured_logical_ports;
        "MaximumPortVLANID" value(u16) maximum_port_vlan set_maximum_port_vlan;
        "MaximumVLANID" value(u16) maximum_vlan set_maximum_vlan;
        /// In percent, `2.0%`; a console of 2022 wrote hundredths of it, `200`.
        "MinimumEthernetCapacityGranularity" text
            capacity_granularity set_capacity_granularity;
        "MinimumPortVLANID" value(u16) minimum_port_vlan set_minimum_port_vlan;
        "MinimumVLANID" value(u16) minimum_vlan set_minimum_vlan;
        "MaxSupportedEthernetLogicalPorts" value(u16)
            supported_maximum_logical_ports set_supported_maximum_logical_ports;
        "MaximumAllowedEthVLANs" opaque;
        "MaximumAllowedEthMACs" opaque;
        "SupportedVLANRestrictions" opaque;
        "SupportedMACRestrictions" opaque;
        "ConfiguredMaxFiberChannelOverEthernetLogicalPorts" opaque;
        "DefaultFiberChannelTargetsForBackingDevice" opaque;
        "DefaultFiberChannelTargetsForNonBackingDevice" opaque;
        "ConfiguredFiberChannelOverEthernetLogicalPorts" opaque;
        "MinimumFCoECapacityGranularity" opaque;
        "FiberChannelTargetsRoundingValue" opaque;
        "MaxSupportedFiberChannelOverEthernetLogicalPorts" opaque;
        "MaximumFiberChannelTargets" opaque;
    }
}

view! {
    /// A logical port, at `/rest/api/uom/LogicalPartition/<UUID>/SRIOVEthernetLogicalPort/<UUID>` or below a
    /// `VirtualIOServer`.
    pub struct SriovEthernetLogicalPort = "SRIOVEthernetLogicalPort" in Uom {
        "ConfigurationID" value(u32) configuration_id set_configuration_id;
        "LogicalPortID" value(u32) id set_id;
        /// The number of the SR-IOV adapter.
        "AdapterID" value(u16) adapter_id set_adapter_id;
        /// `PHB 4098` …
        "DynamicReconfigurationConnectorName" text connector_name set_connector_name;
        "IsFunctional" value(bool) functional set_functional;
        /// Whether it takes every frame; a bridge needs it (so spelled).
        "IsPromiscous" value(bool) promiscuous set_promiscuous;
        "IsDiagnostic" value(bool) diagnostic set_diagnostic;
        "IsDebug" value(bool) debug set_debug;
        "IsHugeDMA" value(bool) huge_dma set_huge_dma;
        "DeviceName" text device_name set_device_name;
        /// The least share of the physical port, in percent.
        "ConfiguredCapacity" text capacity set_capacity;
        /// The greatest share, in percent.
        "ConfiguredMaxCapacity" text maximum_capacity set_maximum_capacity;
        "PhysicalPortID" value(u16) physical_port_id set_physical_port_id;
        /// 0 is none.
        "PortVLANID" value(u16) port_vlan set_port_vlan;
        "LocationCode" text location_code set_location_code;
        "TuningBufferID" text tuning_buffer_id set_tuning_buffer_id;
        "VNICPortUsage" @ "V1_3_0" value(LogicalPortUsage) usage set_usage;
        "AssociatedLogicalPartitions" links partitions set_partitions;
        /// `ALL`, `NONE` or addresses.
        "AllowedMACAddresses" text allowed_mac_addresses set_allowed_mac_addresses;
        "MACAddress" text mac_address set_mac_address;
        "CurrentMACAddress" text current_mac_address set_current_mac_address;
        "IEEE8021QAllowablePriorities" text allowable_priorities set_allowable_priorities;
        "IEEE8021QPriority" text priority set_priority;
        "MACAddressFlags" opaque;
        "NumberOfAllowedVLANs" value(u16) number_of_allowed_vlans set_number_of_allowed_vlans;
        /// `ALL`, `NONE` or numbers.
        "AllowedVLANs" text allowed_vlans set_allowed_vlans;
    }
}
