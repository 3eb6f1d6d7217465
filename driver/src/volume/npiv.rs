//! Ports of a server's own (NPIV): which it has on each fabric, and how that is kept for the instance.
//!
//! Zones are made for a server's port names, so once it has names they stay: through stop and start,
//! a failed attachment, another physical port behind them.

use std::collections::BTreeMap;

use super::wwpn::Wwpn;
use crate::host::Vios;

/// A pair of port names of a server, and the physical port behind it. The first name logs in; the
/// second takes over when the server moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PortPair {
    /// The physical port.
    pub(crate) port: Wwpn,
    /// The server's names.
    pub(crate) names: [Wwpn; 2],
}

/// Pairs in one value: a database keeps no more than 255 characters of it.
const PAIRS_A_VALUE: usize = 4;

fn ports_key(fabric: &str, number: usize) -> String {
    match number {
        0 => format!("npiv_adpt_wwpns_{fabric}"),
        number => format!("npiv_adpt_wwpns_{fabric}_{}", number + 1),
    }
}

fn state_key(fabric: &str) -> String {
    format!("fabric_state_{fabric}")
}

/// The pairs that are kept for a fabric. What cannot be read counts as none, as if it had been lost.
pub(crate) fn kept(metadata: &BTreeMap<String, String>, fabric: &str) -> Vec<PortPair> {
    let values = (0..).map_while(|number| metadata.get(&ports_key(fabric, number)));
    let names: Option<Vec<Wwpn>> = values
        .flat_map(|value| value.split(','))
        .filter(|name| !name.trim().is_empty())
        .map(|name| name.parse().ok())
        .collect();
    let names = names.unwrap_or_else(|| {
        tracing::warn!(fabric, "what is kept of the server's ports cannot be read");
        Vec::new()
    });
    let triples = names.chunks_exact(3).filter_map(|triple| match triple {
        [port, first, second] => Some(PortPair {
            port: *port,
            names: [*first, *second],
        }),
        _ => None,
    });
    triples.collect()
}

/// Keeps these pairs for a fabric instead of what was kept, and whether they are mapped. Keys are
/// matched as wholes: the name of a fabric may be the beginning of another's.
pub(crate) fn keep(
    metadata: &mut BTreeMap<String, String>,
    fabric: &str,
    pairs: &[PortPair],
    is_mapped: bool,
) {
    for number in 0.. {
        if metadata.remove(&ports_key(fabric, number)).is_none() {
            break;
        }
    }
    for (number, pairs) in pairs.chunks(PAIRS_A_VALUE).enumerate() {
        let names = pairs
            .iter()
            .flat_map(|pair| [pair.port, pair.names[0], pair.names[1]]);
        let names: Vec<String> = names.map(Wwpn::rest).collect();
        metadata.insert(ports_key(fabric, number), names.join(","));
    }
    let state = if is_mapped { "inst_mapped" } else { "unmapped" };
    metadata.insert(state_key(fabric), state.to_owned());
}

/// Physical ports of a fabric for this many pairs: the Virtual I/O Servers take turns, and each gives
/// the port that this server uses least and that has most left to lend. None if there are too few.
pub(crate) fn choose(vioses: &[&Vios], fabric: &[Wwpn], count: usize) -> Option<Vec<Wwpn>> {
    let mut used: BTreeMap<Wwpn, usize> = BTreeMap::new();
    let mut chosen = Vec::with_capacity(count);
    while chosen.len() < count {
        let before = chosen.len();
        for vios in vioses {
            if chosen.len() == count {
                break;
            }
            let times = |wwpn: &Wwpn| used.get(wwpn).copied().unwrap_or(0);
            let left = |port: &crate::host::vios::FcPort| {
                usize::try_from(port.available)
                    .unwrap_or(0)
                    .saturating_sub(times(&port.wwpn))
            };
            let ports = vios
                .ports
                .iter()
                .filter(|port| fabric.contains(&port.wwpn) && left(port) > 0);
            let best =
                ports.min_by_key(|port| (times(&port.wwpn), usize::MAX - left(port), port.wwpn));
            if let Some(port) = best {
                *used.entry(port.wwpn).or_default() += 1;
                chosen.push(port.wwpn);
            }
        }
        if chosen.len() == before {
            return None;
        }
    }
    Some(chosen)
}

/// The Virtual I/O Server that has this physical port, and what it calls it.
pub(crate) fn owner_of(vioses: &[Vios], port: Wwpn) -> Option<(&Vios, &str)> {
    vioses.iter().find_map(|vios| {
        let found = vios.ports.iter().find(|own| own.wwpn == port)?;
        Some((vios, found.name.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::vios::samples::{vios, wwpn};

    #[test]
    fn pairs_are_kept_in_short_values_and_read_back() {
        let pairs: Vec<PortPair> = (0..9)
            .map(|n| PortPair {
                port: wwpn(n),
                names: [wwpn(100 + n), wwpn(200 + n)],
            })
            .collect();
        let mut metadata = BTreeMap::from([
            ("npiv_adpt_wwpns_AB".to_owned(), "x".to_owned()),
            ("image_os_distro".to_owned(), "aix".to_owned()),
        ]);
        keep(&mut metadata, "A", &pairs, false);
        assert!(metadata.values().all(|value| value.len() <= 255));
        assert_eq!(kept(&metadata, "A"), pairs);
        keep(&mut metadata, "A", &pairs[..1], true);
        assert_eq!(kept(&metadata, "A"), pairs[..1]);
        assert_eq!(metadata["fabric_state_A"], "inst_mapped");
        assert_eq!(metadata["npiv_adpt_wwpns_AB"], "x", "another fabric's");
        assert!(!metadata.contains_key("npiv_adpt_wwpns_A_2"));
        assert!(kept(&metadata, "AB").is_empty() && kept(&metadata, "C").is_empty());
    }

    #[test]
    fn servers_take_turns_and_give_what_is_used_least() {
        let (one, two) = (vios(2, &[(1, 9), (2, 20)]), vios(3, &[(3, 5)]));
        let fabric = [wwpn(1), wwpn(2), wwpn(3)];
        let chosen = choose(&[&one, &two], &fabric, 4).unwrap();
        assert_eq!(chosen, [wwpn(2), wwpn(3), wwpn(1), wwpn(3)]);
        assert_eq!(choose(&[&two, &one], &fabric, 1).unwrap(), [wwpn(3)]);
        assert_eq!(choose(&[&one], &[wwpn(9)], 1), None);
        assert_eq!(choose(&[&vios(2, &[(1, 0)])], &fabric, 1), None);
        assert_eq!(choose(&[], &fabric, 1), None);
    }
}
