//! Documents that make servers, hand physical slots over, and change clusters and their pools.

use super::support::{Bench, FLAVORS, partition, uom};
use powervm_schema::atom::Entry;
use powervm_schema::xml::Element;
use powervm_simulator::model::Flavor;

/// A new server: the body of a new partition under another name.
fn server(name: &str) -> String {
    partition(name, "")
        .replace("LogicalPartition", "VirtualIOServer")
        .replace("AIX/Linux", "Virtual IO Server")
}

fn content(text: &str) -> Element {
    Entry::parse(text.as_bytes()).unwrap().content
}

#[test]
fn a_server_is_put_read_everywhere_and_deleted() {
    for flavor in FLAVORS {
        let mut bench = Bench::new(flavor, 7, 0);
        let url = format!("uom/ManagedSystem/{}/VirtualIOServer", bench.system());
        let made = bench.put(&url, &server("vios_new")).unwrap();
        let entry = Entry::parse(made.as_bytes()).unwrap();
        let made = entry.content;
        assert_eq!(made.local_name(), "VirtualIOServer");
        assert_eq!(made.child_value("PartitionState"), Some("not activated"));
        assert_eq!(made.child_value("PartitionType"), Some("Virtual IO Server"));
        assert_eq!(made.child_value("AvailabilityPriority"), Some("191"));
        let own = format!("uom/VirtualIOServer/{}", entry.id);
        for group in ["None", "All", "ViosStorage,ViosNetwork"] {
            let read = bench.entry(&format!("{own}?group={group}")).content;
            assert_eq!(read.child_value("PartitionName"), Some("vios_new"));
        }
        assert_eq!(
            bench
                .quick(&format!("{own}/quick/OperatingSystemVersion"))
                .unwrap(),
            "\"VIOS \""
        );
        for child in ["VolumeGroup", "ClientNetworkAdapter"] {
            assert!(bench.feed(&format!("{own}/{child}")).entries.is_empty());
        }
        let wrong = bench.put(&url, &server("x").replace("Virtual IO Server", "AIX/Linux"));
        assert!(wrong.unwrap_err().to_string().contains(" REST0140 "));
        let partitions = url.replace("VirtualIOServer", "LogicalPartition");
        let body = partition("x", "").replace("AIX/Linux", "Virtual IO Server");
        let wrong = bench.put(&partitions, &body).unwrap_err();
        assert_eq!(
            wrong.message,
            " REST0140 Invalid Partition Type associated with LogicalPartition"
        );
        bench.delete(&own).unwrap();
        assert_eq!(bench.try_get(&own).unwrap_err().status, 404);
    }
}

#[test]
fn profile_io_slots_are_obeyed() {
    for flavor in FLAVORS {
        let mut bench = Bench::furnished(flavor);
        let system = bench.entry(&format!("uom/ManagedSystem/{}", bench.system()));
        let io = system.content;
        let slots = io
            .descend(&["AssociatedSystemIOConfiguration", "IOSlots"])
            .unwrap();
        let mut free = slots.children_named("IOSlot").filter(|slot| {
            slot.child("PartitionName").is_none() && slot.child_value("PCIClass") == Some("3075")
        });
        let index = free
            .next()
            .unwrap()
            .child_value("SlotDynamicReconfigurationConnectorIndex")
            .unwrap()
            .to_owned();
        let list = format!(
            "<ProfileIOSlots><ProfileIOSlot><AssociatedIOSlot><SlotDynamicReconfigurationConnectorIndex>{index}</SlotDynamicReconfigurationConnectorIndex></AssociatedIOSlot></ProfileIOSlot></ProfileIOSlots>"
        );
        let uuid = bench.create_partition("with_slot");
        let url = format!("uom/LogicalPartition/{uuid}?group=None");
        let body = uom(
            "LogicalPartition",
            &format!("<PartitionIOConfiguration>{list}</PartitionIOConfiguration>"),
        );
        let posted = content(&bench.post(&url, &body).unwrap());
        let own = |content: &Element| {
            let slots = content.descend(&["PartitionIOConfiguration", "ProfileIOSlots"]);
            slots.unwrap().children_named("ProfileIOSlot").count()
        };
        assert_eq!(own(&posted), 1);
        assert_eq!(
            bench
                .quick(&format!("uom/LogicalPartition/{uuid}/quick/HasPhysicalIO"))
                .unwrap(),
            "\"true\""
        );
        // What was read and is sent back changes nothing.
        let back = bench.own_text(&url);
        assert_eq!(own(&content(&bench.post(&url, &back).unwrap())), 1);
        let nameless = body.replace(
            &format!("<SlotDynamicReconfigurationConnectorIndex>{index}</SlotDynamicReconfigurationConnectorIndex>"),
            "",
        );
        let refused = bench.post(&url, &nameless).unwrap_err();
        assert!(refused.message.starts_with("REST0001"), "{refused}");
        let none = uom(
            "LogicalPartition",
            "<PartitionIOConfiguration><ProfileIOSlots/></PartitionIOConfiguration>",
        );
        assert_eq!(own(&content(&bench.post(&url, &none).unwrap())), 0);
    }
}

#[test]
fn a_pool_is_found_below_its_cluster_too() {
    let mut bench = Bench::new(Flavor::Hmc, 7, 0);
    let tier = bench.entry(&format!("uom/Tier/{}", bench.tier())).content;
    let link = tier.child("AssociatedSharedStoragePool").unwrap();
    let link = link.attribute("href").unwrap();
    let path = link.split_once("/rest/api/").unwrap().1;
    assert!(
        path.contains("/Cluster/") || path.starts_with("uom/Cluster/"),
        "{path}"
    );
    let pool = bench.entry(path);
    assert_eq!(pool.content.local_name(), "SharedStoragePool");
    assert_eq!(pool.self_href(), Some(link));
    let feed = path.rsplit_once('/').unwrap().0;
    assert_eq!(bench.feed(feed).entries.len(), 1);
    let posted = bench.post(path, &pool.content.to_xml()).unwrap();
    assert_eq!(content(&posted).to_xml(), pool.content.to_xml());
    let cluster = format!(
        "uom/{}",
        feed.rsplit_once('/').unwrap().0.trim_start_matches("uom/")
    );
    let there = bench.entry(&cluster).content;
    assert_eq!(
        content(&bench.post(&cluster, &there.to_xml()).unwrap()).to_xml(),
        there.to_xml()
    );
}

#[test]
fn a_partition_links_its_groups_below_itself() {
    let bench = Bench::furnished(Flavor::Hmc);
    let mut followed = 0;
    for kind in ["LogicalPartition", "VirtualIOServer"] {
        for entry in bench.feed(&format!("uom/{kind}")).entries {
            for link in entry
                .content
                .child("AssociatedGroups")
                .iter()
                .flat_map(|list| list.children_named("link"))
            {
                let path = link
                    .attribute("href")
                    .unwrap()
                    .split_once("/rest/api/uom/")
                    .unwrap()
                    .1;
                assert!(
                    path.starts_with(&format!("{kind}/{}/Group/", entry.id)),
                    "{path}"
                );
                assert_eq!(
                    bench.entry(&format!("uom/{path}")).content.local_name(),
                    "Group"
                );
                followed += 1;
            }
        }
    }
    assert!(followed > 1);
}
