//! Jobs that a driver had under way when it died: they may still be at work, and leave their records.

use std::collections::BTreeSet;

use powervm_schema::job::JobRequest;
use powervm_schema::xml::Element;

use super::extend::RESCAN;
use super::{find, forget, iscsi};
use crate::error::Result;
use crate::host::Vios;
use crate::operations::driver::Driver;
use crate::operations::jobs;
use crate::rest::Flavor;
use crate::volume::discovery::{self, INPUT};
use crate::volume::{Connection, Transport};

/// What tells that a job was about volumes of ours.
pub(in crate::operations) struct Traces<'t> {
    volumes: &'t [Connection],
    /// Names of disks.
    disks: BTreeSet<&'t str>,
    /// Their unique device identifiers.
    udids: BTreeSet<&'t str>,
}

impl<'t> Traces<'t> {
    /// Of these volumes, and of these disks: names and identifiers.
    pub(in crate::operations) fn of(
        volumes: &'t [Connection],
        disks: impl Iterator<Item = (&'t str, Option<&'t str>)>,
    ) -> Self {
        let mut traces = Self {
            volumes,
            disks: BTreeSet::new(),
            udids: volumes
                .iter()
                .filter_map(|volume| volume.target_udid.as_deref())
                .collect(),
        };
        for (name, udid) in disks {
            traces.disks.insert(name);
            traces.udids.extend(udid);
        }
        traces
    }

    /// Waits for jobs about them, and deletes their records.
    ///
    /// # Errors
    /// Those of the requests.
    pub(in crate::operations) async fn see_off(
        &self,
        driver: &Driver,
        vioses: &[Vios],
    ) -> Result<()> {
        if self.volumes.is_empty() && self.disks.is_empty() && self.udids.is_empty() {
            return Ok(());
        }
        let mut places: Vec<String> = vioses.iter().map(Vios::path).collect();
        if driver.session().flavor() == Flavor::Hmc {
            places.extend(forget::console(driver).await?);
        }
        for place in places {
            let is_ours = |request: &JobRequest<&Element>| self.names(request);
            jobs::see_off_at(driver.session(), &place, is_ours).await?;
        }
        Ok(())
    }

    fn names(&self, request: &JobRequest<&Element>) -> bool {
        let said = |name: &str| request.parameter(name).unwrap_or_default();
        let operation = request
            .requested_operation()
            .and_then(|requested| requested.operation());
        match operation {
            Some(find::RECOVERY) => {
                let input = said(INPUT);
                let asks = |volume: &Connection| match &volume.transport {
                    Transport::FibreChannel(volume) => discovery::asks_for(input, volume),
                    _ => false,
                };
                self.volumes.iter().any(asks) || self.udids.iter().any(|udid| input.contains(udid))
            }
            Some(iscsi::DISCOVERY | iscsi::REMOVAL) => {
                let targets = said("targetIQN");
                let mut ways = self
                    .volumes
                    .iter()
                    .flat_map(|volume| match &volume.transport {
                        Transport::Iscsi(target) => target.ways.as_slice(),
                        _ => &[],
                    });
                ways.any(|way| targets.contains(&way.iqn))
            }
            Some(RESCAN) => self.udids.contains(said("VirtualDiskUDID")),
            Some(forget::REMOVAL) => self.disks.contains(said("devName")),
            Some(forget::COMMAND) => {
                let command = said("cmd");
                let removes = |disk: &&str| command.contains(&format!("rmdev -dev {disk}\""));
                self.disks.iter().any(removes)
            }
            _ => false,
        }
    }
}
