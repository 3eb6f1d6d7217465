//! Servers get another size, or leave for another host; that is confirmed, or taken back.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::support::*;
use powervm_driver::config::DiskDriver;
use powervm_driver::journal::JournalFile;
use powervm_driver::operations::{
    ArriveRequest, Before, ConfirmRequest, Control, DepartRequest, Departure, Destination, Driver,
    ResizeRequest, RevertRequest, Server, StorageKind,
};
use powervm_driver::partition::{Flavor as Size, PowerState};
use powervm_driver::{Error, ErrorKind};
use powervm_schema::partition::LogicalPartition;
use powervm_schema::xml::Element;
use powervm_simulator::Flavor;
use powervm_simulator::weather::Rule;

pub(crate) fn size(vcpus: u32, memory_mb: u64, root_gb: u64) -> Size {
    Size {
        vcpus,
        memory_mb,
        root_gb,
        extra_specs: BTreeMap::new(),
    }
}

pub(crate) fn with(mut size: Size, specs: &[(&str, &str)]) -> Size {
    let specs = specs
        .iter()
        .map(|(key, value)| (format!("powervm:{key}"), (*value).to_owned()));
    size.extra_specs.extend(specs);
    size
}

impl Bench {
    pub(crate) async fn resize(&self, flavor: Size) -> powervm_driver::Result<Server> {
        let request = ResizeRequest {
            instance: instance(1),
            name: Some("web-1".to_owned()),
            flavor,
            from_gb: None,
        };
        self.driver.resize(request, &Control::default()).await?;
        self.driver.show(instance(1)).await
    }

    pub(crate) async fn depart(
        &self,
        destination: Destination,
        flavor: Size,
    ) -> powervm_driver::Result<Departure> {
        let request = DepartRequest {
            volumes: Vec::new(),
            metadata: Default::default(),
            instance: instance(1),
            name: Some("web-1".to_owned()),
            destination,
            flavor,
            from_gb: Some(1),
            timeout: None,
        };
        self.driver
            .migrate_disk_and_power_off(request, &Control::default())
            .await
    }

    pub(crate) async fn confirm(&self) -> powervm_driver::Result<()> {
        let request = ConfirmRequest {
            instance: instance(1),
            name: Some("web-1".to_owned()),
        };
        self.driver
            .confirm_migration(request, &Control::default())
            .await
    }

    pub(crate) async fn revert(
        &self,
        before: Before,
        power_on: bool,
    ) -> powervm_driver::Result<()> {
        let request = RevertRequest {
            volumes: Vec::new(),
            metadata: Default::default(),
            instance: instance(1),
            name: Some("web-1".to_owned()),
            before,
            power_on,
        };
        self.driver
            .finish_revert_migration(request, &Control::default())
            .await
            .map(drop)
    }

    async fn partition(&self) -> Element {
        let shown = self.driver.show(instance(1)).await.unwrap();
        let path = format!("LogicalPartition/{}", shown.summary.id);
        let session = self.driver.session();
        let entry = session
            .get_entry(&path, powervm_driver::rest::Groups::None)
            .await
            .unwrap();
        entry.content
    }

    pub(crate) fn boot_disk_gb(&self, disk: DiskDriver) -> f64 {
        let world = self.simulator.world();
        if disk == DiskDriver::Ssp {
            let mut units = world.tiers.values().flat_map(|tier| tier.units.values());
            let unit = units.find(|unit| unit.name == "boot_web_1").unwrap();
            return unit.capacity.megabytes() as f64 / 1024.0;
        }
        let groups = world.vioses.values().flat_map(|vios| &vios.volume_groups);
        let mut disks = groups.flat_map(|group| group.disks.values());
        let disk = disks.find(|disk| disk.name.contains("b_web_1_")).unwrap();
        disk.capacity.megabytes() as f64 / 1024.0
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_grows_and_that_is_confirmed() {
    for flavor in FLAVORS {
        for disk in DISKS {
            let bench = Bench::new(flavor, disk).await;
            let before = bench.world().await;
            bench.spawn(1).await.unwrap();
            let was = bench.driver.show(instance(1)).await.unwrap();
            let resized = bench.resize(size(2, 2048, 3)).await.unwrap();
            assert_eq!(resized.summary.name, "resize_web-1");
            assert_eq!(resized.summary.status, PowerState::Running);
            assert_eq!(
                (resized.memory_mb, resized.vcpus, resized.proc_units),
                (2048, 2, Some(0.2))
            );
            assert!((bench.boot_disk_gb(disk) - 3.0).abs() < f64::EPSILON);
            // Interfaces keep their slots, disks their mappings.
            assert_eq!(resized.interfaces, was.interfaces);
            assert_eq!(resized.storage, was.storage);
            let again = bench.resize(size(1, 1024, 0)).await.unwrap_err();
            assert_eq!(again.kind(), ErrorKind::Exists, "{again}");

            bench.confirm().await.unwrap();
            bench.confirm().await.unwrap();
            let confirmed = bench.driver.show(instance(1)).await.unwrap();
            assert_eq!(confirmed.summary.name, "web-1");
            assert_eq!(confirmed.summary.status, PowerState::Running);
            bench.destroy(1).await.unwrap();
            assert_eq!(without_caches(bench.world().await), without_caches(before));
            bench.assert_sound();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_off_stays_off() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    let mut off = request(1);
    off.power_on = false;
    bench.driver.spawn(off, &Control::default()).await.unwrap();
    let resized = bench.resize(size(2, 2048, 0)).await.unwrap();
    assert_eq!(resized.summary.status, PowerState::Shutdown);
}

#[tokio::test(start_paused = true)]
async fn reverting_puts_back_every_attribute() {
    for flavor in FLAVORS {
        let bench = Bench::new(flavor, DiskDriver::Ssp).await;
        let mut wanted = request(1);
        wanted.flavor = with(
            size(2, 2048, 1),
            &[
                ("min_mem", "1024"),
                ("max_mem", "4096"),
                ("max_vcpu", "4"),
                ("proc_units", "0.7"),
                ("max_proc_units", "1.5"),
                ("shared_weight", "200"),
                ("availability_priority", "90"),
                ("processor_compatibility", "POWER8"),
                ("srr_capability", "false"),
                ("enable_lpar_metric", "true"),
            ],
        );
        bench
            .driver
            .spawn(wanted, &Control::default())
            .await
            .unwrap();
        let before = bench.world().await;
        let was = bench.partition().await;
        let left = bench
            .depart(Destination::SameHost, size(1, 1024, 1))
            .await
            .unwrap();
        assert!(left.was_on && left.disk.is_none());
        let arrival = ArriveRequest {
            volumes: Vec::new(),
            metadata: Default::default(),
            instance: instance(1),
            name: "web-1".to_owned(),
            flavor: with(size(1, 1024, 1), &[("dedicated_proc", "true")]),
            power_on: true,
        };
        bench
            .driver
            .finish_migration(arrival, &Control::default())
            .await
            .unwrap();
        let arrived = bench.driver.show(instance(1)).await.unwrap();
        assert_eq!((arrived.vcpus, arrived.proc_units), (1, None));
        let kept = serde_json::to_value(&left).unwrap();
        let kept: Departure = serde_json::from_value(kept).unwrap();
        bench
            .revert(Before::Kept(Box::new(kept.before)), true)
            .await
            .unwrap();
        let now = bench.partition().await;
        for section in [
            "AllowPerformanceDataCollection",
            "AvailabilityPriority",
            "PartitionMemoryConfiguration",
            "PartitionName",
            "PartitionProcessorConfiguration",
            "PartitionState",
            "PendingProcessorCompatibilityMode",
            "SimplifiedRemoteRestartCapable",
        ] {
            assert_eq!(now.child(section), was.child(section), "{section}");
        }
        assert_eq!(bench.world().await, before);
        bench.assert_sound();
    }
}

#[tokio::test(start_paused = true)]
async fn a_resize_keeps_what_the_flavor_does_not_name() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    let mut wanted = request(1);
    let named = [
        ("shared_weight", "200"),
        ("availability_priority", "90"),
        ("processor_compatibility", "POWER8"),
        ("enable_lpar_metric", "true"),
    ];
    wanted.flavor = with(size(1, 1024, 1), &named);
    bench
        .driver
        .spawn(wanted, &Control::default())
        .await
        .unwrap();
    bench.resize(size(2, 2048, 0)).await.unwrap();
    let now = bench.partition().await;
    let now = LogicalPartition(&now);
    let partition = now.partition();
    let processors = partition.processors().unwrap();
    assert_eq!(
        processors.shared().unwrap().uncapped_weight().unwrap(),
        Some(200)
    );
    assert_eq!(partition.availability_priority().unwrap(), Some(90));
    assert_eq!(
        partition.pending_processor_compatibility_mode(),
        Some("POWER8")
    );
    assert_eq!(
        partition.allow_performance_data_collection().unwrap(),
        Some(true)
    );
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_is_refused_before_anything_is_touched() {
    for disk in DISKS {
        let bench = Bench::new(Flavor::NovaLink, disk).await;
        let mut large = request(1);
        large.flavor.root_gb = 4;
        bench
            .driver
            .spawn(large, &Control::default())
            .await
            .unwrap();
        let before = bench.world().await;
        let kind = |outcome: powervm_driver::Result<Server>| outcome.unwrap_err().kind();
        bench.calls.take();
        for (flavor, expected) in [
            (size(1, 1024, 3), ErrorKind::Invalid),
            (size(1, 1000, 0), ErrorKind::Invalid),
            (size(0, 1024, 0), ErrorKind::Invalid),
            (size(1, 1 << 30, 0), ErrorKind::NoSpace),
            (
                with(size(1, 1024, 0), &[("proc_units", "0.01")]),
                ErrorKind::Invalid,
            ),
            (
                with(size(1, 1024, 0), &[("no_such", "1")]),
                ErrorKind::Invalid,
            ),
        ] {
            assert_eq!(
                kind(bench.resize(flavor.clone()).await),
                expected,
                "{flavor:?}"
            );
        }
        let smaller = bench.depart(Destination::SameHost, size(1, 1024, 0)).await;
        assert!(smaller.is_ok(), "0 leaves the disk as it is");
        bench
            .revert(Before::Kept(Box::new(smaller.unwrap().before)), true)
            .await
            .unwrap();
        assert_eq!(bench.world().await, before);
        if disk == DiskDriver::LocalDisk {
            let local = bench.depart(Destination::OtherHost, size(1, 1024, 0)).await;
            assert_eq!(local.unwrap_err().kind(), ErrorKind::Precondition);
            assert_eq!(
                kind(bench.resize(size(1, 1024, 1 << 20)).await),
                ErrorKind::NoSpace
            );
            assert_eq!(bench.world().await, before);
        }
        let reduced = DepartRequest {
            volumes: Vec::new(),
            metadata: Default::default(),
            instance: instance(1),
            name: None,
            destination: Destination::SameHost,
            flavor: size(1, 1024, 8),
            from_gb: Some(9),
            timeout: None,
        };
        let refused = bench
            .driver
            .migrate_disk_and_power_off(reduced, &Control::default())
            .await;
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Invalid);
        let changes = bench.calls.take();
        let paths: Vec<_> = changes
            .iter()
            .filter(|(method, path)| method == "POST" && path.contains("LogicalPartition"))
            .collect();
        assert_eq!(
            paths.len(),
            3,
            "only those of the departure and its reversion"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_resize_leaves_the_server_running_as_it_was() {
    for flavor in FLAVORS {
        let bench = Bench::new(flavor, DiskDriver::Ssp).await;
        bench.spawn(1).await.unwrap();
        let before = bench.world().await;
        let rule = Rule::new("POST", "*LogicalUnit*").answer(500, "no", "HSCL9999 no");
        bench.simulator.faults().add(rule).unwrap();
        let failed = bench.resize(size(2, 2048, 3)).await.unwrap_err();
        let Error::Saga(failure) = &failed else {
            panic!("{failed}")
        };
        assert_eq!(failure.step.as_deref(), Some("grow the boot disk"));
        assert!(failure.left_behind.is_empty());
        bench.simulator.faults().clear();
        assert_eq!(bench.world().await, before);
        let shown = bench.driver.show(instance(1)).await.unwrap();
        assert_eq!(shown.summary.status, PowerState::Running);
        assert_eq!((shown.memory_mb, shown.vcpus), (1024, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_rename_goes_on_when_somebody_else_was_faster() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    bench.spawn(1).await.unwrap();
    let rule = Rule::new("POST", "*LogicalPartition/*")
        .answer(412, "Precondition Failed", "changed")
        .first(3);
    bench.simulator.faults().add(rule).unwrap();
    bench.resize(size(2, 2048, 0)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_server_leaves_for_another_host_and_comes_back() {
    for flavor in FLAVORS {
        let bench = Bench::new(flavor, DiskDriver::Ssp).await;
        bench.spawn(1).await.unwrap();
        let before = bench.world().await;
        let left = bench
            .depart(Destination::OtherHost, size(1, 1024, 1))
            .await
            .unwrap();
        let disk = left.disk.unwrap();
        assert!(!disk.ssp_uuid.is_empty() && !disk.cluster_name.is_empty());
        let shown = bench.driver.show(instance(1)).await.unwrap();
        assert_eq!(shown.summary.name, "migrate_web-1");
        assert_eq!(shown.summary.status, PowerState::Shutdown);
        bench.revert(Before::Journal, true).await.unwrap();
        assert_eq!(bench.world().await, before);
        bench.assert_sound();
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_left_of_a_server_that_moved_goes_without_its_disk() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    bench.spawn(1).await.unwrap();
    bench
        .depart(Destination::OtherHost, size(1, 1024, 1))
        .await
        .unwrap();
    bench.confirm().await.unwrap();
    bench.confirm().await.unwrap();
    assert!(bench.driver.show(instance(1)).await.is_err());
    assert!((bench.boot_disk_gb(DiskDriver::Ssp) - 1.0).abs() < f64::EPSILON);
    bench.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn what_a_server_was_stands_in_the_journal() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    let journal = JournalFile::in_memory().unwrap();
    let session = session(&bench.simulator, 2, Arc::clone(&bench.calls)).await;
    let driver = Driver::connect_with(session, config(DiskDriver::Ssp), Arc::new(journal))
        .await
        .unwrap();
    let bench = Bench { driver, ..bench };
    bench.spawn(1).await.unwrap();
    let before = bench.world().await;
    let unknown = bench.revert(Before::Journal, true).await;
    assert!(unknown.is_ok(), "it is what it was");
    bench.resize(size(2, 4096, 0)).await.unwrap();
    // By its UUID alone: the journal knows its name too.
    let request = RevertRequest {
        volumes: Vec::new(),
        metadata: Default::default(),
        instance: instance(1),
        name: None,
        before: Before::Journal,
        power_on: true,
    };
    bench
        .driver
        .finish_revert_migration(request, &Control::default())
        .await
        .unwrap();
    assert_eq!(bench.world().await, before);
    let shown = bench.driver.show(instance(1)).await.unwrap();
    assert_eq!(
        (shown.memory_mb, shown.vcpus, &*shown.summary.name),
        (1024, 1, "web-1")
    );
    let disks = shown.storage.iter();
    assert!(
        disks
            .into_iter()
            .any(|disk| disk.kind == StorageKind::LogicalUnit)
    );
}
