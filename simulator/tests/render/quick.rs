//! Quick properties and searches.

use super::support::{Bench, FLAVORS};
use powervm_schema::atom::Feed;
use powervm_schema::xml::Element;
use powervm_simulator::model::Flavor;

#[test]
fn quick_properties_are_bare_json() {
    for flavor in FLAVORS {
        let bench = Bench::busy(flavor);
        let vios = bench.vios(0);
        let get = |path: &str| bench.quick(&format!("uom/{path}")).unwrap();
        assert_eq!(
            get(&format!("VirtualIOServer/{vios}/quick/PartitionState")),
            "\"running\""
        );
        assert_eq!(
            get(&format!("VirtualIOServer/{vios}/quick/RMCState")),
            "\"active\""
        );
        for kind in ["ManagedSystem", "LogicalPartition", "VirtualIOServer"] {
            let list: serde_json::Value =
                serde_json::from_str(&get(&format!("{kind}/quick/All"))).unwrap();
            for object in list.as_array().unwrap() {
                let uuid = object["UUID"].as_str().unwrap();
                let alone: serde_json::Value =
                    serde_json::from_str(&get(&format!("{kind}/{uuid}/quick"))).unwrap();
                let mut without = object.as_object().unwrap().clone();
                without.remove("UUID");
                assert_eq!(alone.as_object().unwrap(), &without);
                for (name, value) in without {
                    let text = get(&format!("{kind}/{uuid}/quick/{name}"));
                    assert_eq!(
                        serde_json::from_str::<serde_json::Value>(&text).unwrap(),
                        value,
                        "{name}"
                    );
                    assert_eq!(value.is_boolean(), name == "MigrationDisable", "{name}");
                }
            }
        }
        let partition = bench.partitions().pop().unwrap();
        for (path, status) in [
            (format!("LogicalPartition/{partition}/quick/All"), 404),
            (format!("LogicalPartition/{partition}/quick/Nothing"), 404),
            (format!("LogicalPartition/{vios}/quick/PartitionState"), 404),
            ("Cluster/quick/All".to_owned(), 404),
        ] {
            assert_eq!(
                bench.quick(&format!("uom/{path}")).unwrap_err().status,
                status,
                "{path}"
            );
        }
    }
}

/// What clients ask for one by one is any scalar that the document has.
#[test]
fn every_scalar_of_a_partition_is_a_quick_property() {
    for flavor in FLAVORS {
        let bench = Bench::busy(flavor);
        for partition in bench.partitions() {
            let entry = format!("uom/LogicalPartition/{partition}");
            let document = Element::parse(bench.own_text(&entry).as_bytes()).unwrap();
            let scalars = document.descendants().filter(|element| {
                element.attribute("kb").is_some()
                    && element.attribute("href").is_none()
                    && element.children().next().is_none()
            });
            let mut asked = 0;
            for scalar in scalars {
                let name = scalar.local_name();
                let value = bench.quick(&format!("{entry}/quick/{name}"));
                let value = value.unwrap_or_else(|_| panic!("{name}"));
                serde_json::from_str::<serde_json::Value>(&value).unwrap();
                asked += 1;
            }
            assert!(asked > 60, "{asked}");
        }
    }
}

#[test]
fn searches_find_by_registered_parameters() {
    let bench = Bench::busy(Flavor::NovaLink);
    let names = |url: &str| {
        bench
            .feed(url)
            .entries
            .iter()
            .map(|e| e.content.child_value("PartitionName").unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        names("uom/LogicalPartition/search/(PartitionName=='busy')?group=None"),
        ["busy"]
    );
    assert!(
        !names("uom/LogicalPartition/search/(PartitionName!='busy')?group=None")
            .contains(&"busy".to_owned())
    );
    assert_eq!(
        bench
            .feed("uom/VirtualIOServer/search/(PartitionID==2)")
            .entries
            .len(),
        1
    );
    let feed: Feed = bench.feed("uom/LogicalPartition/search/(PartitionName=='busy')?group=None");
    assert!(
        feed.entries[0]
            .self_href()
            .unwrap()
            .contains("/LogicalPartition/")
    );
    assert_eq!(
        bench
            .try_get("uom/LogicalPartition/search/(Colour=='blue')")
            .unwrap_err()
            .status,
        500
    );
    let parameters = bench.entry("uom/LogicalPartition/search").content;
    assert_eq!(
        parameters.child_value("ElementName"),
        Some("LogicalPartition")
    );
}
