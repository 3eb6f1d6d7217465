//! An image of 1 GiB goes through sockets, process to process, and into an image file again, and no process ever holds
//! much of it.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

mod program;

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const IMAGE: u64 = 1 << 30;
/// How much a process may grow over what it had at its start, in KiB.
const ALLOWANCE: u64 = 64 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn an_image_of_one_gibibyte_grows_neither_process() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let image = folder.path().join("large.raw");
    let digest = make_image(&image);

    let simulator = Simulator::start(folder.path(), program::programs()).await;
    let server_start = memory(simulator.child.id(), "VmRSS").unwrap();

    let mut client = simulator
        .powervm(["server", "create", "large", "--no-start", "--image"])
        .arg(&image)
        .spawn()
        .unwrap();
    let client_growth = growth_until_end(&mut client).await;
    let output = client.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );

    let server_peak = memory(simulator.child.id(), "VmHWM").unwrap();
    let server_growth = server_peak - server_start;
    println!("powervm grew by {client_growth} KiB, powervm-sim by {server_growth} KiB");
    assert!(
        client_growth < ALLOWANCE,
        "powervm grew by {client_growth} KiB"
    );
    assert!(
        server_growth < ALLOWANCE,
        "powervm-sim grew by {server_growth} KiB"
    );

    // One image and the boot disk that was cloned from it.
    let contents = simulator.contents().await;
    assert_eq!(contents.len(), 2, "{contents:?}");
    for (udid, lying) in &contents {
        assert_eq!(lying.get("bytes"), Some(&IMAGE.into()), "on {udid}");
        assert_eq!(
            lying.get("sha256"),
            Some(&digest.clone().into()),
            "on {udid}"
        );
    }

    snapshot(&simulator, folder.path(), &contents, &digest).await;

    let deleted = simulator
        .powervm(["server", "delete", "large"])
        .output()
        .unwrap();
    assert!(
        deleted.status.success(),
        "{}{}",
        text(&deleted.stdout),
        text(&deleted.stderr)
    );
    assert!(simulator.contents().await.is_empty());
}

/// Copies the boot disk to a file. The image stands for the disk that the management partition would see.
async fn snapshot(
    simulator: &Simulator,
    folder: &Path,
    contents: &serde_json::Map<String, Value>,
    digest: &str,
) {
    let devices = folder.join("by-id");
    fs::create_dir(&devices).unwrap();
    // The boot disk's identifier begins with 27, its image's with 29.
    let udid = contents.keys().find(|udid| udid.starts_with("27")).unwrap();
    let name = format!("scsi-SAIX_VDASD_{}", &udid[udid.len() - 32..]);
    std::os::unix::fs::symlink(folder.join("large.raw"), devices.join(name)).unwrap();
    let config = folder.join("powervm.toml");
    let text = format!("[powervm]\ndisk_driver = \"ssp\"\ndevice_folder = {devices:?}\n");
    fs::write(&config, text).unwrap();
    let copy = folder.join("copy.raw");
    let mut client = simulator
        .powervm(["server", "snapshot", "large", "--file"])
        .arg(&copy)
        .arg("--config")
        .arg(&config)
        .spawn()
        .unwrap();
    let growth = growth_until_end(&mut client).await;
    let output = client.wait_with_output().unwrap();
    let said = text_of(&output);
    assert!(output.status.success(), "{said}");
    println!("powervm grew by {growth} KiB while it copied the disk");
    assert!(growth < ALLOWANCE, "powervm grew by {growth} KiB");
    let made: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(made["sha256"], digest);
    assert_eq!(made["bytes"], IMAGE);
    // 64 pieces of 64 KiB were ever written.
    let taken = fs::metadata(&copy).unwrap().blocks() * 512;
    assert!(taken < 32 << 20, "the copy takes {taken} bytes");
    assert_eq!(fs::metadata(&copy).unwrap().len(), IMAGE);
    fs::remove_file(copy).unwrap();
}

fn text_of(output: &std::process::Output) -> String {
    text(&output.stdout) + &text(&output.stderr)
}

/// A sparse file with a boot record and something here and there; gives its SHA-256.
fn make_image(path: &Path) -> String {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut file = File::options()
        .create_new(true)
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    file.set_len(IMAGE).unwrap();
    let mut piece = vec![0; 64 * 1024];
    for position in (0..IMAGE).step_by(16 << 20) {
        random.fill_bytes(&mut piece);
        file.seek(SeekFrom::Start(position)).unwrap();
        file.write_all(&piece).unwrap();
    }
    file.rewind().unwrap();
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer).unwrap() {
            0 => break,
            read => digest.update(&buffer[..read]),
        }
    }
    digest
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Ends with the test, whatever becomes of it.
struct Simulator {
    programs: PathBuf,
    child: Child,
    ready: Value,
}

impl Simulator {
    async fn start(folder: &Path, programs: PathBuf) -> Self {
        let ready_file = folder.join("ready.json");
        let child = Command::new(programs.join("powervm-sim"))
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--tls-listen",
                "none",
                "--partitions",
                "0",
            ])
            .args(["--admin", "127.0.0.1:0", "--ready-file"])
            .arg(&ready_file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(folder.join("powervm-sim.log")).unwrap())
            .spawn()
            .unwrap();
        // Owned at once, so that it ends also if it never gets ready.
        let mut started = Self {
            programs,
            child,
            ready: Value::Null,
        };
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        for _ in 0..1500 {
            tick.tick().await;
            if let Ok(json) = fs::read(&ready_file) {
                started.ready = serde_json::from_slice(&json).unwrap();
                return started;
            }
        }
        panic!("powervm-sim was not ready in half a minute");
    }

    fn told(&self, name: &str) -> &str {
        self.ready
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("no {name}"))
    }

    fn powervm<const N: usize>(&self, arguments: [&str; N]) -> Command {
        let mut command = Command::new(self.programs.join("powervm"));
        command
            .args([
                "--json",
                "--disk-driver",
                "ssp",
                "--endpoint",
                self.told("http"),
                "--user",
                self.told("user"),
            ])
            .env("POWERVM_PASSWORD", self.told("password"))
            .env("POWERVM_HOST_LOCK", self.told("http"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// What lies on the disks, as the simulator's own API tells it.
    async fn contents(&self) -> serde_json::Map<String, Value> {
        let address = self.told("admin").trim_start_matches("http://");
        let token = self.told("admin_token");
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!(
            "GET /contents HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        serde_json::from_str(body).unwrap()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Watches a process until it ends; its largest resident set over its first one, in KiB.
async fn growth_until_end(child: &mut Child) -> u64 {
    let (mut first, mut peak) = (None, 0);
    let mut tick = tokio::time::interval(Duration::from_millis(5));
    while child.try_wait().unwrap().is_none() {
        if let Some(resident) = memory(child.id(), "VmRSS") {
            first.get_or_insert(resident);
        }
        peak = peak.max(memory(child.id(), "VmHWM").unwrap_or_default());
        tick.tick().await;
    }
    peak - first.expect("the process was seen")
}

/// A line of the process's status, in KiB.
fn memory(process: u32, line: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let value = status
        .lines()
        .find_map(|text| text.strip_prefix(line)?.strip_prefix(':'))?;
    value.trim().trim_end_matches(" kB").parse().ok()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
