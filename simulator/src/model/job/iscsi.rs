//! `ISCSIDiscovery` and `ISCSIRemove`: logging on to iSCSI targets and off again (`docs/protocol/iscsi.md`).

use secrecy::ExposeSecret;
use std::net::IpAddr;
use std::sync::Arc;
use uuid::Uuid;

use super::Job;
use super::lifecycle::End;
use crate::clock::Millis;
use crate::model::resource::Owner;
use crate::model::san::{Access, IscsiAccess, SanVolume, discovered};
use crate::model::storage::{PhysicalVolume, Transport};
use crate::model::vios::VirtualIoServer;
use crate::model::world::World;

/// The most targets of one request.
const TARGETS: usize = 256;

/// `RETURN_CODE`, as the initiator's command line tool numbers them.
#[derive(serde::Serialize, serde::Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    Success = 0,
    Error = 1,
    Invalid = 7,
    Timeout = 8,
    SessionExists = 15,
    NoObjects = 21,
    HostNotFound = 23,
    LoginFailed = 24,
    OdmQuery = 27,
    NotSupported = 127,
}

/// One target as a job names it.
#[derive(Clone, Copy, Debug)]
struct Wanted<'a> {
    portal: &'a str,
    iqn: &'a str,
    lun: Option<u32>,
}

impl World {
    /// Without parameters the name of the initiator, else a logon to each target and a disk of its logical unit.
    pub(super) fn iscsi_discovery(&mut self, now: Millis, vios: Option<Uuid>, job: &Job) -> End {
        let server = match vios.map(|vios| self.ready_vios(vios)) {
            Some(Ok(server)) => server,
            Some(Err(refusal)) => return End::Failed(refusal.message),
            None => return End::Exception("The job needs a Virtual I/O Server.".to_owned()),
        };
        let Some(initiator) = server.iscsi.initiator.clone() else {
            return ended(Code::NotSupported, Vec::new());
        };
        if job.parameters.is_empty() {
            let name = ("InitiatorName".to_owned(), initiator);
            return ended(Code::Success, vec![name]);
        }
        let targets = match wanted(job, "hostIP") {
            Some(targets) if !targets.is_empty() => targets,
            _ => return ended(Code::Invalid, Vec::new()),
        };
        let several = job.is_set("multipath");
        if several && !self.may_discover(job, &initiator, &targets) {
            return ended(Code::LoginFailed, Vec::new());
        }
        let mut code = None;
        let mut lines: Vec<String> = Vec::new();
        for target in targets {
            let reached = self.reach(now, server.partition.uuid, &initiator, job, target);
            match reached {
                Ok((own, disk)) => {
                    lines.extend(
                        disk.map(|disk| format!("\"{} {} {}\"", target.iqn, disk.name, disk.udid)),
                    );
                    // With several ways one that works is enough, and a new session counts more than an old one.
                    code = match code {
                        Some(Code::Success) => code,
                        _ => Some(own),
                    };
                }
                Err(own) => code = code.or(Some(own)),
            }
        }
        let output = ("DEV_OUTPUT".to_owned(), format!("[{}]", lines.join(", ")));
        ended(code.unwrap_or(Code::Error), vec![output])
    }

    /// Logs on to one target. A session that is there already is told apart from a new one.
    fn reach(
        &mut self,
        now: Millis,
        vios: Uuid,
        initiator: &str,
        job: &Job,
        target: Wanted<'_>,
    ) -> Result<(Code, Option<Arc<PhysicalVolume>>), Code> {
        self.check_portal(target.portal)?;
        let volume = self.san.iscsi_volumes(target.iqn).next().map(Arc::clone);
        let volume = volume.ok_or(Code::NoObjects)?;
        let Access::Iscsi(access) = &volume.access else {
            return Err(Code::NoObjects);
        };
        if !may_log_on(access, initiator, job, ("user", "password")) {
            return Err(Code::LoginFailed);
        }
        let server = self.vioses.get(&vios).map(Arc::clone).ok_or(Code::Error)?;
        if is_stale(&server, access, &volume) {
            return Err(Code::OdmQuery);
        }
        let session = (target.iqn.to_owned(), target.portal.to_owned());
        let code = if server.iscsi.sessions.contains(&session) {
            Code::SessionExists
        } else {
            self.edit_vios(vios, |server, _| {
                server.iscsi.sessions.insert(session);
            });
            Code::Success
        };
        if target.lun.is_some_and(|lun| lun != access.lun) {
            return Ok((code, None));
        }
        let unit = server
            .fc_adapters
            .first()
            .map(|adapter| adapter.location.as_str());
        let unit = unit
            .and_then(|location| location.split("-P").next())
            .unwrap_or("U78CB.001");
        let disk = self.make_disk(now, vios, &volume, |name| {
            discovered::iscsi(name, &volume, access, unit)
        });
        Ok((code, disk))
    }

    /// Takes the disk of each target away, and logs off from it.
    pub(super) fn iscsi_remove(&mut self, now: Millis, vios: Option<Uuid>, job: &Job) -> End {
        let server = match vios.map(|vios| self.ready_vios(vios)) {
            Some(Ok(server)) => server,
            Some(Err(refusal)) => return End::Failed(refusal.message),
            None => return End::Exception("The job needs a Virtual I/O Server.".to_owned()),
        };
        if server.iscsi.initiator.is_none() {
            return ended(Code::NotSupported, Vec::new());
        }
        let Some(names) = job
            .parameter("targetIQN")
            .map(list)
            .filter(|names| !names.is_empty())
        else {
            return ended(Code::Invalid, Vec::new());
        };
        let portals = job.parameter("targetPORTAL").map(list).unwrap_or_default();
        if names.len() > TARGETS || portals.len() > TARGETS {
            return ended(Code::Invalid, Vec::new());
        }
        let gone: Vec<Arc<PhysicalVolume>> = server
            .physical_volumes
            .iter()
            .filter(|disk| matches!(&disk.transport, Transport::Iscsi { iqn, .. } if names.contains(&iqn.as_str())))
            .map(Arc::clone)
            .collect();
        let is_ended = |(iqn, portal): &(String, String)| {
            names.contains(&iqn.as_str())
                && (portals.is_empty() || portals.contains(&portal.as_str()))
        };
        let sessions: Vec<(String, String)> = server
            .iscsi
            .sessions
            .iter()
            .filter(|session| is_ended(session))
            .cloned()
            .collect();
        if gone.is_empty() && sessions.is_empty() {
            return ended(Code::NoObjects, Vec::new());
        }
        if self.forget_disks(&server, &gone).is_err() {
            return ended(Code::Error, Vec::new());
        }
        self.edit_vios(server.partition.uuid, |server, version| {
            for session in &sessions {
                server.iscsi.sessions.remove(session);
            }
            server.storage_version = version;
        });
        self.announce_partition(now, Owner::Vios(server.partition.uuid), "Other");
        ended(Code::Success, Vec::new())
    }

    /// Somebody has to listen at `address:port`.
    fn check_portal(&self, portal: &str) -> Result<(), Code> {
        let host = portal.rsplit_once(':').map_or(portal, |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if self.san.portals.iter().any(|own| own == portal) {
            Ok(())
        } else if host.parse::<IpAddr>().is_ok() {
            Err(Code::Timeout)
        } else {
            Err(Code::HostNotFound)
        }
    }

    /// With several ways the portals are asked for their targets first, which may need credentials of its own.
    fn may_discover(&self, job: &Job, initiator: &str, targets: &[Wanted<'_>]) -> bool {
        if job.parameter("discoveryAuth").is_none() {
            return true;
        }
        let mut volumes = targets
            .iter()
            .filter_map(|target| self.san.iscsi_volumes(target.iqn).next());
        volumes.all(|volume| match &volume.access {
            Access::Iscsi(access) => may_log_on(
                access,
                initiator,
                job,
                ("discoveryUser", "discoveryPassword"),
            ),
            _ => true,
        })
    }
}

/// Whether an initiator is let in with what it says of itself.
fn may_log_on(
    access: &IscsiAccess,
    initiator: &str,
    job: &Job,
    (user, password): (&str, &str),
) -> bool {
    match access.initiators.get(initiator) {
        None => false,
        Some(None) => true,
        Some(Some(chap)) => {
            let text = |name: &str| job.parameter(name).unwrap_or_default();
            text(user) == chap.user && text(password) == chap.password.expose_secret()
        }
    }
}

/// Whether the server still has a disk of another volume that was at this target before.
fn is_stale(server: &VirtualIoServer, access: &IscsiAccess, volume: &SanVolume) -> bool {
    server.physical_volumes.iter().any(|disk| {
        matches!(&disk.transport, Transport::Iscsi { iqn, .. } if *iqn == access.iqn)
            && !crate::model::san::discovery::is_disk_of(disk, volume)
    })
}

/// The targets that a job names: portals, names and units side by side. A single one stands for all.
fn wanted<'a>(job: &'a Job, portal: &str) -> Option<Vec<Wanted<'a>>> {
    let names = list(job.parameter("targetIQN")?);
    let portals = list(job.parameter(portal)?);
    let units = job.parameter("targetLUN").map(list).unwrap_or_default();
    let units: Vec<u32> = units
        .into_iter()
        .map(|unit| unit.parse().ok())
        .collect::<Option<_>>()?;
    let count = names.len().max(portals.len());
    let fits = |length: usize| length <= 1 || length == count;
    if count > TARGETS || !fits(names.len()) || !fits(portals.len()) || !fits(units.len()) {
        return None;
    }
    let targets = (0..count).filter_map(|number| {
        Some(Wanted {
            portal: portals.get(number).or(portals.first())?,
            iqn: names.get(number).or(names.first())?,
            lun: units.get(number).or(units.first()).copied(),
        })
    });
    Some(targets.collect())
}

/// `[a,b]`, or one value bare.
fn list(text: &str) -> Vec<&str> {
    let text = text.trim();
    let inside = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let parts = inside.unwrap_or(text).split(',').map(str::trim);
    parts.filter(|part| !part.is_empty()).collect()
}

/// A job that ends with this code; codes of failure fail it.
fn ended(code: Code, mut results: Vec<(String, String)>) -> End {
    results.insert(0, ("RETURN_CODE".to_owned(), (code as u8).to_string()));
    match code {
        Code::Success | Code::SessionExists | Code::NoObjects => {
            results.insert(0, ("result".to_owned(), String::new()));
            End::Ok(results)
        }
        _ => End::FailedWith(
            format!("The iSCSI command ended with return code {}.", code as u8),
            results,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::list;

    #[test]
    fn lists_are_bracketed_or_bare() {
        assert_eq!(list("[a,b]"), ["a", "b"]);
        assert_eq!(list(" a "), ["a"]);
        assert_eq!(list("[1:2::3]:3260"), ["[1:2::3]:3260"]);
        assert!(list("[]").is_empty() && list("").is_empty());
    }
}
