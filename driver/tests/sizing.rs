//! From flavors to sizes: every rule, its bounds, and the order in which rules are checked.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, its helpers too"
)]

use std::collections::BTreeMap;

use powervm_driver::partition::flavor::{DedicatedSharing, MIN_UNITS};
use powervm_driver::partition::sizing::{Processors, Triple};
use powervm_driver::partition::{
    Flavor, HostLimits, HostRoom, Sizing, SizingDefaults, SizingError,
};
use powervm_schema::units::ProcessingUnits;
use proptest::prelude::*;

fn units(units: f64) -> ProcessingUnits {
    ProcessingUnits::from_f64(units)
}

fn host() -> HostLimits {
    HostLimits {
        memory_block_mb: 128,
        compatibility_modes: ["default", "POWER7", "POWER8", "POWER9_Base"]
            .map(str::to_owned)
            .to_vec(),
        remote_restart: true,
        secure_boot: false,
        affinity_check: false,
        page_table_ratio: false,
        custom_mac: true,
        max_vcpus_of_partition: Some(64),
        max_procs_of_partition: Some(32),
        max_vcpus_of_system: Some(128),
        max_procs_of_system: Some(64),
        min_units_per_vcpu: units(0.05),
    }
}

fn flavor(vcpus: u32, memory_mb: u64, specs: &[(&str, &str)]) -> Flavor {
    let extra_specs: BTreeMap<String, String> = specs
        .iter()
        .map(|(key, value)| (format!("powervm:{key}"), (*value).to_owned()))
        .collect();
    Flavor {
        vcpus,
        memory_mb,
        root_gb: 10,
        extra_specs,
    }
}

fn size(flavor: &Flavor) -> Result<Sizing, SizingError> {
    Sizing::of(flavor, SizingDefaults::default(), &host())
}

fn message(vcpus: u32, memory_mb: u64, specs: &[(&str, &str)]) -> String {
    size(&flavor(vcpus, memory_mb, specs))
        .unwrap_err()
        .to_string()
}

#[test]
fn a_plain_flavor_gets_the_defaults() {
    let sizing = size(&flavor(2, 2048, &[])).unwrap();
    assert_eq!(
        sizing.memory,
        Triple {
            minimum: 2048,
            desired: 2048,
            maximum: 2048
        }
    );
    assert_eq!(
        sizing.processors,
        Processors::Shared {
            vcpus: Triple {
                minimum: 2,
                desired: 2,
                maximum: 2
            },
            units: Triple {
                minimum: units(0.2),
                desired: units(0.2),
                maximum: units(0.2)
            },
            uncapped_weight: Some(64),
            pool: None,
        }
    );
    assert_eq!((sizing.max_slots, sizing.availability_priority), (64, 127));
    assert_eq!(
        (sizing.compatibility.as_str(), sizing.remote_restart),
        ("default", Some(true))
    );
    assert!(
        !sizing.performance_collection && sizing.secure_boot.is_none() && !sizing.affinity_check
    );
}

#[test]
fn three_tenths_are_three_tenths() {
    let Processors::Shared { units, .. } = size(&flavor(3, 1024, &[])).unwrap().processors else {
        panic!()
    };
    assert_eq!(units.desired.to_string(), "0.3");
}

#[test]
fn default_units_move_into_the_flavors_bounds() {
    let desired = |specs: &[(&str, &str)]| {
        let Processors::Shared { units, .. } = size(&flavor(4, 1024, specs)).unwrap().processors
        else {
            panic!()
        };
        (
            units.minimum.to_string(),
            units.desired.to_string(),
            units.maximum.to_string(),
        )
    };
    let text = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
    assert_eq!(desired(&[]), text("0.4", "0.4", "0.4"));
    assert_eq!(desired(&[("min_proc_units", "1")]), text("1", "1", "1"));
    assert_eq!(
        desired(&[("max_proc_units", "0.3")]),
        text("0.3", "0.3", "0.3")
    );
    assert_eq!(
        desired(&[("proc_units", "1.5"), ("max_proc_units", "2.0")]),
        text("1.5", "1.5", "2")
    );
}

#[test]
fn dedicated_when_the_flavor_says_so_or_implies_it() {
    let dedicated = |specs: &[(&str, &str)]| match size(&flavor(2, 1024, specs)).unwrap().processors
    {
        Processors::Dedicated {
            sharing,
            processors,
        } => {
            assert_eq!(processors.desired, 2);
            Some(sharing)
        }
        Processors::Shared { .. } => None,
    };
    assert_eq!(
        dedicated(&[("dedicated_proc", "true")]),
        Some(DedicatedSharing::WhenInactive)
    );
    assert_eq!(
        dedicated(&[("dedicated_sharing_mode", "keep_idle_procs")]),
        Some(DedicatedSharing::Keep)
    );
    assert_eq!(
        dedicated(&[
            ("dedicated_sharing_mode", "keep_idle_procs"),
            ("proc_units", "1")
        ]),
        None
    );
    assert_eq!(
        dedicated(&[
            ("dedicated_sharing_mode", "keep_idle_procs"),
            ("dedicated_proc", "false")
        ]),
        None
    );
    assert_eq!(
        dedicated(&[("dedicated_proc", "true"), ("proc_units", "1")]),
        Some(DedicatedSharing::WhenInactive),
        "units mean nothing to dedicated processors"
    );
}

#[test]
fn a_capped_partition_has_no_weight() {
    let weight = |specs: &[(&str, &str)]| match size(&flavor(1, 1024, specs)).unwrap().processors {
        Processors::Shared {
            uncapped_weight, ..
        } => uncapped_weight,
        Processors::Dedicated { .. } => panic!(),
    };
    assert_eq!(
        weight(&[("uncapped", "false"), ("shared_weight", "9")]),
        None
    );
    assert_eq!(weight(&[("shared_weight", "0")]), Some(0));
}

#[test]
fn every_bound_is_named() {
    for (vcpus, memory, specs, parts) in [
        (1, 1000, &[][..], &["1000 MB", "128 MB"][..]),
        (1, 64, &[], &["minimum memory", "128"]),
        (
            1,
            1024,
            &[("max_mem", "512")],
            &["1024", "above the maximum memory (512)"],
        ),
        (
            1,
            1024,
            &[("min_mem", "2048")],
            &["1024", "below the minimum memory (2048)"],
        ),
        (
            1,
            1024,
            &[("max_mem", "1100")],
            &["maximum memory of 1100 MB"],
        ),
        (0, 1024, &[], &["virtual processors", "0", "1"]),
        (
            4,
            1024,
            &[("max_vcpu", "2")],
            &["virtual processors", "4", "2"],
        ),
        (
            4,
            1024,
            &[("min_vcpu", "5")],
            &["virtual processors", "4", "5"],
        ),
        (
            1,
            1024,
            &[("proc_units", "0.04")],
            &["processing units", "0.04", "0.05"],
        ),
        (
            1,
            1024,
            &[("proc_units", "0.5"), ("max_proc_units", "0.4")],
            &["0.5", "0.4"],
        ),
        (
            1,
            1024,
            &[("proc_units", "0.5"), ("min_proc_units", "0.6")],
            &["0.5", "0.6"],
        ),
        (
            1,
            1024,
            &[("processor_compatibility", "POWER6")],
            &["POWER6", "default, POWER7"],
        ),
        (
            1,
            1024,
            &[("secure_boot", "1")],
            &["secure boot", "powervm:secure_boot"],
        ),
        (1, 1024, &[("ppt_ratio", "1:64")], &["powervm:ppt_ratio"]),
        (
            1,
            1024,
            &[("enforce_affinity_check", "true")],
            &["powervm:enforce_affinity_check"],
        ),
    ] {
        let message = message(vcpus, memory, specs);
        for part in parts {
            assert!(message.contains(part), "{message:?} lacks {part:?}");
        }
    }
}

#[test]
fn rules_are_checked_in_their_order() {
    // Keys before general settings, those before memory, that before processors.
    let wrong = &[
        ("nonsense", "1"),
        ("secure_boot", "1"),
        ("max_mem", "1"),
        ("max_vcpu", "1"),
    ];
    assert!(message(2, 1000, wrong).contains("powervm:nonsense"));
    assert!(message(2, 1000, &wrong[1..]).contains("secure boot"));
    assert!(message(2, 1000, &wrong[2..]).contains("memory"));
    assert!(message(2, 1024, &wrong[3..]).contains("virtual processors"));
    // Within three: above the maximum, below the minimum, then each bound.
    assert!(message(1, 64, &[("max_mem", "32"), ("min_mem", "96")]).contains("above the maximum"));
    assert!(message(1, 64, &[("min_mem", "96"), ("max_mem", "96")]).contains("below the minimum"));
}

#[test]
fn host_limits_are_checked_for_partition_and_system() {
    let check = |vcpus: u32, specs: &[(&str, &str)]| {
        host().check(&size(&flavor(vcpus, 1024, specs)).unwrap())
    };
    assert_eq!(check(64, &[]), Ok(()));
    assert!(check(65, &[]).unwrap_err().to_string().contains("64"));
    assert!(
        check(1, &[("max_vcpu", "129")])
            .unwrap_err()
            .to_string()
            .contains("128")
    );
    assert!(
        check(33, &[("dedicated_proc", "true")])
            .unwrap_err()
            .to_string()
            .contains("32")
    );
    assert!(
        check(4, &[("proc_units", "0.19")])
            .unwrap_err()
            .to_string()
            .contains("0.2")
    );
    assert!(
        check(4, &[("proc_units", "4.01")])
            .unwrap_err()
            .to_string()
            .contains("above its maximum of 4")
    );
    assert_eq!(check(4, &[("proc_units", "4")]), Ok(()));
    let unlimited = HostLimits {
        max_vcpus_of_partition: Some(0),
        max_vcpus_of_system: None,
        ..host()
    };
    assert_eq!(
        unlimited.check(&size(&flavor(500, 1024, &[])).unwrap()),
        Ok(()),
        "0 means that the host does not say"
    );
}

#[test]
fn room_is_checked_processors_first() {
    let room = HostRoom {
        memory_mb: 1024,
        proc_units: units(1.0),
    };
    let check = |vcpus: u32, memory: u64, specs: &[(&str, &str)]| {
        room.check("web", &size(&flavor(vcpus, memory, specs)).unwrap())
    };
    assert_eq!(check(10, 1024, &[]), Ok(()));
    let processors = check(11, 2048, &[]).unwrap_err();
    assert!(
        processors.to_string().contains("processing units") && processors.is_for_another_host()
    );
    assert!(
        processors
            .to_string()
            .contains("'web': 1.1 asked for, 1 available")
    );
    let memory = check(1, 1152, &[]).unwrap_err();
    assert!(
        memory
            .to_string()
            .contains("1152 MB asked for, 1024 MB available")
    );
    assert!(
        check(2, 1024, &[("dedicated_proc", "true")])
            .unwrap_err()
            .to_string()
            .contains("2 asked for")
    );
    assert!(
        !size(&flavor(1, 1000, &[]))
            .unwrap_err()
            .is_for_another_host()
    );
}

#[test]
fn remote_restart_and_secure_boot_follow_the_host() {
    let able = HostLimits {
        secure_boot: true,
        remote_restart: false,
        ..host()
    };
    let sizing = Sizing::of(
        &flavor(1, 1024, &[("secure_boot", "2")]),
        SizingDefaults::default(),
        &able,
    )
    .unwrap();
    assert_eq!((sizing.secure_boot, sizing.remote_restart), (Some(2), None));
}

proptest! {
    #[test]
    fn whatever_passes_obeys_every_bound(
        vcpus in 0u32..200,
        blocks in 0u64..64,
        odd in 0u64..3,
        factor in 0.05f64..1.0,
        specs in prop::collection::btree_map(
            prop::sample::select(vec![
                "min_mem", "max_mem", "min_vcpu", "max_vcpu", "proc_units", "min_proc_units", "max_proc_units",
                "dedicated_proc", "uncapped", "shared_weight",
            ]),
            prop::sample::select(vec!["0", "1", "0.5", "2", "128", "1024", "4096", "true", "no", "300"]),
            0..4,
        ),
    ) {
        let extra_specs = specs.iter().map(|(k, v)| (format!("powervm:{k}"), (*v).to_owned())).collect();
        let flavor = Flavor { vcpus, memory_mb: blocks * 128 + odd / 2, root_gb: 1, extra_specs };
        let defaults = SizingDefaults { proc_units_factor: factor, uncapped_weight: 64 };
        let Ok(sizing) = Sizing::of(&flavor, defaults, &host()) else { return Ok(()) };
        let memory = sizing.memory;
        prop_assert!(128 <= memory.minimum && memory.minimum <= memory.desired && memory.desired <= memory.maximum);
        prop_assert!([memory.minimum, memory.desired, memory.maximum].iter().all(|mb| mb % 128 == 0));
        match sizing.processors {
            Processors::Shared { vcpus, units, .. } => {
                prop_assert!(1 <= vcpus.minimum && vcpus.minimum <= vcpus.desired && vcpus.desired <= vcpus.maximum);
                prop_assert!(MIN_UNITS <= units.minimum);
                prop_assert!(units.minimum <= units.desired && units.desired <= units.maximum);
            }
            Processors::Dedicated { processors: p, .. } => {
                prop_assert!(1 <= p.minimum && p.minimum <= p.desired && p.desired <= p.maximum);
            }
        }
    }
}
