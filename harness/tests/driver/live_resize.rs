//! Servers get another size as they run.

use crate::resize::{size, with};
use crate::support::*;
use powervm_driver::ErrorKind;
use powervm_driver::config::DiskDriver;
use powervm_driver::operations::{Control, ResizeRequest, Server};
use powervm_driver::partition::Flavor as Size;
use powervm_simulator::Flavor;

/// A running server that can grow to four processors and 4 GB, when its RMC connection is up.
async fn roomy(flavor: Flavor) -> Bench {
    let bench = Bench::new(flavor, DiskDriver::Ssp).await;
    let mut roomy = request(1);
    roomy.flavor = with(
        size(1, 1024, 1),
        &[
            ("max_mem", "4096"),
            ("max_vcpu", "4"),
            ("max_proc_units", "2"),
        ],
    );
    bench
        .driver
        .spawn(roomy, &Control::default())
        .await
        .unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(900)).await;
    bench
}

impl Bench {
    async fn resize_live(&self, flavor: Size) -> powervm_driver::Result<Server> {
        let request = ResizeRequest {
            instance: instance(1),
            name: None,
            flavor,
            from_gb: None,
        };
        self.driver
            .resize_live(request, &Control::default())
            .await?;
        self.driver.show(instance(1)).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_running_server_grows_and_shrinks_within_its_bounds() {
    for flavor in FLAVORS {
        let bench = roomy(flavor).await;
        let was = bench.driver.show(instance(1)).await.unwrap();
        let grown = bench.resize_live(size(4, 4096, 2)).await.unwrap();
        assert_eq!((grown.vcpus, grown.memory_mb), (4, 4096));
        assert_eq!(grown.proc_units, Some(0.4));
        assert_eq!(grown.summary, was.summary, "it ran on, under its name");
        assert!((bench.boot_disk_gb(DiskDriver::Ssp) - 2.0).abs() < f64::EPSILON);
        let shrunk = bench.resize_live(size(1, 1024, 0)).await.unwrap();
        assert_eq!((shrunk.vcpus, shrunk.memory_mb), (1, 1024));
        bench.assert_sound();
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_running_server_cannot_take_is_refused_and_nothing_sent() {
    let bench = roomy(Flavor::NovaLink).await;
    bench.calls.take();
    let refused = async |flavor: Size| bench.resize_live(flavor).await.unwrap_err();
    for (flavor, words) in [
        (size(1, 8192, 0), "maximum memory"),
        (size(8, 1024, 0), "maximum virtual processors"),
        (size(1, 512, 0), "minimum memory"),
        (
            with(size(1, 1024, 0), &[("max_mem", "8192")]),
            "maximum memory",
        ),
        (
            with(size(1, 1024, 0), &[("max_vcpu", "8")]),
            "maximum processors",
        ),
        (
            with(size(1, 1024, 0), &[("max_proc_units", "3")]),
            "processing units",
        ),
        (
            with(size(1, 1024, 0), &[("dedicated_proc", "true")]),
            "mode of its processors",
        ),
        (
            with(size(1, 1024, 0), &[("processor_compatibility", "POWER7")]),
            "compatibility",
        ),
        (
            with(size(1, 1024, 0), &[("srr_capability", "false")]),
            "remote restart",
        ),
    ] {
        let error = refused(flavor).await;
        assert!(error.to_string().contains(words), "{words}: {error}");
    }
    assert!(bench.calls.take().iter().all(|(method, _)| method == "GET"));

    let young = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    young.spawn(1).await.unwrap();
    let error = young.resize_live(size(1, 1024, 0)).await.unwrap_err();
    assert!(error.to_string().contains("RMC"), "{error}");
    young
        .driver
        .stop(
            instance(1),
            powervm_driver::operations::Stop::Hard,
            &Control::default(),
        )
        .await
        .unwrap();
    let error = young.resize_live(size(1, 1024, 0)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Precondition);
    assert!(error.to_string().contains("does not run"), "{error}");
}
