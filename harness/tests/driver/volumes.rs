//! Fibre Channel volumes that Virtual I/O Servers serve.

use crate::storage::*;
use crate::support::*;
use powervm_driver::ErrorKind;
use powervm_driver::config::DiskDriver;
use powervm_driver::operations::{Control, Stop};
use powervm_driver::volume::{Connection, Transport};
use powervm_harness::storage::Protocol;
use powervm_simulator::Flavor;
use powervm_simulator::weather::Rule;

#[tokio::test(start_paused = true)]
async fn a_volume_comes_and_goes_while_the_server_runs_and_while_it_is_off() {
    for flavor in FLAVORS {
        for is_off in [true, false] {
            let bench = Bench::new(flavor, DiskDriver::Ssp).await;
            let san = San::new(&bench, 1, Protocol::FibreChannel).await;
            ready(&bench, is_off).await;
            let before = bench.world().await;

            let attached = san.attach(&bench, 0..1).await.unwrap();
            let volume = &attached.volumes[0];
            assert_eq!(volume.paths.len(), 2, "{flavor:?}: both servers serve it");
            assert!(volume.target_udid.as_deref().unwrap().starts_with("01"));
            assert!(volume.paths.iter().all(|path| path.address.is_some()));
            let during = bench.world().await;
            assert_eq!(count(&during, &before, ItemKind::Mapping), 2);
            assert_eq!(count(&during, &before, ItemKind::Disk), 2);
            bench.calls.take();

            let again = san.attach(&bench, 0..1).await.unwrap();
            assert_eq!(again, attached, "attaching again finds it there");
            assert!(bench.calls.take().iter().all(|(method, _)| method == "GET"));

            let detached = san.detach(&bench, 0..1).await.unwrap();
            assert_eq!(detached.volumes[0].paths.len(), 2);
            assert_same(&before, &bench.world().await, "detached");
            let again = san.detach(&bench, 0..1).await.unwrap();
            assert!(again.volumes[0].paths.is_empty());
            assert_same(&before, &bench.world().await, "detached again");
            bench.assert_sound();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_the_disks_identifier_the_mapping_is_known_by_its_tag() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    let san = San::new(&bench, 2, Protocol::FibreChannel).await;
    ready(&bench, true).await;
    let before = bench.world().await;
    san.attach(&bench, 0..2).await.unwrap();
    let mut request = san.request(0..1);
    request.volumes[0].target_udid = None;
    let detached = bench
        .driver
        .detach_volumes(request, &Control::default())
        .await
        .unwrap();
    assert_eq!(detached.volumes[0].paths.len(), 2);
    let left = bench.world().await;
    assert_eq!(
        count(&left, &before, ItemKind::Mapping),
        2,
        "the other volume stays"
    );
    san.detach(&bench, 1..2).await.unwrap();
    assert_same(&before, &bench.world().await, "both are gone");
}

#[tokio::test(start_paused = true)]
async fn several_volumes_share_searches_and_changes() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    let san = San::new(&bench, 4, Protocol::FibreChannel).await;
    ready(&bench, true).await;
    let before = bench.world().await;
    bench.calls.take();
    let attached = san.attach(&bench, 0..4).await.unwrap();
    assert_eq!(attached.volumes.len(), 4);
    let calls = bench.calls.take();
    let of = |method: &str, part: &str| {
        calls
            .iter()
            .filter(|(m, path)| m == method && path.contains(part))
            .count()
    };
    assert_eq!(
        of("PUT", "LUARecovery"),
        2,
        "one search a server: {calls:?}"
    );
    assert_eq!(
        of("POST", "VirtualIOServer/"),
        2,
        "one change a server: {calls:?}"
    );
    san.detach(&bench, 0..4).await.unwrap();
    assert_same(&before, &bench.world().await, "detached");
    let mut twice = san.request(0..1);
    twice.volumes.push(twice.volumes[0].clone());
    let refused = bench
        .driver
        .attach_volumes(twice, &Control::default())
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
}

#[tokio::test(start_paused = true)]
async fn ten_servers_get_their_volumes_at_once() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    let san = San::new(&bench, 10, Protocol::FibreChannel).await;
    for number in 1..=10 {
        let mut request = request(number);
        request.power_on = false;
        bench
            .driver
            .spawn(request, &Control::default())
            .await
            .unwrap();
    }
    let before = bench.world().await;
    bench.calls.take();
    let attach = |number: u32| {
        let mut request = san.request(number as usize - 1..number as usize);
        request.server = instance(number).into();
        let driver = bench.driver.clone();
        async move {
            driver
                .attach_volumes(request, &Control::default())
                .await
                .unwrap()
        }
    };
    let attached = futures_util::future::join_all((1..=10).map(attach)).await;
    assert!(
        attached
            .iter()
            .all(|report| report.volumes[0].paths.len() == 2)
    );
    let changes = bench.calls.take();
    let changes = changes
        .iter()
        .filter(|(method, path)| method == "POST" && path.contains("VirtualIOServer/"))
        .count();
    assert!(
        changes <= 8,
        "{changes} changes of two servers for ten attachments"
    );
    let detach = |number: u32| {
        let mut request = san.request(number as usize - 1..number as usize);
        request.server = instance(number).into();
        let driver = bench.driver.clone();
        async move {
            driver
                .detach_volumes(request, &Control::default())
                .await
                .unwrap()
        }
    };
    futures_util::future::join_all((1..=10).map(detach)).await;
    assert_same(&before, &bench.world().await, "ten times");
    bench.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn too_few_servers_that_find_the_volume_are_refused_before_anything_is_mapped() {
    let mut config = config(DiskDriver::Ssp);
    config.volumes.vscsi_vios_connections_required = 3;
    let bench = Bench::with(
        simulator(Flavor::NovaLink, powervm_simulator::weather::Weather::Calm),
        config,
    )
    .await;
    let san = San::new(&bench, 1, Protocol::FibreChannel).await;
    ready(&bench, true).await;
    let before = bench.world().await;
    bench.calls.take();
    let refused = san.attach(&bench, 0..1).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Precondition, "{refused}");
    assert!(
        refused
            .to_string()
            .contains("2 Virtual I/O Servers have found it, and 3 have to"),
        "{refused}"
    );
    assert!(
        bench
            .calls
            .take()
            .iter()
            .all(|(method, path)| method != "POST" || !path.contains("VirtualIOServer/"))
    );
    assert_same(&before, &bench.world().await, "refused");
}

#[tokio::test(start_paused = true)]
async fn a_volume_that_is_not_shown_is_found_nowhere() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    let san = San::new(&bench, 1, Protocol::FibreChannel).await;
    ready(&bench, true).await;
    san.storage.unmap(&san.ids[0]).await.unwrap();
    let before = bench.world().await;
    let refused = san.attach(&bench, 0..1).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Precondition, "{refused}");
    assert_same(&before, &bench.world().await, "refused");
}

#[tokio::test(start_paused = true)]
async fn a_running_server_without_rmc_is_left_alone() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    let san = San::new(&bench, 1, Protocol::FibreChannel).await;
    bench.spawn(1).await.unwrap();
    let refused = san.attach(&bench, 0..1).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Precondition, "{refused}");
    assert!(refused.to_string().contains("RMC"), "{refused}");
    // It is not asked for what needs no change.
    bench
        .driver
        .stop(instance(1), Stop::Hard, &Control::default())
        .await
        .unwrap();
    san.attach(&bench, 0..1).await.unwrap();
    bench
        .driver
        .start(instance(1), &Control::default())
        .await
        .unwrap();
    san.attach(&bench, 0..1).await.unwrap();
    let refused = san.detach(&bench, 0..1).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Precondition, "{refused}");
}

#[tokio::test(start_paused = true)]
async fn what_is_left_of_a_partition_that_is_gone_does_not_keep_a_volume_away() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    let san = San::new(&bench, 2, Protocol::FibreChannel).await;
    ready(&bench, true).await;
    san.attach(&bench, 0..1).await.unwrap();
    // The server goes behind the driver's back, and its adapters stay behind.
    strand(&bench, instance(1));
    bench
        .driver
        .session()
        .delete(&format!("LogicalPartition/{}", partition(1)), None)
        .await
        .unwrap();
    // The storage gives the address to another volume.
    san.storage.unmap(&san.ids[0]).await.unwrap();
    san.storage.unmap(&san.ids[1]).await.unwrap();
    let second = san.show(&bench, 1).await;
    let lun = |volume: &Connection| match &volume.transport {
        Transport::FibreChannel(found) => found.lun,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        lun(&second),
        lun(&san.connections[0]),
        "the address is given again"
    );
    let mut other = request(2);
    other.power_on = false;
    bench
        .driver
        .spawn(other, &Control::default())
        .await
        .unwrap();
    let mut wanted = san.request(1..2);
    wanted.server = instance(2).into();
    wanted.volumes = vec![second];
    let attached = bench
        .driver
        .attach_volumes(wanted, &Control::default())
        .await
        .unwrap();
    assert_eq!(attached.volumes[0].paths.len(), 2);
    let left = bench.world().await;
    let of_first = |item: &&powervm_harness::audit::Item| item.name.contains("volume-0");
    assert_eq!(left.items.iter().filter(of_first).count(), 0, "{left:?}");
    bench.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn a_volume_that_grew_is_seen_to() {
    for flavor in FLAVORS {
        let bench = Bench::new(flavor, DiskDriver::Ssp).await;
        let san = San::new(&bench, 1, Protocol::FibreChannel).await;
        ready(&bench, true).await;
        let not_yet = bench
            .driver
            .extend_volumes(san.request(0..1), &Control::default())
            .await
            .unwrap_err();
        assert_eq!(not_yet.kind(), ErrorKind::Precondition, "{not_yet}");
        let attached = san.attach(&bench, 0..1).await.unwrap();
        let disk = &attached.volumes[0].paths[0].device;
        assert_eq!(size_of(&bench, disk), 1024);
        san.storage.extend(&san.ids[0], 5).await.unwrap();
        assert_eq!(size_of(&bench, disk), 1024);
        let grown = bench
            .driver
            .extend_volumes(san.request(0..1), &Control::default())
            .await
            .unwrap();
        assert_eq!(grown.volumes[0].paths.len(), 2, "{flavor:?}");
        assert_eq!(size_of(&bench, disk), 5 * 1024, "{flavor:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_volume_on_two_servers_keeps_its_disk_until_both_have_let_it_go() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    let san = San::new(&bench, 1, Protocol::FibreChannel).await;
    ready(&bench, true).await;
    let mut second = request(2);
    second.power_on = false;
    bench
        .driver
        .spawn(second, &Control::default())
        .await
        .unwrap();
    let before = bench.world().await;
    let to = |number: u32| {
        let mut request = san.request(0..1);
        request.server = instance(number).into();
        request
    };
    let control = Control::default();
    let (one, two) = tokio::join!(
        bench.driver.attach_volumes(to(1), &control),
        bench.driver.attach_volumes(to(2), &control),
    );
    assert_eq!(
        (
            one.unwrap().volumes[0].paths.len(),
            two.unwrap().volumes[0].paths.len()
        ),
        (2, 2)
    );
    bench
        .driver
        .detach_volumes(to(1), &Control::default())
        .await
        .unwrap();
    assert_eq!(count(&bench.world().await, &before, ItemKind::Disk), 2);
    bench
        .driver
        .detach_volumes(to(2), &Control::default())
        .await
        .unwrap();
    assert_same(&before, &bench.world().await, "both");
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_stays_is_warned_of_and_goes_with_the_next_call() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    let mut san = San::new(&bench, 1, Protocol::FibreChannel).await;
    ready(&bench, true).await;
    let before = bench.world().await;
    let attached = san.attach(&bench, 0..1).await.unwrap();
    san.connections[0].target_udid = attached.volumes[0].target_udid.clone();
    bench
        .simulator
        .faults()
        .add(Rule::new("PUT", "*/do/RemoveDevice").answer(500, "no", "HSCL9999 no"))
        .unwrap();
    san.detach(&bench, 0..1).await.unwrap();
    bench.simulator.faults().clear();
    assert_eq!(count(&bench.world().await, &before, ItemKind::Disk), 2);
    san.detach(&bench, 0..1).await.unwrap();
    assert_same(&before, &bench.world().await, "removed by the second call");
}

#[tokio::test(start_paused = true)]
async fn the_connector_has_the_ports_of_all_servers() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    let told = bench
        .driver
        .volume_connector(instance(1), Default::default())
        .await
        .unwrap();
    let ports: usize = bench
        .simulator
        .world()
        .vioses
        .values()
        .map(|vios| vios.fc_ports().count())
        .sum();
    assert_eq!(told.connector.wwpns.len(), ports);
    assert!(ports > 0 && !told.connector.host.is_empty() && !told.connector.multipath);
}
