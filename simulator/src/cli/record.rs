//! `powervm-sim record`: a proxy before a real server.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use super::address::Listen;
use super::ready;
use super::until::{self, Signals};
use crate::recording::{Journal, Proxy, Trust};
use crate::serve::{ServeOptions, serve_router};

pub(super) const HELP: &str = "\
Send the client to the proxy's address instead of the server's. Tokens, passwords and cookies are masked before they \
reach the file; contents of files are counted and digested, not kept.

Examples:
  powervm-sim record --upstream https://hmc.example.com:12443 --output session.jsonl --upstream-cert hmc.pem
  powervm-sim inventory import session.jsonl > host.toml
  powervm-sim replay session.jsonl";

/// What `powervm-sim record` is told.
#[derive(Debug, Args)]
pub(super) struct Record {
    /// The server to record, such as https://hmc.example.com:12443.
    #[arg(long, value_name = "URL")]
    upstream: String,

    /// The recording; a file that is there already is not overwritten.
    #[arg(long, value_name = "FILE")]
    output: PathBuf,

    /// Where to listen for http: ADDRESS:PORT, PORT (on the loopback interface; 0 picks a free one) or none.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:12080")]
    listen: Listen,

    /// Where to listen for https, with a self-signed certificate.
    #[arg(long, value_name = "ADDR", default_value = "none")]
    tls_listen: Listen,

    /// The server's certificate, or that of its authority, PEM; the system's authorities count if absent.
    #[arg(long, value_name = "FILE")]
    upstream_cert: Option<PathBuf>,

    /// Believe any certificate: whoever sits between can read the password.
    #[arg(long, conflicts_with = "upstream_cert")]
    upstream_insecure: bool,

    /// File to write the proxy's addresses to, as JSON, once it listens.
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
}

pub(super) fn run(record: &Record) -> anyhow::Result<()> {
    until::run(until_signal(record))
}

async fn until_signal(record: &Record) -> anyhow::Result<()> {
    let mut signals = Signals::new()?;
    let origin = Proxy::origin(&record.upstream)?;
    let trust = match (&record.upstream_cert, record.upstream_insecure) {
        (Some(file), _) => Trust::File(file.clone()),
        (None, true) => Trust::Anything,
        (None, false) => Trust::System,
    };
    if trust == Trust::Anything {
        tracing::warn!(
            "any certificate of {origin} is believed: whoever sits between can read the password"
        );
    }
    let journal = Journal::create(&record.output, &origin)
        .with_context(|| format!("{} cannot be made", record.output.display()))?;
    let proxy = Proxy::new(&origin, &trust, journal)?;
    let options = ServeOptions {
        http: record.listen.address(),
        https: record.tls_listen.address(),
        ..ServeOptions::default()
    };
    let serving = serve_router(&proxy.router(), &options).await?;
    let heading = format!(
        "powervm-sim record: {origin} to {}",
        record.output.display()
    );
    let ready_file = record.ready_file.as_deref();
    ready::tell_listening(&heading, &serving, Some(&origin), ready_file)?;
    signals.end().await;
    if let Some(path) = ready_file {
        let _ = std::fs::remove_file(path);
    }
    serving.stop().await;
    let _ = writeln!(std::io::stdout(), "{} exchanges recorded", proxy.recorded());
    Ok(())
}
