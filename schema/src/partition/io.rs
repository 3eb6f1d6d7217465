//! Adapters and slots of a partition.

use crate::view::view;

view! {
    /// Virtual slots, and the physical ones that the partition owns.
    pub struct PartitionIoConfiguration = "PartitionIOConfiguration" in Uom {
        "EthernetAdapterCapabilities" opaque;
        "HostChannelAdapters" opaque;
        "HighSpeedLinkOpticonnectPool" opaque;
        "MaximumVirtualIOSlots" value(u32) maximum_virtual_io_slots set_maximum_virtual_io_slots;
        "ProfileIOSlots" list(ProfileIoSlot in "ProfileIOSlot") slots push_slot retain_slots;
        "ProfileVirtualIOAdapters" opaque;
        "TaggedIO" child(TaggedIo) tagged_io tagged_io_mut;
        "VirtualOpticonnectPool" opaque;
        "CurrentMaximumVirtualIOSlots" value(u32)
            current_maximum_virtual_io_slots set_current_maximum_virtual_io_slots;
    }
}

view! {
    /// A physical slot in a partition's profile.
    pub struct ProfileIoSlot = "ProfileIOSlot" in Uom {
        "AssociatedIOSlot" child(IoSlot) slot slot_mut;
        "IsRequired" value(bool) is_required set_is_required;
    }
}

view! {
    /// A physical slot. The identifiers are PCI's, as decimal numbers; 65535 for an empty slot.
    pub struct IoSlot = "AssociatedIOSlot" in Uom {
        "BusGroupingRequired" value(bool) bus_grouping_required set_bus_grouping_required;
        "Description" text description set_description;
        "FeatureCodes" texts feature_codes push_feature_code;
        "IOUnitPhysicalLocation" text io_unit_physical_location set_io_unit_physical_location;
        "PartitionID" @ "V1_3_0" value(u32) partition_id set_partition_id;
        "PartitionUUID" @ "V1_6_0" text partition_uuid set_partition_uuid;
        "PartitionName" @ "V1_3_0" text partition_name set_partition_name;
        "PartitionType" @ "V1_3_0" text partition_type set_partition_type;
        "PCAdapterID" value(u32) adapter_id set_adapter_id;
        "PCIClass" value(u32) pci_class set_pci_class;
        "PCIDeviceID" value(u32) pci_device_id set_pci_device_id;
        "PCISubsystemDeviceID" value(u32) pci_subsystem_device_id set_pci_subsystem_device_id;
        "PCIManufacturerID" value(u32) pci_manufacturer_id set_pci_manufacturer_id;
        "PCIRevisionID" value(u32) pci_revision_id set_pci_revision_id;
        "PCIVendorID" value(u32) pci_vendor_id set_pci_vendor_id;
        "PCISubsystemVendorID" value(u32) pci_subsystem_vendor_id set_pci_subsystem_vendor_id;
        "RelatedIBMiIOSlot" opaque;
        "RelatedIOAdapter" child(RelatedIoAdapter) related_io_adapter related_io_adapter_mut;
        "SlotDynamicReconfigurationConnectorIndex" value(u64) connector_index set_connector_index;
        "SlotDynamicReconfigurationConnectorName" text connector_name set_connector_name;
        "SlotPhysicalLocationCode" text physical_location_code set_physical_location_code;
        "SRIOVCapableDevice" @ "V1_3_0" value(bool) sriov_capable_device set_sriov_capable_device;
        "SRIOVCapableSlot" @ "V1_3_0" value(bool) sriov_capable_slot set_sriov_capable_slot;
        "SRIOVLogicalPortsLimit" @ "V1_3_0" value(u32)
            sriov_logical_ports_limit set_sriov_logical_ports_limit;
        "IORDevices" opaque;
        "VitalProductDataModel" text vital_product_data_model set_vital_product_data_model;
        "VitalProductDataSerialNumber" text
            vital_product_data_serial_number set_vital_product_data_serial_number;
        "VitalProductDataType" text vital_product_data_type set_vital_product_data_type;
    }
}

view! {
    /// What sits in a slot: an adapter, or one with fibre channel ports.
    pub struct RelatedIoAdapter = "RelatedIOAdapter" in Uom, bare, {
        "IOAdapter" child(IoAdapter) io_adapter io_adapter_mut;
        "PhysicalFibreChannelAdapter" child(PhysicalFibreChannelAdapter)
            fibre_channel_adapter fibre_channel_adapter_mut;
    }
}

view! {
    /// A physical adapter.
    pub struct IoAdapter = "IOAdapter" in Uom {
        "AdapterID" value(u64) adapter_id set_adapter_id;
        "Description" text description set_description;
        "DeviceName" text device_name set_device_name;
        "DeviceType" @ "V1_3_0" text device_type set_device_type;
        "DynamicReconfigurationConnectorName" text connector_name set_connector_name;
        "PhysicalLocation" text physical_location set_physical_location;
        "UniqueDeviceID" text unique_device_id set_unique_device_id;
        "LogicalPartitionAssignmentCapable" @ "V1_2_0" value(bool)
            logical_partition_assignment_capable set_logical_partition_assignment_capable;
        "DynamicPartitionAssignmentCapable" @ "V1_3_0" value(bool)
            dynamic_partition_assignment_capable set_dynamic_partition_assignment_capable;
    }
}

view! {
    /// A physical fibre channel adapter.
    pub struct PhysicalFibreChannelAdapter = "PhysicalFibreChannelAdapter" in Uom extends IoAdapter as (adapter, adapter_mut) {
        "PhysicalFibreChannelPorts" list(PhysicalFibreChannelPort in "PhysicalFibreChannelPort")
            ports push_port retain_ports;
    }
}

view! {
    /// A port of a physical fibre channel adapter.
    pub struct PhysicalFibreChannelPort = "PhysicalFibreChannelPort" in Uom {
        "LocationCode" text location_code set_location_code;
        "PhysicalVolumes" opaque;
        /// `fcs0` …
        "PortName" text port_name set_port_name;
        /// `1a` and the location code.
        "UniqueDeviceID" text unique_device_id set_unique_device_id;
        /// 16 hexadecimal digits; servers differ in case.
        "WWPN" text wwpn set_wwpn;
        "WWNN" @ "V1_3_0" text wwnn set_wwnn;
        /// Virtual ports still free.
        "AvailablePorts" value(u32) available_ports set_available_ports;
        /// Virtual ports in all; 0 or absent on a port that cannot be virtualised.
        "TotalPorts" value(u32) total_ports set_total_ports;
    }
}

view! {
    /// Devices that IBM i needs to be told of.
    pub struct TaggedIo = "TaggedIO" in Uom {
        "AlternateConsole" text alternate_console set_alternate_console;
        "AlternateLoadSource" text alternate_load_source set_alternate_load_source;
        "Console" text console set_console;
        "LoadSource" text load_source set_load_source;
        "OperationsConsole" text operations_console set_operations_console;
    }
}
