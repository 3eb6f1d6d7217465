//! One round of the agent: what servers need is compared with what the bridges carry.

use std::collections::{BTreeMap, BTreeSet};

use super::due::Scope;
use super::{AgentBridge, AgentRound, NetworkAgent, WantedPort};
use crate::error::{Error, ErrorKind, Result};
use crate::network::bridge::Bridge;
use crate::operations::bridge::{BridgeRef, ClientAdapter, Prune};
use crate::operations::control::Control;
use crate::partition::PartitionUuid;

/// A bridge of a physical network, and what is wanted of it.
struct Target {
    bridge: Bridge,
    networks: BTreeSet<String>,
    wanted: BTreeSet<u16>,
    /// What ports want of it, which stays although no adapter may have it yet.
    ports: BTreeSet<u16>,
}

impl NetworkAgent {
    pub(super) async fn round(&mut self, scope: &Scope, control: &Control) -> Result<AgentRound> {
        let heals = *scope == Scope::Heal;
        let mut round = AgentRound {
            heals,
            ..AgentRound::default()
        };
        if !std::mem::replace(&mut self.has_swept, true) && !control.is_dry_run() {
            match self.driver.sweep_trunks().await {
                Ok(swept) => round.swept = swept.len(),
                Err(error) => {
                    self.has_swept = false;
                    return Err(error);
                }
            }
        }
        let ports = tokio::select! {
            ports = self.ports.ports() => ports?,
            () = control.stopped() => {
                return Err(Error::Cancelled { what: "the agent's round".to_owned() });
            }
        };
        let owners = match scope {
            Scope::Adapters(Some(partitions)) => partitions
                .iter()
                .map(|uuid| format!("LogicalPartition/{}", PartitionUuid::of_instance(*uuid)))
                .collect(),
            _ => self.driver.partition_paths().await?,
        };
        let adapters = self.driver.client_adapters(owners).await?;
        let bridges = self.driver.read_bridges().await?;
        let mut targets = self.targets(&bridges, &mut round.problems).await?;
        want_ports(
            &self.options.bridges,
            &ports,
            &mut targets,
            &mut round.problems,
        );
        want_adapters(&adapters, &bridges, &mut targets, &mut round.problems);
        for target in targets {
            let done = self.settle(target, heals, control, &mut round.problems);
            round.bridges.push(done.await?);
        }
        if heals {
            let sriov = self.driver.sriov().await?;
            round.problems.extend(sriov.problems);
            self.compare(&round.problems.clone());
        } else {
            for problem in round.problems.difference(&self.problems) {
                tracing::warn!("{problem}");
            }
            self.problems.extend(round.problems.iter().cloned());
        }
        Ok(round)
    }

    /// The bridges of the physical networks. One that is not there is a problem, and no reason to leave the others.
    async fn targets(
        &self,
        bridges: &[Bridge],
        problems: &mut BTreeSet<String>,
    ) -> Result<Vec<Target>> {
        let mut targets: Vec<Target> = Vec::new();
        for (network, reference) in self.options.bridges.iter() {
            let bridge = match self.driver.pick(&reference, bridges).await {
                Ok(bridge) => bridge,
                Err(error) if is_lasting(&error) => {
                    problems.insert(format!("the network '{network}' has no bridge: {error}"));
                    continue;
                }
                Err(error) => return Err(error),
            };
            let known = targets
                .iter_mut()
                .find(|one| one.bridge.uuid == bridge.uuid);
            match known {
                Some(target) => {
                    target.networks.insert(network.to_owned());
                }
                None => targets.push(Target {
                    bridge,
                    networks: [network.to_owned()].into(),
                    wanted: BTreeSet::new(),
                    ports: BTreeSet::new(),
                }),
            }
        }
        Ok(targets)
    }

    /// Bridges what is missing, and takes off what nobody needs.
    async fn settle(
        &self,
        target: Target,
        heals: bool,
        control: &Control,
        problems: &mut BTreeSet<String>,
    ) -> Result<AgentBridge> {
        let wanted = target.wanted.iter().copied();
        let missing: BTreeSet<u16> = wanted
            .filter(|vlan| !target.bridge.carries(*vlan))
            .collect();
        let reference = BridgeRef::Id(target.bridge.uuid.clone());
        let mut done = AgentBridge {
            bridge: target.bridge.uuid.clone(),
            networks: target.networks,
            wanted: target.wanted,
            provisioned: BTreeSet::new(),
            pruned: BTreeSet::new(),
        };
        if !missing.is_empty() {
            done.provisioned = self.bridge(&reference, missing, control, problems).await?;
        }
        if heals && self.options.prunes {
            let prune = Prune {
                keep: target.ports,
                limit: self.options.prune_limit,
            };
            match self.driver.prune(&reference, &prune, control).await {
                Ok(pruned) => done.pruned = pruned.removed,
                Err(error) if is_lasting(&error) => {
                    problems.insert(format!("VLANs of {} are not pruned: {error}", done.bridge));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    /// All at once; one after the other when one of them cannot be, so that it keeps no other.
    async fn bridge(
        &self,
        bridge: &BridgeRef,
        missing: BTreeSet<u16>,
        control: &Control,
        problems: &mut BTreeSet<String>,
    ) -> Result<BTreeSet<u16>> {
        match self.driver.provision(bridge, &missing, control).await {
            Ok(_) => return Ok(missing),
            Err(error) if !is_lasting(&error) => return Err(error),
            Err(_) => {}
        }
        let mut provisioned = BTreeSet::new();
        for vlan in missing {
            match self.driver.provision(bridge, &[vlan].into(), control).await {
                Ok(_) => {
                    provisioned.insert(vlan);
                }
                Err(error) if is_lasting(&error) => {
                    problems.insert(format!("VLAN {vlan} is not bridged: {error}"));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(provisioned)
    }
}

/// What somebody has to mend, so that trying again at once would change nothing.
fn is_lasting(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Precondition | ErrorKind::NoSpace | ErrorKind::Invalid | ErrorKind::NotFound
    )
}

fn want_ports(
    map: &crate::operations::bridge::BridgeMap,
    ports: &[WantedPort],
    targets: &mut [Target],
    problems: &mut BTreeSet<String>,
) {
    for port in ports {
        let network = &port.physical_network;
        match targets
            .iter_mut()
            .find(|target| target.networks.contains(network))
        {
            Some(target) => {
                target.wanted.insert(port.vlan);
                target.ports.insert(port.vlan);
            }
            // One whose bridge is not there has been told of.
            None if map.bridge_of(network).is_some() => {}
            None => {
                problems.insert(format!(
                    "nobody says which bridge the network '{network}' is on, so its VLANs are not bridged"
                ));
            }
        }
    }
}

/// An adapter tells its switch, and not the physical network: where several bridges of the switch could take its VLAN
/// and none does, nobody knows which one is to.
fn want_adapters(
    adapters: &[ClientAdapter],
    bridges: &[Bridge],
    targets: &mut [Target],
    problems: &mut BTreeSet<String>,
) {
    let mut lines: BTreeMap<Option<u32>, BTreeSet<u16>> = BTreeMap::new();
    for adapter in adapters.iter().filter(|adapter| adapter.switch.is_some()) {
        lines
            .entry(adapter.switch)
            .or_default()
            .extend(&adapter.vlans);
    }
    for (switch, vlans) in lines {
        let there: Vec<&Bridge> = bridges.iter().filter(|one| one.switch == switch).collect();
        for vlan in vlans {
            let carrier = there.iter().find(|bridge| bridge.carries(vlan));
            let is_possible = |target: &&mut Target| match carrier {
                Some(bridge) => target.bridge.uuid == bridge.uuid,
                None => target.bridge.switch == switch,
            };
            let mut possible: Vec<&mut Target> = targets.iter_mut().filter(is_possible).collect();
            match possible.as_mut_slice() {
                [] => {}
                [target] => {
                    target.wanted.insert(vlan);
                }
                // A port has said which one it is.
                several if several.iter().any(|target| target.ports.contains(&vlan)) => {}
                _ => {
                    problems.insert(format!(
                        "an adapter has VLAN {vlan}, which several bridges of its switch could carry, and nobody says which"
                    ));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::bridge::Group;

    fn bridge(uuid: &str, switch: u32, tagged: &[u16]) -> Bridge {
        Bridge {
            uuid: uuid.to_owned(),
            switch: Some(switch),
            port_vlan: 1,
            control_channel: None,
            load_balancing: false,
            failover: false,
            groups: vec![Group {
                port_vlan: 1,
                tagged: tagged.iter().copied().collect(),
            }],
            members: Vec::new(),
        }
    }

    fn target(bridge: &Bridge, network: &str) -> Target {
        Target {
            bridge: bridge.clone(),
            networks: [network.to_owned()].into(),
            wanted: BTreeSet::new(),
            ports: BTreeSet::new(),
        }
    }

    fn adapter(switch: u32, vlan: u16) -> ClientAdapter {
        ClientAdapter {
            switch: Some(switch),
            vlans: [vlan].into(),
        }
    }

    fn port(network: &str, vlan: u16) -> WantedPort {
        WantedPort {
            id: None,
            physical_network: network.to_owned(),
            vlan,
        }
    }

    #[test]
    fn ports_name_their_network_and_adapters_their_switch() {
        let bridges = [
            bridge("a", 0, &[5]),
            bridge("b", 0, &[]),
            bridge("c", 1, &[]),
        ];
        let mut targets = vec![
            target(&bridges[0], "one"),
            target(&bridges[1], "two"),
            target(&bridges[2], "three"),
        ];
        let map = "one:e:v,two:f:v,three:g:v,gone:h:v".parse().unwrap();
        let mut problems = BTreeSet::new();
        let ports = [port("two", 9), port("gone", 4), port("other", 4)];
        want_ports(&map, &ports, &mut targets, &mut problems);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems.iter().any(|text| text.contains("'other'")));
        let adapters = [
            adapter(0, 5),
            adapter(0, 9),
            adapter(1, 7),
            adapter(2, 8),
            adapter(0, 6),
        ];
        want_adapters(&adapters, &bridges, &mut targets, &mut problems);
        let wanted: Vec<Vec<u16>> = targets
            .iter()
            .map(|target| target.wanted.iter().copied().collect())
            .collect();
        assert_eq!(wanted, [vec![5], vec![9], vec![7]]);
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(
            problems.iter().any(|text| text.contains("VLAN 6")),
            "{problems:?}"
        );
    }
}
