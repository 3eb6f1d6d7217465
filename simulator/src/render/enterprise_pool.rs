//! `PowerEnterprisePool` and its members. Recordings `enterprise_pool_feed` and `enterprise_pool_member_feed`.

use super::cluster;
use super::context::Context;
use super::writer::{ROO, ROR, UOM, UOR, Writer};
use crate::model::directory::{EnterprisePool, EnterprisePoolMember};

/// `PowerEnterprisePool`
pub(crate) fn render(cx: &Context<'_>, pool: &EnterprisePool) -> String {
    let mut w = cx.writer(4096);
    w.root(
        "PowerEnterprisePool",
        UOM,
        Some((&pool.uuid.to_string(), cx.created())),
        |w| {
            w.text("PoolID", ROR, &pool.id);
            w.text("PoolName", UOR, &pool.name);
            w.value("SequenceNumber", ROR, pool.version);
            w.value("TotalMobileCoDProcUnits", ROR, pool.processors);
            w.value("TotalMobileCoDMemory", ROR, pool.memory);
            w.value(
                "AvailableMobileCoDProcUnits",
                ROR,
                pool.available_processors(),
            );
            w.value("AvailableMobileCoDMemory", ROR, pool.available_memory());
            w.value("UnreturnedMobileCoDProcUnits", ROR, 0);
            w.value("UnreturnedMobileCoDMemory", ROR, 0);
            w.text("ComplianceState", ROR, "InCompliance");
            w.reference(
                "PowerEnterprisePoolMasterManagementConsole",
                UOR,
                &cx.href(&format!("ManagementConsole/{}", cx.world.console.uuid)),
            );
            consoles(w, cx);
        },
    );
    w.finish()
}

/// `PowerEnterprisePoolMember`
pub(crate) fn render_member(cx: &Context<'_>, member: &EnterprisePoolMember) -> String {
    let Some(system) = cx.world.systems.get(&member.system) else {
        return String::new();
    };
    let mut w = cx.writer(4096);
    w.root(
        "PowerEnterprisePoolMember",
        UOM,
        Some((&member.uuid.to_string(), cx.created())),
        |w| {
            w.value("MobileCoDProcUnits", UOR, member.processors);
            w.value("MobileCoDMemory", UOR, member.memory);
            w.value("InactiveProcUnits", ROR, member.inactive_processors);
            w.value("InactiveMemory", ROR, 0);
            w.value("UnreturnedMobileCoDProcUnits", ROR, 0);
            w.value("UnreturnedMobileCoDMemory", ROR, 0);
            w.text("ManagedSystemName", ROR, &system.name);
            w.value(
                "ManagedSystemInstalledProcUnits",
                ROR,
                system.processors.installed,
            );
            w.value("ManagedSystemInstalledMemory", ROR, system.memory.installed);
            w.section("ManagedSystemMachineTypeModelSerialNumber", ROR, |w| {
                cluster::machine(w, &system.machine)
            });
            w.reference("AssociatedManagedSystem", ROO, &cx.system(system.uuid));
            w.value("ManagedSystemState", ROR, system.state);
            consoles(w, cx);
        },
    );
    w.finish()
}

fn consoles(w: &mut Writer, cx: &Context<'_>) {
    let console = &cx.world.console;
    w.section("PowerEnterprisePoolManagementConsoles", ROR, |w| {
        w.member("PowerEnterprisePoolManagementConsole", |w| {
            w.text("ManagementConsoleName", UOR, &console.name);
            w.section("ManagementConsoleMachineTypeModelSerialNumber", UOR, |w| {
                cluster::machine(w, &console.machine)
            });
            w.flag("IsMasterConsole", UOR, true);
            w.flag("IsBackupMasterConsole", UOR, false);
            let address = console
                .interfaces
                .first()
                .and_then(|(_, addresses)| addresses.split(' ').next());
            w.text(
                "ManagementConsoleIPAddress",
                ROR,
                address.unwrap_or_default(),
            );
        });
    });
}
