//! From arguments and environment to a connected driver.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use super::arguments::{Connection, Place};
use crate::config::Config;
use crate::error::{Error, ErrorKind, Result};
use crate::journal::{Journal, JournalFile, NoJournal, default_path};
use crate::operations::Driver;
use crate::rest::{Credentials, Endpoint, Session, SessionOptions, Trust};

/// Environment variable with the password.
pub(super) const PASSWORD: &str = "POWERVM_PASSWORD";
/// Where the API is when nobody says where: on the management partition of a NovaLink.
pub(super) const DEFAULT_ENDPOINT: &str = "http://127.0.0.1:12080";
/// Environment variable with the password of a migration's destination.
const PASSWORD_THERE: &str = "POWERVM_TO_PASSWORD";
/// How long the answer to the logoff is waited for.
const FAREWELL: Duration = Duration::from_secs(10);

/// What a command was given besides what it is to do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin<'a> {
    pub(super) connection: &'a Connection,
    pub(super) place: &'a Place,
    pub(super) is_dry_run: bool,
}

/// Logs on and checks the host, to look at it.
pub(super) async fn connect(connection: &Connection, place: &Place) -> Result<Driver> {
    connect_with(connection, PASSWORD, place, Arc::new(NoJournal)).await
}

/// As [`connect`], to the destination of a migration.
pub(super) async fn connect_there(connection: &Connection, place: &Place) -> Result<Driver> {
    connect_with(connection, PASSWORD_THERE, place, Arc::new(NoJournal)).await
}

/// Logs on and checks the host, to change it: no other process does at the same time. The journal is opened first.
pub(super) async fn connect_to_change(connection: &Connection, place: &Place) -> Result<Driver> {
    connect_journaled(connection, PASSWORD, place).await
}

/// As [`connect_to_change`], to the destination of a migration.
pub(super) async fn connect_there_to_change(
    connection: &Connection,
    place: &Place,
) -> Result<Driver> {
    connect_journaled(connection, PASSWORD_THERE, place).await
}

async fn connect_journaled(
    connection: &Connection,
    variable: &str,
    place: &Place,
) -> Result<Driver> {
    configuration(place)?.check()?;
    let path = journal_path(connection, place)?;
    let journal = JournalFile::open(&path, Some(unix_seconds)).await?;
    connect_with(connection, variable, place, Arc::new(journal)).await
}

/// Where the journal of the host is when nobody says where.
pub(super) fn usual_journal(connection: &Connection, place: &Place) -> Result<PathBuf> {
    let config = configuration(place)?;
    default_path(
        &Endpoint::new(&connection.endpoint)?,
        &config.managed_system,
    )
}

/// Where the journal of the host is.
pub(super) fn journal_path(connection: &Connection, place: &Place) -> Result<PathBuf> {
    let config = configuration(place)?;
    if config.journal.as_os_str().is_empty() {
        default_path(
            &Endpoint::new(&connection.endpoint)?,
            &config.managed_system,
        )
    } else {
        Ok(config.journal)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "people want to know when an operation began and whether clocks agree; no operation depends on it"
)]
pub(super) fn unix_seconds() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

async fn connect_with(
    connection: &Connection,
    variable: &str,
    place: &Place,
    journal: Arc<dyn Journal>,
) -> Result<Driver> {
    let (session, config) = session_as(connection, variable, place).await?;
    let connected = Driver::connect_with(session.clone(), config, journal).await;
    if connected.is_err() {
        leave(&session).await;
    }
    connected
}

/// Logs off, whatever became of what was to be done: servers count sessions and let in only so many. One that does not
/// answer is not waited for; it forgets the session by itself.
pub(super) async fn leave(session: &Session) {
    match tokio::time::timeout(FAREWELL, session.logoff()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "could not log off"),
        Err(_) => tracing::debug!("could not log off: no answer"),
    }
}

/// Logs on.
pub(super) async fn session(connection: &Connection, place: &Place) -> Result<(Session, Config)> {
    session_as(connection, PASSWORD, place).await
}

async fn session_as(
    connection: &Connection,
    variable: &str,
    place: &Place,
) -> Result<(Session, Config)> {
    let config = configuration(place)?;
    config.check()?;
    let endpoint = Endpoint::new(&connection.endpoint)?
        .credentials(credentials(connection, variable)?)
        .trust(trust(connection)?);
    let options = SessionOptions {
        uploads: config.max_uploads,
        seed: random()?,
        ..SessionOptions::default()
    };
    let session = Session::connect(endpoint, options).await?;
    Ok((session, config))
}

/// The configuration, unchecked.
fn configuration(place: &Place) -> Result<Config> {
    let mut config = match &place.config {
        Some(path) => Config::load_unchecked(path)?,
        None => Config::default(),
    };
    if let Some(disk_driver) = place.disk_driver {
        config.disk_driver = disk_driver;
    }
    for (given, option) in [
        (&place.volume_group, &mut config.volume_group_name),
        (&place.cluster, &mut config.cluster_name),
        (&place.system, &mut config.managed_system),
        (&place.host_lock, &mut config.host_lock),
    ] {
        if let Some(given) = given {
            option.clone_from(given);
        }
    }
    if let Some(journal) = &place.journal {
        config.journal.clone_from(journal);
    }
    Ok(config)
}

/// A password from the environment or a file; without any, the token file of a NovaLink partition.
pub(super) fn credentials(connection: &Connection, variable: &str) -> Result<Credentials> {
    let password = match (std::env::var(variable), &connection.password_file) {
        (Ok(password), _) => Some(SecretString::from(password)),
        (Err(std::env::VarError::NotUnicode(_)), _) => {
            return Err(Error::invalid(
                format!("{variable} is no UTF-8 text"),
                "use a password file",
            ));
        }
        (Err(_), Some(path)) => {
            let text = std::fs::read_to_string(path)
                .map(SecretString::from)
                .map_err(|error| {
                    let what = format!(
                        "the password file {} cannot be read: {error}",
                        path.display()
                    );
                    Error::caused(
                        ErrorKind::Local,
                        what,
                        "give a file that this user can read",
                        error,
                    )
                })?;
            Some(without_line_end(&text))
        }
        (Err(_), None) => None,
    };
    match (connection.user.clone(), password) {
        (Some(user), Some(password)) => Ok(Credentials::Password { user, password }),
        (None, None) => Ok(Credentials::TokenFile),
        (Some(_), None) => Err(Error::invalid(
            "there is a user but no password",
            format!(
                "set {variable} or {variable}_FILE, or leave the user out to use NovaLink's token file"
            ),
        )),
        (None, Some(_)) => Err(Error::invalid(
            "there is a password but no user",
            "set POWERVM_USER or give --user",
        )),
    }
}

/// Editors end files with a line end that is no part of the password.
fn without_line_end(text: &SecretString) -> SecretString {
    use secrecy::ExposeSecret;
    SecretString::from(text.expose_secret().trim_end_matches(['\n', '\r']))
}

pub(super) fn trust(connection: &Connection) -> Result<Trust> {
    Ok(
        match (&connection.ca, &connection.fingerprint, connection.insecure) {
            (Some(file), _, _) => Trust::Authority(file.clone()),
            (None, Some(fingerprint), _) => Trust::Pinned(fingerprint.parse()?),
            (None, None, true) => Trust::Anything,
            (None, None, false) => Trust::System,
        },
    )
}

/// Random bits from the operating system.
pub(super) fn random() -> Result<u64> {
    let mut bytes = [0; 8];
    rustls::crypto::ring::default_provider()
        .secure_random
        .fill(&mut bytes)
        .map_err(|_| {
            Error::operation(
                ErrorKind::Local,
                "the system gives no random numbers",
                "check /dev/urandom",
            )
        })?;
    Ok(u64::from_le_bytes(bytes))
}
