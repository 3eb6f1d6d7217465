//! Edits: a value that a client changes shows in the next GET, or is refused, or is one of those that the server keeps
//! to itself. Nothing is dropped without a word.

use super::support::{Bench, FLAVORS};
use powervm_schema::xml::Element;
use powervm_simulator::model::Flavor;

/// What a client may set according to the annotations: neither read only nor fixed at creation.
fn may_change(element: &Element) -> bool {
    matches!(
        element.attribute("kb"),
        Some("CUR" | "CUD" | "CUA" | "UOR" | "UOD")
    )
}

/// Another value of the same form; none for texts of which nobody knows what else they might be.
fn another(name: &str, text: &str) -> Option<String> {
    if let Ok(number) = text.parse::<u64>() {
        return Some((number + 1).to_string());
    }
    match text {
        "true" => Some("false".to_owned()),
        "false" => Some("true".to_owned()),
        _ if name.ends_with("Name") => Some(format!("{text}_x")),
        _ => None,
    }
}

/// Elements at the top of a document that the emulated server takes and does not keep, each with the reason.
const KEPT_TO_ITSELF: &[(&str, &str)] = &[
    (
        "ClientNetworkAdapter/DynamicReconfigurationConnectorName",
        "follows from the slot",
    ),
    (
        "ClientNetworkAdapter/LocalPartitionID",
        "follows from the slot",
    ),
    ("ClientNetworkAdapter/VariedOn", "follows from the slot"),
    (
        "VirtualNICDedicated/DynamicReconfigurationConnectorName",
        "follows from the slot",
    ),
    (
        "VirtualNICDedicated/LocalPartitionID",
        "follows from the slot",
    ),
    (
        "LogicalPartition/IsCallHomeEnabled",
        "no call home in a simulation",
    ),
    (
        "VirtualIOServer/IsCallHomeEnabled",
        "no call home in a simulation",
    ),
    (
        "ManagedSystem/MaximumBackingDevicesPerVNIC",
        "what the firmware has",
    ),
    (
        "VirtualIOServer/ManagerPassthroughCapable",
        "what the software can and does",
    ),
    ("ManagedSystem/MaximumPartitions", "what the firmware has"),
    (
        "ManagedSystem/MaximumPowerControlPartitions",
        "what the firmware has",
    ),
    (
        "ManagedSystem/MaximumRemoteRestartPartitions",
        "what the firmware has",
    ),
    (
        "ManagedSystem/MaximumSharedProcessorCapablePartitionID",
        "what the firmware has",
    ),
    (
        "ManagedSystem/MaximumSuspendablePartitions",
        "what the firmware has",
    ),
    (
        "ManagedSystem/PendingMaximumPartitionsPerHostChannelAdapter",
        "what the firmware has",
    ),
    (
        "ManagedSystem/ServiceProcessorFailoverEnabled",
        "what the firmware has",
    ),
    (
        "ManagementConsole/ManagementConsoleName",
        "the console's host name",
    ),
    (
        "SRIOVEthernetLogicalPort/IEEE8021QAllowablePriorities",
        "what the adapter has",
    ),
    ("SRIOVEthernetLogicalPort/IsHugeDMA", "what the adapter has"),
    (
        "SRIOVEthernetLogicalPort/NumberOfAllowedVLANs",
        "what the adapter has",
    ),
    (
        "SRIOVEthernetLogicalPort/TuningBufferID",
        "what the adapter has",
    ),
    (
        "SharedStoragePool/Capacity",
        "follows from volumes, tiers and units",
    ),
    (
        "SharedStoragePool/FreeSpace",
        "follows from volumes, tiers and units",
    ),
    (
        "SharedStoragePool/MultiDataTierConfigured",
        "follows from volumes, tiers and units",
    ),
    (
        "SharedStoragePool/MultiFailureGroupConfigured",
        "follows from volumes, tiers and units",
    ),
    (
        "SharedStoragePool/OverCommitSpace",
        "follows from volumes, tiers and units",
    ),
    (
        "SharedStoragePool/TotalLogicalUnitSize",
        "follows from volumes, tiers and units",
    ),
    (
        "VirtualIOServer/APICapable",
        "what the software can and does",
    ),
    (
        "VirtualIOServer/IsVNICCapable",
        "what the software can and does",
    ),
    (
        "VirtualIOServer/VNICFailOverCapable",
        "what the software can and does",
    ),
    (
        "VirtualIOServer/VirtualIOServerLicenseAccepted",
        "what the software can and does",
    ),
    (
        "VirtualIOServer/PagingServicePartition",
        "what the software can and does",
    ),
    ("VolumeGroup/GroupCapacity", "fixed when the group was made"),
    ("VolumeGroup/GroupName", "fixed when the group was made"),
    ("VolumeGroup/PartitionSize", "fixed when the group was made"),
];

fn ignored(kind: &str, name: &str) -> bool {
    let path = format!("{kind}/{name}");
    KEPT_TO_ITSELF.iter().any(|(known, _)| *known == path)
}

fn value<'a>(content: &'a Element, name: &str) -> Option<std::borrow::Cow<'a, str>> {
    content.child(name).map(Element::text)
}

/// The edits that were neither refused nor shown.
fn dropped(flavor: Flavor) -> (Vec<String>, usize) {
    let bench = Bench::furnished(flavor);
    let (mut dropped, mut tried) = (Vec::new(), 0);
    for feed in bench.feeds("None") {
        let Some(entry) = bench.feed(&feed).entries.into_iter().next() else {
            continue;
        };
        let Some(href) = entry.self_href() else {
            continue;
        };
        let url = href.split_once("/rest/api/").unwrap().1.to_owned();
        let kind = entry.content.local_name().to_owned();
        for element in entry.content.children() {
            let (name, text) = (element.local_name(), element.text());
            if !may_change(element) || element.children().next().is_some() {
                continue;
            }
            let Some(wish) = another(name, text.trim()) else {
                continue;
            };
            let mut edited = entry.content.clone();
            edited.child_mut(name).unwrap().set_text(&wish);
            let mut world = bench.with_a_new_renderer();
            tried += 1;
            if world.post(&url, &edited.to_xml()).is_err() {
                continue;
            }
            let after = world.entry(&url);
            let shown = value(&after.content, name).unwrap_or_default().into_owned();
            let same_number = shown.parse::<f64>().ok() == wish.parse::<f64>().ok();
            let shows = shown == wish || (same_number && wish.parse::<f64>().is_ok());
            if shows == ignored(&kind, name) {
                dropped.push(format!("{kind}/{name}: {text} to {wish}, now {shown}"));
            }
        }
    }
    (dropped, tried)
}

#[test]
fn an_edit_shows_or_is_refused() {
    for flavor in FLAVORS {
        let (mut dropped, tried) = dropped(flavor);
        assert!(tried > 60, "{tried}");
        dropped.sort();
        dropped.dedup();
        assert!(dropped.is_empty(), "{flavor:?}: {dropped:#?}");
    }
}

#[test]
fn a_logical_unit_grows_and_never_shrinks() {
    let mut bench = Bench::busy(Flavor::Hmc);
    let tier = bench.tier();
    let unit = bench.unit(&tier, "growing", "VirtualIO_Disk", None);
    let feed = bench.feed(&format!("uom/Tier/{tier}/LogicalUnit?group=None"));
    let found = feed.entries.into_iter().find(|entry| {
        let udid = value(&entry.content, "UniqueDeviceID").unwrap();
        *udid == *unit
    });
    let entry = found.unwrap();
    let url = format!("uom/Tier/{tier}/LogicalUnit/{}?group=None", entry.id);
    let sized = |capacity: &str| {
        let mut edited = entry.content.clone();
        let element = edited.child_mut("UnitCapacity").unwrap();
        element.set_text(capacity);
        edited.to_xml()
    };
    bench.post(&url, &sized("37.5")).unwrap();
    let after = bench.entry(&url).content;
    assert_eq!(value(&after, "UnitCapacity").unwrap(), "37.5");
    let refused = bench.post(&url, &sized("12")).unwrap_err();
    assert!(refused.to_string().contains("cannot shrink"), "{refused}");
    assert!(bench.post(&url, &sized("99999999")).is_err());
}
