//! The logs as the nginx of docs/third-party-ci.md serves them.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::documentation::blocks;

const NAME: &str = "powervm-ci.example.org";

/// An nginx that ends with its owner.
struct Nginx {
    child: Child,
    plain: u16,
    tls: u16,
    folder: tempfile::TempDir,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

fn done(command: &mut Command) {
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {told}");
}

/// The block with ports and folders of a test's; nothing where there is no nginx.
fn nginx() -> Option<Nginx> {
    Command::new("nginx").arg("-v").output().ok()?;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let (plain, tls) = (free_port(), free_port());
    let (certificate, key) = (path.join("cert.pem"), path.join("key.pem"));
    done(
        Command::new("openssl")
            .args([
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
            ])
            .args(["-subj", &format!("/CN={NAME}")])
            .args(["-addext", &format!("subjectAltName=DNS:{NAME}")])
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(&certificate),
    );
    let live = format!("/etc/letsencrypt/live/{NAME}");
    let mut block = blocks("nginx").concat();
    for (was, is) in [
        ("listen 80;", format!("listen 127.0.0.1:{plain};")),
        ("listen 443 ssl;", format!("listen 127.0.0.1:{tls} ssl;")),
        (&format!("{live}/fullchain.pem"), shown(&certificate)),
        (&format!("{live}/privkey.pem"), shown(&key)),
        ("/srv/powervm-ci", shown(&path.join("srv"))),
    ] {
        assert!(block.contains(was), "{was} is not in the block");
        block = block.replace(was, &is);
    }
    let folders: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {};\n", shown(&path.join(name))))
        .concat();
    let text = format!(
        "daemon off;\nmaster_process off;\npid {}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n\
         types {{ text/html html; text/plain txt; }}\n{folders}{block}}}\n",
        shown(path)
    );
    let configuration = path.join("nginx.conf");
    fs::write(&configuration, text).unwrap();
    let logs = path.join("srv/logs/987654-3-0a1b2c3d");
    fs::create_dir_all(logs.join("logs")).unwrap();
    fs::write(logs.join("report.html"), "<p>page</p>").unwrap();
    for (name, content) in [
        ("testr_results.html", "<p>results</p>"),
        ("logs/screen.txt", "line"),
    ] {
        fs::write(logs.join(name), content).unwrap();
        done(Command::new("gzip").arg(logs.join(name)));
    }
    fs::create_dir_all(path.join("srv/acme/.well-known/acme-challenge")).unwrap();
    fs::write(
        path.join("srv/acme/.well-known/acme-challenge/token"),
        "proof",
    )
    .unwrap();
    fs::write(path.join("srv/secret"), "nobody's").unwrap();
    let child = Command::new("nginx")
        .arg("-p")
        .arg(path)
        .arg("-c")
        .arg(&configuration)
        .args(["-e", "stderr"])
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let mut nginx = Nginx {
        child,
        plain,
        tls,
        folder,
    };
    for _ in 0..200 {
        if TcpStream::connect(("127.0.0.1", tls)).is_ok() {
            return Some(nginx);
        }
        let ended = nginx.child.try_wait().unwrap();
        assert!(ended.is_none(), "nginx does not take the block: {ended:?}");
        pause();
    }
    panic!("nginx does not listen");
}

#[expect(
    clippy::disallowed_methods,
    reason = "another process is waited for: no clock of ours rules it"
)]
fn pause() {
    thread::sleep(Duration::from_millis(50));
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

impl Nginx {
    /// Headers in small letters, and the body as a browser sees it.
    fn get(&self, scheme: &str, path: &str) -> (String, String) {
        let port = if scheme == "https" {
            self.tls
        } else {
            self.plain
        };
        let output = Command::new("curl")
            .args([
                "-sS",
                "-i",
                "--compressed",
                "--noproxy",
                "*",
                "--max-time",
                "20",
            ])
            .args(["--resolve", &format!("{NAME}:{port}:127.0.0.1")])
            .arg("--cacert")
            .arg(self.folder.path().join("cert.pem"))
            .arg(format!("{scheme}://{NAME}:{port}{path}"))
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{path}: {told}");
        let text = String::from_utf8(output.stdout).unwrap();
        let (headers, body) = text.split_once("\r\n\r\n").unwrap();
        (headers.to_lowercase(), body.to_owned())
    }
}

#[test]
fn nginx_serves_the_logs_over_tls_and_sandboxed() {
    let Some(nginx) = nginx() else {
        // There is no nginx on this machine.
        return;
    };
    let run = "/logs/987654-3-0a1b2c3d";
    let scripts = "content-security-policy: sandbox allow-scripts";
    let expected = [
        ("/logs/", "text/html", scripts, "987654-3-0a1b2c3d/"),
        ("/report.html", "text/html", scripts, "<p>page</p>"),
        (
            "/testr_results.html.gz",
            "text/html",
            scripts,
            "<p>results</p>",
        ),
        (
            "/logs/screen.txt.gz",
            "text/plain",
            "content-security-policy: sandbox",
            "line",
        ),
    ];
    for (path, kind, policy, content) in expected {
        let path = if path == "/logs/" {
            path.to_owned()
        } else {
            format!("{run}{path}")
        };
        let (headers, body) = nginx.get("https", &path);
        assert!(headers.starts_with("http/1.1 200"), "{path}: {headers}");
        let header = |name: &str| {
            let found: Vec<_> = headers
                .lines()
                .filter(|line| line.starts_with(name))
                .collect();
            assert_eq!(found.len(), 1, "{path}: {headers}");
            found[0].to_owned()
        };
        assert!(header("content-type").contains(kind), "{path}: {headers}");
        assert_eq!(header("content-security-policy"), policy, "{path}");
        assert!(body.contains(content), "{path}: {body}");
    }
    // Nothing but the logs.
    assert!(nginx.get("https", "/secret").0.starts_with("http/1.1 404"));
    assert!(
        nginx
            .get("https", "/logs/../secret")
            .0
            .starts_with("http/1.1 404")
    );
    // Without TLS: to where there is TLS, and what a certificate is made with.
    let (headers, _) = nginx.get("http", &format!("{run}/report.html"));
    let wanted = format!("location: https://{NAME}{run}/report.html");
    assert!(headers.lines().any(|line| line == wanted), "{headers}");
    let (_, proof) = nginx.get("http", "/.well-known/acme-challenge/token");
    assert_eq!(proof, "proof");
}
