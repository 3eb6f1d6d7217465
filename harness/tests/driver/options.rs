//! What options do to servers, where no other test is about it.

use std::sync::Arc;

use crate::support::*;
use powervm_driver::config::{Config, DiskDriver};
use powervm_driver::operations::{Control, SpawnRequest};
use powervm_driver::partition::PartitionUuid;
use powervm_simulator::Flavor;
use powervm_simulator::model::partition::{Partition, ProcessorSetting};
use powervm_simulator::weather::Weather;

async fn bench(flavor: Flavor, change: impl FnOnce(&mut Config)) -> Bench {
    let mut config = config(DiskDriver::Ssp);
    change(&mut config);
    Bench::with(simulator(flavor, Weather::Calm), config).await
}

fn made(bench: &Bench, number: u32) -> Arc<Partition> {
    let world = bench.simulator.world();
    let uuid = PartitionUuid::of_instance(instance(number)).as_uuid();
    Arc::clone(world.partitions.get(&uuid).unwrap())
}

/// Names of the switches of a server's interfaces, with their VLANs.
fn lines(bench: &Bench, number: u32) -> Vec<(String, u16)> {
    let world = bench.simulator.world();
    let system = world.systems_in_order()[0];
    let name = |uuid| {
        let mut switches = system.switches.values();
        let switch = switches.find(|switch| switch.uuid == uuid).unwrap();
        switch.name.clone()
    };
    let made = made(bench, number);
    let adapters = made.network_adapters.values();
    let mut lines: Vec<_> = adapters
        .map(|adapter| (name(adapter.switch), adapter.vlan))
        .collect();
    lines.sort();
    lines
}

#[tokio::test(start_paused = true)]
async fn a_server_has_an_interface_to_the_management_partition_unless_it_is_not_wanted() {
    for (flavor, is_wanted, has_it) in [
        (Flavor::NovaLink, true, true),
        (Flavor::NovaLink, false, false),
        // An HMC has no partition that would be at its other end.
        (Flavor::Hmc, true, false),
    ] {
        let bench = bench(flavor, |config| config.use_rmc_mgmt_vif = is_wanted).await;
        bench.spawn(1).await.unwrap();
        let lines = lines(&bench, 1);
        let management = lines.iter().find(|(switch, _)| switch == "MGMTSWITCH");
        let expected = has_it.then_some(4094);
        assert_eq!(management.map(|(_, vlan)| *vlan), expected, "{lines:?}");
        assert_eq!(lines.len(), 1 + usize::from(has_it), "{lines:?}");
        bench.assert_sound();
    }
}

#[tokio::test(start_paused = true)]
async fn the_config_drive_tells_the_address_to_the_management_partition_if_it_is_to() {
    let mut drives = Vec::new();
    for (is_told, has_interface) in [(true, true), (false, true), (true, false)] {
        let bench = bench(Flavor::NovaLink, |config| {
            config.use_rmc_ipv6_scheme = is_told;
            config.use_rmc_mgmt_vif = has_interface;
        })
        .await;
        bench.spawn(1).await.unwrap();
        let world = bench.simulator.world();
        let groups = world
            .vioses
            .values()
            .flat_map(|vios| vios.volume_groups.iter());
        let media = groups.filter_map(|group| group.repository.as_ref());
        let mut media = media.flat_map(|repository| repository.media.values());
        let is_its = |name: &str| name.starts_with("cfg_");
        let drive = media.find(|medium| is_its(&medium.name)).unwrap();
        drives.push(drive.content);
    }
    assert_ne!(drives[0], drives[1], "another address");
    assert_eq!(drives[1], drives[2], "none in either");
}

#[tokio::test(start_paused = true)]
async fn servers_have_the_configured_weight_and_units_unless_their_flavor_says_otherwise() {
    let bench = bench(Flavor::Hmc, |config| {
        config.uncapped_proc_weight = 99;
        config.proc_units_factor = 0.5;
    })
    .await;
    let mut own = request(2);
    let specs = [
        ("powervm:shared_weight", "7"),
        ("powervm:proc_units", "0.2"),
    ];
    let specs = specs.map(|(key, value)| (key.to_owned(), value.to_owned()));
    own.flavor.extra_specs.extend(specs);
    bench.spawn(1).await.unwrap();
    bench.driver.spawn(own, &Control::default()).await.unwrap();
    for (number, weight, units) in [(1, 99, "0.5"), (2, 7, "0.2")] {
        let made = made(&bench, number);
        let ProcessorSetting::Shared(shared) = &made.processors.configured else {
            panic!("{made:?}");
        };
        assert_eq!(shared.uncapped_weight, Some(weight));
        assert_eq!(shared.desired_units.to_string(), units);
    }
}

#[tokio::test(start_paused = true)]
async fn pairs_of_open_vswitch_are_on_the_configured_switch() {
    let bench = bench(Flavor::NovaLink, |config| {
        config.pvm_vswitch_for_novalink_io = "OtherBridge".to_owned();
    })
    .await;
    let request = SpawnRequest {
        networks: vec![
            "ovs=br-int,id=port-1,mac=fa:16:3e:00:00:01"
                .parse()
                .unwrap(),
        ],
        ..request(1)
    };
    bench
        .driver
        .spawn(request, &Control::default())
        .await
        .unwrap();
    let lines = lines(&bench, 1);
    assert!(
        lines.iter().any(|(switch, _)| switch == "OtherBridge"),
        "{lines:?}"
    );
    assert!(
        !lines
            .iter()
            .any(|(switch, _)| switch == "NovaLinkVEABridge")
    );
    assert_eq!(bench.driver.trunks().await.unwrap().len(), 1);
    bench.destroy(1).await.unwrap();
    assert!(bench.driver.trunks().await.unwrap().is_empty());
    bench.assert_sound();
}
