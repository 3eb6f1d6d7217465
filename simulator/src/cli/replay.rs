//! `powervm-sim replay`: a recording as a server.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;

use super::address::Listen;
use super::ready;
use super::until::{self, Signals};
use crate::recording::{self, read_all};
use crate::serve::{ServeOptions, serve_router};

pub(super) const HELP: &str = "\
Each request gets what the same request got, in the order of the recording; its last answer again after that. Any user \
may log on. For a server that can do more than was recorded, make an inventory of the recording.

Examples:
  powervm-sim replay session.jsonl
  powervm-sim replay cassette.yml --listen 127.0.0.1:0 --ready-file replay.json";

/// What `powervm-sim replay` is told.
#[derive(Debug, Args)]
pub(super) struct Replay {
    /// Recordings: of powervm-sim record, VCR cassettes, pypowervm's test data, bare XML; or folders of them.
    #[arg(value_name = "FILE", required = true)]
    recordings: Vec<PathBuf>,

    /// Where to listen for http: ADDRESS:PORT, PORT (on the loopback interface; 0 picks a free one) or none.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:12080")]
    listen: Listen,

    /// Where to listen for https, with a self-signed certificate.
    #[arg(long, value_name = "ADDR", default_value = "none")]
    tls_listen: Listen,

    /// Answer as slowly as was recorded.
    #[arg(long)]
    paced: bool,

    /// File to write the addresses to, as JSON, once everything listens.
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
}

pub(super) fn run(replay: &Replay) -> anyhow::Result<()> {
    until::run(until_signal(replay))
}

async fn until_signal(replay: &Replay) -> anyhow::Result<()> {
    let mut signals = Signals::new()?;
    let recording = read_all(&replay.recordings)?;
    if recording.exchanges.is_empty() {
        bail!("there is nothing in the recording");
    }
    let exchanges = recording.exchanges.len();
    let server = recording::Replay::new(recording, replay.paced);
    let options = ServeOptions {
        http: replay.listen.address(),
        https: replay.tls_listen.address(),
        ..ServeOptions::default()
    };
    let serving = serve_router(&server.router(), &options).await?;
    let heading = format!(
        "powervm-sim replay: {exchanges} exchanges, {} different requests",
        server.requests()
    );
    let ready_file = replay.ready_file.as_deref();
    ready::tell_listening(&heading, &serving, None, ready_file)?;
    signals.end().await;
    if let Some(path) = ready_file {
        let _ = std::fs::remove_file(path);
    }
    serving.stop().await;
    Ok(())
}
