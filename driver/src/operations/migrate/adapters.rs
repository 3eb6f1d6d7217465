//! Which Virtual I/O Server of the destination serves which adapter of the server that comes.

use std::collections::{BTreeMap, BTreeSet};

use super::data::{SourceBus, SourceDisk, SourcePort};
use crate::error::{Error, ErrorKind, Result};
use crate::host::Vios;
use crate::host::vios::FcPort;
use crate::volume::Wwpn;

/// An adapter, and the ports on its fabric.
type Wish<'a> = (&'a SourcePort, &'a [Wwpn]);

/// `VirtualFCMappings`, an item an adapter: `slot/server name/server number//port`.
///
/// Adapters that one Virtual I/O Server serves now are served by one again, each on its fabric, and by another one
/// than those that another one serves, as long as there are enough. Of an adapter on no fabric that both hosts know,
/// and where no fabrics are configured, the system chooses the port.
///
/// # Errors
/// A fabric on which the destination has no port left.
pub(super) fn fibre_channel(
    ports: &[SourcePort],
    vioses: &[Vios],
    fabrics: &BTreeMap<String, Vec<Wwpn>>,
) -> Result<Vec<String>> {
    let mut groups: Vec<(&str, Vec<Wish<'_>>)> = Vec::new();
    for port in ports {
        let Some(fabric) = port.fabric.as_deref().filter(|_| !fabrics.is_empty()) else {
            continue;
        };
        let Some(there) = fabrics.get(fabric) else {
            return Err(no_port(fabric));
        };
        match groups.iter_mut().find(|(vios, _)| *vios == port.vios) {
            Some((_, group)) => group.push((port, there)),
            None => groups.push((&port.vios, vec![(port, there)])),
        }
    }
    let mut taken = Taken::default();
    let mut used = BTreeSet::new();
    let mut mappings = Vec::new();
    for (_, group) in &groups {
        let mut order: Vec<&Vios> = vioses.iter().collect();
        order.sort_by_key(|vios| (used.contains(&vios.uuid), vios.id));
        let whole = order
            .iter()
            .find_map(|vios| taken.with(vios, group).map(|chosen| (*vios, chosen)));
        if let Some((vios, chosen)) = whole {
            used.insert(vios.uuid.clone());
            for ((port, _), there) in group.iter().zip(chosen) {
                taken.take(&there);
                mappings.push((port.slot, item(port.slot, vios, Some(&there.name))));
            }
            continue;
        }
        for (port, fabric) in group {
            let chosen = order.iter().find_map(|vios| {
                let chosen = taken.with(vios, &[(*port, *fabric)])?;
                Some((*vios, chosen.into_iter().next()?))
            });
            let Some((vios, there)) = chosen else {
                return Err(no_port(port.fabric.as_deref().unwrap_or_default()));
            };
            used.insert(vios.uuid.clone());
            taken.take(&there);
            mappings.push((port.slot, item(port.slot, vios, Some(&there.name))));
        }
    }
    mappings.sort();
    Ok(mappings.into_iter().map(|(_, item)| item).collect())
}

/// How many virtual ports have been given away in thought.
#[derive(Default)]
struct Taken(BTreeMap<Wwpn, u32>);

impl Taken {
    /// A port of this server for each adapter, or nothing.
    fn with(&self, vios: &Vios, group: &[Wish<'_>]) -> Option<Vec<FcPort>> {
        let mut taken = self.0.clone();
        let mut chosen = Vec::with_capacity(group.len());
        for (_, fabric) in group {
            let left = |port: &FcPort| {
                let gone = taken.get(&port.wwpn).copied().unwrap_or(0);
                port.available.saturating_sub(gone)
            };
            let ports = vios.ports.iter();
            let ports = ports.filter(|port| fabric.contains(&port.wwpn) && left(port) > 0);
            let best = ports.max_by_key(|port| (left(port), std::cmp::Reverse(port.wwpn)))?;
            *taken.entry(best.wwpn).or_default() += 1;
            chosen.push(best.clone());
        }
        Some(chosen)
    }

    fn take(&mut self, port: &FcPort) {
        *self.0.entry(port.wwpn).or_default() += 1;
    }
}

fn no_port(fabric: &str) -> Error {
    Error::operation(
        ErrorKind::Precondition,
        format!("the destination has no port left on the fabric {fabric}"),
        format!("check fabric_{fabric}_port_wwpns there, or choose another host"),
    )
}

fn item(slot: u32, vios: &Vios, port: Option<&str>) -> String {
    let id = vios.id.map_or_else(String::new, |id| id.to_string());
    match port {
        Some(port) => format!("{slot}/{}/{id}//{port}", vios.name),
        None => format!("{slot}/{}/{id}", vios.name),
    }
}

/// `VirtualSCSIMappings`, an item an adapter: `slot/server name/server number`.
///
/// An adapter goes to a Virtual I/O Server that is known to see everything behind it; two servers become two. Where
/// that is not known of all of them, or there are too few servers, the system chooses for all: it refuses what it
/// cannot serve.
pub(super) fn scsi(
    buses: &[SourceBus],
    vioses: &[Vios],
    sees: impl Fn(&Vios, &SourceDisk) -> bool,
) -> Vec<String> {
    let mut stands_in: BTreeMap<&str, &Vios> = BTreeMap::new();
    let mut mappings = Vec::new();
    // One whose media have been taken out has nothing behind it, and goes wherever.
    for bus in buses.iter().filter(|bus| !bus.disks.is_empty()) {
        let sees_all = |vios: &&Vios| bus.disks.iter().all(|disk| sees(vios, disk));
        let chosen = match stands_in.get(bus.vios.as_str()) {
            Some(vios) => Some(*vios).filter(sees_all),
            None => {
                let is_free =
                    |vios: &&Vios| !stands_in.values().any(|other| other.uuid == vios.uuid);
                vioses.iter().filter(is_free).find(sees_all)
            }
        };
        let Some(vios) = chosen else {
            return Vec::new();
        };
        stands_in.insert(&bus.vios, vios);
        mappings.push(item(bus.slot, vios, None));
    }
    mappings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::vios::samples::{vios, wwpn};

    fn port(slot: u32, vios: &str, fabric: &str) -> SourcePort {
        SourcePort {
            slot,
            vios: vios.to_owned(),
            fabric: Some(fabric.to_owned()),
            names: Vec::new(),
        }
    }

    fn fabrics() -> BTreeMap<String, Vec<Wwpn>> {
        let of = |numbers: &[u64]| numbers.iter().map(|number| wwpn(*number)).collect();
        BTreeMap::from([("A".to_owned(), of(&[1, 3])), ("B".to_owned(), of(&[2, 4]))])
    }

    #[test]
    fn what_one_server_serves_is_served_by_one_again() {
        let vioses = [vios(2, &[(1, 9), (2, 9)]), vios(3, &[(3, 9), (4, 9)])];
        let ports = [
            port(5, "X", "A"),
            port(6, "X", "B"),
            port(7, "Y", "A"),
            port(8, "Y", "B"),
        ];
        assert_eq!(
            fibre_channel(&ports, &vioses, &fabrics()).unwrap(),
            [
                "5/vios2/2//fcs1",
                "6/vios2/2//fcs2",
                "7/vios3/3//fcs3",
                "8/vios3/3//fcs4"
            ]
        );
    }

    #[test]
    fn where_one_cannot_serve_all_several_do_and_none_is_an_error() {
        let vioses = [vios(2, &[(1, 1)]), vios(3, &[(4, 1)])];
        let ports = [port(5, "X", "A"), port(6, "X", "B")];
        assert_eq!(
            fibre_channel(&ports, &vioses, &fabrics()).unwrap(),
            ["5/vios2/2//fcs1", "6/vios3/3//fcs4"]
        );
        let more = [port(5, "X", "A"), port(6, "Y", "A")];
        let error = fibre_channel(&more, &vioses, &fabrics()).unwrap_err();
        assert!(error.to_string().contains("fabric_A_port_wwpns"), "{error}");
        assert!(fibre_channel(&[port(5, "X", "C")], &vioses, &fabrics()).is_err());
        assert!(
            fibre_channel(&more, &vioses, &BTreeMap::new())
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn two_servers_become_two_that_see_everything() {
        let bus = |slot, vios: &str, disks| SourceBus {
            slot,
            vios: vios.to_owned(),
            disks,
        };
        let buses = [
            bus(4, "X", vec![SourceDisk::Unit]),
            bus(5, "Y", vec![SourceDisk::Unit]),
            bus(6, "X", Vec::new()),
        ];
        let vioses = [vios(2, &[]), vios(3, &[])];
        let all = |_: &Vios, disk: &SourceDisk| *disk == SourceDisk::Unit;
        assert_eq!(scsi(&buses, &vioses, all), ["4/vios2/2", "5/vios3/3"]);
        let late = |vios: &Vios, _: &SourceDisk| vios.id == Some(3);
        assert_eq!(scsi(&buses[..1], &vioses, late), ["4/vios3/3"]);
        assert!(scsi(&buses, &vioses, late).is_empty(), "the system chooses");
    }
}
