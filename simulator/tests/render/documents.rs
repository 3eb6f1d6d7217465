//! Every document: it parses, fits the schema's tables, and says what the model says.

use super::support::{Bench, FLAVORS, upper};
use powervm_schema::atom::Entry;
use powervm_schema::view::Inspection;
use powervm_schema::xml::Element;
use powervm_schema::{file, job as jobs, network, partition, sriov, storage, system, vios};
use powervm_simulator::http::Group;
use powervm_simulator::model::Flavor;
use proptest::prelude::*;
use uuid::Uuid;

const GROUPS: [&str; 8] = [
    "None",
    "All",
    "ViosStorage,ViosNetwork",
    "ViosSCSIMapping",
    "SystemNetwork",
    "Hypervisor",
    "NVRAM",
    "Advanced",
];

/// How an element fits the table of its type.
fn inspected(content: &Element) -> Inspection {
    match content.local_name() {
        "ManagementConsole" => system::ManagementConsole(content).inspect(),
        "ManagedSystem" => system::ManagedSystem(content).inspect(),
        "LogicalPartition" => partition::LogicalPartition(content).inspect(),
        "VirtualIOServer" => vios::VirtualIoServer(content).inspect(),
        "VolumeGroup" => storage::VolumeGroup(content).inspect(),
        "ClientNetworkAdapter" => network::ClientNetworkAdapter(content).inspect(),
        "NetworkBridge" => network::NetworkBridge(content).inspect(),
        "SRIOVEthernetLogicalPort" => sriov::SriovEthernetLogicalPort(content).inspect(),
        "VirtualNICDedicated" => sriov::VirtualNicDedicated(content).inspect(),
        "VirtualSwitch" => network::VirtualSwitch(content).inspect(),
        "VirtualNetwork" => network::VirtualNetwork(content).inspect(),
        "Cluster" => storage::Cluster(content).inspect(),
        "SharedStoragePool" => storage::SharedStoragePool(content).inspect(),
        "Tier" => storage::Tier(content).inspect(),
        "LogicalUnit" => storage::LogicalUnit(content).inspect(),
        "File" => file::File(content).inspect(),
        "JobRequest" => jobs::JobRequest(content).inspect(),
        "JobResponse" => jobs::JobResponse(content).inspect(),
        other => panic!("{other} has no table"),
    }
}

pub(crate) fn assert_fits(url: &str, content: &Element) {
    let found = inspected(content);
    assert!(found.is_clean(), "{url}: {found:#?}");
}

#[test]
fn every_document_fits_the_tables_of_the_schema() {
    let kinds = [Bench::busy, Bench::furnished];
    for bench in kinds.into_iter().flat_map(|made| FLAVORS.map(made)) {
        for group in GROUPS {
            for url in bench.feeds(group) {
                for entry in bench.feed(&url).entries {
                    assert_fits(&url, &entry.content);
                    assert_eq!(
                        entry.content.prefix(),
                        Some(entry.content.local_name()),
                        "{url}"
                    );
                    assert!(
                        entry
                            .content
                            .descendants()
                            .skip(1)
                            .all(|element| element.prefix().is_none()),
                        "{url}"
                    );
                }
            }
        }
    }
}

#[test]
fn an_entry_of_a_feed_is_the_entry_at_its_own_link() {
    for flavor in FLAVORS {
        let bench = Bench::busy(flavor);
        for group in ["None", "All", "ViosSCSIMapping,ViosStorage"] {
            for url in bench.feeds(group) {
                let feed = bench.feed(&url);
                if feed.entries.is_empty() || url.starts_with("web/File") {
                    continue;
                }
                let own = format!("http://localhost:12080/rest/api/{url}");
                assert_eq!(feed.self_href(), Some(own.as_str()));
                for entry in feed.entries {
                    let href = entry.self_href().unwrap();
                    assert!(
                        href.ends_with(&format!("/{}?group={group}", entry.id)),
                        "{href}"
                    );
                    let alone = bench.get(
                        href.strip_prefix("http://localhost:12080/rest/api/")
                            .unwrap(),
                    );
                    let parsed = Entry::parse(alone.body.to_string().as_bytes()).unwrap();
                    assert_eq!(parsed.content, entry.content, "{href}");
                    assert_eq!(parsed.etag, entry.etag);
                    assert_eq!(entry.etag, alone.etag.map(|etag| etag.to_string()));
                    assert_eq!(
                        parsed.href("MANAGEMENT_CONSOLE").is_some(),
                        flavor == Flavor::Hmc
                    );
                }
            }
        }
    }
}

#[test]
fn no_document_has_white_space_or_a_declaration() {
    let bench = Bench::busy(Flavor::NovaLink);
    for url in bench.feeds("All") {
        if let Some(feed) = bench.try_get(&url).unwrap() {
            let text = feed.body.to_string();
            assert!(text.starts_with("<feed "), "{url}");
            assert!(!text.contains("> <") && !text.contains(">\n"), "{url}");
        }
    }
}

#[test]
fn a_medium_is_written_alike_in_its_group_and_in_a_mapping() {
    for flavor in FLAVORS {
        let bench = Bench::busy(flavor);
        let vios = bench.vios(0);
        let texts = |body: &str| -> Vec<String> {
            let starts = body
                .match_indices("<VirtualOpticalMedia ")
                .map(|(at, _)| at);
            let element = |at: usize| {
                let rest = &body[at..];
                rest[..rest.find("</VirtualOpticalMedia>").unwrap()].to_owned()
            };
            starts
                .map(element)
                .filter(|text| text.contains("cfg_busy.iso"))
                .collect()
        };
        let groups = bench.get(&format!(
            "uom/VirtualIOServer/{vios}/VolumeGroup?group=None"
        ));
        let all = bench.get(&format!("uom/VirtualIOServer/{vios}?group=All"));
        let (of_group, of_vios) = (
            texts(&groups.body.to_string()),
            texts(&all.body.to_string()),
        );
        assert_eq!(
            (of_group.len(), of_vios.len()),
            (1, 2),
            "once in the group; in the repository and in a mapping"
        );
        assert!(of_vios.iter().all(|text| *text == of_group[0]));
    }
}

#[test]
fn a_container_appears_with_its_group_alone() {
    let bench = Bench::busy(Flavor::NovaLink);
    let vios = bench.vios(0);
    let gated = [
        (
            Group::ViosStorage,
            &["MediaRepositories", "PhysicalVolumes", "StoragePools"][..],
        ),
        (
            Group::ViosNetwork,
            &[
                "SharedEthernetAdapters",
                "TrunkAdapters",
                "FreeIOAdaptersForLinkAggregation",
                "FreeEthenetBackingDevicesForSEA",
            ],
        ),
        (Group::ViosScsiMapping, &["VirtualSCSIMappings"]),
        (Group::ViosFcMapping, &["VirtualFibreChannelMappings"]),
    ];
    for asked in [
        "None",
        "ViosStorage",
        "ViosNetwork",
        "ViosSCSIMapping",
        "ViosFCMapping",
    ] {
        let own = bench
            .entry(&format!("uom/VirtualIOServer/{vios}?group={asked}"))
            .content;
        for (group, names) in &gated {
            for name in *names {
                assert_eq!(
                    own.child(name).is_some(),
                    group.name() == asked,
                    "{name} in {asked}"
                );
            }
        }
    }
    let everything = bench.entry(&format!("uom/VirtualIOServer/{vios}")).content;
    assert!(
        gated
            .iter()
            .flat_map(|(_, names)| *names)
            .all(|name| everything.child(name).is_some())
    );
}

#[test]
fn the_views_read_the_models_values_back() {
    for flavor in FLAVORS {
        let bench = Bench::busy(flavor);
        for entry in bench.feed("uom/LogicalPartition?group=None").entries {
            let model = &bench.world.partitions[&Uuid::parse_str(&entry.id).unwrap()];
            let view = partition::LogicalPartition(&entry.content);
            let base = view.partition();
            assert_eq!(base.name(), Some(model.name.as_str()));
            assert_eq!(base.id().unwrap(), Some(u32::from(model.id)));
            assert_eq!(
                base.state().unwrap().map(|state| state.to_string()),
                Some(model.state.to_string())
            );
            assert_eq!(
                base.rmc_state().unwrap().map(|state| state.to_string()),
                Some(model.rmc.to_string())
            );
            assert_eq!(
                base.memory().unwrap().desired_memory().unwrap(),
                Some(model.memory.desired)
            );
            assert_eq!(base.uuid(), Some(upper(model.uuid).as_str()));
        }
        let vios = bench.vios(0);
        let own = bench
            .entry(&format!("uom/VirtualIOServer/{vios}?group=All"))
            .content;
        let model = &bench.world.vioses[&Uuid::parse_str(&vios).unwrap()];
        let view = vios::VirtualIoServer(&own);
        assert_eq!(
            view.scsi_mappings().count(),
            model
                .buses
                .values()
                .map(|bus| bus.devices.len().max(1))
                .sum::<usize>()
        );
        assert_eq!(
            view.physical_volumes().count(),
            model.physical_volumes.len()
        );
        for (_, device) in model.devices() {
            let mapping = view.scsi_mappings().find(|mapping| {
                let target = mapping
                    .0
                    .child("TargetDevice")
                    .and_then(|target| target.children().next());
                target.and_then(|target| target.child_value("UniqueDeviceID"))
                    == Some(device.target_udid.as_str())
            });
            let mapping = mapping.expect("every device has its mapping");
            assert!(
                mapping
                    .0
                    .child("Storage")
                    .is_some_and(|storage| storage.children().count() == 1)
            );
        }
        let group = bench
            .entry(&format!("{}?group=None", bench.volume_group(&vios)))
            .content;
        let model = model.volume_groups.last().unwrap();
        assert_eq!(
            group.child_value("FreeSpace"),
            Some(model.free().to_string().as_str())
        );
        assert_eq!(
            storage::VolumeGroup(&group).virtual_disks().count(),
            model.disks.len()
        );
    }
}

#[test]
fn an_empty_feed_is_nothing_and_an_unknown_resource_is_404() {
    let bench = Bench::new(Flavor::Hmc, 1, 0);
    assert_eq!(bench.try_get("web/File").unwrap(), None);
    assert_eq!(bench.try_get("uom/jobs").unwrap(), None);
    assert_eq!(
        bench
            .try_get("uom/LogicalPartition/search/(PartitionName=='nobody')")
            .unwrap(),
        None
    );
    let vios = bench.vios(0);
    let other = Uuid::from_u128(7);
    for url in [
        format!("uom/LogicalPartition/{vios}"),
        format!("uom/LogicalPartition/{other}"),
        format!("uom/ManagedSystem/{other}/LogicalPartition"),
        format!("uom/VirtualIOServer/{other}/VolumeGroup"),
        format!("uom/LogicalPartition/{other}/do/PowerOn"),
        "uom/jobs/17".to_owned(),
    ] {
        assert_eq!(bench.try_get(&url).unwrap_err().status, 404, "{url}");
    }
}

/// Every reference leads to a resource that is there, as far as its type is served.
#[test]
fn references_lead_somewhere() {
    for flavor in FLAVORS {
        let bench = Bench::busy(flavor);
        let mut followed = std::collections::BTreeSet::new();
        for url in bench.feeds("All") {
            for entry in bench.feed(&url).entries {
                for element in entry.content.descendants() {
                    let Some(href) = element.attribute("href") else {
                        continue;
                    };
                    let path = href
                        .strip_prefix("http://localhost:12080/rest/api/")
                        .unwrap_or_else(|| panic!("{url}: {href}"));
                    if followed.insert(path.to_owned())
                        && super::support::target(path).is_ok()
                        && !path.contains("/contents/")
                    {
                        bench.get(path);
                    }
                }
            }
        }
        assert!(followed.len() > 20);
    }
}

#[test]
fn a_kept_text_is_the_text_of_now() {
    for flavor in FLAVORS {
        let mut bench = Bench::busy(flavor);
        let vios = bench.vios(0);
        for number in 0..8 {
            let partition = bench.create_partition(&format!("p{number}"));
            bench.upload(&vios, &format!("m{number}.iso"));
            let medium = format!(
                "<VirtualOpticalMedia><MediaName>m{number}.iso</MediaName></VirtualOpticalMedia>"
            );
            bench.map(&vios, &partition, &medium).unwrap();
            bench.add_disk(&vios, &format!("d{number}"));
            bench.pass(61_000);
            let fresh = bench.with_a_new_renderer();
            for group in [
                "None",
                "All",
                "ViosStorage",
                "ViosSCSIMapping",
                "ViosNetwork",
            ] {
                for url in bench.feeds(group) {
                    assert_eq!(
                        bench.try_get(&url).unwrap(),
                        fresh.try_get(&url).unwrap(),
                        "{url}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_changed_group_changes_its_own_etag_alone() {
    let mut bench = Bench::busy(Flavor::NovaLink);
    let vios = bench.vios(0);
    let etag = |bench: &Bench, group: &str| {
        bench
            .get(&format!("uom/VirtualIOServer/{vios}?group={group}"))
            .etag
            .unwrap()
    };
    let partition = bench.create_partition("another");
    let before = ["None", "ViosSCSIMapping", "ViosNetwork"].map(|group| etag(&bench, group));
    bench
        .map(
            &vios,
            &partition,
            "<VirtualOpticalMedia><MediaName>cfg_busy.iso</MediaName></VirtualOpticalMedia>",
        )
        .unwrap_err();
    bench.upload(&vios, "another.iso");
    bench
        .map(
            &vios,
            &partition,
            "<VirtualOpticalMedia><MediaName>another.iso</MediaName></VirtualOpticalMedia>",
        )
        .unwrap();
    let after = ["None", "ViosSCSIMapping", "ViosNetwork"].map(|group| etag(&bench, group));
    assert_eq!((before[0], before[2]), (after[0], after[2]));
    assert_ne!(before[1], after[1]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever text a client gets into the model, documents stay well-formed and give it back.
    #[test]
    fn any_name_survives_the_way_through_a_document(name in "\\PC{1,24}") {
        let mut bench = Bench::new(Flavor::NovaLink, 3, 0);
        let tier = bench.tier();
        let escaped: String = name.chars().map(|c| match c { '&' => "&amp;".into(), '<' => "&lt;".into(), '>' => "&gt;".into(), c => c.to_string() }).collect();
        let body = super::support::uom("LogicalUnit", &format!("<UnitCapacity>1</UnitCapacity><UnitName>{escaped}</UnitName>"));
        if bench.put(&format!("uom/Tier/{tier}/LogicalUnit"), &body).is_ok() {
            let feed = bench.feed(&format!("uom/Tier/{tier}/LogicalUnit?group=None"));
            prop_assert!(feed.entries.iter().any(|entry| entry.content.child_value("UnitName") == Some(name.trim())));
        }
    }
}
