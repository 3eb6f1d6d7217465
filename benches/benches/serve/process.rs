//! Servers as processes of their own: started, asked what they used, ended.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};

use crate::client::Client;

/// A server process; it ends with this value.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    output: Option<BufReader<ChildStdout>>,
    /// What it said when it was ready.
    first: String,
    /// Where it listens for http.
    pub(crate) address: SocketAddr,
    /// Who may log on, and how; empty for one that asks nobody.
    pub(crate) user: String,
    pub(crate) password: String,
    /// From its start until it said that it was ready.
    pub(crate) took: Duration,
}

impl Server {
    /// `powervm-sim serve` with these arguments, on a free port.
    pub(crate) fn simulator(arguments: &[&str]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let ready = folder.path().join("ready.json");
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["powervm-sim", "serve", "--listen", "127.0.0.1:0"])
            .args(["--tls-listen", "none", "--ready-file"])
            .arg(&ready)
            .args(arguments)
            .env_remove("RUST_LOG");
        let mut server = Self::start(&mut command)?;
        let told: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(&ready)?).context("the ready file")?;
        let text = |key: &str| told.get(key).and_then(|value| value.as_str());
        let url = text("http").context("the ready file names no address")?;
        server.address = url.trim_start_matches("http://").parse()?;
        server.user = text("user").unwrap_or_default().to_owned();
        server.password = text("password").unwrap_or_default().to_owned();
        Ok(server)
    }

    /// A simulator with so many partitions, and the routes of `host`.
    pub(crate) fn host(partitions: u16, flavor: &str) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["host", &partitions.to_string(), flavor]);
        let mut server = Self::start(command.env_remove("RUST_LOG").stdin(Stdio::piped()))?;
        let line = |server: &mut Self| -> Result<String> {
            let mut line = String::new();
            let output = server.output.as_mut().context("it has no output")?;
            output.read_line(&mut line)?;
            Ok(line.trim().to_owned())
        };
        server.address = server.first.parse().context("the host's address")?;
        server.user = line(&mut server)?;
        server.password = line(&mut server)?;
        Ok(server)
    }

    /// Starts a program that says a line once it is ready.
    fn start(command: &mut Command) -> Result<Self> {
        let began = now();
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("a server cannot be started")?;
        let mut output = BufReader::new(child.stdout.take().context("it has no output")?);
        let mut first = String::new();
        output.read_line(&mut first)?;
        let took = began.elapsed();
        if first.is_empty() {
            let status = child.wait()?;
            return Err(anyhow!("a server ended ({status}) before it was ready"));
        }
        Ok(Self {
            child,
            output: Some(output),
            first: first.trim().to_owned(),
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            user: String::new(),
            password: String::new(),
            took,
        })
    }

    /// Any other program that listens on `address`, once it does.
    pub(crate) fn other(command: &mut Command, address: SocketAddr) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let began = now();
        while std::net::TcpStream::connect(address).is_err() {
            if let Some(status) = child.try_wait()? {
                let mut said = String::new();
                if let Some(mut stderr) = child.stderr.take() {
                    stderr.read_to_string(&mut said)?;
                }
                return Err(anyhow!("it ended ({status}): {}", said.trim()));
            }
            if began.elapsed() > Duration::from_secs(10) {
                let _ = child.kill();
                return Err(anyhow!("it does not listen on {address}"));
            }
            std::thread::yield_now();
        }
        Ok(Self {
            child,
            output: None,
            first: String::new(),
            address,
            user: String::new(),
            password: String::new(),
            took: began.elapsed(),
        })
    }

    /// A connection of its own, logged on.
    pub(crate) fn client(&self) -> Result<Client> {
        let mut client = Client::new(self.address);
        client.logon(&self.user, &self.password)?;
        Ok(client)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its resident memory in KiB.
    pub(crate) fn resident_kib(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        Ok(number.context("no VmRSS")?.parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// User and system time that a process has used (`utime` and `stime`, in hundredths of a second).
pub(crate) fn cpu(process: u32) -> Result<Duration> {
    let path = format!("/proc/{process}/stat");
    let stat = std::fs::read_to_string(Path::new(&path)).with_context(|| path.clone())?;
    // The name in parentheses may hold anything; utime and stime are the 12th and 13th field after it.
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let mut fields = rest.split_whitespace().skip(11);
    let mut ticks = || fields.next().and_then(|field| field.parse::<u64>().ok());
    let used = ticks().zip(ticks()).context("no times in stat")?;
    Ok(Duration::from_millis((used.0 + used.1) * 10))
}

/// Servers run on the wall's clock.
#[expect(
    clippy::disallowed_methods,
    reason = "other processes are timed: no clock of ours rules them"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}
