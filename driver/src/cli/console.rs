//! `powervm console …`

use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::arguments::ConsoleVerb;
use super::dry_run;
use super::output::{Output, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::operations::{ConsoleCommand, Control, Driver, ServerRef};
use crate::rest::Flavor;
use crate::vnc::{self, Repeater};

pub(super) async fn run(
    driver: &Driver,
    verb: &ConsoleVerb,
    output: &Output,
    control: &Control,
) -> Result<()> {
    match verb {
        ConsoleVerb::Show { server } => {
            if control.is_dry_run() {
                // Whether there is one to open.
                driver.console_command(ServerRef::parse(server)).await?;
            }
            dry_run::instead(control, &format!("open the console of {server}"))?;
            let console = driver.open_console(ServerRef::parse(server)).await?;
            output.print(&console, |console| {
                let mut table = Table::of_fields();
                table
                    .field("server", &console.server)
                    .field("vnc", format!("{}:{}", console.host, console.port));
                table
            })
        }
        ConsoleVerb::Attach { server } => {
            let command = driver.console_command(ServerRef::parse(server)).await?;
            dry_run::instead(control, &format!("open the console of {server}"))?;
            attach(command).await
        }
        ConsoleVerb::Serve { listen } => serve(driver, *listen, control).await,
        ConsoleVerb::Close { server } => {
            if control.is_dry_run() {
                driver.power_state(ServerRef::parse(server)).await?;
            }
            dry_run::instead(control, &format!("close the console of {server}"))?;
            driver.close_console(ServerRef::parse(server)).await?;
            output.print(&serde_json::json!({"closed": server}), |_| {
                let mut table = Table::with(&["Closed"]);
                table.row([server]);
                table
            })
        }
    }
}

/// Serves the consoles of all servers until it is interrupted.
async fn serve(driver: &Driver, address: SocketAddr, control: &Control) -> Result<()> {
    if driver.session().flavor() == Flavor::Hmc {
        return Err(Error::operation(
            ErrorKind::Precondition,
            "an HMC opens no console through its REST API, so there is none to serve",
            "run this on the management partition of a NovaLink",
        ));
    }
    let tls = vnc::acceptor(&driver.config().vnc)?;
    if tls.is_none() && !address.ip().is_loopback() {
        tracing::warn!("consoles are served to whoever reaches {address}, and unencrypted");
    }
    dry_run::instead(control, &format!("serve the consoles at {address}"))?;
    let unusable = |error| {
        let what = format!("no console can be served at {address}");
        Error::caused(
            ErrorKind::Local,
            what,
            "choose another address or port",
            error,
        )
    };
    let listener = TcpListener::bind(address).await.map_err(unusable)?;
    let address = listener.local_addr().map_err(unusable)?;
    eprintln!("consoles at {address}");
    let repeater = Repeater::of(driver.clone(), tls);
    repeater.serve(listener, control.token()).await
}

/// Lets the command have the terminal until it ends.
async fn attach(command: ConsoleCommand) -> Result<()> {
    let name = command.program.display().to_string();
    let ended = tokio::task::spawn_blocking(move || {
        std::process::Command::new(command.program)
            .args(command.arguments)
            .status()
    })
    .await
    .unwrap_or_else(|error| Err(std::io::Error::other(error)));
    let failed = |why: String| {
        Error::operation(
            ErrorKind::Local,
            format!("the command {name} failed: {why}"),
            "run this on the management partition of the NovaLink; see whether the console is open elsewhere",
        )
    };
    match ended {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(failed(status.to_string())),
        Err(error) => Err(failed(error.to_string())),
    }
}
