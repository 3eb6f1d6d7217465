use super::{
    MappingFacts, PartitionFacts, PoolFacts, Survey, SystemFacts, UnitFacts, VolumeGroupFacts,
};

fn healthy() -> Survey {
    let partition = |id, name: &str| PartitionFacts {
        id: Some(id),
        name: name.to_owned(),
        ..Default::default()
    };
    let mapping = |client_id, storage: &str, udid: &str| MappingFacts {
        vios: "vios1".to_owned(),
        adapter: "vhost0".to_owned(),
        has_client: true,
        client_id: Some(client_id),
        storage: Some(storage.to_owned()),
        storage_udid: Some(udid.to_owned()),
        ..Default::default()
    };
    Survey {
        systems: vec![SystemFacts {
            name: "sys".to_owned(),
            memory_free_mb: 1024,
            ..Default::default()
        }],
        partitions: vec![partition(1, "mgmt"), partition(4, "vm")],
        mappings: vec![
            mapping(4, "boot_vm", "27aa"),
            mapping(4, "cfg_1.iso", "0ecfg_1.iso"),
            mapping(4, "b_vm", "03.1"),
        ],
        volume_groups: vec![VolumeGroupFacts {
            name: "rootvg".to_owned(),
            vios: "vios1".to_owned(),
            disks: vec![
                ("/dev/b_vm".to_owned(), "03.1".to_owned()),
                ("somebodys".to_owned(), "03.2".to_owned()),
            ],
            repository: Some((
                "vopt".to_owned(),
                vec![("cfg_1.iso".to_owned(), "0ecfg_1.iso".to_owned())],
            )),
            ..Default::default()
        }],
        pools: vec![PoolFacts {
            name: "pool".to_owned(),
            free: 7,
            units: vec![
                UnitFacts {
                    tier: "T".to_owned(),
                    name: "image_x".to_owned(),
                    udid: "29bb".to_owned(),
                    is_image: true,
                    ..Default::default()
                },
                UnitFacts {
                    tier: "T".to_owned(),
                    name: "boot_vm".to_owned(),
                    udid: "27aa".to_owned(),
                    cloned_from: Some("29bb".to_owned()),
                    in_use: true,
                    ..Default::default()
                },
            ],
        }],
        ..Default::default()
    }
}

#[test]
fn a_host_in_good_order_is_not_suspicious() {
    assert_eq!(healthy().suspicions(), []);
}

#[test]
fn every_kind_of_leftover_is_found() {
    let mut survey = healthy();
    survey.partitions.retain(|partition| partition.name != "vm");
    survey.files.push("upload".to_owned());
    let unit = |name: &str| UnitFacts {
        tier: "T".to_owned(),
        name: name.to_owned(),
        udid: format!("27{name}"),
        ..Default::default()
    };
    let pool = &mut survey.pools[0];
    pool.units.push(unit("part0123abcdimage_y"));
    pool.units.push(unit("boot_gone"));
    pool.units.push(UnitFacts {
        is_image: true,
        ..unit("image_z")
    });
    survey.volume_groups[0]
        .disks
        .push(("r_gone".to_owned(), "03.9".to_owned()));
    if let Some((_, media)) = &mut survey.volume_groups[0].repository {
        media.push(("cfg_2.iso".to_owned(), "0ecfg_2.iso".to_owned()));
        media.push(("aix.iso".to_owned(), "0eaix.iso".to_owned()));
    }
    let found: Vec<String> = survey
        .suspicions()
        .into_iter()
        .map(|suspicion| suspicion.what)
        .collect();
    assert_eq!(
        found,
        [
            "file upload",
            "logical unit boot_gone in tier T",
            "logical unit image_z in tier T",
            "logical unit part0123abcdimage_y in tier T",
            "mapping vhost0 of vios1 to partition 4, which does not exist: b_vm",
            "mapping vhost0 of vios1 to partition 4, which does not exist: boot_vm",
            "mapping vhost0 of vios1 to partition 4, which does not exist: cfg_1.iso",
            "medium cfg_2.iso in rootvg of vios1",
            "virtual disk r_gone in rootvg of vios1",
        ]
    );
}

#[test]
fn a_mapping_for_anybody_is_in_order() {
    let mut survey = healthy();
    survey.mappings.push(MappingFacts {
        for_anybody: true,
        client_id: Some(65_535),
        ..Default::default()
    });
    assert_eq!(survey.suspicions(), []);
}

#[test]
fn the_inventory_names_disks_by_their_last_part() {
    let inventory = healthy().inventory();
    let texts: Vec<String> = inventory.items.iter().map(ToString::to_string).collect();
    assert!(
        texts.contains(&"virtual disk b_vm in rootvg of vios1".to_owned()),
        "{texts:?}"
    );
    assert!(
        texts.contains(&"mapping vhost0 to vm: boot_vm in vios1".to_owned()),
        "{texts:?}"
    );
    assert_eq!(inventory.quantities.len(), 4);
}
