//! The system and its Virtual I/O Servers.

use powervm_schema::system::{ManagedSystem, SystemState};

use super::Diagnosis;
use crate::config::{Config, FcStrategy};
use crate::host::{System, Vios};
use crate::rest::{Groups, Session};

/// The system, if it can be told which.
pub(super) async fn system(
    session: &Session,
    config: &Config,
    diagnosis: &mut Diagnosis,
) -> Option<System> {
    let found = System::find(session, &config.managed_system).await;
    let system = diagnosis.needed("system", found)?;
    let path = format!("ManagedSystem/{}", system.uuid);
    let entry = diagnosis.needed("system", session.get_entry(&path, Groups::None).await)?;
    let described = format!("{} ({})", system.name, system.machine);
    let remedy = "bring the system to the state operating, or standby";
    match ManagedSystem(&entry.content).state().ok().flatten() {
        Some(SystemState::Operating) => diagnosis.good("system", format!("{described}, operating")),
        Some(SystemState::Standby) => {
            let found =
                format!("{described} is in standby: its partitions run, new ones start with it");
            diagnosis.odd("system", found, remedy);
        }
        Some(state) => diagnosis.stop("system", format!("{described} is {state}"), remedy),
        None => diagnosis.unknown("system", format!("{described} tells no state"), remedy),
    }
    let (room, block) = (&system.room, system.limits.memory_block_mb);
    let left = format!(
        "{} MB of {} MB, in blocks of {block} MB, and {} of {} processing units are free",
        room.memory_mb, system.total.memory_mb, room.proc_units, system.total.proc_units
    );
    if room.memory_mb < block || room.proc_units.as_f64() < config.proc_units_factor {
        diagnosis.stop("room", left, "delete servers, or give the system more");
    } else {
        diagnosis.good("room", left);
    }
    Some(system)
}

/// The Virtual I/O Servers, and whether there are enough that work.
pub(super) async fn vioses(
    session: &Session,
    system: &System,
    config: &Config,
    diagnosis: &mut Diagnosis,
) -> Vec<Vios> {
    let read = Vios::all(session, &system.uuid).await;
    let Some(mut all) = diagnosis.needed("virtual I/O servers", read) else {
        return Vec::new();
    };
    all.sort_by(|a, b| a.name.cmp(&b.name));
    for vios in &all {
        let about = format!("virtual I/O server {}", vios.name);
        let found = format!("{}, RMC {}", vios.state, vios.rmc);
        if vios.is_active {
            diagnosis.good(about, found);
        } else {
            let remedy = "start it, and see that its RMC connection becomes active";
            diagnosis.odd(about, found, remedy);
        }
    }
    let active = all.iter().filter(|vios| vios.is_active).count();
    let required = usize::try_from(config.volumes.vscsi_vios_connections_required);
    if active == 0 {
        let remedy = "start one and see that its RMC connection becomes active";
        diagnosis.stop("virtual I/O servers", "none of them can work", remedy);
    } else if required.is_ok_and(|required| active < required) {
        let found = format!(
            "{active} can work, and vscsi_vios_connections_required wants {} to find each volume",
            config.volumes.vscsi_vios_connections_required
        );
        diagnosis.odd("virtual I/O servers", found, "start more of them");
    } else if active == 1 {
        let found = "one can work: servers lose their disks while it restarts";
        let remedy = "have two, for disks and networks that survive the restart of one";
        diagnosis.odd("virtual I/O servers", found, remedy);
    }
    ports(&all, config, diagnosis);
    all
}

/// The ports of the fabrics, when servers are to have ports of their own.
fn ports(vioses: &[Vios], config: &Config, diagnosis: &mut Diagnosis) {
    if config.volumes.fc_attach_strategy != FcStrategy::Npiv {
        return;
    }
    let active = || vioses.iter().filter(|vios| vios.is_active);
    for (fabric, wwpns) in config.volumes.npiv_fabrics() {
        let about = format!("fabric {fabric}");
        let ports = || active().flat_map(|vios| &vios.ports);
        let known: Vec<_> = ports().filter(|port| wwpns.contains(&port.wwpn)).collect();
        let free: u32 = known.iter().map(|port| port.available).sum();
        let found = format!(
            "{} of {} ports are on servers that can work, with room for {free} more",
            known.len(),
            wwpns.len()
        );
        if known.is_empty() || free < config.volumes.ports_per_fabric {
            let remedy =
                format!("correct fabric_{fabric}_port_wwpns, or start the servers that have them");
            diagnosis.stop(about, found, &remedy);
        } else if known.len() < wwpns.len() {
            diagnosis.odd(about, found, "start the servers that have the others");
        } else {
            diagnosis.good(about, found);
        }
    }
}
