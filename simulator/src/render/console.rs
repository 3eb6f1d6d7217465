//! `ManagementConsole`: the HMC, or the NovaLink partition as its own console.
//!
//! Recordings `managementconsole` (HMC), `managementconsole_ssh` (NovaLink) and the cassette `refresher.yml`.

use super::cluster;
use super::context::Context;
use super::writer::{CUD, CUR, ROO, ROR, UOM, Writer};
use crate::model::system::ManagementConsole;

/// The resource's own element.
pub(crate) fn render(cx: &Context<'_>, console: &ManagementConsole) -> String {
    let hmc = cx.is_hmc();
    let mut w = cx.writer(4096);
    w.root(
        "ManagementConsole",
        UOM,
        Some((&console.uuid.to_string(), cx.created())),
        |w| {
            w.section("MachineTypeModelAndSerialNumber", ROR, |w| {
                cluster::machine(w, &console.machine)
            });
            w.links("ManagedFrames", CUD, []);
            let systems = cx.world.systems.keys().filter(|_| hmc);
            let own = |system: &uuid::Uuid| {
                cx.href(&format!(
                    "ManagementConsole/{}/ManagedSystem/{system}",
                    console.uuid
                ))
            };
            w.links("ManagedSystems", CUD, systems.map(own));
            w.text("ManagementConsoleName", CUR, &console.name);
            w.section("NetworkInterfaces", CUD, |w| {
                for (name, addresses) in &console.interfaces {
                    w.member("ManagementConsoleNetworkInterface", |w| {
                        w.text("InterfaceName", CUD, name);
                        w.text("NetworkAddress", CUR, addresses);
                    });
                }
            });
            if hmc {
                versions(w);
            }
            w.links("PowerEnterprisePools", CUD, []);
            if hmc {
                level(w);
            } else {
                w.optional(
                    "PublicSSHKey",
                    ROO.since("V1_3_0"),
                    console.public_ssh_key.as_deref(),
                );
                w.section("AuthorizedKeys", ROO.since("V1_3_0"), |w| {
                    for key in &console.authorized_keys {
                        w.plain("AuthorizedKey", key);
                    }
                });
            }
            if hmc {
                w.plain(
                    "PublicSSHKeyValue",
                    console.public_ssh_key.as_deref().unwrap_or_default(),
                );
                w.section("AuthorizedKeysValue", ROO.since("V1_3_1"), |w| {
                    for key in &console.authorized_keys {
                        w.plain("AuthorizedKey", key);
                    }
                });
            }
        },
    );
    w.finish()
}

fn versions(w: &mut Writer) {
    let object_model = |w: &mut Writer, name: &str, model: &str| {
        w.section(name, ROR, |w| {
            w.text("MinorVersion", CUR, "1.0");
            w.text(
                "SchemaNamespace",
                CUR,
                &format!("http://www.ibm.com/xmlns/systems/power/firmware/{model}/mc/2012_10/"),
            );
        });
    };
    object_model(w, "TemplateObjectModelVersion", "templates");
    object_model(w, "UserObjectModelVersion", "uom");
    w.section("VersionInfo", ROR, |w| {
        w.text("BuildLevel", CUD, "20161101.1");
        w.value("Maintenance", CUD, 6);
        w.value("Minor", CUD, 0);
        w.value("Release", CUD, 8);
        w.value("ServicePackName", CUD, 0);
        w.value("Version", CUR, 8);
    });
    object_model(w, "WebObjectModelVersion", "web");
}

fn level(w: &mut Writer) {
    let since = ROR.since("V1_2_0");
    w.text("BIOS", since, "D6E156BUS-1.14");
    w.text("BaseVersion", since, "V8R8.6.0");
    w.text("Driver", since, "");
    w.text("LicenseID", since, "");
    w.text("LicenseFirstYear", since, "");
    w.section("IFixDetails", ROO.since("V1_3_0"), |w| {
        w.member("IFixDetail", |w| {
            w.text(
                "IFix",
                ROO.since("V1_3_0"),
                "MH01655: Required fix for HMC V8R8.6.0 (11-01-2016)",
            );
        });
    });
}
