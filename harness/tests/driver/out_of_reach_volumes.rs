//! Virtual I/O Servers that cannot be reached while volumes are detached.

use crate::storage::*;
use crate::support::*;
use powervm_driver::ErrorKind;
use powervm_driver::config::DiskDriver;
use powervm_harness::storage::Protocol;
use powervm_simulator::Flavor;
use powervm_simulator::model::job::incident::Incident;
use uuid::Uuid;

/// Longer than what is known of Virtual I/O Servers is believed.
const FORGOTTEN: std::time::Duration = std::time::Duration::from_secs(3600);

fn vioses(bench: &Bench) -> Vec<Uuid> {
    bench.simulator.world().vioses.keys().copied().collect()
}

async fn befall(bench: &Bench, vios: Uuid, what: Incident) {
    bench.simulator.befall(vios, what, None).unwrap();
    tokio::time::sleep(FORGOTTEN).await;
}

#[tokio::test(start_paused = true)]
async fn a_detachment_does_not_go_past_a_server_that_may_have_the_volume() {
    for flavor in FLAVORS {
        let bench = Bench::new(flavor, DiskDriver::Ssp).await;
        ready(&bench, true).await;
        let before = bench.world().await;
        let san = San::new(&bench, 1, Protocol::FibreChannel).await;
        san.attach(&bench, 0..1).await.unwrap();
        let attached = bench.world().await;
        for vios in vioses(&bench) {
            befall(&bench, vios, Incident::RmcLost).await;
            let error = san.detach(&bench, 0..1).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Precondition, "{error}");
            assert!(error.to_string().contains("cannot be detached"), "{error}");
            befall(&bench, vios, Incident::RmcBack).await;
            assert_same(&attached, &bench.world().await, "refused");
        }
        san.detach(&bench, 0..1).await.unwrap();
        assert_same(&before, &bench.world().await, "detached");
        bench.assert_sound();
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_has_nothing_of_it_keeps_no_detachment() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::LocalDisk).await;
    let mut order = request(1);
    order.config_drive = None;
    order.power_on = false;
    let control = powervm_driver::operations::Control::default();
    let server = bench.driver.spawn(order, &control).await.unwrap();
    let world = bench.simulator.world();
    let serves = |name: &str| server.storage.iter().any(|one| one.served_by == name);
    let other = world
        .vioses
        .values()
        .find(|vios| !serves(&vios.partition.name))
        .unwrap();
    let other = other.partition.uuid;
    befall(&bench, other, Incident::Down).await;
    let before = bench.world().await;
    let san = San::new(&bench, 1, Protocol::FibreChannel).await;
    san.attach(&bench, 0..1).await.unwrap();
    san.detach(&bench, 0..1).await.unwrap();
    assert_same(&before, &bench.world().await, "detached");
}
