//! `powervm` as a process: exit codes, what it prints where, and what it never prints.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

use std::net::SocketAddr;
use std::process::{Command, Output};

use axum::Router;
use axum::http::StatusCode;

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
