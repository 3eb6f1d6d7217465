//! The parameters of `Migrate` and `MigrateValidate`.

use crate::model::job::Job;

/// What a migration is asked for. Lists are comma-joined in one parameter (`docs/protocol/mobility.md`).
#[derive(
    serde::Serialize, serde::Deserialize, schemars::JsonSchema, Clone, Debug, Default, PartialEq, Eq,
)]
pub struct Options {
    /// `TargetManagedSystemName`
    pub target: String,
    /// `TargetRemoteHMCIPAddress`: the console of the target, if it is another one.
    pub console: Option<String>,
    /// `TargetRemoteHMCUserID`
    pub user: Option<String>,
    /// `DestinationLparID`
    pub partition_id: Option<u16>,
    /// `SharedProcPoolID`
    pub processor_pool: Option<u8>,
    /// `sharedProcessorPoolName` of `RemoteRestart`
    #[serde(default)]
    pub processor_pool_name: Option<String>,
    /// `VirtualSCSIMappings`
    pub scsi: Vec<AdapterMapping>,
    /// `VirtualFCMappings`
    pub fibre_channel: Vec<AdapterMapping>,
    /// `VlanMappings`
    pub vlans: Vec<VlanMapping>,
    /// `VLANBridgeOverride`: VLANs need not be bridged on the target.
    pub vlan_bridge_override: bool,
    /// `OVSOverride`: Open vSwitch bridges need not be there on the target.
    pub ovs_override: bool,
}

/// Where a client adapter's server adapter goes: `slot/vios name/vios id[/[vios slot][/port]]`.
#[derive(
    serde::Serialize, serde::Deserialize, schemars::JsonSchema, Clone, Debug, PartialEq, Eq,
)]
pub struct AdapterMapping {
    /// The slot of the client adapter.
    pub client_slot: u16,
    /// The name of the Virtual I/O Server.
    pub vios_name: Option<String>,
    /// The `PartitionID` of the Virtual I/O Server.
    pub vios_id: Option<u16>,
    /// The slot of the server adapter.
    pub server_slot: Option<u16>,
    /// The Fibre Channel port.
    pub port: Option<String>,
}

/// VLANs that a network adapter has on the target: `MAC/PVID[/vlan vlan…]`.
#[derive(
    serde::Serialize, serde::Deserialize, schemars::JsonSchema, Clone, Debug, PartialEq, Eq,
)]
pub struct VlanMapping {
    /// The MAC address of the adapter.
    pub mac: u64,
    /// Its `PortVLANID` on the target.
    pub vlan: u16,
    /// Its `TaggedVLANIDs` on the target; unchanged if nothing was said.
    pub tagged: Option<Vec<u16>>,
}

/// The most items of a list; more is no sensible request.
const MOST_ITEMS: usize = 1024;

impl Options {
    /// Reads the parameters of a job.
    ///
    /// # Errors
    /// What is missing or cannot be read.
    pub fn read(job: &Job) -> Result<Self, String> {
        let word = |name: &str| {
            job.parameter(name)
                .map(str::trim)
                .filter(|text| !text.is_empty())
        };
        let target = word("TargetManagedSystemName")
            .ok_or("The parameter TargetManagedSystemName is missing.")?;
        for name in ["SourceMSPIPaddr", "DestMSPIPaddr"] {
            let mut addresses = word(name).into_iter().flat_map(|list| list.split(','));
            if addresses.any(|text| text.trim().parse::<std::net::IpAddr>().is_err()) {
                return Err(format!("The parameter {name} holds no IP address."));
            }
        }
        let lifted = |name: &str| word(name).is_some_and(|level| level != "0" && level != "false");
        Ok(Self {
            target: target.to_owned(),
            console: word("TargetRemoteHMCIPAddress").map(str::to_owned),
            user: word("TargetRemoteHMCUserID").map(str::to_owned),
            partition_id: number(word("DestinationLparID"), "DestinationLparID")?,
            processor_pool: number(word("SharedProcPoolID"), "SharedProcPoolID")?,
            processor_pool_name: None,
            scsi: items(word("VirtualSCSIMappings"), adapter_mapping)?,
            fibre_channel: items(word("VirtualFCMappings"), adapter_mapping)?,
            vlans: items(word("VlanMappings"), vlan_mapping)?,
            vlan_bridge_override: lifted("VLANBridgeOverride"),
            ovs_override: lifted("OVSOverride"),
        })
    }
}

pub(super) fn number<T: std::str::FromStr>(
    text: Option<&str>,
    name: &str,
) -> Result<Option<T>, String> {
    text.map(|text| {
        text.parse()
            .map_err(|_| format!("The parameter {name} holds no number."))
    })
    .transpose()
}

pub(super) fn items<T>(list: Option<&str>, read: fn(&str) -> Option<T>) -> Result<Vec<T>, String> {
    let Some(list) = list else {
        return Ok(Vec::new());
    };
    let parts = list
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    let read = |part: &str| {
        read(part).ok_or_else(|| {
            let part: String = part.chars().take(60).collect();
            format!("The mapping {part} cannot be read.")
        })
    };
    parts.take(MOST_ITEMS).map(read).collect()
}

/// The first two slashes are there in any case; a name or an id has to be.
pub(super) fn adapter_mapping(text: &str) -> Option<AdapterMapping> {
    let mut parts = text.split('/').map(str::trim);
    let client_slot = parts.next()?.parse().ok()?;
    let vios_name = parts.next()?;
    let vios_id = parts.next()?;
    let server_slot = parts.next().unwrap_or_default();
    let port = parts.next().unwrap_or_default();
    if parts.next().is_some() || (vios_name.is_empty() && vios_id.is_empty()) {
        return None;
    }
    let optional = |text: &str| -> Option<Option<u16>> {
        if text.is_empty() {
            Some(None)
        } else {
            text.parse().ok().map(Some)
        }
    };
    let word = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Some(AdapterMapping {
        client_slot,
        vios_name: word(vios_name),
        vios_id: optional(vios_id)?,
        server_slot: optional(server_slot)?,
        port: word(port),
    })
}

fn vlan_mapping(text: &str) -> Option<VlanMapping> {
    let mut parts = text.split('/').map(str::trim);
    let mac = parts.next()?;
    let vlan = parts.next()?.parse().ok()?;
    let tagged = match parts.next() {
        None => None,
        Some(list) => Some(
            list.split_ascii_whitespace()
                .map(|vlan| vlan.parse().ok())
                .collect::<Option<Vec<u16>>>()?,
        ),
    };
    let good = mac.len() == 12 && parts.next().is_none();
    let mac = u64::from_str_radix(mac, 16).ok().filter(|_| good)?;
    Some(VlanMapping { mac, vlan, tagged })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adapters_name_their_server_by_name_or_number() {
        let mapping = adapter_mapping("4//1/14/fcs0").unwrap();
        assert_eq!((mapping.client_slot, mapping.vios_id), (4, Some(1)));
        assert_eq!(
            (mapping.server_slot, mapping.port.as_deref()),
            (Some(14), Some("fcs0"))
        );
        let mapping = adapter_mapping("12/vios1//16").unwrap();
        assert_eq!(
            (mapping.vios_name.as_deref(), mapping.server_slot),
            (Some("vios1"), Some(16))
        );
        assert_eq!(adapter_mapping("3/v/").unwrap().server_slot, None);
        for text in [
            "",
            "4",
            "4/v",
            "4//",
            "x/v/1",
            "4/v/x",
            "4/v/1/2/3/4",
            "70000/v/1",
        ] {
            assert_eq!(adapter_mapping(text), None, "{text}");
        }
    }

    #[test]
    fn vlans_may_have_tags() {
        let mapping = vlan_mapping("001122334455/12").unwrap();
        assert_eq!(
            (mapping.mac, mapping.vlan, mapping.tagged),
            (0x0011_2233_4455, 12, None)
        );
        let mapping = vlan_mapping("AABBCCDDEEFF/12/13 14").unwrap();
        assert_eq!(mapping.tagged, Some(vec![13, 14]));
        for text in [
            "",
            "0011/1",
            "001122334455",
            "001122334455/x",
            "001122334455/1/x",
            "0g1122334455/1",
        ] {
            assert_eq!(vlan_mapping(text), None, "{text}");
        }
    }
}
