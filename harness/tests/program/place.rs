//! A simulator on a socket, and what `powervm` needs to work on it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use powervm_simulator::Simulator;
use powervm_simulator::serve::{ServeOptions, Serving, serve};
use secrecy::ExposeSecret;
use tempfile::TempDir;

/// A simulator that is served, and a folder with a password, a configuration and a journal.
pub(crate) struct Place {
    pub(crate) simulator: Simulator,
    _serving: Serving,
    pub(crate) url: String,
    pub(crate) folder: TempDir,
    program: PathBuf,
}

impl Place {
    pub(crate) async fn of(program: &Path, simulator: Simulator) -> Self {
        let options = ServeOptions {
            http: Some(([127, 0, 0, 1], 0).into()),
            ..ServeOptions::default()
        };
        let serving = serve(&simulator, &options).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let credentials = simulator.credentials();
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("password", credentials.password.expose_secret());
        write("image", "the image of a disk, a small one");
        let journal = folder.path().join("journal");
        write(
            "config.toml",
            &format!(
                "[powervm]\ndisk_driver = \"ssp\"\nrecovery_wait = 1\njournal = {:?}\n",
                journal.to_str().unwrap()
            ),
        );
        Self {
            url: format!("http://{}", serving.http.unwrap()),
            simulator,
            _serving: serving,
            folder,
            program: program.to_owned(),
        }
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let file = |name: &str| self.folder.path().join(name);
        let mut command = Command::new(&self.program);
        command
            .env("POWERVM_ENDPOINT", &self.url)
            .env("POWERVM_USER", &self.simulator.credentials().user)
            .env("POWERVM_PASSWORD_FILE", file("password"))
            .env("POWERVM_CONFIG", file("config.toml"))
            // Simulated systems have the same serial numbers.
            .env("POWERVM_HOST_LOCK", &self.url)
            .env_remove("POWERVM_PASSWORD")
            .env_remove("POWERVM_JOURNAL")
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) async fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        let running = tokio::task::spawn_blocking(move || command.output());
        running.await.unwrap().unwrap()
    }
}
