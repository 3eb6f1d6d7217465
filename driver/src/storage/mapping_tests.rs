use powervm_schema::xml::Namespace;
use uuid::Uuid;

use super::*;

fn client(number: u128, id: u32) -> Client {
    let uuid = PartitionUuid::of_instance(Uuid::from_u128(number));
    Client {
        uuid,
        id: Some(id),
        href: format!("http://h/rest/api/uom/LogicalPartition/{uuid}"),
    }
}

fn vios() -> Element {
    VirtualIoServer::new().0
}

/// Gives new mappings what a server gives them.
fn serve(vios: &mut Element, next: &mut u32, id: u32) {
    let Some(mappings) = vios.child_mut("VirtualSCSIMappings") else {
        return;
    };
    for mapping in mappings
        .children_mut()
        .filter(|child| child.local_name() == VirtualScsiMapping::TYPE)
    {
        let mut mapping = VirtualScsiMapping(mapping);
        if mapping.server_adapter().unwrap().adapter().udid().is_none() {
            *next += 1;
            let mut server = mapping.server_adapter_mut();
            server
                .adapter_mut()
                .set_udid(format!("1eU-C{next}"))
                .set_remote_partition_id(id);
        }
    }
}

fn names(vios: &Element) -> Vec<(PartitionUuid, String)> {
    VirtualIoServer(vios)
        .scsi_mappings()
        .map(|mapping| {
            (
                client_of(mapping.as_view()).unwrap(),
                mapped(mapping).unwrap().name,
            )
        })
        .collect()
}

#[test]
fn mapping_twice_is_mapping_once() {
    let (mut vios, client) = (vios(), client(1, 5));
    let wanted = [
        Wanted::logical_unit("boot_a", "27aa"),
        Wanted::optical_media("cfg_a.iso"),
    ];
    assert_eq!(map(&mut vios, &client, &wanted), Changed::Yes);
    assert_eq!(map(&mut vios, &client, &wanted), Changed::No);
    assert_eq!(
        names(&vios),
        [
            (client.uuid, "boot_a".to_owned()),
            (client.uuid, "cfg_a.iso".to_owned())
        ]
    );
}

#[test]
fn a_logical_unit_of_the_same_name_is_another_one() {
    let (mut vios, client) = (vios(), client(1, 5));
    map(
        &mut vios,
        &client,
        &[Wanted::logical_unit("boot_a", "27aa")],
    );
    assert_eq!(
        map(
            &mut vios,
            &client,
            &[Wanted::logical_unit("boot_a", "27bb")]
        ),
        Changed::Yes
    );
    assert_eq!(names(&vios).len(), 2);
}

#[test]
fn new_devices_go_on_the_partitions_bus_until_it_is_full() {
    let (mut vios, client, mut buses) = (vios(), client(1, 5), 0);
    for number in 0..=BUS_LIMIT {
        map(
            &mut vios,
            &client,
            &[Wanted::logical_unit(
                &format!("u{number}"),
                &format!("27{number:04}"),
            )],
        );
        serve(&mut vios, &mut buses, 5);
    }
    assert_eq!(buses, 2);
    let view = VirtualIoServer(&vios);
    let second = view.scsi_mappings().nth(1).unwrap();
    assert_eq!(
        second.server_adapter().unwrap().adapter().udid(),
        Some("1eU-C1")
    );
    assert!(second.target_device().is_none());
}

#[test]
fn another_partition_keeps_its_mappings() {
    let (mut vios, mine, other, mut buses) = (vios(), client(1, 5), client(2, 6), 0);
    for (client, id) in [(&mine, 5), (&other, 6)] {
        map(&mut vios, client, &[Wanted::optical_media("a.iso")]);
        serve(&mut vios, &mut buses, id);
    }
    let mut removed = BTreeSet::new();
    assert_eq!(unmap(&mut vios, &mine, &mut removed), Changed::Yes);
    assert_eq!(unmap(&mut vios, &mine, &mut removed), Changed::No);
    assert_eq!(names(&vios), [(other.uuid, "a.iso".to_owned())]);
    assert_eq!(
        removed
            .iter()
            .map(|found| found.name.as_str())
            .collect::<Vec<_>>(),
        ["a.iso"]
    );
}

#[test]
fn what_a_dead_partition_of_the_same_number_had_is_taken_away_but_not_reported() {
    let (mut vios, dead, heir, mut buses) = (vios(), client(1, 5), client(2, 5), 0);
    map(&mut vios, &dead, &[Wanted::logical_unit("theirs", "27cc")]);
    serve(&mut vios, &mut buses, 5);
    let mut removed = BTreeSet::new();
    let mut copy = vios.clone();
    assert_eq!(unmap(&mut copy, &heir, &mut removed), Changed::Yes);
    assert!(names(&copy).is_empty() && removed.is_empty());
    map(&mut vios, &heir, &[Wanted::logical_unit("mine", "27dd")]);
    assert_eq!(names(&vios), [(heir.uuid, "mine".to_owned())]);
}

#[test]
fn adapters_for_any_client_and_mappings_without_storage_are_told_apart() {
    let (mut vios, client, mut buses) = (vios(), client(1, 5), 0);
    // Open to any client: 65535 is nobody's number.
    map(
        &mut vios,
        &self::client(9, 65535),
        &[Wanted::optical_media("any.iso")],
    );
    serve(&mut vios, &mut buses, 65535);
    // Left without storage by a failed removal.
    map(&mut vios, &client, &[Wanted::optical_media("x.iso")]);
    serve(&mut vios, &mut buses, 5);
    let mappings = vios.child_mut("VirtualSCSIMappings").unwrap();
    let last = mappings.children_mut().last().unwrap();
    last.remove("Storage");
    last.push(Element::new(Namespace::Uom, "Storage"));
    let mut removed = BTreeSet::new();
    assert_eq!(unmap(&mut vios, &client, &mut removed), Changed::Yes);
    assert!(removed.is_empty());
    assert_eq!(names(&vios).len(), 1);
}

#[test]
fn files_that_look_like_disks_are_told_from_logical_volumes() {
    let kinds = [
        ("b_web_f1c2", "LogicalVolume", true),
        ("/vols/b_web", "File", false),
        ("rbd/b_x", "RBD", false),
    ];
    for (name, kind, is_logical_volume) in kinds {
        let mut disk = VirtualDisk::new();
        disk.set_name(name).set_disk_type(kind.parse().unwrap());
        let wanted = Wanted::virtual_disk(disk.as_view());
        assert_eq!(
            wanted.mapped().is_logical_volume,
            is_logical_volume,
            "{name}"
        );
    }
}
