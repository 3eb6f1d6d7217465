//! Boot disks copied to images: what the disk holds comes out, and nothing of it stays.

use std::convert::Infallible;
use std::path::Path;
use std::sync::{Arc, Mutex};

use bytes::{Bytes, BytesMut};
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Empty};
use powervm_driver::config::DiskDriver;
use powervm_driver::operations::{Control, Driver, SnapshotInfo, SnapshotRequest, SpawnRequest};
use powervm_driver::rest::{Body, ServiceTransport};
use powervm_driver::storage::capture::CaptureTarget;
use powervm_driver::{Error, ErrorKind};
use powervm_harness::audit::{Inventory, ItemKind};
use powervm_harness::target::embedded::SimulatedDevices;
use powervm_simulator::Flavor;
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};

use crate::support::*;

/// A disk that is mostly blank, as images of systems are.
pub(crate) fn content() -> Bytes {
    let mut content = BytesMut::zeroed((5 << 20) + 700);
    for (place, byte) in (0_u8..).zip(content.iter_mut().step_by(1 << 20)) {
        *byte = place + 1;
    }
    content.freeze()
}

fn sha256(content: &[u8]) -> String {
    Sha256::digest(content)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

pub(crate) async fn bench(flavor: Flavor, disk: DiskDriver) -> Bench {
    let mut bench = Bench::new(flavor, disk).await;
    bench.driver = bench
        .driver
        .clone()
        .reading_disks_of(SimulatedDevices::of(&bench.simulator, [content()]));
    bench
}

fn order() -> SpawnRequest {
    let mut order = request(1);
    let image = order.image.as_mut().unwrap();
    image.checksum = "version-of-a-blank-disk".to_owned();
    image.size = content().len() as u64;
    image.source = powervm_driver::storage::image::ImageSource::Bytes(content());
    order
}

pub(crate) async fn server(bench: &Bench) {
    bench
        .driver
        .spawn(order(), &Control::default())
        .await
        .unwrap();
}

pub(crate) async fn to_file(
    driver: &Driver,
    path: &Path,
    control: &Control,
) -> Result<SnapshotInfo, Error> {
    let request = SnapshotRequest {
        server: instance(1).into(),
        target: CaptureTarget::File(path.to_owned()),
    };
    driver.snapshot(request, control).await
}

pub(crate) fn files_in(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap();
    names
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect()
}

pub(crate) fn without_jobs(mut world: Inventory) -> Inventory {
    world.items.retain(|item| item.kind != ItemKind::Job);
    world
}

#[tokio::test(start_paused = true)]
async fn a_file_holds_what_the_disk_holds_and_blank_parts_take_no_room() {
    for powered in [true, false] {
        let (bench, folder) = (
            bench(Flavor::NovaLink, DiskDriver::Ssp).await,
            tempfile::tempdir().unwrap(),
        );
        let mut order = order();
        order.power_on = powered;
        bench
            .driver
            .spawn(order, &Control::default())
            .await
            .unwrap();
        let before = bench.world().await;
        let path = folder.path().join("web.raw");
        let made = to_file(&bench.driver, &path, &Control::default())
            .await
            .unwrap();
        let found = std::fs::read(&path).unwrap();
        assert!(found == content());
        assert_eq!(made.content.bytes, content().len() as u64);
        assert_eq!(made.content.sha256, sha256(&content()));
        assert_eq!(
            (made.server.as_str(), made.disk.as_str()),
            ("web-1", "boot_web-1".replace('-', "_").as_str())
        );
        use std::os::unix::fs::MetadataExt as _;
        let taken = std::fs::metadata(&path).unwrap().blocks() * 512;
        assert!(taken < content().len() as u64 / 4, "{taken} bytes on disk");
        assert_eq!(files_in(folder.path()), ["web.raw"]);
        assert_eq!(bench.world().await, before);
        bench.assert_sound();
    }
}

#[tokio::test(start_paused = true)]
async fn an_hmc_says_that_it_cannot() {
    let (bench, folder) = (
        bench(Flavor::Hmc, DiskDriver::Ssp).await,
        tempfile::tempdir().unwrap(),
    );
    server(&bench).await;
    let before = bench.world().await;
    let error = to_file(&bench.driver, &folder.path().join("a"), &Control::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Precondition);
    assert!(
        error
            .to_string()
            .contains("an HMC has no way to read a disk"),
        "{error}"
    );
    assert_eq!(bench.world().await, before);
}

/// As the drivers of the Python family: only where the management partition owns the volume group.
#[tokio::test(start_paused = true)]
async fn a_disk_of_another_partitions_volume_group_is_out_of_reach() {
    let (bench, folder) = (
        bench(Flavor::NovaLink, DiskDriver::LocalDisk).await,
        tempfile::tempdir().unwrap(),
    );
    server(&bench).await;
    let error = to_file(&bench.driver, &folder.path().join("a"), &Control::default())
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("disk_driver localdisk"),
        "{error}"
    );
    assert!(files_in(folder.path()).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_disk_of_the_management_partitions_own_volume_group_is_read_where_it_is() {
    let mut bench = Bench::with(novalink_on_a_server(), config(DiskDriver::LocalDisk)).await;
    let devices = SimulatedDevices::of(&bench.simulator, [content()]);
    bench.driver = bench.driver.clone().reading_disks_of(devices);
    let folder = tempfile::tempdir().unwrap();
    server(&bench).await;
    let before = without_jobs(bench.world().await);
    let path = folder.path().join("web.raw");
    let made = to_file(&bench.driver, &path, &Control::default())
        .await
        .unwrap();
    assert_eq!(made.content.sha256, sha256(&content()));
    assert!(std::fs::read(&path).unwrap() == content());
    assert_eq!(without_jobs(bench.world().await), before);
    bench.assert_sound();
}

/// What an image server got: the token, the length it was told, and the content.
pub(crate) type Store = Arc<Mutex<Option<(Option<String>, Option<String>, Bytes)>>>;

pub(crate) fn image_server(status: StatusCode) -> (Store, CaptureTarget) {
    let store = Store::default();
    let kept = Arc::clone(&store);
    let service = tower::service_fn(move |request: Request<Body>| {
        let kept = Arc::clone(&kept);
        let text = |name: &str| {
            request
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap().to_owned())
        };
        let (token, length) = (text("x-auth-token"), text(header::CONTENT_LENGTH.as_str()));
        assert_eq!(request.method(), "PUT");
        let body = request.into_body();
        async move {
            if let Ok(body) = body.collect().await
                && status.is_success()
            {
                *kept.lock().unwrap() = Some((token, length, body.to_bytes()));
            }
            let mut answer = Response::new(Empty::<Bytes>::new());
            *answer.status_mut() = status;
            Ok::<_, Infallible>(answer)
        }
    });
    let target = CaptureTarget::Url {
        url: "https://glance.example/v2/images/1/file?signature=hush".to_owned(),
        token: Some(SecretString::from("hush-token")),
        through: Some(Arc::new(ServiceTransport::new(service))),
    };
    (store, target)
}

#[tokio::test(start_paused = true)]
async fn an_image_server_gets_it_with_one_put() {
    let bench = bench(Flavor::NovaLink, DiskDriver::Ssp).await;
    server(&bench).await;
    let before = bench.world().await;
    let (store, target) = image_server(StatusCode::NO_CONTENT);
    assert!(!format!("{target:?} {target}").contains("hush"));
    let request = SnapshotRequest {
        server: instance(1).into(),
        target,
    };
    let made = bench
        .driver
        .snapshot(request, &Control::default())
        .await
        .unwrap();
    let (token, length, body) = store.lock().unwrap().take().unwrap();
    assert_eq!(token.as_deref(), Some("hush-token"));
    assert_eq!(length, Some(content().len().to_string()));
    assert!(body == content());
    assert_eq!(made.image, "https://glance.example/v2/images/1/file");
    assert_eq!(bench.world().await, before);
    for (status, part) in [
        (StatusCode::UNAUTHORIZED, "POWERVM_IMAGE_TOKEN"),
        (StatusCode::FOUND, "302"),
    ] {
        let (_, target) = image_server(status);
        let request = SnapshotRequest {
            server: instance(1).into(),
            target,
        };
        let error = bench
            .driver
            .snapshot(request, &Control::default())
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains(part) && !error.contains("hush"), "{error}");
        assert_eq!(bench.world().await, before);
    }
}

/// Two at once share no mapping: the first to end would take it from the other.
#[tokio::test(start_paused = true)]
async fn snapshots_of_one_server_take_turns() {
    let (bench, folder) = (
        bench(Flavor::NovaLink, DiskDriver::Ssp).await,
        tempfile::tempdir().unwrap(),
    );
    server(&bench).await;
    let before = bench.world().await;
    let control = Control::default();
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    let (one, other) = tokio::join!(
        to_file(&bench.driver, &a, &control),
        to_file(&bench.driver, &b, &control)
    );
    assert_eq!(one.unwrap().content, other.unwrap().content);
    assert_eq!(bench.world().await, before);
}
