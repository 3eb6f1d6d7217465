//! The management console, or the NovaLink partition in its place.

use super::MachineTypeModelAndSerialNumber;
use crate::view::view;

view! {
    /// The console, at `/rest/api/uom/ManagementConsole/<UUID>`.
    pub struct ManagementConsole = "ManagementConsole" in Uom {
        "MachineTypeModelAndSerialNumber" child(MachineTypeModelAndSerialNumber)
            machine machine_mut;
        "ManagedFrames" opaque;
        "ManagedSystems" links managed_systems set_managed_systems;
        "ManagementConsoleName" text name set_name;
        "NetworkInterfaces" list(ManagementConsoleNetworkInterface in "ManagementConsoleNetworkInterface")
            network_interfaces push_network_interface retain_network_interfaces;
        "TemplateObjectModelVersion" opaque;
        "UserObjectModelVersion" opaque;
        "VersionInfo" child(VersionInfo) version version_mut;
        "LocalVirtualIOServerImageNames" opaque;
        "WebObjectModelVersion" opaque;
        "PowerEnterprisePools" opaque;
        /// An OpenSSH public key; NovaLink only.
        "PublicSSHKey" @ "V1_3_0" text public_ssh_key set_public_ssh_key;
        /// OpenSSH public keys that may log on; NovaLink only.
        "AuthorizedKeys" @ "V1_3_0" text_list("AuthorizedKey") authorized_keys push_authorized_key;
        "BIOS" @ "V1_2_0" text bios set_bios;
        /// `V8R8.6.0`
        "BaseVersion" @ "V1_2_0" text base_version set_base_version;
        "Driver" opaque;
        "LicenseID" opaque;
        "LicenseFirstYear" opaque;
        "IFixDetails" opaque;
        "PublicSSHKeyValue" opaque;
        "AuthorizedKeysValue" opaque;
    }
}

view! {
    /// An address of the console.
    pub struct ManagementConsoleNetworkInterface = "ManagementConsoleNetworkInterface" in Uom {
        "InterfaceName" text name set_name;
        /// Addresses separated by spaces.
        "NetworkAddress" text address set_address;
    }
}

view! {
    /// The level of the console's software.
    pub struct VersionInfo = "VersionInfo" in Uom {
        "BuildLevel" text build_level set_build_level;
        "Maintenance" text maintenance set_maintenance;
        "Minor" text minor set_minor;
        "Release" text release set_release;
        "ServicePackName" text service_pack_name set_service_pack_name;
        "Version" text version set_version;
    }
}
