//! `powervm interface …`

use super::arguments::InterfaceVerb;
use super::output::{Output, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::operations::{Control, Driver, InterfaceInfo, ServerRef};

pub(super) async fn run(
    driver: &Driver,
    verb: &InterfaceVerb,
    output: &Output,
    control: &Control,
) -> Result<()> {
    match verb {
        InterfaceVerb::Attach { server, network } => {
            let server = ServerRef::parse(server);
            let plugged = driver
                .attach_interface(server, network.clone(), control)
                .await?;
            output.print(&plugged, shown)
        }
        InterfaceVerb::Detach { server, mac } => {
            let server = ServerRef::parse(server);
            match driver
                .detach_interface(server.clone(), *mac, control)
                .await?
            {
                Some(unplugged) => output.print(&unplugged, shown),
                // The driver counts it as taken away; who types its address wants to know.
                None => Err(Error::operation(
                    ErrorKind::NotFound,
                    format!("there is no server {server} with an interface {mac}"),
                    "show the server to see its interfaces",
                )),
            }
        }
    }
}

fn shown(interface: &InterfaceInfo) -> Table {
    let text = |value: Option<String>| value.unwrap_or_default();
    let mut table = Table::of_fields();
    table
        .field("mac", text(interface.mac.map(|mac| mac.to_string())))
        .field("vlan", text(interface.vlan.map(|vlan| vlan.to_string())))
        .field("switch", text(interface.switch.clone()))
        .field("slot", text(interface.slot.map(|slot| slot.to_string())));
    table
}
