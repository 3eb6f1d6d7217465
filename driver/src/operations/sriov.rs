//! The SR-IOV ports of the host and how they are.

use std::collections::{BTreeMap, BTreeSet};

use powervm_schema::sriov::{SriovAdapter, SriovAdapterMode, SriovAdapterState, SriovPhysicalPort};
use powervm_schema::system::ManagedSystem;
use powervm_schema::xml::Element;
use serde::Serialize;

use super::driver::Driver;
use crate::error::Result;
use crate::network::sriov::DEFAULT_NETWORK;
use crate::rest::Groups;

/// The SR-IOV adapters of a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SriovInfo {
    /// Where the ports of each physical network are, by the ports' labels: those of adapters that can be used.
    pub networks: BTreeMap<String, BTreeSet<String>>,
    /// Every physical port.
    pub ports: Vec<SriovPortInfo>,
    /// What is not as it should be, in words.
    pub problems: Vec<String>,
}

/// A physical port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SriovPortInfo {
    /// Number of its adapter; none of one that is not shared.
    pub adapter: Option<u16>,
    /// `Sriov`, `Dedicated` …
    pub mode: String,
    /// What its adapter is doing: `Running` …
    pub state: String,
    /// Its number on the adapter.
    pub port: Option<u16>,
    /// Where it is.
    pub location: String,
    /// Its label: the physical network. None is the network `default`.
    pub label: Option<String>,
    /// Whether it has a link.
    pub link: bool,
    /// What is given away of it: `4.0%`.
    pub allocated: Option<String>,
    /// How many logical ports it has.
    pub logical_ports: Option<u16>,
    /// How many it may have.
    pub logical_ports_limit: Option<u16>,
    /// Whether virtual NICs can be put on it now.
    pub usable: bool,
}

impl Driver {
    /// The SR-IOV ports, read now.
    ///
    /// # Errors
    /// Those of the request.
    pub async fn sriov(&self) -> Result<SriovInfo> {
        let path = format!("ManagedSystem/{}", self.shared.system.uuid);
        let entry = self.session().get_entry(&path, Groups::None).await?;
        let io = ManagedSystem(&entry.content).io();
        let mut info = SriovInfo {
            networks: BTreeMap::new(),
            ports: Vec::new(),
            problems: Vec::new(),
        };
        for choice in io.iter().flat_map(|io| io.sriov_adapters()) {
            if let Some(adapter) = choice.sriov() {
                info.add(&adapter);
            }
        }
        info.ports.sort_by_key(|port| (port.adapter, port.port));
        Ok(info)
    }
}

impl SriovInfo {
    fn add(&mut self, adapter: &SriovAdapter<&Element>) {
        let mode = adapter.mode().ok().flatten();
        let state = adapter.state().ok().flatten();
        let place = adapter.physical_location().unwrap_or("an unknown place");
        let is_shared = mode == Some(SriovAdapterMode::Sriov);
        let is_running = state == Some(SriovAdapterState::Running);
        let mode = mode.map(|mode| mode.to_string()).unwrap_or_default();
        let state = state.map_or_else(|| "unknown".to_owned(), |state| state.to_string());
        if is_shared && !is_running {
            self.problems
                .push(format!("the shared adapter in {place} is {state}"));
        }
        let ports = adapter
            .converged_ports()
            .chain(adapter.ethernet_ports())
            .chain(adapter.roce_ports());
        for port in ports {
            let told = SriovPortInfo {
                adapter: adapter.id().ok().flatten(),
                mode: mode.clone(),
                state: state.clone(),
                ..port_of(&port)
            };
            let place = &told.location;
            if is_shared && is_running {
                if !told.link {
                    self.problems.push(format!("the port {place} has no link"));
                }
                if told.label.is_none() {
                    self.problems.push(format!(
                        "the port {place} has no label, so it is on the network '{DEFAULT_NETWORK}'"
                    ));
                }
                let network = told
                    .label
                    .clone()
                    .unwrap_or_else(|| DEFAULT_NETWORK.to_owned());
                self.networks
                    .entry(network)
                    .or_default()
                    .insert(place.clone());
            }
            self.ports.push(SriovPortInfo {
                usable: told.usable && is_shared && is_running,
                ..told
            });
        }
    }
}

fn port_of(port: &SriovPhysicalPort<&Element>) -> SriovPortInfo {
    let link = port.link_status().ok().flatten().unwrap_or(false);
    let logical_ports = port.configured_logical_ports().ok().flatten();
    let logical_ports_limit = port.configured_maximum_logical_ports().ok().flatten();
    let label = port
        .label()
        .map(str::trim)
        .filter(|label| !label.is_empty());
    SriovPortInfo {
        adapter: None,
        mode: String::new(),
        state: String::new(),
        port: port.id().ok().flatten(),
        location: port.location_code().unwrap_or_default().to_owned(),
        label: label.map(str::to_owned),
        link,
        allocated: port.allocated_capacity().map(str::to_owned),
        logical_ports,
        logical_ports_limit,
        usable: link && logical_ports.unwrap_or(0) < logical_ports_limit.unwrap_or(0),
    }
}
