//! Virtual NICs on SR-IOV ports: which ports stand behind one, and the document that asks for it.

use std::collections::{BTreeMap, BTreeSet};

use powervm_schema::sriov::{
    SriovAdapter, SriovAdapterMode, SriovAdapterState, SriovPhysicalPort, VirtualNicBackingDevice,
    VirtualNicBackingDeviceChoice, VirtualNicDedicated,
};
use powervm_schema::xml::Element;

use super::interface::SriovWish;
use super::mac::Mac;
use crate::error::{Error, ErrorKind, Result};
use crate::rest::Flavor;

/// The label of a physical network that ports without a label are on.
pub(crate) const DEFAULT_NETWORK: &str = "default";
/// All of a port, in hundredths of a percent.
const WHOLE: u32 = 10_000;

/// A physical port that virtual NICs could stand on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Port {
    /// Number of its adapter.
    pub(crate) adapter: u16,
    /// Its number on the adapter.
    pub(crate) id: u16,
    /// The physical network that it is on.
    pub(crate) network: String,
    /// Its location.
    pub(crate) location: String,
    /// Whether it has a link.
    pub(crate) is_up: bool,
    /// What is given away of it, in hundredths of a percent.
    pub(crate) allocated: u32,
    /// The least share that it gives, in hundredths of a percent.
    pub(crate) granularity: u32,
    /// How many logical ports it can still have.
    pub(crate) free_ports: u16,
}

/// A Virtual I/O Server that could serve a virtual NIC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    /// Its UUID.
    pub(crate) uuid: String,
    /// Its address on the server, as documents refer to it.
    pub(crate) href: String,
}

/// A logical port behind a virtual NIC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Backing {
    /// The Virtual I/O Server.
    pub(crate) server: Server,
    /// The physical port.
    pub(crate) port: Port,
}

/// The ports of adapters that are shared and running.
pub(crate) fn ports_of(adapters: impl Iterator<Item = Element>) -> Vec<Port> {
    let mut ports = Vec::new();
    for element in adapters {
        let adapter = SriovAdapter(&element);
        let is_shared = adapter.mode().ok().flatten() == Some(SriovAdapterMode::Sriov);
        let is_running = adapter.state().ok().flatten() == Some(SriovAdapterState::Running);
        let Some(id) = adapter
            .id()
            .ok()
            .flatten()
            .filter(|_| is_shared && is_running)
        else {
            continue;
        };
        let all = adapter
            .converged_ports()
            .chain(adapter.ethernet_ports())
            .chain(adapter.roce_ports());
        ports.extend(all.filter_map(|port| port_of(id, &port)));
    }
    ports
}

fn port_of(adapter: u16, port: &SriovPhysicalPort<&Element>) -> Option<Port> {
    let number = |number: std::result::Result<Option<u16>, _>| number.ok().flatten().unwrap_or(0);
    let most = number(port.configured_maximum_logical_ports());
    let label = port
        .label()
        .map(str::trim)
        .filter(|label| !label.is_empty());
    Some(Port {
        adapter,
        id: port.id().ok().flatten()?,
        network: label.unwrap_or(DEFAULT_NETWORK).to_owned(),
        location: port.location_code().unwrap_or_default().to_owned(),
        is_up: port.link_status().ok().flatten().unwrap_or(false),
        allocated: hundredths(port.allocated_capacity().unwrap_or_default()).unwrap_or(WHOLE),
        granularity: hundredths(port.capacity_granularity().unwrap_or_default()).unwrap_or(0),
        free_ports: most.saturating_sub(number(port.configured_logical_ports())),
    })
}

impl Port {
    /// What the wish takes of it.
    fn share_of(&self, wish: &SriovWish) -> u32 {
        wish.capacity.unwrap_or(self.granularity)
    }

    /// It gives shares in steps.
    fn gives(&self, share: u32) -> bool {
        self.granularity == 0 || share.is_multiple_of(self.granularity)
    }
}

/// Takes what a virtual NIC is to have off the ports, so that the next one does not count on it.
pub(crate) fn take(ports: &mut [Port], backing: &Backing, wish: &SriovWish) {
    let is_it =
        |port: &&mut Port| (port.adapter, port.id) == (backing.port.adapter, backing.port.id);
    for port in ports.iter_mut().filter(is_it) {
        port.allocated += port.share_of(wish);
        port.free_ports = port.free_ports.saturating_sub(1);
    }
}

/// Hundredths of a percent in `2.0%`.
fn hundredths(text: &str) -> Option<u32> {
    let text = text.trim().trim_end_matches('%');
    let value: f64 = text.parse().ok()?;
    (0.0..=100.0)
        .contains(&value)
        .then(|| (value * 100.0).round() as u32)
}

/// Ports for a virtual NIC, one behind each of its backing devices.
///
/// Servers take turns in the order given. Each time the adapter is taken that stands behind least of
/// this NIC, and of it the port that most is left of. No port stands behind a NIC twice.
///
/// # Errors
/// No port is on the network; not enough ports have a link and room.
pub(crate) fn choose(wish: &SriovWish, ports: &[Port], servers: &[Server]) -> Result<Vec<Backing>> {
    let refused = |kind, what: String, remedy: &str| Err(Error::operation(kind, what, remedy));
    let network = &wish.network;
    let fitting: Vec<&Port> = ports
        .iter()
        .filter(|port| port.network == *network)
        .collect();
    if fitting.is_empty() {
        return refused(
            ErrorKind::Precondition,
            format!(
                "no SR-IOV port of a running, shared adapter is on the physical network '{network}'"
            ),
            "label a port with its name, or name another network",
        );
    }
    if let Some(share) = wish
        .capacity
        .filter(|share| !fitting.iter().any(|port| port.gives(*share)))
    {
        let step = fitting
            .iter()
            .map(|port| port.granularity)
            .min()
            .unwrap_or(0);
        return refused(
            ErrorKind::Invalid,
            format!(
                "no SR-IOV port on '{network}' gives a share of {}: they give multiples of {}",
                percent(share),
                percent(step)
            ),
            "ask for such a share",
        );
    }
    if servers.is_empty() {
        return refused(
            ErrorKind::Precondition,
            "no active Virtual I/O Server can serve virtual NICs".to_owned(),
            "start one that can, or ask for an interface of another type",
        );
    }
    let room = |port: &Port| {
        let share = port.share_of(wish);
        port.is_up && port.free_ports > 0 && port.gives(share) && port.allocated + share <= WHOLE
    };
    let mut taken: BTreeSet<(u16, u16)> = BTreeSet::new();
    let mut by_adapter: BTreeMap<u16, usize> = BTreeMap::new();
    let mut backing = Vec::new();
    for server in servers.iter().cycle().take(wish.redundancy.into()) {
        let free = fitting
            .iter()
            .filter(|port| room(port) && !taken.contains(&(port.adapter, port.id)));
        let used = |port: &Port| by_adapter.get(&port.adapter).copied().unwrap_or(0);
        let Some(port) =
            free.min_by_key(|port| (used(port), port.allocated, port.adapter, port.id))
        else {
            return refused(
                ErrorKind::NoSpace,
                format!(
                    "a virtual NIC on '{network}' needs {} SR-IOV ports with a link and room, and there are {}",
                    wish.redundancy,
                    backing.len()
                ),
                "ask for less redundancy or capacity, or see to the ports",
            );
        };
        taken.insert((port.adapter, port.id));
        *by_adapter.entry(port.adapter).or_default() += 1;
        backing.push(Backing {
            server: server.clone(),
            port: (*port).clone(),
        });
    }
    Ok(backing)
}

/// The document of a new virtual NIC. VLAN 0 is none.
pub(crate) fn document(
    flavor: Flavor,
    vlan: u16,
    mac: Option<Mac>,
    wish: &SriovWish,
    backing: &[Backing],
) -> VirtualNicDedicated {
    let mut nic = VirtualNicDedicated::new();
    match flavor {
        Flavor::NovaLink => nic.set_use_next_available_high_slot(true),
        Flavor::Hmc => nic.set_use_next_available_slot(true),
    };
    let mut details = nic.details_mut();
    details
        .set_port_vlan(vlan)
        .set_allowed_vlans("NONE")
        .set_allowed_mac_addresses("NONE");
    if let Some(mac) = mac {
        details.set_mac_address(mac.rest());
    }
    for device in backing {
        let mut choice = VirtualNicBackingDeviceChoice::new();
        let mut sriov: VirtualNicBackingDevice<&mut Element> = choice.sriov_mut();
        sriov
            .set_device_type("SRIOV")
            .set_virtual_io_server(&device.server.href)
            .set_adapter_id(device.port.adapter)
            .set_physical_port_id(device.port.id);
        if let Some(capacity) = wish.capacity {
            sriov.set_capacity(percent(capacity));
        }
        if let Some(most) = wish.max_capacity {
            sriov.set_maximum_capacity(percent(most));
        }
        nic.push_backing_device(choice);
    }
    nic
}

fn percent(hundredths: u32) -> String {
    format!("{:.2}%", f64::from(hundredths) / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(adapter: u16, id: u16, allocated: u32) -> Port {
        Port {
            adapter,
            id,
            network: "prod".to_owned(),
            location: String::new(),
            is_up: true,
            allocated,
            granularity: 200,
            free_ports: 4,
        }
    }

    fn servers(count: usize) -> Vec<Server> {
        (0..count)
            .map(|n| Server {
                uuid: n.to_string(),
                href: n.to_string(),
            })
            .collect()
    }

    fn wish(redundancy: u8) -> SriovWish {
        SriovWish {
            redundancy,
            ..SriovWish::on("prod")
        }
    }

    fn chosen(wish: &SriovWish, ports: &[Port], count: usize) -> Vec<(String, u16, u16)> {
        let backing = choose(wish, ports, &servers(count)).unwrap();
        backing
            .into_iter()
            .map(|one| (one.server.uuid, one.port.adapter, one.port.id))
            .collect()
    }

    #[test]
    fn adapters_and_servers_are_spread_and_the_emptiest_port_is_taken() {
        let ports = [
            port(1, 0, 0),
            port(1, 1, 100),
            port(2, 0, 300),
            port(2, 1, 200),
        ];
        let found = chosen(&wish(3), &ports, 2);
        let expected = [("0", 1, 0), ("1", 2, 1), ("0", 1, 1)];
        assert_eq!(
            found,
            expected.map(|(server, adapter, id)| (server.to_owned(), adapter, id))
        );
    }

    #[test]
    fn a_port_without_link_or_room_is_not_taken() {
        let down = Port {
            is_up: false,
            ..port(1, 0, 0)
        };
        let full = port(1, 1, 9_900);
        let crowded = Port {
            free_ports: 0,
            ..port(1, 2, 0)
        };
        let error = choose(&wish(1), &[down, full, crowded], &servers(1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoSpace, "{error}");
        let error = choose(&wish(2), &[port(1, 0, 0)], &servers(2)).unwrap_err();
        assert!(
            error.to_string().contains("needs 2") && error.to_string().contains("there are 1"),
            "{error}"
        );
    }

    #[test]
    fn shares_come_in_steps_and_what_is_taken_is_gone() {
        let mut ports = [port(1, 0, 9_600), port(2, 0, 9_800)];
        let odd = SriovWish {
            capacity: Some(300),
            ..wish(1)
        };
        let error = choose(&odd, &ports, &servers(1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(
            error.to_string().contains("3.00%") && error.to_string().contains("2.00%"),
            "{error}"
        );
        for expected in [1, 1, 2] {
            let backing = choose(&wish(1), &ports, &servers(1)).unwrap();
            assert_eq!(backing[0].port.adapter, expected);
            take(&mut ports, &backing[0], &wish(1));
        }
        let error = choose(&wish(1), &ports, &servers(1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoSpace);
    }

    #[test]
    fn a_network_without_ports_and_a_host_without_servers_are_told_apart() {
        let error = choose(&SriovWish::on("other"), &[port(1, 0, 0)], &servers(1)).unwrap_err();
        assert!(error.to_string().contains("'other'"), "{error}");
        let error = choose(&wish(1), &[port(1, 0, 0)], &[]).unwrap_err();
        assert!(error.to_string().contains("Virtual I/O Server"), "{error}");
    }

    #[test]
    fn shares_are_percentages() {
        assert_eq!(
            (
                hundredths("2.0%"),
                hundredths("100.0%"),
                hundredths("200"),
                hundredths("x")
            ),
            (Some(200), Some(10_000), None, None)
        );
        assert_eq!(percent(250), "2.50%");
    }
}
