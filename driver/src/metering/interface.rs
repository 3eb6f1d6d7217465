//! What goes over the interfaces of a server.

use serde::Serialize;

use super::raw::{Adapter, Network, Partition};
use super::{growth, rate};
use crate::network::Mac;

/// What an interface is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InterfaceKind {
    /// A virtual Ethernet adapter.
    VirtualEthernet,
    /// An SR-IOV logical port.
    SriovPort,
}

/// What went over an interface, since the hypervisor counts it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InterfaceMeters {
    /// Its location code, which is its name here.
    pub name: String,
    /// What it is.
    pub kind: InterfaceKind,
    /// Its address; none for what has no adapter of that place.
    pub mac: Option<Mac>,
    /// Bytes received.
    pub rx_bytes: u64,
    /// Bytes sent.
    pub tx_bytes: u64,
    /// Packets received.
    pub rx_packets: u64,
    /// Packets sent.
    pub tx_packets: u64,
    /// Packets dropped, on either way: the hypervisor counts them together.
    pub dropped_packets: u64,
    /// Receptions that failed; the hypervisor counts them for SR-IOV ports only.
    pub rx_errors: Option<u64>,
    /// The same of what was sent.
    pub tx_errors: Option<u64>,
    /// Bytes received a second, between the two newest samples.
    pub rx_bytes_per_second: Option<f64>,
    /// Bytes sent a second.
    pub tx_bytes_per_second: Option<f64>,
}

/// The adapters of one kind.
type Adapters = fn(&Network) -> &Vec<Adapter>;

/// The place of an adapter without the port of it, which only some documents name: `U…-V5-C3` of `U…-V5-C3-T1`.
pub(crate) fn place_of(location: &str) -> &str {
    match location.rsplit_once("-T") {
        Some((place, port))
            if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            place
        }
        _ => location,
    }
}

/// All interfaces of a partition; none where the hypervisor tells of no network.
pub(super) fn all(
    partition: &Partition,
    before: Option<&Partition>,
    mac_at: &dyn Fn(&str) -> Option<Mac>,
    seconds: Option<f64>,
) -> Vec<InterfaceMeters> {
    let Some(network) = &partition.network else {
        return Vec::new();
    };
    let known = before.and_then(|before| before.network.as_ref());
    let kinds: [(InterfaceKind, Adapters); 2] = [
        (InterfaceKind::VirtualEthernet, |network| {
            &network.virtual_ethernet_adapters
        }),
        (InterfaceKind::SriovPort, |network| {
            &network.sriov_logical_ports
        }),
    ];
    let mut all = Vec::new();
    for (kind, adapters) in kinds {
        for adapter in adapters(network) {
            let place = place_of(&adapter.physical_location);
            let before = known.map(|network| {
                let mut known = adapters(network).iter();
                // One that was not there before has counted from nothing.
                known
                    .find(|other| place_of(&other.physical_location) == place)
                    .map_or((0, 0), |other| (other.received_bytes.0, other.sent_bytes.0))
            });
            let speed = |now: u64, before: Option<u64>| rate(growth(now, before?), seconds);
            let (received, sent) = (adapter.received_bytes.0, adapter.sent_bytes.0);
            all.push(InterfaceMeters {
                name: adapter.physical_location.clone(),
                kind,
                mac: mac_at(place),
                rx_bytes: received,
                tx_bytes: sent,
                rx_packets: adapter.received_packets.0,
                tx_packets: adapter.sent_packets.0,
                dropped_packets: adapter.dropped_packets.0,
                rx_errors: adapter.error_in.map(|count| count.0),
                tx_errors: adapter.error_out.map(|count| count.0),
                rx_bytes_per_second: speed(received, before.map(|(received, _)| received)),
                tx_bytes_per_second: speed(sent, before.map(|(_, sent)| sent)),
            });
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(adapters: &str) -> Partition {
        let text = format!(r#"{{"network": {{"virtualEthernetAdapters": {adapters}}}}}"#);
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn rates_need_two_samples_with_a_network() {
        let now = partition(
            r#"[{"physicalLocation": "U-V2-C3", "receivedBytes": 900, "sentBytes": 5},
                {"physicalLocation": "U-V2-C4", "receivedBytes": 60}]"#,
        );
        let before =
            partition(r#"[{"physicalLocation": "U-V2-C3", "receivedBytes": 600, "sentBytes": 9}]"#);
        let mac: Mac = "fa:16:3e:00:00:01".parse().unwrap();
        let mac_at = |place: &str| (place == "U-V2-C3").then_some(mac);
        let found = all(&now, Some(&before), &mac_at, Some(30.0));
        assert_eq!((found[0].mac, found[1].mac), (Some(mac), None));
        assert_eq!(found[0].rx_bytes_per_second, Some(10.0));
        // A counter that was set back has no rate, one that is new has counted from nothing.
        assert_eq!(found[0].tx_bytes_per_second, None);
        assert_eq!(found[1].rx_bytes_per_second, Some(2.0));
        assert_eq!(found[0].rx_errors, None);
        let alone = all(&now, Some(&Partition::default()), &mac_at, Some(30.0));
        assert_eq!(alone[0].rx_bytes_per_second, None);
        assert!(all(&Partition::default(), Some(&before), &mac_at, None).is_empty());
    }

    #[test]
    fn places_have_no_port() {
        assert_eq!(
            place_of("U8247.22L.2125D4A-V5-C3-T1"),
            "U8247.22L.2125D4A-V5-C3"
        );
        assert_eq!(
            place_of("U8247.22L.2125D4A-V5-C3"),
            "U8247.22L.2125D4A-V5-C3"
        );
        assert_eq!(place_of("U-TX"), "U-TX");
    }
}
