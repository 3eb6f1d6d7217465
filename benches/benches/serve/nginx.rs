//! nginx beside the simulator: a file of the same bytes from a server that does nothing else.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use crate::process::Server;

/// One worker in one process, so that its times are those of `/proc/PID/stat`.
#[derive(Debug)]
pub(crate) struct Nginx {
    pub(crate) server: Server,
    files: TempDir,
}

impl Nginx {
    /// Starts it on a free port; none where it is not installed.
    pub(crate) fn start() -> Result<Option<Self>> {
        let Some(program) = program() else {
            return Ok(None);
        };
        let files = tempfile::tempdir()?;
        let folder = files.path().display();
        // Another program could take the port before nginx does: then it says so and the bench ends.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let configuration = format!(
            "daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log stderr;
             events {{ worker_connections 64; }}
             http {{
               access_log off; sendfile on; tcp_nodelay on; keepalive_requests 100000000;
               client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
               uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
               server {{ listen {address}; root {folder}; }}
             }}"
        );
        let file = files.path().join("nginx.conf");
        std::fs::write(&file, configuration)?;
        open_to_all(files.path())?;
        let mut command = Command::new(program);
        command.arg("-p").arg(files.path()).arg("-c").arg(&file);
        let server = Server::other(&mut command, address).context("nginx")?;
        Ok(Some(Self { server, files }))
    }

    /// Puts a file there and gives its path.
    pub(crate) fn file(&self, name: &str, bytes: &str) -> Result<String> {
        std::fs::write(self.files.path().join(name), bytes)?;
        Ok(format!("/{name}"))
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address
    }
}

/// Its worker may run as another user.
fn open_to_all(folder: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let permissions = std::fs::Permissions::from_mode(0o755);
    Ok(std::fs::set_permissions(folder, permissions)?)
}

/// On the path, or where Debian's package puts it, which is on the path of root only.
fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin"), PathBuf::from("/usr/local/sbin")])
        .map(|folder| folder.join("nginx"))
        .find(|program| program.is_file())
}
