//! `powervm config …`

use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::arguments::{ConfigVerb, Connection, Place};
use super::connection::{self, PASSWORD};
use super::exit;
use super::output::{Output, Table};
use crate::config::{Config, Explanation, KEYS, Origin, Problem, Setting, secret_file};
use crate::error::Result;
use crate::rest::Endpoint;

pub(super) fn run(
    connection: &Connection,
    place: &Place,
    verb: &ConfigVerb,
    output: &Output,
) -> Result<ExitCode> {
    match verb {
        ConfigVerb::Check => check(connection, place, output),
        ConfigVerb::Keys => keys(output).map(|()| ExitCode::SUCCESS),
    }
}

fn check(connection: &Connection, place: &Place, output: &Output) -> Result<ExitCode> {
    let mut explanation = Explanation::of(place.config.as_deref(), &instead(place));
    explanation.add(connection_problems(connection));
    explanation.settings.extend(connection_settings(connection));
    output.print(&explanation, table)?;
    if !output.is_json() {
        for problem in &explanation.problems {
            eprintln!(
                "{}: {problem}",
                if problem.stops { "error" } else { "warning" }
            );
        }
    }
    Ok(if explanation.usable {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(exit::USAGE)
    })
}

fn keys(output: &Output) -> Result<()> {
    let defaults = Config::default().table();
    let all: Vec<Value> = KEYS
        .iter()
        .map(|key| {
            json!({
                "key": key.name,
                "values": key.kind.to_string(),
                "default": key.default_in_words(&defaults),
                "meaning": key.meaning,
            })
        })
        .collect();
    output.print(&all, |all| {
        let columns = ["key", "values", "default", "meaning"];
        let mut table = Table::with(&["Key", "Values", "Default", "Meaning"]);
        for key in all {
            let cell = |name: &str| key.get(name).and_then(Value::as_str).unwrap_or_default();
            table.row(columns.map(cell));
        }
        table
    })
}

/// What is given instead of the file's values.
fn instead(place: &Place) -> Vec<(&'static str, toml::Value, Origin)> {
    let option = |option: &str| Origin::CommandLine {
        option: option.to_owned(),
    };
    let mut instead = Vec::new();
    if let Some(driver) = place.disk_driver {
        instead.push((
            "disk_driver",
            driver.to_string().into(),
            option("--disk-driver"),
        ));
    }
    for (given, key, name) in [
        (&place.volume_group, "volume_group_name", "--volume-group"),
        (&place.cluster, "cluster_name", "--cluster"),
        (&place.system, "managed_system", "--system"),
    ] {
        if let Some(given) = given {
            instead.push((key, given.clone().into(), option(name)));
        }
    }
    if let Some(journal) = &place.journal {
        let value = journal.display().to_string().into();
        instead.push((
            "journal",
            value,
            given_as(journal, "POWERVM_JOURNAL", "--journal"),
        ));
    }
    instead
}

/// An option that a variable may stand for.
fn given_as(value: impl AsRef<std::ffi::OsStr>, variable: &str, option: &str) -> Origin {
    if std::env::var_os(variable).is_some_and(|found| found == value.as_ref()) {
        Origin::Environment {
            variable: variable.to_owned(),
        }
    } else {
        Origin::CommandLine {
            option: option.to_owned(),
        }
    }
}

fn connection_problems(connection: &Connection) -> Vec<Problem> {
    let mut problems = Vec::new();
    if let Err(error) = Endpoint::new(&connection.endpoint) {
        problems.push(Problem::of("endpoint", error.to_string()));
    }
    let mut unreadable = false;
    if std::env::var_os(PASSWORD).is_none()
        && let Some(file) = &connection.password_file
    {
        let found = secret_file("password", file);
        unreadable = found.iter().any(|problem| problem.stops);
        problems.extend(found);
    }
    // One that cannot be read has been told of.
    if !unreadable && let Err(error) = connection::credentials(connection, PASSWORD) {
        problems.push(Problem::of("password", error.to_string()));
    }
    if let Err(error) = connection::trust(connection) {
        problems.push(Problem::of("trust", error.to_string()));
    }
    let unreadable = |file: &Path| std::fs::File::open(file).err();
    if let Some(file) = &connection.ca
        && let Some(error) = unreadable(file)
    {
        let what = format!("the file {} cannot be read: {error}", file.display());
        problems.push(Problem::of("trust", what));
    }
    if connection.insecure {
        let what = "--insecure: whoever sits between can read the password";
        problems.push(Problem::odd("trust", what));
    }
    problems
}

/// What is known of the connection; of the password, where it is.
fn connection_settings(connection: &Connection) -> Vec<Setting> {
    let setting = |key: &str, value: Value, origin| Setting {
        key: key.to_owned(),
        value,
        origin,
    };
    let option = |option: &str| Origin::CommandLine {
        option: option.to_owned(),
    };
    let endpoint = &connection.endpoint;
    let is_default = endpoint == connection::DEFAULT_ENDPOINT;
    let mut settings = vec![setting(
        "endpoint",
        json!(endpoint),
        match given_as(endpoint, "POWERVM_ENDPOINT", "--endpoint") {
            Origin::CommandLine { .. } if is_default => Origin::Default,
            origin => origin,
        },
    )];
    if let Some(user) = &connection.user {
        settings.push(setting(
            "user",
            json!(user),
            given_as(user, "POWERVM_USER", "--user"),
        ));
    }
    let variable = || Origin::Environment {
        variable: PASSWORD.to_owned(),
    };
    settings.push(match &connection.password_file {
        _ if std::env::var_os(PASSWORD).is_some() => {
            setting("password", json!("(set)"), variable())
        }
        Some(file) => {
            let origin = given_as(file, "POWERVM_PASSWORD_FILE", "--password-file");
            setting(
                "password",
                json!(format!("(in {})", file.display())),
                origin,
            )
        }
        None => setting(
            "password",
            json!("(the token file of NovaLink)"),
            Origin::Default,
        ),
    });
    settings.push(
        match (&connection.ca, &connection.fingerprint, connection.insecure) {
            (Some(file), ..) => setting("trust", json!(file.display().to_string()), option("--ca")),
            (None, Some(fingerprint), _) => {
                setting("trust", json!(fingerprint), option("--fingerprint"))
            }
            (None, None, true) => setting("trust", json!("any certificate"), option("--insecure")),
            (None, None, false) => setting("trust", json!("the system's roots"), Origin::Default),
        },
    );
    settings
}

fn table(explanation: &Explanation) -> Table {
    let mut table = Table::with(&["Key", "Value", "From"]);
    for setting in &explanation.settings {
        let value = match &setting.value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let file = explanation.file.as_deref().unwrap_or(Path::new("file"));
        let from = match &setting.origin {
            Origin::Default => "default".to_owned(),
            Origin::File { line } => format!("{}:{line}", file.display()),
            Origin::CommandLine { option } => option.clone(),
            Origin::Environment { variable } => variable.clone(),
        };
        table.row([setting.key.clone(), value, from]);
    }
    table
}
