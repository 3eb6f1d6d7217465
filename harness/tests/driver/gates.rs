//! What a guest cannot take as it runs, and what a host has that cannot be told apart: refused before anything is sent.

use crate::altered::Alteration;
use crate::resize::{size, with};
use crate::storage::*;
use crate::support::*;
use powervm_driver::config::DiskDriver;
use powervm_driver::operations::{Control, ResizeRequest, SpawnRequest, Stop};
use powervm_driver::{Error, ErrorKind};
use powervm_harness::storage::Protocol;
use powervm_simulator::Flavor;

#[track_caller]
fn assert_refused<T: std::fmt::Debug>(refused: Result<T, Error>, kind: ErrorKind, words: &str) {
    let error = refused.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(words), "{error}");
    assert!(error.to_string().contains(&error.remedy()), "{error}");
}

#[track_caller]
fn assert_only_looked(bench: &Bench) {
    let calls = bench.calls.take();
    assert!(calls.iter().all(|(method, _)| method == "GET"), "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_takes_no_devices_as_it_runs_is_left_alone_until_it_is_off() {
    const NO_IO: Alteration = (
        "/LogicalPartition/",
        "(<DynamicLogicalPartitionIOCapable [^>]*>)true",
        "${1}false",
    );
    const TOLD: &str = "takes no devices";
    for flavor in FLAVORS {
        let bench = Bench::new(flavor, DiskDriver::Ssp).await;
        ready(&bench, false).await;
        let san = San::new(&bench, 2, Protocol::FibreChannel).await;
        san.attach(&bench, 1..2).await.unwrap();
        let shown = bench.driver.show(instance(1)).await.unwrap();
        let mac = shown.interfaces[0].mac.unwrap();
        let bench = bench.seen_as(NO_IO).await;
        let before = bench.world().await;
        bench.calls.take();
        let (driver, control) = (&bench.driver, Control::default());
        let wanted = || "100".parse().unwrap();
        let attached = driver.attach_interface(instance(1), wanted(), &control);
        assert_refused(attached.await, ErrorKind::Precondition, TOLD);
        let detached = driver.detach_interface(instance(1), mac, &control).await;
        assert_refused(detached, ErrorKind::Precondition, TOLD);
        let attached = san.attach(&bench, 0..1).await;
        assert_refused(attached, ErrorKind::Precondition, TOLD);
        let detached = san.detach(&bench, 1..2).await;
        assert_refused(detached, ErrorKind::Precondition, TOLD);
        assert_only_looked(&bench);
        assert_same(&before, &bench.world().await, "refused");
        driver
            .stop(instance(1), Stop::Hard, &control)
            .await
            .unwrap();
        driver
            .attach_interface(instance(1), wanted(), &control)
            .await
            .unwrap();
        san.detach(&bench, 1..2).await.unwrap();
        bench.assert_sound();
    }
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_takes_no_memory_or_processors_as_it_runs_keeps_its_size() {
    const BOUNDS: [(&str, &str); 3] = [
        ("max_mem", "4096"),
        ("max_vcpu", "4"),
        ("max_proc_units", "2"),
    ];
    for (alteration, flavor, words) in [
        (
            (
                "/LogicalPartition/",
                "(<DynamicLogicalPartitionMemoryCapable [^>]*>)true",
                "${1}false",
            ),
            size(1, 2048, 0),
            "takes no memory",
        ),
        (
            (
                "/LogicalPartition/",
                "(<DynamicLogicalPartitionProcessorCapable [^>]*>)true",
                "${1}false",
            ),
            size(2, 1024, 0),
            "takes no processors",
        ),
    ] {
        let bench = Bench::new(Flavor::Hmc, DiskDriver::Ssp).await;
        let request = SpawnRequest {
            flavor: with(size(1, 1024, 1), &BOUNDS),
            ..request(1)
        };
        let control = Control::default();
        bench.driver.spawn(request, &control).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
        let bench = bench.seen_as(alteration).await;
        let request = ResizeRequest {
            instance: instance(1),
            name: None,
            flavor,
            from_gb: None,
        };
        let resized = bench.driver.resize_live(request, &control).await;
        assert_refused(resized, ErrorKind::Precondition, words);
        assert_only_looked(&bench);
    }
}

#[tokio::test(start_paused = true)]
async fn a_processor_pool_whose_name_several_have_is_refused() {
    const ALIKE: Alteration = (
        "/SharedProcessorPool",
        "(<PoolName [^>]*>)[^<]*",
        "${1}gold",
    );
    for flavor in FLAVORS {
        let bench = Bench::new(flavor, DiskDriver::Ssp).await;
        let bench = bench.seen_as(ALIKE).await;
        let before = bench.world().await;
        let request = SpawnRequest {
            flavor: with(size(1, 1024, 1), &[("shared_proc_pool_name", "gold")]),
            ..request(1)
        };
        let refused = bench.driver.spawn(request, &Control::default()).await;
        let words = "several shared processor pools named 'gold'";
        assert_refused(refused, ErrorKind::Invalid, words);
        assert_only_looked(&bench);
        assert_same(&before, &bench.world().await, "refused");
    }
}
