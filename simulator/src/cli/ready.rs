//! What is told once everything listens: to people on standard output, to programs in the ready file.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::serve::{Neighbour, Serving};
use crate::simulator::Simulator;

/// Tells where a recorder or a replayer listens: under `heading` on standard output, and in the ready file.
///
/// # Errors
/// The ready file cannot be written.
pub(super) fn tell_listening(
    heading: &str,
    serving: &Serving,
    upstream: Option<&str>,
    ready_file: Option<&Path>,
) -> anyhow::Result<()> {
    let (http, https) = (url("http", serving.http), url("https", serving.https));
    let mut out = io::stdout();
    let _ = writeln!(out, "{heading}");
    for url in [&http, &https].into_iter().flatten() {
        let _ = writeln!(out, "  listening  {url}");
    }
    let Some(path) = ready_file else {
        return Ok(());
    };
    let mut told = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "pid": std::process::id(),
        "http": http,
        "https": https,
        "certificate": serving.certificate_pem,
    });
    if let (Some(upstream), Some(told)) = (upstream, told.as_object_mut()) {
        told.insert("upstream".to_owned(), upstream.into());
    }
    write(path, &told).with_context(|| format!("{} cannot be written", path.display()))
}

/// Everything that a client has to know.
pub(super) struct Ready<'a> {
    pub(super) simulator: &'a Simulator,
    pub(super) serving: &'a Serving,
    pub(super) token_dir: Option<&'a Path>,
    pub(super) admin_token: Option<&'a SecretString>,
    pub(super) seed: u64,
    /// Whether the password was generated here, so that nobody knows it yet.
    pub(super) generated: bool,
}

impl Ready<'_> {
    /// URLs, credentials and an example of connecting.
    pub(super) fn text(&self) -> String {
        let credentials = self.simulator.credentials();
        let password = if self.generated {
            credentials.password.expose_secret()
        } else {
            "(as given)"
        };
        let mut lines = vec![format!(
            "powervm-sim {}, {}",
            env!("CARGO_PKG_VERSION"),
            self.simulator.flavor()
        )];
        for url in [self.http(), self.https()].into_iter().flatten() {
            lines.push(format!("  listening  {url}"));
        }
        for other in &self.serving.neighbours {
            let urls = [url("http", other.http), url("https", other.https)];
            for url in urls.into_iter().flatten() {
                lines.push(format!("  {:<9}  {url}", other.system));
            }
        }
        if let (Some(url), Some(token)) = (self.admin(), self.admin_token) {
            lines.push(format!(
                "  admin      {url}  (Authorization: Bearer {})",
                token.expose_secret()
            ));
        }
        lines.push(format!("  user       {}", credentials.user));
        lines.push(format!("  password   {password}"));
        if let Some(example) = self.example() {
            lines.push("Connect, for example with pypowervm:".to_owned());
            lines.extend(example.into_iter().map(|line| format!("  {line}")));
        }
        lines.push("End it with Ctrl-C or SIGTERM.".to_owned());
        lines.join("\n")
    }

    /// The same for programs.
    pub(super) fn json(&self) -> Value {
        let credentials = self.simulator.credentials();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "pid": std::process::id(),
            "flavor": self.simulator.flavor().as_str(),
            "seed": self.seed,
            "http": self.http(),
            "https": self.https(),
            "certificate": self.serving.certificate_pem,
            "user": credentials.user,
            "password": credentials.password.expose_secret(),
            "token_dir": self.token_dir,
            "admin": self.admin(),
            "admin_token": self.admin_token.map(ExposeSecret::expose_secret),
            "neighbours": self.serving.neighbours.iter().map(neighbour).collect::<Vec<_>>(),
        })
    }

    fn example(&self) -> Option<[String; 3]> {
        let (protocol, address) = match (self.serving.http, self.serving.https) {
            (Some(address), _) => ("http", address),
            (None, Some(address)) => ("https", address),
            (None, None) => return None,
        };
        let user = &self.simulator.credentials().user;
        let password = if self.generated {
            self.simulator.credentials().password.expose_secret()
        } else {
            "…"
        };
        Some([
            "from pypowervm import adapter".to_owned(),
            format!("session = adapter.Session({:?}, {user:?}, {password:?}, protocol={protocol:?}, port={})", address.ip().to_string(), address.port()),
            "print([entry.uuid for entry in adapter.Adapter(session).read('ManagedSystem').feed.entries])".to_owned(),
        ])
    }

    fn http(&self) -> Option<String> {
        url("http", self.serving.http)
    }

    fn https(&self) -> Option<String> {
        url("https", self.serving.https)
    }

    fn admin(&self) -> Option<String> {
        url("http", self.serving.admin)
    }
}

/// Another NovaLink for programs.
fn neighbour(other: &Neighbour) -> Value {
    json!({
        "system": other.system,
        "http": url("http", other.http),
        "https": url("https", other.https),
        "certificate": other.certificate_pem,
    })
}

fn url(scheme: &str, address: Option<SocketAddr>) -> Option<String> {
    address.map(|address| format!("{scheme}://{address}"))
}

/// Writes JSON so that whoever waits for the file finds it complete, and its owner alone can read it.
pub(super) fn write(path: &Path, value: &Value) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .map_or_else(|| PathBuf::from("."), Path::to_path_buf);
    // A temporary file is readable by its owner only.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    serde_json::to_writer_pretty(&mut file, value)?;
    file.write_all(b"\n")?;
    file.persist(path)?;
    Ok(())
}
