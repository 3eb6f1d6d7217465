//! The two ends of a virtual storage bus.

use crate::partition::PhysicalFibreChannelPort;
use crate::view::{spelled, view};

spelled! {
    /// Which end of a bus an adapter is.
    pub enum AdapterType {
        Client = "Client",
        Server = "Server",
    }
}

view! {
    /// What both ends have in common.
    ///
    /// SCSI adapters name the other end `Remote…`, fibre channel adapters `Connecting…`.
    pub struct VirtualAdapter = "VirtualAdapter" in Uom {
        "AdapterType" value(AdapterType) adapter_type set_adapter_type;
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
        /// `vhost0`, `vfchost0`: the device on the Virtual I/O Server.
        "AdapterName" text name set_name;
        "BackingDeviceName" text backing_device_name set_backing_device_name;
        "RemoteBackingDeviceName" text remote_backing_device_name set_remote_backing_device_name;
        /// 65535 on a server adapter that any client may use.
        "RemoteLogicalPartitionID" value(u32) remote_partition_id set_remote_partition_id;
        "ConnectingPartition" href connecting_partition set_connecting_partition;
        "ConnectingPartitionID" value(u32) connecting_partition_id set_connecting_partition_id;
        /// 65535 on a server adapter that any client may use.
        "RemoteSlotNumber" value(u32) remote_slot set_remote_slot;
        "ConnectingVirtualSlotNumber" value(u32) connecting_slot set_connecting_slot;
        "ServerLocationCode" text server_location_code set_server_location_code;
        /// `1e` (SCSI) or `1d` (fibre channel) and the connector name.
        "UniqueDeviceID" text udid set_udid;
    }
}

view! {
    /// The partition's end.
    pub struct ClientAdapter = "ClientAdapter" in Uom extends VirtualAdapter as (adapter, adapter_mut) {
        "ServerAdapter" child(ServerAdapter) server_adapter server_adapter_mut;
        /// Two names of 16 hexadecimal digits, separated by a space; fibre channel only.
        "WWPNs" text wwpns set_wwpns;
        /// Whether its names are logged in to their fabrics, one a name; an HMC's.
        "NportLoggedInStatus" list(NportLoginStatus in "VirtualFibreChannelNPortLoginStatus")
            logins push_login retain_logins;
        "OperatingSystemDisks" opaque;
    }
}

view! {
    /// The Virtual I/O Server's end.
    pub struct ServerAdapter = "ServerAdapter" in Uom extends VirtualAdapter as (adapter, adapter_mut) {
        /// `fcs0` …; fibre channel only.
        "MapPort" text map_port set_map_port;
        "PhysicalPort" child(PhysicalFibreChannelPort) physical_port physical_port_mut;
    }
}

view! {
    /// Whether a name of a virtual fibre channel adapter is logged in to its fabric.
    pub struct NportLoginStatus = "VirtualFibreChannelNPortLoginStatus" in Uom {
        "WWPN" text wwpn set_wwpn;
        /// `Unknown` in all recordings.
        "WWPNStatus" text status set_status;
        "LoggedInBy" text logged_in_by set_logged_in_by;
        /// `MIG_PROP_DEFAULT_ENGLISH_MESSAGE=…, MIG_PROP_MESSAGE_ID=…` and so on.
        "StatusReason" text reason set_reason;
    }
}
