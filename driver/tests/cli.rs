//! `powervm` as a process: exit codes, what it prints where, and what it never prints.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};
use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

const PASSWORD: &str = "correct-horse-battery";

fn powervm(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_powervm"));
    for name in [
        "ENDPOINT",
        "USER",
        "PASSWORD",
        "PASSWORD_FILE",
        "CONFIG",
        "HOST_LOCK",
        "JOURNAL",
    ] {
        command.env_remove(format!("POWERVM_{name}"));
    }
    command
        .env_remove("RUST_LOG")
        .args(arguments)
        .envs(environment.iter().copied())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A server on a socket of its own that answers everything alike.
fn server(status: StatusCode, body: &'static str) -> (tokio::runtime::Runtime, SocketAddr) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let listener = runtime
        .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
        .unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().fallback(async move || (status, body));
    runtime.spawn(async move { axum::serve(listener, router).await });
    (runtime, address)
}

#[test]
fn help_tells_the_exit_codes_and_takes_no_password() {
    let help = powervm(&["--help"], &[]);
    let text = text(&help.stdout);
    assert!(help.status.success() && text.contains("Exit codes") && text.contains("130"));
    for noun in ["server", "host"] {
        assert!(text.contains(noun), "{text}");
    }
    let refused = powervm(&["--password", PASSWORD, "host", "show"], &[]);
    assert_eq!(refused.status.code(), Some(2));
}

#[test]
fn wrong_arguments_and_configuration_are_told_before_anything_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    std::fs::write(&config, "[powervm]\ndisk_drivers = \"ssp\"\n").unwrap();
    let config = config.to_str().unwrap();
    for (arguments, part) in [
        (&["host", "show"][..], "volume_group_name"),
        (&["--config", config, "host", "show"], "disk_drivers"),
        (
            &["--config", "/nonexistent", "host", "show"],
            "/nonexistent",
        ),
        (&["--disk-driver", "nfs", "host", "show"], "nfs"),
        (
            &[
                "--disk-driver",
                "ssp",
                "--endpoint",
                "ftp://x",
                "host",
                "show",
            ],
            "ftp",
        ),
        (
            &["--disk-driver", "ssp", "--user", "me", "host", "show"],
            "POWERVM_PASSWORD",
        ),
        (
            &[
                "--disk-driver",
                "ssp",
                "--fingerprint",
                "12",
                "host",
                "show",
            ],
            "fingerprint",
        ),
        (&["server", "create", "web"], "--image"),
        (
            &[
                "server",
                "create",
                "web",
                "--image",
                "x",
                "--network",
                "5000",
            ],
            "4094",
        ),
    ] {
        let output = powervm(arguments, &[]);
        let said = text(&output.stderr);
        assert!(
            output.status.code() == Some(2) || said.contains("/nonexistent"),
            "{arguments:?}: {said}"
        );
        assert!(said.contains(part), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_server_that_is_not_there_or_is_none_is_told() {
    let environment = [("POWERVM_USER", "me"), ("POWERVM_PASSWORD", PASSWORD)];
    let nobody = powervm(
        &[
            "--disk-driver",
            "ssp",
            "--endpoint",
            "http://127.0.0.1:1",
            "host",
            "show",
        ],
        &environment,
    );
    assert_eq!(nobody.status.code(), Some(6), "{}", text(&nobody.stderr));
    let (_runtime, address) = server(StatusCode::OK, "<html>welcome</html>");
    let endpoint = format!("http://{address}");
    let other = powervm(
        &[
            "--disk-driver",
            "ssp",
            "--endpoint",
            &endpoint,
            "--json",
            "host",
            "show",
        ],
        &environment,
    );
    assert_eq!(other.status.code(), Some(6));
    let said: serde_json::Value = serde_json::from_slice(&other.stdout).unwrap();
    assert_eq!(
        (&said["error"]["kind"], &said["error"]["exit_code"]),
        (&"BadAnswer".into(), &6.into())
    );
}

/// An https server for 127.0.0.1 that is no HMC, and the PEM of its certificate.
fn https() -> (tokio::runtime::Runtime, SocketAddr, String) {
    let pair = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pair.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![pair.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let listener = runtime
        .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
        .unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            // Who does not believe the certificate hangs up.
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let _ = stream.read(&mut [0; 4096]).await;
            let answer =
                b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\nconnection: close\r\n\r\nwelcome";
            let _ = stream.write_all(answer).await;
            let _ = stream.shutdown().await;
        }
    });
    (runtime, address, pair.cert.pem())
}

#[test]
fn a_certificate_that_the_system_vouches_for_is_believed() {
    let (_runtime, address, pem) = https();
    let directory = tempfile::tempdir().unwrap();
    let (known, other) = (
        directory.path().join("known.pem"),
        directory.path().join("other.pem"),
    );
    std::fs::write(&known, pem).unwrap();
    let stranger = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(&other, stranger.cert.pem()).unwrap();
    let endpoint = format!("https://{address}");
    // OpenSSL's variable stands for the system's own file, which a test cannot change.
    for (roots, kind) in [(&known, "BadAnswer"), (&other, "Unreachable")] {
        let asked = powervm(
            &[
                "--disk-driver",
                "ssp",
                "--endpoint",
                &endpoint,
                "--json",
                "host",
                "show",
            ],
            &[
                ("POWERVM_USER", "me"),
                ("POWERVM_PASSWORD", PASSWORD),
                ("SSL_CERT_FILE", roots.to_str().unwrap()),
            ],
        );
        let said: serde_json::Value = serde_json::from_slice(&asked.stdout).unwrap();
        assert_eq!(said["error"]["kind"], kind, "{said}");
    }
}

#[test]
fn refused_credentials_are_told_and_never_printed() {
    let (_runtime, address) = server(StatusCode::UNAUTHORIZED, "no");
    let endpoint = format!("http://{address}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, format!("{PASSWORD}\n")).unwrap();
    let arguments = [
        "--disk-driver",
        "ssp",
        "--endpoint",
        &endpoint,
        "host",
        "show",
    ];
    for secret in [
        ("POWERVM_PASSWORD", PASSWORD),
        ("POWERVM_PASSWORD_FILE", file.to_str().unwrap()),
    ] {
        let output = powervm(
            &arguments,
            &[("POWERVM_USER", "me"), secret, ("RUST_LOG", "trace")],
        );
        assert_eq!(output.status.code(), Some(7), "{}", text(&output.stderr));
        assert!(text(&output.stderr).contains("check the user, the password"));
        for printed in [&output.stdout, &output.stderr] {
            assert!(!text(printed).contains(PASSWORD));
        }
    }
}

#[test]
fn the_configuration_is_checked_whole_and_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let secret = file("password", PASSWORD);
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o644)).unwrap();
    let environment = [("POWERVM_USER", "me"), ("POWERVM_PASSWORD_FILE", &secret)];
    let good = file(
        "good",
        "[powervm]\nhost = \"a\"\nvolume_group_name = \"datavg\"\n",
    );
    let arguments = [
        "--config", &good, "--system", "p9", "--json", "config", "check",
    ];
    let output = powervm(&arguments, &environment);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["usable"], true);
    assert_eq!(said["problems"].as_array().unwrap().len(), 1, "{said}");
    assert!(
        said["problems"][0]["what"]
            .as_str()
            .unwrap()
            .contains("chmod 600"),
        "{said}"
    );
    let of = |key: &str| {
        let settings = said["settings"].as_array().unwrap();
        settings.iter().find(|it| it["key"] == key).unwrap().clone()
    };
    assert_eq!(
        (of("host")["value"].as_str(), of("host")["line"].as_u64()),
        (Some("a"), Some(2))
    );
    assert_eq!(of("managed_system")["option"], "--system");
    assert_eq!(of("user")["variable"], "POWERVM_USER");
    assert_eq!(of("max_uploads")["from"], "default");
    assert!(!text(&output.stdout).contains(PASSWORD));

    let bad = file(
        "bad",
        "[powervm]\nhosts = \"a\"\nmax_uploads = 99\nvnc_use_x509_auth = true\n",
    );
    let environment = [("POWERVM_PASSWORD", PASSWORD)];
    let output = powervm(&["--config", &bad, "config", "check"], &environment);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    for part in [
        "error: line 2: hosts: there is no such key; did you mean host?",
        "error: line 3: max_uploads: has to be 1 to 16, not 99",
        "error: line 4: vnc_use_x509_auth: needs vnc_server_cert",
        "error: line 4: vnc_use_x509_auth: needs vnc_server_key",
        "error: disk_driver: localdisk needs a volume_group_name",
        "error: password: there is a password but no user",
        "warning: vnc_ca_certs",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(text(&output.stdout).contains("(set)") && !text(&output.stdout).contains(PASSWORD));
    let keys = powervm(&["config", "keys"], &[]);
    assert!(text(&keys.stdout).contains("fabric_<name>_port_wwpns"));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = folder.path().join("journal");
    let mut child = Command::new(env!("CARGO_BIN_EXE_powervm"))
        .args(["recover", "--journal"])
        .arg(&journal)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the program runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "");
}
