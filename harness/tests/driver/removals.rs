//! Removals that must not go too far.

use crate::support::*;
use powervm_driver::ErrorKind;
use powervm_driver::config::DiskDriver;
use powervm_driver::operations::{Control, DestroyRequest, SpawnRequest};
use powervm_simulator::Flavor;
use powervm_simulator::weather::Rule;
use uuid::Uuid;

/// The names of virtual disks are short: two servers may share one.
#[tokio::test(start_paused = true)]
async fn a_disk_of_the_same_short_name_outlives_the_removal_of_a_server_that_never_was() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::LocalDisk).await;
    let named = |number: u32, name: &str| SpawnRequest {
        name: name.to_owned(),
        ..request(number)
    };
    // Their UUIDs begin alike, and so do their names.
    let (first, second) = ("frontend-1", "frontend-2");
    let control = Control::default();
    bench.driver.spawn(named(1, first), &control).await.unwrap();
    let keep = DestroyRequest {
        name: Some(first.to_owned()),
        destroy_disks: false,
        ..DestroyRequest::of(instance(1))
    };
    bench.driver.destroy(keep, &control).await.unwrap();
    let before = bench.world().await;
    let other = SpawnRequest {
        instance: Uuid::from_u128(instance(1).as_u128() + 1),
        ..named(1, second)
    };
    let gone = DestroyRequest {
        name: Some(second.to_owned()),
        ..DestroyRequest::of(other.instance)
    };
    let error = bench.driver.spawn(other, &control).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exists, "{error}");
    // As Nova does after a deploy that failed.
    bench.driver.destroy(gone, &control).await.unwrap();
    assert_eq!(before, bench.world().await);
    bench.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn a_404_to_the_power_off_takes_no_disk_from_a_server_that_runs() {
    for flavor in FLAVORS {
        let bench = Bench::new(flavor, DiskDriver::Ssp).await;
        bench.spawn(1).await.unwrap();
        let before = bench.world().await;
        let rule =
            Rule::new("*", "*/do/PowerOff").answer(404, "Not found", "HSCL9999 no such thing");
        bench.simulator.faults().add(rule).unwrap();
        bench.destroy(1).await.unwrap_err();
        assert_eq!(before, bench.world().await);
        bench.simulator.faults().clear();
        bench.destroy(1).await.unwrap();
    }
}
