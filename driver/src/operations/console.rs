//! Consoles of servers.
//!
//! REST has no request that opens a console or moves its text: it only closes one. On the management partition of a
//! NovaLink the command `mkvterm` opens it, as text or as a VNC server of that partition.

use std::io;
use std::path::PathBuf;
use std::process::Output;
use std::time::Duration;

use powervm_schema::partition::{LogicalPartition, PartitionType};
use serde::Serialize;

use super::driver::{Driver, path_of};
use super::jobs;
use super::request::ServerRef;
use crate::error::{Error, ErrorKind, Result, printable};
use crate::partition::PartitionUuid;
use crate::rest::{Flavor, Groups, Job};

/// The operation that closes a console.
const CLOSE: &str = "CloseVterm";
/// What the command returns for a console that is open already.
const IS_OPEN: i32 = 3;
/// Code page of IBM i's consoles: US English.
const CODE_PAGE: &str = "037";
/// How long the command may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A console that is open, as a VNC server of the management partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Console {
    /// The server's name.
    pub server: String,
    /// Where the VNC server listens: on the management partition only.
    pub host: &'static str,
    /// Its port.
    pub port: u16,
}

/// A command, with its arguments, that connects the terminal it is run in to a console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleCommand {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
}

impl Driver {
    /// Opens the console of a server, which may be off, as a VNC server; one that is open already is told of again.
    ///
    /// # Errors
    /// An HMC; another machine than the management partition; a console that is open as text.
    pub async fn open_console(&self, server: impl Into<ServerRef>) -> Result<Console> {
        let place = Place::find(self, &server.into()).await?;
        let mut arguments = place.arguments();
        arguments.extend(["--vnc", "--local"].map(str::to_owned));
        if place.is_ibmi {
            arguments.extend(["--codepage", CODE_PAGE].map(str::to_owned));
        }
        let output = run(self.config().mkvterm.clone(), arguments).await?;
        let said = String::from_utf8_lossy(&output.stdout);
        let port = said
            .lines()
            .next()
            .and_then(|line| line.trim().parse().ok());
        match (output.status.code(), port.filter(|port| *port > 0)) {
            (Some(0 | IS_OPEN), Some(port)) => Ok(Console {
                server: place.name,
                host: "127.0.0.1",
                port,
            }),
            (Some(IS_OPEN), None) => Err(Error::operation(
                ErrorKind::Precondition,
                format!(
                    "the console of {} is open already, and not as a VNC server",
                    place.name
                ),
                "close it with `powervm console close`, then try again",
            )),
            (code, _) => {
                let code = code.map_or_else(|| "a signal".to_owned(), |code| code.to_string());
                let error = printable(String::from_utf8_lossy(&output.stderr).trim());
                Err(Error::operation(
                    ErrorKind::Local,
                    format!(
                        "the console of {} could not be opened: mkvterm ended with {code} ({error})",
                        place.name
                    ),
                    "run this on the management partition as a user who may open consoles",
                ))
            }
        }
    }

    /// The command that connects a terminal to the console of a server, as text both ways.
    ///
    /// # Errors
    /// As [`Self::open_console`].
    pub async fn console_command(&self, server: impl Into<ServerRef>) -> Result<ConsoleCommand> {
        let place = Place::find(self, &server.into()).await?;
        Ok(ConsoleCommand {
            program: self.config().mkvterm.clone(),
            arguments: place.arguments(),
        })
    }

    /// Closes the console of a server, whoever has it open. One that is not open is closed already.
    ///
    /// # Errors
    /// No such server; those of the job.
    pub async fn close_console(&self, server: impl Into<ServerRef>) -> Result<()> {
        let partition = self.resolve(&server.into()).await?;
        let job = Job::new(path_of(partition), CLOSE);
        jobs::run(self.session(), partition, CLOSE, job)
            .await
            .map(drop)
    }
}

/// A partition whose console can be opened.
struct Place {
    name: String,
    id: u32,
    is_ibmi: bool,
}

impl Place {
    async fn find(driver: &Driver, server: &ServerRef) -> Result<Self> {
        if driver.session().flavor() == Flavor::Hmc {
            return Err(Error::operation(
                ErrorKind::Precondition,
                "an HMC opens no console through its REST API",
                "log on to the HMC with ssh and run mkvterm there",
            ));
        }
        let partition: PartitionUuid = driver.resolve(server).await?;
        let entry = driver
            .session()
            .get_entry(&path_of(partition), Groups::None)
            .await?;
        let document = LogicalPartition(&entry.content);
        let base = document.partition();
        let id = base.id().ok().flatten().ok_or_else(|| {
            Error::operation(
                ErrorKind::BadAnswer,
                "the server does not tell a partition's number",
                "check that the endpoint is the REST API of a NovaLink",
            )
        })?;
        Ok(Self {
            name: base.name().unwrap_or_default().to_owned(),
            id,
            is_ibmi: base.partition_type().ok().flatten() == Some(PartitionType::Os400),
        })
    }

    fn arguments(&self) -> Vec<String> {
        vec!["--id".to_owned(), self.id.to_string()]
    }
}

async fn run(program: PathBuf, arguments: Vec<String>) -> Result<Output> {
    let name = program.display().to_string();
    let work = tokio::task::spawn_blocking(move || {
        std::process::Command::new(program)
            .args(arguments)
            .stdin(std::process::Stdio::null())
            .output()
    });
    let ended = match tokio::time::timeout(PATIENCE, work).await {
        Ok(joined) => joined.unwrap_or_else(|error| Err(io::Error::other(error))),
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "it did not end")),
    };
    ended.map_err(|error| {
        let what = format!("the command {name} could not be run: {error}");
        let remedy = "run this on the management partition of the NovaLink, or set mkvterm to where the command is";
        Error::caused(ErrorKind::Local, what, remedy, error)
    })
}
