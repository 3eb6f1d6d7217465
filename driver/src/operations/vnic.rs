//! Virtual NICs of servers on SR-IOV ports.

use powervm_schema::sriov::VirtualNicDedicated;
use powervm_schema::system::ManagedSystem;

use super::driver::{Driver, path_of};
use super::plan::PlannedInterface;
use crate::error::{Error, ErrorKind, Result};
use crate::host::{Vios, VnicAbility};
use crate::network::adapter::Made;
use crate::network::sriov::{self, Server};
use crate::network::{Attachment, SriovWish};
use crate::partition::PartitionUuid;
use crate::rest::Groups;

/// Ports are chosen and taken one interface at a time, so that two do not count on the same room.
const TURN: &str = "SR-IOV ports";

/// That the host can serve those of the interfaces that are on SR-IOV ports, all of them, as it is now.
///
/// # Errors
/// What makes no sense, what the system or its Virtual I/O Servers cannot do, a port that is missing; those of the
/// requests.
pub(super) async fn foresee(driver: &Driver, interfaces: &[PlannedInterface]) -> Result<()> {
    let wishes = interfaces
        .iter()
        .filter_map(|planned| match &planned.interface.attachment {
            Attachment::Sriov(wish) => Some(wish),
            _ => None,
        });
    let wishes: Vec<&SriovWish> = wishes.collect();
    if wishes.is_empty() {
        return Ok(());
    }
    for wish in &wishes {
        wish.check().map_err(|wrong| {
            Error::invalid(format!("the interface cannot be: {wrong}"), "ask for less")
        })?;
    }
    let mut ports = ports(driver).await?;
    for wish in wishes {
        for backing in sriov::choose(wish, &ports, &servers(driver, wish).await?)? {
            sriov::take(&mut ports, &backing, wish);
        }
    }
    Ok(())
}

/// Makes the virtual NIC, on ports that have a link and room now.
///
/// # Errors
/// No port for it; those of the requests.
pub(super) async fn plug(
    driver: &Driver,
    partition: PartitionUuid,
    planned: &PlannedInterface,
    wish: &SriovWish,
) -> Result<Made> {
    let session = driver.session();
    let _turn = driver.shared.networks.take(&TURN.to_owned()).await;
    // One that went away within the last minute would be asked for a port.
    driver.shared.vioses.forget().await;
    let backing = sriov::choose(wish, &ports(driver).await?, &servers(driver, wish).await?)?;
    let mut nic = sriov::document(
        session.flavor(),
        planned.interface.vlan,
        planned.mac,
        wish,
        &backing,
    );
    if let Some(slot) = planned.slot {
        for choice in ["UseNextAvailableSlotID", "UseNextAvailableHighSlotID"] {
            nic.0.remove(choice);
        }
        nic.set_slot(slot);
    }
    let path = format!("{}/VirtualNICDedicated", path_of(partition));
    let entry = session.create(&path, &nic.0).await?;
    let nic = VirtualNicDedicated(&entry.content);
    let mac = nic
        .details()
        .and_then(|details| details.mac_address()?.parse().ok());
    let mac = mac.or(planned.mac).ok_or_else(|| {
        Error::operation(
            ErrorKind::BadAnswer,
            "the server does not tell the address of the virtual NIC that it made",
            "check that the endpoint is the REST API of an HMC or NovaLink",
        )
    })?;
    Ok(Made {
        mac,
        path: format!("{path}/{}", entry.id),
    })
}

/// The SR-IOV ports of the host, as they are now.
async fn ports(driver: &Driver) -> Result<Vec<sriov::Port>> {
    let path = format!("ManagedSystem/{}", driver.shared.system.uuid);
    let entry = driver.session().get_entry(&path, Groups::None).await?;
    let io = ManagedSystem(&entry.content).io();
    let adapters = io.iter().flat_map(|io| io.sriov_adapters());
    let adapters = adapters.filter_map(|choice| choice.sriov().map(|adapter| adapter.0.clone()));
    Ok(sriov::ports_of(adapters.collect::<Vec<_>>().into_iter()))
}

/// Virtual I/O Servers that can serve the NIC, in an order of chance. With several ports behind it, those that cannot
/// stand in for another are left out.
async fn servers(driver: &Driver, wish: &SriovWish) -> Result<Vec<Server>> {
    let system = driver.system().await?;
    let mut vioses = able(
        &system.name,
        system.vnic,
        wish,
        driver.active_vioses().await?,
    )?;
    let count = u32::try_from(vioses.len()).unwrap_or(1).max(1);
    let first = usize::try_from(driver.tag() % count).unwrap_or(0);
    let first = first.min(vioses.len());
    vioses.rotate_left(first);
    let origin = driver.session().endpoint().origin();
    let server = |vios: Vios| Server {
        href: format!("{origin}/rest/api/uom/{}", vios.path()),
        uuid: vios.uuid,
    };
    Ok(vioses.into_iter().map(server).collect())
}

/// Those of the servers that can do what is wished, on a system that can.
fn able(
    name: &str,
    system: VnicAbility,
    wish: &SriovWish,
    mut vioses: Vec<Vios>,
) -> Result<Vec<Vios>> {
    let refused =
        |what: String, remedy: &str| Err(Error::operation(ErrorKind::Precondition, what, remedy));
    let fails_over = wish.redundancy > 1;
    if !system.serves {
        return refused(
            format!("the system {name} cannot have virtual NICs"),
            "ask for an interface of another type, or use another host",
        );
    }
    if fails_over && !system.fails_over {
        return refused(
            format!("virtual NICs of the system {name} cannot have several ports"),
            "ask for a redundancy of 1, or use another host",
        );
    }
    vioses.retain(|vios| vios.vnic.serves);
    if vioses.is_empty() {
        return refused(
            "no active Virtual I/O Server can serve virtual NICs".to_owned(),
            "start one that can, or ask for an interface of another type",
        );
    }
    if fails_over {
        vioses.retain(|vios| vios.vnic.fails_over);
    }
    if vioses.is_empty() {
        return refused(
            "no active Virtual I/O Server can serve virtual NICs with several ports".to_owned(),
            "ask for a redundancy of 1, or start a Virtual I/O Server that can",
        );
    }
    Ok(vioses)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::vios::samples::vios;

    const ALL: VnicAbility = VnicAbility {
        serves: true,
        fails_over: true,
    };
    const ONE: VnicAbility = VnicAbility {
        serves: true,
        fails_over: false,
    };
    const NONE: VnicAbility = VnicAbility {
        serves: false,
        fails_over: false,
    };

    fn found(system: VnicAbility, redundancy: u8, vioses: &[VnicAbility]) -> Result<usize> {
        let wish = SriovWish {
            redundancy,
            ..SriovWish::on("prod")
        };
        let vioses = vioses.iter().map(|vnic| Vios {
            vnic: *vnic,
            ..vios(1, &[])
        });
        able("p9", system, &wish, vioses.collect()).map(|able| able.len())
    }

    #[test]
    fn who_cannot_is_left_out_and_nobody_is_told_by_whom_it_is_for() {
        assert_eq!(found(ALL, 1, &[ALL, ONE, NONE]).unwrap(), 2);
        assert_eq!(found(ALL, 2, &[ALL, ONE, NONE]).unwrap(), 1);
        assert_eq!(found(ONE, 1, &[ONE]).unwrap(), 1);
        for (system, redundancy, vioses, said) in [
            (NONE, 1, [ALL], "system p9 cannot have"),
            (ONE, 2, [ALL], "system p9 cannot have several"),
            (ALL, 1, [NONE], "no active Virtual I/O Server"),
            (ALL, 2, [ONE], "several ports"),
        ] {
            let error = found(system, redundancy, &vioses).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Precondition);
            assert!(error.to_string().contains(said), "{error}");
        }
    }
}
