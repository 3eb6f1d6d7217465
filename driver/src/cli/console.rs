//! `powervm console …`

use super::arguments::ConsoleVerb;
use super::output::{Output, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::operations::{ConsoleCommand, Driver, ServerRef};

pub(super) async fn run(driver: &Driver, verb: &ConsoleVerb, output: &Output) -> Result<()> {
    match verb {
        ConsoleVerb::Show { server } => {
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
            attach(driver.console_command(ServerRef::parse(server)).await?).await
        }
        ConsoleVerb::Close { server } => {
            driver.close_console(ServerRef::parse(server)).await?;
            output.print(&serde_json::json!({"closed": server}), |_| {
                let mut table = Table::with(&["Closed"]);
                table.row([server]);
                table
            })
        }
    }
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
