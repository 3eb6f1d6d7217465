//! Disks on the target.

use super::*;

#[test]
fn storage_has_to_be_there_too() {
    let mut pair = Pair::new();
    let client = pair.running("one");
    let server = pair.server(pair.source, 0);
    let group = pair.room.world.vioses[&server]
        .volume_groups
        .iter()
        .find(|group| group.name == "datavg")
        .unwrap()
        .uuid;
    pair.room
        .done(Command::UpdateVolumeGroup(UpdateVolumeGroup {
            vios: server,
            group,
            disks: Some(vec![support::disk("local", 1)]),
            repositories: None,
            physical_volumes: None,
        }));
    let before = pair.room.world.posted_mappings(server);
    pair.map(server, mapping(client, support::vdisk("local")));
    assert!(pair.refused(client, &[]).contains("local"));
    pair.room.done(Command::UpdateVios(Box::new(UpdateVios {
        vios: server,
        base: None,
        scsi_mappings: Some(before),
        fc_mappings: None,
    })));
    // A SAN volume that both systems see, and a mapping that says where.
    pair.map(server, mapping(client, hdisk("hdisk7")));
    let slots: Vec<u16> = pair
        .room
        .world
        .scsi_client_adapters(client)
        .into_iter()
        .map(|(slot, ..)| slot)
        .collect();
    let wrong = format!("{}/nobody/", slots[0]);
    assert!(
        pair.refused(client, &[("VirtualSCSIMappings", &wrong)])
            .contains("nobody")
    );
    assert!(
        pair.refused(client, &[("VirtualSCSIMappings", "99/vios1/")])
            .contains("slot 99")
    );
    assert!(
        pair.refused(client, &[("VirtualSCSIMappings", "x")])
            .contains("cannot be read")
    );
    // One server cannot give the same disk twice to one client.
    let doubled: Vec<String> = slots.iter().map(|slot| format!("{slot}/vios2/")).collect();
    assert!(
        pair.refused(client, &[("VirtualSCSIMappings", &doubled.join(","))])
            .contains("twice")
    );
    let right: Vec<String> = slots
        .iter()
        .skip(1)
        .map(|slot| format!("{slot}/vios2//{}", 20 + slot))
        .collect();
    let job = pair.migrate(client, &[("VirtualSCSIMappings", &right.join(","))]);
    assert_eq!(
        pair.room.job(job).results.len(),
        2,
        "{:?}",
        pair.room.job(job).results
    );
    pair.room.succeeded(job);
    let second = &pair.room.world.vioses[&pair.server(pair.target, 1)];
    assert_eq!(second.buses.len(), slots.len() - 1);
    let mut back = pair
        .room
        .power(client, "Migrate", &[("TargetManagedSystemName", "neo")]);
    pair.room.succeeded(back);
    assert_eq!(pair.room.partition(client).system, pair.source);
    // Its own disk of the source is nobody else's now.
    back = pair.migrate(client, &[]);
    pair.room.succeeded(back);
}

#[test]
fn fibre_channel_keeps_its_names_and_its_fabric() {
    let mut pair = Pair::new();
    let client = pair.bootable("one");
    let server = pair.server(pair.source, 0);
    let port = pair.room.world.vioses[&server]
        .fc_ports()
        .next()
        .unwrap()
        .clone();
    let request = FcMappingRequest {
        client: Some(client),
        port: Some(port.name.clone()),
        ..FcMappingRequest::default()
    };
    pair.room.done(Command::UpdateVios(Box::new(UpdateVios {
        vios: server,
        base: None,
        scsi_mappings: None,
        fc_mappings: Some(vec![request]),
    })));
    let names = |pair: &Pair, system: Uuid| {
        let world = &pair.room.world;
        world
            .vioses_of(system)
            .flat_map(|vios| {
                vios.fc_mappings.values().map(|mapping| {
                    let port = mapping.port.as_deref().and_then(|port| vios.fc_port(port));
                    (mapping.client.unwrap().wwpns, port.unwrap().fabric)
                })
            })
            .collect::<Vec<_>>()
    };
    let before = names(&pair, pair.source);
    assert_eq!(before.len(), 1);
    let slot = pair.room.world.fc_client_adapters(client)[0].0;
    let nowhere = format!("{slot}/vios1///nothing");
    let text = pair.refused(
        client,
        &[("VirtualFCMappings", &format!("{slot}/vios1////"))],
    );
    assert!(text.contains("cannot be read"), "{text}");
    let text = pair.refused(
        client,
        &[("VirtualFCMappings", &format!("{slot}/vios1//99/nothing"))],
    );
    assert!(text.starts_with("HSCLA319"), "{nowhere} {text}");
    let job = pair.migrate(client, &[("VirtualFCMappings", &format!("{slot}/vios2/"))]);
    pair.room.succeeded(job);
    assert_eq!(names(&pair, pair.source), []);
    assert_eq!(names(&pair, pair.target), before);
    let second = &pair.room.world.vioses[&pair.server(pair.target, 1)];
    assert_eq!(second.fc_mappings.len(), 1);
}
