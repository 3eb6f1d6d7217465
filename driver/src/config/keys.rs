//! Every key of the `[powervm]` group: its name, its values, what it means.
//!
//! Defaults are those of [`Config::default`](super::Config). A test holds the table of `docs/configure.md` against this
//! one, line by line.

use toml::Value;

use super::Config;
use super::kind::Kind;
use super::volumes::fabric_of;

/// A key of the `[powervm]` group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Key {
    /// Its name. That of the one whose name has a part of its own: `fabric_<name>_port_wwpns`.
    pub name: &'static str,
    /// The values that it takes.
    pub kind: Kind,
    /// What happens without it, where the default is empty.
    pub unset: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// Whether it is taken and has no effect; `meaning` says why.
    pub is_idle: bool,
}

impl Key {
    /// The key of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        KEYS.iter().find(|key| {
            key.name == name
                || key.name == PORTS && fabric_of(name).is_some_and(|it| !it.is_empty())
        })
    }

    /// Its default, as the documentation has it.
    #[must_use]
    pub fn default_in_words(&self, defaults: &toml::Table) -> String {
        match defaults.get(self.name) {
            Some(Value::String(text)) if !text.is_empty() => format!("`{text}`"),
            Some(value) if !value.is_str() => value.to_string(),
            _ => self.unset.to_owned(),
        }
    }

    /// Its line in the table of `docs/configure.md`.
    #[must_use]
    pub fn documented(&self, defaults: &toml::Table) -> String {
        let default = self.default_in_words(defaults);
        format!(
            "| `{}` | {} | {default} | {} |",
            self.name, self.kind, self.meaning
        )
    }
}

impl Config {
    /// All keys that have a value, with it.
    #[must_use]
    pub fn table(&self) -> toml::Table {
        let mut table = match Value::try_from(self) {
            Ok(Value::Table(table)) => table,
            _ => toml::Table::new(),
        };
        for (fabric, ports) in &self.volumes.fabric_ports {
            let ports: Vec<String> = ports.iter().map(ToString::to_string).collect();
            let key = super::volumes::key_of(fabric);
            table.insert(key, Value::String(ports.join(",")));
        }
        table
    }
}

const PORTS: &str = "fabric_<name>_port_wwpns";

const fn key(name: &'static str, kind: Kind, meaning: &'static str) -> Key {
    Key {
        name,
        kind,
        unset: "",
        meaning,
        is_idle: false,
    }
}

const fn unset(key: Key, unset: &'static str) -> Key {
    Key { unset, ..key }
}

const fn idle(key: Key) -> Key {
    Key {
        is_idle: true,
        ..key
    }
}

const fn whole(least: u64, most: u64, unit: &'static str) -> Kind {
    let most = Some(most);
    Kind::Whole { least, most, unit }
}

const fn from(least: u64, unit: &'static str) -> Kind {
    let most = None;
    Kind::Whole { least, most, unit }
}

/// Every key of the `[powervm]` group, in the order of the documentation.
pub const KEYS: &[Key] = &[
    key(
        "disk_driver",
        Kind::Choice(&["localdisk", "ssp"]),
        "where boot disks live",
    ),
    unset(
        key(
            "volume_group_name",
            Kind::Text("text"),
            "volume group of the boot disks; of the Virtual I/O Servers that have one of that name the first is taken",
        ),
        "none; needed for `localdisk`",
    ),
    unset(
        key(
            "cluster_name",
            Kind::Text("text"),
            "cluster of the shared storage pool",
        ),
        "the only cluster",
    ),
    unset(
        key(
            "managed_system",
            Kind::Text("name or UUID"),
            "system to manage, where a console has several",
        ),
        "the only system",
    ),
    key(
        "proc_units_factor",
        Kind::Fraction {
            least: 0.05,
            most: 1.0,
        },
        "processing units for each virtual processor of a flavor that names none",
    ),
    key(
        "uncapped_proc_weight",
        whole(1, 255, ""),
        "weight of an uncapped partition whose flavor names none",
    ),
    key(
        "vopt_media_volume_group",
        Kind::Name("text"),
        "volume group that gets a media repository where no Virtual I/O Server has one",
    ),
    key(
        "vopt_media_rep_size",
        whole(1, u32::MAX as u64, "GB"),
        "size of that repository",
    ),
    key(
        "remove_vopt_media_on_boot",
        Kind::Flag,
        "whether the config drive is taken out of the guest after its first start",
    ),
    key(
        "remove_vopt_media_time",
        whole(0, u32::MAX as u64, "minutes"),
        "how long after",
    ),
    key(
        "use_rmc_mgmt_vif",
        Kind::Flag,
        "whether a partition gets an adapter on the switch `MGMTSWITCH`, if there is one",
    ),
    key(
        "use_rmc_ipv6_scheme",
        Kind::Flag,
        "whether the config drive tells the guest the link-local address of that adapter",
    ),
    key(
        "pvm_vswitch_for_novalink_io",
        Kind::Name("text"),
        "switch of the pairs of adapters that lead to Open vSwitch; made for the first of them",
    ),
    key(
        "announce_interfaces",
        Kind::Flag,
        "whether Neutron's agents on the host are told of interfaces that come and go, also with a server that moves here or comes back, by events with the provider `NOVA_PVM_VIF`",
    ),
    key(
        "vif_plugging_timeout",
        from(0, "seconds"),
        "how long Neutron may take to connect ports, where somebody listens to it; 0 does not wait",
    ),
    key(
        "vif_plugging_is_fatal",
        Kind::Flag,
        "whether a server whose ports are not connected is taken back; if not, nobody waits",
    ),
    key(
        "load_balance_vlan_across_veas",
        Kind::Flag,
        "whether VLANs of a network bridge are spread over as many trunk adapters as it can have, fifteen",
    ),
    key(
        "vios_active_wait_timeout",
        from(0, "seconds"),
        "longest wait at connect for Virtual I/O Servers whose RMC connection is not up; 0 waits 120 s, and 600 s for one that booted within the last hour",
    ),
    key(
        "image_wait_timeout",
        from(1, "seconds"),
        "longest wait for another host that uploads the same image",
    ),
    key(
        "image_marker_stale_after",
        from(60, "seconds"),
        "after how long without a change such an upload is reported as abandoned",
    ),
    key(
        "image_marker_takeover",
        Kind::Flag,
        "whether to remove an abandoned upload and start anew; see [decisions/image-cache.md](decisions/image-cache.md) before",
    ),
    key("max_uploads", whole(1, 16, ""), "uploads at the same time"),
    key(
        "shutdown_timeout",
        from(0, "seconds"),
        "how long a guest may take to shut down before its power is taken away; 0 takes it at once",
    ),
    key(
        "device_folder",
        Kind::Path("a folder"),
        "where disks are named by their identifiers, for snapshots; in another folder, files may stand for disks",
    ),
    key(
        "device_timeout",
        whole(1, 3600, "seconds"),
        "longest wait for a disk that was mapped to the management partition",
    ),
    key(
        "mkvterm",
        Kind::Path("a command"),
        "what opens consoles on the management partition of a NovaLink",
    ),
    key(
        "vnc_use_x509_auth",
        Kind::Flag,
        "whether the VNC repeater speaks TLS (VeNCrypt, x509None)",
    ),
    unset(
        key(
            "vnc_ca_certs",
            Kind::Path("a PEM file"),
            "with TLS, authorities one of which has to have signed the certificate that a client shows",
        ),
        "none; clients show none",
    ),
    unset(
        key(
            "vnc_server_cert",
            Kind::Path("a PEM file"),
            "the repeater's certificate, with those between it and its authority",
        ),
        "none; needed for TLS",
    ),
    unset(
        key(
            "vnc_server_key",
            Kind::Path("a PEM file"),
            "the key of that certificate; only its owner may read it",
        ),
        "none; needed for TLS",
    ),
    unset(
        key(
            "journal",
            Kind::Path("a file"),
            "where operations are written down, see [use.md](use.md#when-powervm-is-killed); no two processes may have it open, and nobody else may write into its folder",
        ),
        "one for each host in `$XDG_STATE_HOME/powervm`, by default `~/.local/state/powervm`",
    ),
    unset(
        key(
            "host_lock",
            Kind::Text("text"),
            "tells this system from others with the same serial number, as simulated ones have: drivers of one machine keep each other from a system [by its serial number](decisions/host-lock.md), and this text with it",
        ),
        "empty",
    ),
    key(
        "recovery_wait",
        whole(0, 600, "seconds"),
        "how long a recovery waits for what a killed process asked for last, which the server may make only now",
    ),
    key(
        "nvram_store",
        Kind::Choice(&["none", "file", "swift"]),
        "where slots and NVRAM of servers are kept outside of the host, see [decisions/slots.md](decisions/slots.md)",
    ),
    unset(
        key(
            "nvram_store_folder",
            Kind::Path("a folder"),
            "the folder, which all hosts have to reach that a server may be evacuated to",
        ),
        "none; needed for `file`",
    ),
    unset(
        key(
            "swift_auth_url",
            Kind::Text("a URL"),
            "Keystone's, with `/v3` or without",
        ),
        "none; needed for `swift`",
    ),
    key(
        "swift_auth_version",
        Kind::Name("`3`"),
        "version of Keystone's API",
    ),
    key("swift_username", Kind::Text("text"), "who logs on"),
    key(
        "swift_user_domain_name",
        Kind::Text("text"),
        "the domain of that user",
    ),
    unset(
        key(
            "swift_password_file",
            Kind::Path("a file"),
            "holds the password. The reference's `swift_password` is refused: others read configuration files",
        ),
        "none; needed for `swift`",
    ),
    key(
        "swift_project_name",
        Kind::Text("text"),
        "the project that the container belongs to",
    ),
    key(
        "swift_project_domain_name",
        Kind::Text("text"),
        "the domain of that project",
    ),
    key(
        "swift_container",
        Kind::Name("text"),
        "the container, made when it is needed",
    ),
    key(
        "swift_endpoint_type",
        Kind::Name("`publicURL`, `internalURL`, `adminURL`"),
        "which of the catalogue's URLs of `object-store`",
    ),
    unset(
        key(
            "swift_storage_url",
            Kind::Text("a URL"),
            "Swift's URL with the account",
        ),
        "the catalogue's",
    ),
    unset(
        key(
            "swift_cacert",
            Kind::Path("a PEM file"),
            "authority behind the certificates of Keystone and Swift",
        ),
        "the system's",
    ),
    unset(
        key(
            "host",
            Kind::Text("text"),
            "the name under which storage keeps this host's ports",
        ),
        "the system's name",
    ),
    key(
        "fc_attach_strategy",
        Kind::Choice(&["vscsi", "npiv"]),
        "whether Virtual I/O Servers serve Fibre Channel volumes as disks, or servers have ports of their own",
    ),
    key(
        "vscsi_vios_connections_required",
        whole(1, u32::MAX as u64, ""),
        "how many Virtual I/O Servers have to find a Fibre Channel volume",
    ),
    key("fabrics", Kind::Names, "the fabrics, for `npiv`"),
    unset(
        key(
            PORTS,
            Kind::Ports,
            "the Virtual I/O Servers' ports on a fabric",
        ),
        "none; needed for `npiv`",
    ),
    key(
        "ports_per_fabric",
        whole(1, 8, ""),
        "ports that a server has on each fabric",
    ),
    key(
        "volume_use_multipath",
        Kind::Flag,
        "whether Cinder is asked for all ways to a volume, and iSCSI targets are logged on to by all of them",
    ),
    key(
        "iscsi_iface",
        Kind::Name("text"),
        "interface that iSCSI discovery goes through",
    ),
    unset(
        key(
            "rbd_user",
            Kind::Text("text"),
            "user that Ceph images are opened as",
        ),
        "the server's own choice",
    ),
    idle(unset(
        key(
            "image_meta_local_path",
            Kind::Path("a folder"),
            "taken without effect, as by the drivers for OpenStack: a config drive is made in memory and goes straight to its Virtual I/O Server",
        ),
        "none",
    )),
    idle(unset(
        key(
            "fc_npiv_adapter_api",
            Kind::Class("nova_powervm.virt.powervm.volume."),
            "taken without effect: the adapters are built in, and Python classes of anybody else cannot be loaded",
        ),
        "none",
    )),
    idle(unset(
        key(
            "fc_vscsi_adapter_api",
            Kind::Class("nova_powervm.virt.powervm.volume."),
            "the same",
        ),
        "none",
    )),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_has_each_key_as_it_is() {
        let text = include_str!("../../../docs/configure.md");
        let defaults = Config::default().table();
        let wanted: Vec<String> = KEYS.iter().map(|key| key.documented(&defaults)).collect();
        let from = text.find("| key | values | default | meaning |").unwrap();
        let rows = text[from..].lines().skip(2);
        let found: Vec<&str> = rows.take_while(|line| line.starts_with('|')).collect();
        for line in &wanted {
            assert!(
                found.contains(&line.as_str()),
                "docs/configure.md lacks:\n{line}"
            );
        }
        for line in &found {
            assert!(
                wanted.iter().any(|it| it == line),
                "no key of the driver's:\n{line}"
            );
        }
        assert_eq!(found, wanted, "the order differs");
    }

    #[test]
    fn each_value_of_the_configuration_has_a_key_and_fits_it() {
        let table = Config::default().table();
        for (name, value) in &table {
            let key = Key::find(name).unwrap_or_else(|| panic!("{name} has no key"));
            assert_eq!(key.kind.wrong(value), None, "{name}");
            assert!(!key.is_idle, "{name}");
        }
        for key in KEYS.iter().filter(|key| !key.is_idle && key.name != PORTS) {
            assert!(
                table.contains_key(key.name),
                "{} is read by nobody",
                key.name
            );
        }
    }

    #[test]
    fn the_ports_of_each_fabric_have_one_key() {
        assert_eq!(Key::find("fabric_A_port_wwpns").unwrap().name, PORTS);
        assert!(Key::find("fabric__port_wwpns").is_none());
        assert!(Key::find("fabric_port_wwpns").is_none());
    }
}
