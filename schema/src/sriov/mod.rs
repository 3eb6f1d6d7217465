//! SR-IOV: adapters that are shared in hardware, their ports, and virtual NICs on top of them.

mod port;
mod vnic;

pub use port::{LogicalPortUsage, SriovEthernetLogicalPort, SriovPhysicalPort, SriovSpeed};
pub use vnic::{
    BackingDeviceStatus, VirtualNicBackingDevice, VirtualNicBackingDeviceChoice,
    VirtualNicDedicated, VirtualNicDetails,
};

use crate::view::{spelled, view};

spelled! {
    /// Whether an adapter is shared.
    pub enum SriovAdapterMode {
        Sriov = "Sriov",
        Dedicated = "Dedicated",
        ForceDedicated = "ForceDedicated",
        Unknown = "unknown",
    }
}

spelled! {
    /// What an adapter is doing.
    pub enum SriovAdapterState {
        Initializing = "Initializing",
        NotConfigured = "NotConfigured",
        PoweredOff = "PoweredOff",
        PoweringOff = "PoweringOff",
        Running = "Running",
        Dumping = "Dumping",
        Failed = "Failed",
        Missing = "Missing",
        Mismatch = "PCIEIDMismatch",
    }
}

spelled! {
    /// Which bounds of capacity the logical ports of an adapter may have.
    pub enum SriovPersonality {
        NoQos = "NO_QOS",
        MinCapacity = "MIN_CAPACITY",
        MaxMinCapacity = "MAX_MIN_CAPACITY",
        Unknown = "UNKNOWN",
    }
}

view! {
    /// One of the adapters of a system; they are shown within its I/O configuration only.
    pub struct IoAdapterChoice = "IOAdapterChoice" in Uom, bare, {
        "SRIOVAdapter" child(SriovAdapter) sriov sriov_mut;
        "IOAdapter" opaque;
    }
}

view! {
    /// An SR-IOV adapter. One that is not in the mode `Sriov` has neither number nor ports.
    pub struct SriovAdapter = "SRIOVAdapter" in Uom {
        /// The index of its slot.
        "AdapterID" value(u32) adapter_id set_adapter_id;
        "Description" text description set_description;
        "DeviceName" text device_name set_device_name;
        "DynamicReconfigurationConnectorName" text connector_name set_connector_name;
        "PhysicalLocation" text physical_location set_physical_location;
        /// From 1; by it logical ports and virtual NICs name the adapter.
        "SRIOVAdapterID" value(u16) id set_id;
        "AdapterState" value(SriovAdapterState) state set_state;
        "AdapterMode" value(SriovAdapterMode) mode set_mode;
        "Personality" value(SriovPersonality) personality set_personality;
        "ConvergedEthernetPhysicalPorts"
            list(SriovPhysicalPort in "SRIOVConvergedNetworkAdapterPhysicalPort")
            converged_ports push_converged_port retain_converged_ports;
        "EthernetLogicalPorts" links logical_ports set_logical_ports;
        "EthernetPhysicalPorts" list(SriovPhysicalPort in "SRIOVEthernetPhysicalPort")
            ethernet_ports push_ethernet_port retain_ethernet_ports;
        "SRIOVRoCEPhysicalPorts" list(SriovPhysicalPort in "SRIOVRoCEPhysicalPort")
            roce_ports push_roce_port retain_roce_ports;
        "IsFunctional" value(bool) functional set_functional;
        "MaximumHugeDMALogicalPorts" value(u32)
            maximum_huge_dma_logical_ports set_maximum_huge_dma_logical_ports;
        "MaximumLogicalPortsSupported" value(u32) maximum_logical_ports set_maximum_logical_ports;
        "UnconfiguredLogicalPorts" list(SriovUnconfiguredLogicalPort in "SRIOVUnconfiguredLogicalPort")
            unconfigured_logical_ports push_unconfigured_logical_port
            retain_unconfigured_logical_ports;
    }
}

view! {
    /// A logical port that nobody has.
    pub struct SriovUnconfiguredLogicalPort = "SRIOVUnconfiguredLogicalPort" in Uom {
        "DynamicReconfigurationConnectorIndex" value(u32) connector_index set_connector_index;
        "DynamicReconfigurationConnectorName" text connector_name set_connector_name;
        "LocationCode" text location_code set_location_code;
    }
}
