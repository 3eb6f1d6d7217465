//! Quick properties, search parameters and extended attribute groups, each by its name as recordings, documents and
//! clients spell it.

use super::support::{Bench, FLAVORS};
use powervm_schema::xml::Element;
use powervm_simulator::model::Flavor;
use serde_json::Value;

/// The keys of an object of `quick/All`, of an HMC V8R8.6 (cassettes `refresher.yml`) and of published captures.
const QUICK: &[(&str, &str)] = &[
    (
        "ManagedSystem",
        "Description ConfigurableSystemMemory SystemFirmware ConfigurableSystemProcessorUnits CurrentAvailableSystemProcessorUnits SystemName ManufacturingDefaultConfigurationEnabled UUID InstalledSystemProcessorUnits IsPowerVMManagementMaster ActivatedLevel InstalledSystemMemory CapacityOnDemandProcessorCapable MTMS MaximumPartitions CurrentAvailableSystemMemory SystemLocation PhysicalSystemAttentionLEDState ServiceProcessorVersion State MergedReferenceCode IsNotPowerVMManagementMaster IsClassicHMCManagement ReferenceCode CapacityOnDemandMemoryCapable IPAddress MemoryDefragmentationState",
    ),
    (
        "LogicalPartition",
        "ProgressState Description MemoryMode MigrationState PowerManagementMode OperatingSystemVersion PartitionID IsVirtualServiceAttentionLEDOn AllocatedVirtualProcessors PartitionState ResourceMonitoringIPAddress HasPhysicalIO SharingMode UUID CurrentProcessors LastActivatedProfile RemoteRestartState PartitionType PartitionName RMCState CurrentMemory HasDedicatedProcessors AssociatedManagedSystem ReferenceCode CurrentProcessingUnits MigrationDisable",
    ),
    (
        "VirtualIOServer",
        "CurrentProcessors OperatingSystemVersion PartitionID PartitionType VirtualIOServerLicenseAccepted APICapable PartitionName IsVirtualServiceAttentionLEDOn RMCState AllocatedVirtualProcessors CurrentMemory HasDedicatedProcessors PartitionState AssociatedManagedSystem ResourceMonitoringIPAddress ReferenceCode CurrentProcessingUnits SharingMode UUID",
    ),
    (
        "VirtualNetwork",
        "NetworkName NetworkVLANID VswitchID TaggedNetwork UUID",
    ),
];

/// Properties that later levels list and clients of all levels ask for one by one.
const ALONE: &[(&str, &str)] = &[
    (
        "ManagedSystem",
        "IsPowerVMManagementController IsNotPowerVMManagementController ProcessorThrottling SystemType PermanentSystemProcessors PermanentSystemMemory",
    ),
    (
        "LogicalPartition",
        "SystemName OperatingSystemType CurrentUncappedWeight PartitionUUID ResourceMonitoringControlState LogicalSerialNumber BootMode KeylockPosition AvailabilityPriority IsManagementPartition SimplifiedRemoteRestartCapable RemoteRestartCapable SuspendCapable PendingProcessorCompatibilityMode CurrentProcessorCompatibilityMode CurrentProfileSync MACAddressPrefix AllowPerformanceDataCollection AutoStart PowerOnWithHypervisor IsConnectionMonitoringEnabled IsServicePartition IsTimeReferencePartition PendingSecureBoot CurrentSecureBoot ReferenceCodeFull VirtualSerialNumber DesignatedIPLSource",
    ),
];

/// What only levels after the recorded one have, and nobody knows the values of.
const UNKNOWN: &[&str] = &[
    "BMCVersion",
    "PNORVersion",
    "DeferredLevel",
    "DeferredServicePackNameAndLevel",
    "ActivatedServicePackNameAndLevel",
    "EBMCSystemIPv6Capable",
];

/// The feed of a type: of networks there are only those of a system.
fn feed_of(bench: &Bench, kind: &str) -> String {
    match kind {
        "VirtualNetwork" => format!("uom/ManagedSystem/{}/{kind}", bench.system()),
        _ => format!("uom/{kind}"),
    }
}

#[test]
fn quick_objects_have_the_recorded_names_in_the_recorded_order() {
    for flavor in FLAVORS {
        let bench = Bench::furnished(flavor);
        for (kind, names) in QUICK {
            let feed = feed_of(&bench, kind);
            let names: Vec<&str> = names.split(' ').collect();
            let all = bench.quick(&format!("{feed}/quick/All")).unwrap();
            let mut from = 0;
            for name in &names {
                let at = all[from..].find(&format!("\"{name}\":"));
                from += at.unwrap_or_else(|| panic!("{kind} {name} is missing or out of order"));
            }
            let objects: Value = serde_json::from_str(&all).unwrap();
            for object in objects.as_array().unwrap() {
                assert_eq!(object.as_object().unwrap().len(), names.len(), "{kind}");
            }
            let set = bench.entry(&format!("{feed}/quick")).content;
            assert_eq!(set.local_name(), "QuickPropertySet");
            assert_eq!(set.child_value("ElementName"), Some(*kind));
            let listed = set.child("QuickProperties").unwrap();
            let listed: Vec<&str> = listed
                .children_named("QuickProperty")
                .map(|property| property.child_value("PropertyName").unwrap())
                .collect();
            assert_eq!(listed, names, "{kind}");
        }
        let none = bench.try_get("uom/Cluster/quick").unwrap_err();
        assert!(none.status == 404 && none.message.starts_with("REST0003"));
    }
}

#[test]
fn single_properties_of_later_levels_are_answered_as_far_as_they_are_known() {
    for flavor in FLAVORS {
        let bench = Bench::furnished(flavor);
        for (kind, names) in ALONE {
            let all = bench.quick(&format!("uom/{kind}/quick/All")).unwrap();
            let all: Value = serde_json::from_str(&all).unwrap();
            let uuid = all[0]["UUID"].as_str().unwrap();
            for name in names.split(' ') {
                let text = bench.quick(&format!("uom/{kind}/{uuid}/quick/{name}"));
                let value: Value = serde_json::from_str(&text.unwrap()).unwrap();
                assert!(!value.is_boolean() && !value.is_object(), "{name}: {value}");
            }
        }
        for name in UNKNOWN {
            let url = format!("uom/ManagedSystem/{}/quick/{name}", bench.system());
            let refused = bench.quick(&url).unwrap_err();
            assert_eq!(
                refused.message,
                format!("REST0003 Type ManagedSystem does not support Quick Property {name}.")
            );
        }
    }
}

/// Type, parameter, a value that something has, in each flavour's furnished room.
const SEARCH: &[(&str, &[&str])] = &[
    ("ManagedSystem", &["SystemName", "State"]),
    (
        "LogicalPartition",
        &[
            "PartitionName",
            "PartitionID",
            "PartitionState",
            "PartitionType",
        ],
    ),
    (
        "VirtualIOServer",
        &[
            "PartitionName",
            "PartitionID",
            "PartitionState",
            "PartitionType",
        ],
    ),
    ("Cluster", &["ClusterName"]),
    ("SharedStoragePool", &["StoragePoolName"]),
];

#[test]
fn every_search_parameter_finds_and_excludes() {
    for flavor in FLAVORS {
        let bench = Bench::furnished(flavor);
        for (kind, parameters) in SEARCH {
            let set = bench.entry(&format!("uom/{kind}/search")).content;
            let listed = set.child("SearchParameters").unwrap();
            let listed: Vec<&str> = listed
                .children_named("SearchParameter")
                .map(|parameter| parameter.child_value("ParameterName").unwrap())
                .collect();
            assert_eq!(listed, *parameters, "{kind}");
            let all = bench.feed(&format!("uom/{kind}")).entries;
            for parameter in *parameters {
                let value = all[0].content.child_value(parameter).unwrap().to_owned();
                let count = |operator: &str| {
                    let quoted = value.replace(' ', "%20").replace('/', "%2F");
                    let url = format!("uom/{kind}/search/({parameter}{operator}'{quoted}')");
                    bench.feed(&url).entries.len()
                };
                assert!(count("==") > 0, "{kind} {parameter}=={value}");
                assert_eq!(count("==") + count("!="), all.len(), "{kind} {parameter}");
            }
        }
        // Documented as types without any.
        let console = bench.entry("uom/ManagementConsole/search").content;
        let none = console.child("SearchParameters").unwrap();
        assert_eq!(none.children_named("SearchParameter").count(), 0);
    }
}

/// Path of a document, group, and what appears with the group and without it does not.
fn gated(bench: &Bench) -> Vec<(String, &'static str, Vec<&'static [&'static str]>)> {
    let vios = format!("uom/VirtualIOServer/{}", bench.vios(0));
    let system = format!("uom/ManagedSystem/{}", bench.system());
    let mut all: Vec<(String, &str, Vec<&[&str]>)> = vec![
        (
            vios.clone(),
            "ViosSCSIMapping",
            vec![&["VirtualSCSIMappings"]],
        ),
        (
            vios.clone(),
            "ViosFCMapping",
            vec![&["VirtualFibreChannelMappings"]],
        ),
        (
            vios.clone(),
            "ViosStorage",
            vec![
                &["MediaRepositories"],
                &["PhysicalVolumes"],
                &["StoragePools"],
            ],
        ),
        (
            vios.clone(),
            "ViosNetwork",
            vec![
                &["SharedEthernetAdapters"],
                &["TrunkAdapters"],
                &["FreeIOAdaptersForLinkAggregation"],
                &["FreeEthenetBackingDevicesForSEA"],
            ],
        ),
        (vios, "VNIC", vec![&["VirtualNICBackingDevices"]]),
        (
            system.clone(),
            "SystemNetwork",
            vec![&[
                "AssociatedSystemIOConfiguration",
                "AssociatedSystemVirtualNetwork",
            ]],
        ),
        (system, "Hypervisor", vec![&["AssociatedIPLConfiguration"]]),
    ];
    for (uuid, partition) in &bench.world.partitions {
        if let Some(vnic) = partition.vnics.keys().next() {
            let url = format!(
                "uom/LogicalPartition/{}/VirtualNICDedicated/{vnic}",
                super::support::upper(*uuid)
            );
            all.push((url, "Advanced", vec![&["Details", "IPAddress"]]));
        }
    }
    all
}

#[test]
fn every_group_gates_what_is_recorded_of_it() {
    for flavor in FLAVORS {
        let bench = Bench::furnished(flavor);
        let table = gated(&bench);
        assert!(table.len() > 7, "the furnished room has a virtual NIC");
        for (url, group, paths) in table {
            let with = bench.entry(&format!("{url}?group={group}")).content;
            let without = bench.entry(&format!("{url}?group=None")).content;
            let all = bench.entry(&format!("{url}?group=All")).content;
            for path in paths {
                let shown: [bool; 3] = [&with, &all, &without]
                    .map(|document: &Element| document.descend(path).is_some());
                // The boot firmware is told by an HMC alone.
                let hmc_only = group == "Hypervisor" && flavor == Flavor::NovaLink;
                if !hmc_only || shown[0] {
                    assert_eq!(shown, [true, true, false], "{flavor:?} {group} {path:?}");
                }
            }
        }
        for group in ["EnergyManagement", "TierThreshold", "RemoteAccess", "NVRAM"] {
            bench.get(&format!("uom/ManagedSystem?group={group}"));
        }
    }
}

#[test]
fn nvram_shows_with_its_group_alone() {
    for flavor in FLAVORS {
        let mut bench = Bench::new(flavor, 7, 0);
        let uuid = bench.create_partition("one");
        let url = format!("uom/LogicalPartition/{uuid}");
        let body = super::support::uom("LogicalPartition", "<PartitionNVRAM>AAAA</PartitionNVRAM>");
        bench.post(&format!("{url}?group=NVRAM"), &body).unwrap();
        for (group, shown) in [
            ("NVRAM", Some("AAAA")),
            ("All", Some("AAAA")),
            ("None", None),
        ] {
            let read = bench.entry(&format!("{url}?group={group}")).content;
            assert_eq!(read.child_value("PartitionNVRAM"), shown, "{group}");
        }
    }
}
