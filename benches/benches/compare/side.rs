//! One driver on a simulator of its own: started, given the word, and watched.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;

use crate::Options;
use crate::phase::Phase;

/// Bytes of the disk image.
const IMAGE: usize = 8 << 20;
/// How long a simulator may take to be ready.
const READY: Duration = Duration::from_secs(30);

/// A program that makes and removes servers when it is told to.
pub(crate) struct Worker {
    program: PathBuf,
    arguments: Vec<OsString>,
}

impl Worker {
    /// Nova's driver.
    pub(crate) fn theirs(python: &Path, programs: &Path) -> Self {
        Self {
            program: python.to_owned(),
            arguments: vec![programs.join("nova_crowd.py").into()],
        }
    }

    /// Our driver.
    pub(crate) fn ours() -> Result<Self> {
        Ok(Self {
            program: std::env::current_exe()?,
            arguments: vec!["ours".into()],
        })
    }
}

/// A simulator and a driver at work on it.
pub(crate) struct Side {
    simulator: Child,
    worker: Child,
    word: ChildStdin,
    said: BufReader<ChildStdout>,
    admin: Admin,
    _folder: TempDir,
}

impl Side {
    /// Starts both and waits until the driver is ready to begin.
    pub(crate) fn begin(options: &Options, is_known: bool, worker: &Worker) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = |name: &str| folder.path().join(name);
        let bytes: Vec<u8> = (0..IMAGE).map(|at| (at * 31 % 251) as u8).collect();
        std::fs::write(path("image"), bytes)?;
        let (simulator, ready) = simulator(options, folder.path())?;
        let mut command = Command::new(&worker.program);
        command
            .args(&worker.arguments)
            .arg("--ready")
            .arg(path("ready.json"))
            .arg("--work")
            .arg(path("work"))
            .arg("--image")
            .arg(path("image"))
            .args(["--servers", &options.servers.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .env("PYTHONWARNINGS", "ignore")
            .env_remove("RUST_LOG");
        if is_known {
            command.arg("--known-image");
        }
        let mut started = command.spawn().context("a driver cannot be started")?;
        let word = started.stdin.take().context("no input")?;
        let said = BufReader::new(started.stdout.take().context("no output")?);
        let mut side = Self {
            simulator,
            worker: started,
            word,
            said,
            admin: Admin::of(&ready)?,
            _folder: folder,
        };
        side.hear("ready")?;
        Ok(side)
    }

    /// Gives the word and measures until the driver says that it is done.
    pub(crate) fn phase(&mut self, done: &str) -> Result<Phase> {
        let (before, cpu) = (self.admin.numbers()?, cpu(self.worker.id())?);
        let began = now();
        writeln!(self.word)?;
        self.word.flush()?;
        self.hear(done)?;
        let seconds = began.elapsed().as_secs_f64();
        let after = self.admin.numbers()?;
        Ok(Phase {
            seconds,
            requests: after.requests - before.requests,
            vios_writes: after.vios_writes - before.vios_writes,
            conflicts: after.conflicts - before.conflicts,
            cpu: self::cpu(self.worker.id())? - cpu,
            peak_mib: peak_mib(self.worker.id())?,
        })
    }

    fn hear(&mut self, done: &str) -> Result<()> {
        let mut line = String::new();
        self.said.read_line(&mut line)?;
        let told: Told = serde_json::from_str(&line)
            .with_context(|| format!("a driver ended before it was {done}"))?;
        if told.done != done {
            bail!("a driver is {} and not {done}", told.done);
        }
        if !told.failures.is_empty() {
            bail!("not everything was {done}: {}", told.failures.join("; "));
        }
        Ok(())
    }
}

/// What a driver says.
#[derive(Debug, Deserialize)]
struct Told {
    done: String,
    failures: Vec<String>,
}

impl Drop for Side {
    fn drop(&mut self) {
        for child in [&mut self.worker, &mut self.simulator] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn simulator(options: &Options, folder: &Path) -> Result<(Child, Value)> {
    let ready = folder.join("ready.json");
    let mut child = Command::new(std::env::current_exe()?)
        .args([
            "powervm-sim",
            "serve",
            "--flavor",
            "novalink",
            "--partitions",
            "0",
        ])
        .args([
            "--listen",
            "127.0.0.1:0",
            "--tls-listen",
            "127.0.0.1:0",
            "--admin",
            "127.0.0.1:0",
        ])
        .args([
            "--weather",
            &options.weather,
            "--seed",
            &options.seed.to_string(),
        ])
        .arg("--token-dir")
        .arg(folder.join("tokens"))
        .arg("--ready-file")
        .arg(&ready)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .env_remove("RUST_LOG")
        .spawn()
        .context("a simulator cannot be started")?;
    let began = now();
    loop {
        let told = std::fs::read_to_string(&ready).unwrap_or_default();
        if let Ok(told) = serde_json::from_str(&told) {
            return Ok((child, told));
        }
        if let Some(status) = child.try_wait()? {
            bail!("a simulator ended ({status}) before it was ready");
        }
        if began.elapsed() > READY {
            let _ = child.kill();
            bail!("a simulator is not ready after {READY:?}");
        }
        std::thread::yield_now();
    }
}

/// The simulator's own counters.
struct Admin {
    address: String,
    token: String,
}

/// Some of them.
struct Numbers {
    requests: f64,
    vios_writes: f64,
    conflicts: f64,
}

impl Admin {
    fn of(ready: &Value) -> Result<Self> {
        let text = |key: &str| {
            let text = ready.get(key).and_then(Value::as_str).map(str::to_owned);
            text.with_context(|| format!("the ready file has no {key}"))
        };
        Ok(Self {
            address: text("admin")?.trim_start_matches("http://").to_owned(),
            token: text("admin_token")?,
        })
    }

    fn numbers(&self) -> Result<Numbers> {
        let mut stream = std::net::TcpStream::connect(&self.address)?;
        write!(
            stream,
            "GET /metrics HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
            self.address, self.token
        )?;
        let mut text = String::new();
        std::io::Read::read_to_string(&mut stream, &mut text)?;
        let sum = |name: &str| -> f64 {
            let lines = text.lines().filter(|line| line.starts_with(name));
            let values = lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok());
            values.sum()
        };
        if !text.starts_with("HTTP/1.1 200") {
            bail!(
                "the simulator does not tell its counters: {}",
                text.lines().next().unwrap_or_default()
            );
        }
        Ok(Numbers {
            requests: sum("powervm_sim_requests_total"),
            vios_writes: sum("powervm_sim_vios_writes_total"),
            conflicts: sum("powervm_sim_preconditions_failed_total"),
        })
    }
}

/// User and system seconds that a process has used (`utime` and `stime`, in hundredths of a second).
fn cpu(process: u32) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name in parentheses may hold anything; utime and stime are the 12th and 13th field after it.
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = rest.split_whitespace().skip(11).take(2);
    let ticks: f64 = ticks.filter_map(|field| field.parse::<f64>().ok()).sum();
    Ok(ticks / 100.0)
}

/// The most resident memory that a process had.
fn peak_mib(process: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    Ok(kib.context("no VmHWM")?.parse::<f64>()? / 1024.0)
}

#[expect(
    clippy::disallowed_methods,
    reason = "other processes are timed: no clock of ours rules them"
)]
fn now() -> Instant {
    Instant::now()
}
