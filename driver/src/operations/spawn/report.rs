//! What a deploy tells of the server that it made.

use super::{Plan, Spawn};
use crate::error::Result;
use crate::host::Switch;
use crate::network::Attachment;
use crate::network::adapter::MANAGEMENT_VLAN;
use crate::operations::driver::path_of;
use crate::operations::list;
use crate::operations::server::{InterfaceInfo, Server, ServerSummary, StorageInfo};
use crate::partition::PowerState;
use crate::partition::sizing::Processors;
use crate::rest::Groups;

impl Spawn {
    /// The server as it is in the end. It is there even if it cannot be read now.
    ///
    /// # Errors
    /// None of a deploy that was carried out here.
    pub(super) async fn report(&self) -> Result<Server> {
        let plan = &self.order()?.plan;
        let path = path_of(plan.partition);
        let read = self
            .driver
            .session()
            .get_entry(&path, Groups::None)
            .await
            .and_then(|entry| list::sized(&entry));
        let mut server = read.unwrap_or_else(|error| {
            self.control
                .warn(format!("the new server could not be read: {error}"));
            self.planned(plan)
        });
        if let Ok((interfaces, management)) = self.addresses() {
            let info = |mac, vlan, switch: Option<&Switch>| InterfaceInfo {
                mac: Some(mac),
                vlan,
                switch: switch.map(|switch| switch.name.clone()),
                slot: None,
            };
            let planned = plan.interfaces.iter().zip(&interfaces);
            server.interfaces = planned
                .map(|(planned, is)| {
                    // The VLAN between an adapter and Open vSwitch is nobody's affair.
                    let vlan = match &is.interface.attachment {
                        Attachment::Ovs(_) => None,
                        _ => Some(is.interface.vlan),
                    };
                    info(is.mac, vlan, planned.switch.as_ref())
                })
                .collect();
            if let (Some(mac), Some(planned)) = (management, &plan.management) {
                server
                    .interfaces
                    .push(info(mac, Some(MANAGEMENT_VLAN), Some(&planned.switch)));
            }
        }
        server.storage = self.served();
        Ok(server)
    }

    fn planned(&self, plan: &Plan) -> Server {
        let Plan {
            partition,
            name,
            sizing,
            ..
        } = plan;
        let (vcpus, units) = match &sizing.processors {
            Processors::Shared { vcpus, units, .. } => {
                (vcpus.desired, Some(units.desired.as_f64()))
            }
            Processors::Dedicated { processors, .. } => (processors.desired, None),
        };
        Server {
            summary: ServerSummary {
                id: *partition,
                name: name.clone(),
                status: PowerState::Unknown,
                state: "Unknown".to_owned(),
                partition_id: self.note(|found| found.partition_id),
                rmc: "unknown".to_owned(),
            },
            memory_mb: sizing.memory.desired,
            vcpus,
            proc_units: units,
            reference_code: None,
            interfaces: Vec::new(),
            storage: Vec::new(),
        }
    }

    /// What was mapped, by the Virtual I/O Servers that serve it.
    fn served(&self) -> Vec<StorageInfo> {
        let mut served = Vec::new();
        let places = self.places().ok().flatten();
        for vios in &self.vioses {
            for wanted in self.wanted_of(vios, places.as_ref()) {
                served.push(list::storage_of(Some(wanted.mapped().clone()), &vios.name));
            }
        }
        served.sort();
        served
    }
}
