//! What documents mean: sending one back as it came changes nothing; edits do what they say; nonsense is refused.

use super::support::{Bench, FLAVORS, job, partition, uom};
use powervm_simulator::model::{Flavor, World};
use proptest::prelude::*;
use uuid::Uuid;

/// Fails with the names of the resources that differ; the log of events and what follows by itself do not count.
fn assert_same(world: &World, before: &World, url: &str) {
    let mut changed = Vec::new();
    let mut compare = |name: &str, same: bool| {
        if !same {
            changed.push(name.to_owned());
        }
    };
    // A write of the console always counts as one.
    compare(
        "console",
        world.console.authorized_keys == before.console.authorized_keys,
    );
    for (uuid, system) in &before.systems {
        compare(
            &format!("system {uuid}"),
            world.systems.get(uuid) == Some(system),
        );
    }
    for (uuid, partition) in &before.partitions {
        compare(
            &format!("partition {}", partition.name),
            world.partitions.get(uuid) == Some(partition),
        );
    }
    for (uuid, vios) in &before.vioses {
        let now = &world.vioses[uuid];
        compare(
            &format!("base of {}", vios.partition.name),
            now.partition == vios.partition,
        );
        compare(
            &format!("mappings of {}", vios.partition.name),
            now.buses == vios.buses,
        );
        compare(
            &format!("storage of {}", vios.partition.name),
            now.volume_groups == vios.volume_groups,
        );
        compare(&format!("rest of {}", vios.partition.name), now == vios);
    }
    compare("clusters", world.clusters == before.clusters);
    compare("pools", world.pools == before.pools);
    compare("tiers", world.tiers == before.tiers);
    compare("jobs", world.jobs == before.jobs);
    compare("files", world.files == before.files);
    compare(
        "partitions",
        world.partitions.len() == before.partitions.len(),
    );
    assert!(changed.is_empty(), "{url} changed {changed:?}");
}

/// Sends every updatable document back as it came.
fn assert_sending_back_changes_nothing(bench: &mut Bench) {
    for group in [
        "None",
        "All",
        "ViosSCSIMapping",
        "ViosStorage,ViosSCSIMapping",
        "NVRAM",
    ] {
        for feed in bench.feeds(group) {
            for entry in bench.feed(&feed).entries {
                let Some(href) = entry.self_href() else {
                    continue;
                };
                let url = href.split_once("/rest/api/").unwrap().1.to_owned();
                let before = bench.world.clone();
                match bench.post(&url, &entry.content.to_xml()) {
                    Ok(_) => {}
                    Err(problem) => assert_eq!(problem.status, 405, "{url}: {problem}"),
                }
                assert_same(&bench.world, &before, &url);
            }
        }
    }
}

#[test]
fn a_document_sent_back_as_it_came_changes_nothing() {
    for flavor in FLAVORS {
        assert_sending_back_changes_nothing(&mut Bench::busy(flavor));
        assert_sending_back_changes_nothing(&mut Bench::furnished(flavor));
    }
}

#[test]
fn seeded_empty_containers_of_other_groups_delete_nothing() {
    let mut bench = Bench::busy(Flavor::NovaLink);
    let vios = bench.vios(0);
    let before = bench.world.clone();
    let own = bench.own_text(&format!("uom/VirtualIOServer/{vios}?group=ViosStorage"));
    let seeded = own.replace(
        "<VirtualIOServerLicenseAccepted",
        r#"<VirtualSCSIMappings schemaVersion="V1_0" group="ViosSCSIMapping"/><VirtualFibreChannelMappings/><VirtualIOServerLicenseAccepted"#,
    );
    assert_ne!(own, seeded);
    bench
        .post(
            &format!("uom/VirtualIOServer/{vios}?group=ViosStorage"),
            &seeded,
        )
        .unwrap();
    assert_same(&bench.world, &before, "");
    let uuid = Uuid::parse_str(&vios).unwrap();
    bench
        .post(
            &format!("uom/VirtualIOServer/{vios}?group=ViosStorage,ViosSCSIMapping"),
            &seeded,
        )
        .unwrap_err();
    assert!(
        !bench.world.vioses[&uuid].buses.is_empty(),
        "running clients without RMC keep theirs"
    );
}

#[test]
fn an_ibmi_partition_keeps_the_devices_that_it_is_told_of() {
    let tagged = |load: &str| {
        format!(
            "<MaximumVirtualIOSlots>64</MaximumVirtualIOSlots><TaggedIO>\
             <AlternateLoadSource>NONE</AlternateLoadSource><Console>HMC</Console>\
             <LoadSource>{load}</LoadSource></TaggedIO>"
        )
    };
    for flavor in FLAVORS {
        let mut bench = Bench::new(flavor, 7, 0);
        let body = partition("ibmi", "").replace("AIX/Linux", "OS400").replace(
            "<MaximumVirtualIOSlots>64</MaximumVirtualIOSlots>",
            &tagged("2"),
        );
        let feed = format!("uom/ManagedSystem/{}/LogicalPartition", bench.system());
        bench.put(&feed, &body).unwrap();
        let uuid = *bench
            .world
            .partitions
            .iter()
            .find(|(_, made)| made.name == "ibmi")
            .unwrap()
            .0;
        let url = format!("uom/LogicalPartition/{}", uuid.to_string().to_uppercase());
        let own = bench.own_text(&url);
        assert!(own.contains(">HMC</Console>"), "{own}");
        let changed = own.replace(">2</LoadSource>", ">3</LoadSource>");
        assert_ne!(own, changed);
        bench.post(&url, &changed).unwrap();
        assert_eq!(
            bench.world.partitions[&uuid].settings.tagged.load_source,
            "3"
        );
        let nonsense = own.replace(">2</LoadSource>", ">tape</LoadSource>");
        assert!(bench.post(&url, &nonsense).is_err());
    }
}

#[test]
fn a_clone_of_a_mapping_with_another_storage_shares_its_bus() {
    let mut bench = Bench::busy(Flavor::NovaLink);
    let (vios, uuid) = (bench.vios(0), Uuid::parse_str(&bench.vios(0)).unwrap());
    let partition = bench.create_partition("clone");
    bench.upload(&vios, "one.iso");
    bench.upload(&vios, "two.iso");
    bench
        .map(
            &vios,
            &partition,
            "<VirtualOpticalMedia><MediaName>one.iso</MediaName></VirtualOpticalMedia>",
        )
        .unwrap();
    let buses = bench.world.vioses[&uuid].buses.len();
    let url = format!("uom/VirtualIOServer/{vios}?group=ViosSCSIMapping");
    let own = bench.own_text(&url);
    let end = own.rfind("</VirtualSCSIMapping>").unwrap();
    let start = own[..end].rfind("<VirtualSCSIMapping ").unwrap();
    let mapping = &own[start..end + "</VirtualSCSIMapping>".len()];
    let storage = mapping.find("<Storage").unwrap();
    let clone = format!(
        "{}<Storage><VirtualOpticalMedia><MediaName>two.iso</MediaName></VirtualOpticalMedia></Storage></VirtualSCSIMapping></VirtualSCSIMappings>",
        &mapping[..storage]
    );
    let answer = bench
        .post(&url, &own.replace("</VirtualSCSIMappings>", &clone))
        .unwrap();
    assert_eq!(bench.world.vioses[&uuid].buses.len(), buses);
    assert!(answer.contains("0x8200000000000000") && answer.contains("two.iso"));
}

/// nova's snapshot moves the storage element out of the boot mapping before it posts.
#[test]
fn an_emptied_storage_with_its_target_device_stays_mapped() {
    let mut bench = Bench::busy(Flavor::NovaLink);
    let vios = bench.vios(0);
    let url = format!("uom/VirtualIOServer/{vios}?group=ViosSCSIMapping");
    let before = bench.world.clone();
    let own = bench.own_text(&url);
    let start = own.find("<LogicalUnit ").unwrap();
    let end = own.find("</LogicalUnit>").unwrap() + "</LogicalUnit>".len();
    let emptied = format!("{}{}", &own[..start], &own[end..]);
    bench.post(&url, &emptied).unwrap();
    assert_same(&bench.world, &before, "");
}

#[test]
fn a_partition_takes_the_uuid_that_the_client_gives_it() {
    let mut bench = Bench::new(Flavor::NovaLink, 1, 0);
    let url = format!("uom/ManagedSystem/{}/LogicalPartition", bench.system());
    let uuid = "0D7D2B6C-5C4D-4F3C-8B5A-0F2C6B6C2B11";
    let body = partition("named", &format!("<PartitionUUID>{uuid}</PartitionUUID>"));
    let answer = bench
        .put(
            &url,
            &body.replace("<Atom/>", &format!("<Atom><AtomID>{uuid}</AtomID></Atom>")),
        )
        .unwrap();
    assert!(
        answer.contains(&format!("<id>{uuid}</id>"))
            && answer.contains(&format!("/LogicalPartition/{uuid}\""))
    );
    assert!(answer.contains(">not activated<"));
    assert!(
        bench.put(&url, &body).is_err(),
        "the name and the UUID are taken"
    );
}

#[test]
fn lists_are_replaced_as_a_whole() {
    let mut bench = Bench::busy(Flavor::NovaLink);
    let vios = bench.vios(1);
    bench.add_disk(&vios, "short_lived");
    let url = format!("{}?group=None", bench.volume_group(&vios));
    let own = bench.own_text(&url);
    assert!(own.contains("short_lived"));
    let end = own.rfind("</VirtualDisk>").unwrap() + "</VirtualDisk>".len();
    let start = own[..end].rfind("<VirtualDisk ").unwrap();
    bench
        .post(&url, &format!("{}{}", &own[..start], &own[end..]))
        .unwrap();
    assert!(!bench.own_text(&url).contains("short_lived"));
}

#[test]
fn a_repository_without_its_list_of_media_keeps_them() {
    let mut bench = Bench::busy(Flavor::NovaLink);
    let vios = bench.vios(0);
    let model = &bench.world.vioses[&Uuid::parse_str(&vios).unwrap()];
    let group = model.repository_group().unwrap().uuid;
    let url = format!("uom/VirtualIOServer/{vios}/VolumeGroup/{group}?group=None");
    let before = bench.world.clone();
    let own = bench.own_text(&url);
    let (start, end) = (
        own.find("<OpticalMedia ").unwrap(),
        own.find("</OpticalMedia>").unwrap() + "</OpticalMedia>".len(),
    );
    bench
        .post(&url, &format!("{}{}", &own[..start], &own[end..]))
        .unwrap();
    assert_same(&bench.world, &before, "");
}

#[test]
fn keys_events_and_switches() {
    let mut bench = Bench::new(Flavor::NovaLink, 1, 0);
    let console = bench.world.console.uuid;
    let url = format!("uom/ManagementConsole/{console}?group=None");
    let own = bench.own_text(&url);
    let with_key = own.replace(
        "</AuthorizedKeys>",
        "<AuthorizedKey>ssh-rsa AAAA me</AuthorizedKey></AuthorizedKeys>",
    );
    assert!(
        bench
            .post(&url, &with_key)
            .unwrap()
            .contains("ssh-rsa AAAA me")
    );
    let event = uom(
        "Event",
        "<EventType>CUSTOM_CLIENT_EVENT</EventType><EventData>d</EventData><EventDetail>x &amp; y</EventDetail>",
    );
    assert!(
        bench
            .put("uom/Event", &event)
            .unwrap()
            .contains("<EventDetail kb=\"ROR\" kxe=\"false\">x &amp; y<")
    );
    let switches = format!("uom/ManagedSystem/{}/VirtualSwitch", bench.system());
    let made = bench.put(&switches, &uom("VirtualSwitch", "<SwitchMode>Veb</SwitchMode><SwitchName>NovaLinkVEABridge</SwitchName><VirtualNetworks/>")).unwrap();
    assert!(made.contains(">NovaLinkVEABridge<"));
    assert_eq!(bench.feed(&switches).entries.len(), 3);
}

/// What a client might do next.
#[derive(Clone, Debug)]
enum Step {
    Create,
    Adapter(u16),
    Disk(bool),
    Unit,
    Upload(bool),
    Map(bool, u8),
    Power(bool),
    Wait(u16),
    Delete,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Create),
        (1_u16..4095).prop_map(Step::Adapter),
        any::<bool>().prop_map(Step::Disk),
        Just(Step::Unit),
        any::<bool>().prop_map(Step::Upload),
        (any::<bool>(), any::<u8>()).prop_map(|(vios, pick)| Step::Map(vios, pick)),
        any::<bool>().prop_map(Step::Power),
        any::<u16>().prop_map(Step::Wait),
        Just(Step::Delete),
    ]
}

/// Takes a step; refusals are part of life.
fn take(bench: &mut Bench, number: usize, step: &Step) {
    let last = bench
        .world
        .partitions
        .values()
        .filter(|partition| !partition.is_management)
        .map(|p| super::support::upper(p.uuid))
        .next_back();
    let vios = |bench: &Bench, second: bool| bench.vios(usize::from(second));
    match (step, last) {
        (Step::Create, _) => {
            let url = format!("uom/ManagedSystem/{}/LogicalPartition", bench.system());
            let _ = bench.put(&url, &partition(&format!("p{number}"), ""));
        }
        (Step::Adapter(vlan), Some(last)) => {
            let _ = bench.add_network_adapter(&last, &format!("<PortVLANID>{vlan}</PortVLANID>"));
        }
        (Step::Disk(second), _) => {
            let vios = vios(bench, *second);
            bench.add_disk(&vios, &format!("d{number}"));
        }
        (Step::Unit, _) => {
            let tier = bench.tier();
            bench.unit(&tier, &format!("u{number}"), "VirtualIO_Disk", None);
        }
        (Step::Upload(second), _) => {
            let vios = vios(bench, *second);
            bench.upload(&vios, &format!("m{number}.iso"));
        }
        (Step::Map(second, pick), Some(last)) => {
            let vios = vios(bench, *second);
            let storages = storages(bench, &vios);
            if let Some(storage) = storages.get(usize::from(*pick) % storages.len().max(1)) {
                let _ = bench.map(&vios, &last, storage);
            }
        }
        (Step::Power(on), Some(last)) => {
            let operation = if *on { "PowerOn" } else { "PowerOff" };
            let _ = bench.put(
                &format!("uom/LogicalPartition/{last}/do/{operation}"),
                &job(
                    operation,
                    &[("operation", "shutdown"), ("immediate", "true")][..if *on { 0 } else { 2 }],
                ),
            );
        }
        (Step::Wait(seconds), _) => bench.pass(u64::from(*seconds) * 10),
        (Step::Delete, Some(last)) => {
            let _ = bench.delete(&format!("uom/LogicalPartition/{last}"));
        }
        _ => {}
    }
}

fn storages(bench: &Bench, vios: &str) -> Vec<String> {
    let model = &bench.world.vioses[&Uuid::parse_str(vios).unwrap()];
    let units = bench
        .world
        .tiers
        .values()
        .flat_map(|tier| tier.units.values());
    let units = units.map(|unit| {
        format!(
            "<LogicalUnit><UniqueDeviceID>{}</UniqueDeviceID><UnitName>{}</UnitName></LogicalUnit>",
            unit.udid, unit.name
        )
    });
    let disks = model
        .volume_groups
        .iter()
        .flat_map(|group| group.disks.values());
    let disks = disks.map(|disk| {
        format!(
            "<VirtualDisk><UniqueDeviceID>{}</UniqueDeviceID></VirtualDisk>",
            disk.udid
        )
    });
    let media = model
        .repository_group()
        .into_iter()
        .flat_map(|group| group.repository.iter())
        .flat_map(|repository| repository.media.keys());
    let media = media.map(|name| {
        format!("<VirtualOpticalMedia><MediaName>{name}</MediaName></VirtualOpticalMedia>")
    });
    units.chain(disks).chain(media).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn in_any_world_a_document_sent_back_changes_nothing(
        hmc in any::<bool>(),
        seed in any::<u64>(),
        steps in proptest::collection::vec(step(), 0..24),
    ) {
        let mut bench = Bench::new(if hmc { Flavor::Hmc } else { Flavor::NovaLink }, seed, 1);
        for (number, step) in steps.iter().enumerate() {
            take(&mut bench, number, step);
        }
        assert_sending_back_changes_nothing(&mut bench);
    }
}
