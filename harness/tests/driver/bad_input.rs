//! Whatever is wrong with what is asked for, of every kind, is refused with its name before anything is touched.

use crate::resize::{size, with};
use crate::support::*;
use powervm_driver::config::DiskDriver;
use powervm_driver::operations::{
    Control, NovaException, NovaMethod, Server, SpawnRequest, nova_exception,
};
use powervm_driver::partition::Flavor as Size;
use powervm_driver::{Error, ErrorKind};

use ErrorKind::{Exists, Invalid, NoSpace, Precondition};

/// What is wrong, the flavor that has it, the kind of the error and words of it.
type Wrong = (&'static str, Size, ErrorKind, &'static [&'static str]);

/// A flavor of two processors and 2048 MB with these keys.
fn keys(specs: &[(&str, &str)]) -> Size {
    with(size(2, 2048, 1), specs)
}

/// Every kind of rule for sizes, and each bound with the first value beyond it. What hosts lack that the simulated ones
/// have is with the rules themselves (`driver/tests/sizing.rs`).
fn flavors() -> Vec<Wrong> {
    vec![
        // Values.
        (
            "no number",
            keys(&[("min_mem", "many")]),
            Invalid,
            &["min_mem", "'many'"],
        ),
        (
            "a number that is not whole",
            keys(&[("max_vcpu", "1.5")]),
            Invalid,
            &["max_vcpu", "'1.5'"],
        ),
        (
            "a number below 0",
            keys(&[("max_mem", "-1")]),
            Invalid,
            &["max_mem", "'-1'"],
        ),
        (
            "no decimal",
            keys(&[("proc_units", "half")]),
            Invalid,
            &["proc_units", "'half'"],
        ),
        (
            "neither true nor false",
            keys(&[("uncapped", "maybe")]),
            Invalid,
            &["uncapped", "either true or false"],
        ),
        (
            "the same of another key",
            keys(&[("srr_capability", "1")]),
            Invalid,
            &["srr_capability"],
        ),
        (
            "none of the choices",
            keys(&[("dedicated_sharing_mode", "never")]),
            Invalid,
            &["keep_idle_procs"],
        ),
        (
            "no ratio of page tables",
            keys(&[("ppt_ratio", "1:63")]),
            Invalid,
            &["ppt_ratio", "1:4096"],
        ),
        (
            "a mode that the host has not",
            keys(&[("processor_compatibility", "POWER1")]),
            Invalid,
            &["POWER1", "default"],
        ),
        (
            "an unknown key",
            keys(&[("min_memory", "1024")]),
            Invalid,
            &["powervm:min_memory", "unknown"],
        ),
        // General settings.
        (
            "priority below 0",
            keys(&[("availability_priority", "-1")]),
            Invalid,
            &["below its minimum of 0"],
        ),
        (
            "priority above 255",
            keys(&[("availability_priority", "256")]),
            Invalid,
            &["above its maximum of 255"],
        ),
        (
            "secure boot below 0",
            keys(&[("secure_boot", "-1")]),
            Invalid,
            &["secure_boot", "minimum of 0"],
        ),
        (
            "secure boot above 9",
            keys(&[("secure_boot", "10")]),
            Invalid,
            &["secure_boot", "maximum of 9"],
        ),
        (
            "secure boot that the host has not",
            keys(&[("secure_boot", "9")]),
            Precondition,
            &["secure boot"],
        ),
        (
            "a pool's name of 15 characters",
            keys(&[("shared_proc_pool_name", "abcdefghijklmno")]),
            Invalid,
            &["14 characters"],
        ),
        (
            "a pool that is not there",
            keys(&[("shared_proc_pool_name", "nowhere")]),
            Precondition,
            &["'nowhere'"],
        ),
        // Memory.
        (
            "memory that is no multiple",
            size(1, 2047, 1),
            Invalid,
            &["2047 MB", "multiple"],
        ),
        (
            "least memory that is none",
            keys(&[("min_mem", "1023")]),
            Invalid,
            &["minimum memory of 1023 MB"],
        ),
        (
            "most memory that is none",
            keys(&[("max_mem", "4097")]),
            Invalid,
            &["maximum memory of 4097 MB"],
        ),
        (
            "too little memory",
            keys(&[("min_mem", "127")]),
            Invalid,
            &["127", "minimum of 128"],
        ),
        (
            "memory above its most",
            keys(&[("max_mem", "1024")]),
            Invalid,
            &["2048", "above the maximum memory (1024)"],
        ),
        (
            "memory below its least",
            keys(&[("min_mem", "4096"), ("max_mem", "8192")]),
            Invalid,
            &["below the minimum memory (4096)"],
        ),
        // Processors.
        (
            "no processor",
            size(0, 2048, 1),
            Invalid,
            &["virtual processors", "minimum of 1"],
        ),
        (
            "least processors of none",
            keys(&[("min_vcpu", "0")]),
            Invalid,
            &["minimum of 1"],
        ),
        (
            "processors above their most",
            keys(&[("max_vcpu", "1")]),
            Invalid,
            &["above the maximum virtual processors (1)"],
        ),
        (
            "processors below their least",
            keys(&[("min_vcpu", "3"), ("max_vcpu", "4")]),
            Invalid,
            &["below the minimum virtual processors (3)"],
        ),
        (
            "the same of dedicated ones",
            keys(&[("dedicated_proc", "true"), ("max_vcpu", "1")]),
            Invalid,
            &["above the maximum"],
        ),
        (
            "too few units",
            keys(&[("proc_units", "0.04")]),
            Invalid,
            &["0.04", "0.05"],
        ),
        (
            "units above their most",
            keys(&[("proc_units", "0.5"), ("max_proc_units", "0.4")]),
            Invalid,
            &["above the maximum processing units (0.4)"],
        ),
        (
            "units below their least",
            keys(&[
                ("proc_units", "0.5"),
                ("min_proc_units", "0.6"),
                ("max_proc_units", "1"),
            ]),
            Invalid,
            &["below the minimum processing units (0.6)"],
        ),
        (
            "too few units for each processor",
            keys(&[("proc_units", "0.09")]),
            Invalid,
            &["0.1"],
        ),
        (
            "more than a unit for each",
            keys(&[("proc_units", "2.01")]),
            Invalid,
            &["maximum of 2"],
        ),
        (
            "weight below 0",
            keys(&[("shared_weight", "-1")]),
            Invalid,
            &["shared_weight", "minimum of 0"],
        ),
        (
            "weight above 255",
            keys(&[("shared_weight", "256")]),
            Invalid,
            &["shared_weight", "maximum of 255"],
        ),
        // The host.
        (
            "more memory than is left",
            size(1, 1 << 30, 1),
            NoSpace,
            &["memory", "available"],
        ),
        (
            "more processors than a host can have",
            keys(&[("max_vcpu", "60000")]),
            Precondition,
            &["60000", "on this host"],
        ),
        (
            "the same of dedicated ones",
            keys(&[("dedicated_proc", "true"), ("max_vcpu", "60000")]),
            Precondition,
            &["60000"],
        ),
        (
            "more room than the storage has",
            size(1, 1024, 1 << 20),
            NoSpace,
            &["GB"],
        ),
    ]
}

/// What is not as it has to be of a refusal.
fn flaw(
    method: NovaMethod,
    refused: Result<Server, Error>,
    kind: ErrorKind,
    words: &[&str],
) -> Option<String> {
    let error = match refused {
        Ok(_) => return Some("is not refused".to_owned()),
        Err(error) => error,
    };
    let text = error.to_string();
    let exception = match (method, kind) {
        (NovaMethod::Resize, _) => NovaException::InstanceFaultRollback,
        (_, Invalid) => NovaException::BuildAbortException,
        (_, NoSpace) => NovaException::ComputeResourcesUnavailable,
        (_, Exists) => NovaException::InstanceExists,
        _ => NovaException::PowerVMAPIFailed,
    };
    let is_told = words.iter().all(|word| text.contains(word));
    // What to do about it stands behind the semicolon.
    let is_right = error.kind() == kind
        && is_told
        && text.contains("; ")
        && nova_exception(method, &error) == Some(exception);
    (!is_right).then(|| format!("{:?}, lacks one of {words:?}: {text}", error.kind()))
}

#[tokio::test(start_paused = true)]
async fn a_size_that_cannot_be_is_refused_before_anything_is_touched() {
    for flavor in FLAVORS {
        let bench = Bench::new(flavor, DiskDriver::Ssp).await;
        bench.spawn(1).await.unwrap();
        let before = bench.world().await;
        bench.calls.take();
        let mut flaws = Vec::new();
        for (what, wanted, kind, words) in flavors() {
            let server = SpawnRequest {
                flavor: wanted.clone(),
                ..request(2)
            };
            let refused = bench.driver.spawn(server, &Control::default()).await;
            let of_spawn = flaw(NovaMethod::Spawn, refused, kind, words);
            flaws.extend(of_spawn.map(|flaw| format!("spawn, {what}: {flaw}")));
            let refused = bench.resize(wanted).await;
            let of_resize = flaw(NovaMethod::Resize, refused, kind, words);
            flaws.extend(of_resize.map(|flaw| format!("resize, {what}: {flaw}")));
        }
        assert!(flaws.is_empty(), "{flavor:?}: {flaws:#?}");
        let sent = bench.calls.take();
        let changes: Vec<_> = sent.iter().filter(|(method, _)| method != "GET").collect();
        assert!(changes.is_empty(), "{flavor:?}: {changes:?}");
        assert_same(&before, &bench.world().await, "refused");
        bench.assert_sound();
    }
}

/// Thin disks of a pool may be promised more than there is, so that only the pool knows whether one more fits.
#[tokio::test(start_paused = true)]
async fn a_disk_that_does_not_fit_at_the_time_leaves_nothing() {
    for (flavor, disk) in FLAVORS
        .into_iter()
        .zip([DiskDriver::Ssp, DiskDriver::LocalDisk])
    {
        let bench = Bench::new(flavor, disk).await;
        bench.spawn(1).await.unwrap();
        let capacity = bench.driver.capacity().await.unwrap().disk;
        // The pool has promised a part of all that it has to the first server.
        let too_much = match disk {
            DiskDriver::Ssp => capacity.total_gb,
            DiskDriver::LocalDisk => capacity.total_gb - capacity.used_gb + 2.0,
        } as u64;
        let before = bench.world().await;
        bench.calls.take();
        let server = SpawnRequest {
            flavor: size(1, 1024, too_much),
            ..request(2)
        };
        let refused = bench.driver.spawn(server, &Control::default()).await;
        let flaw_of_spawn = flaw(NovaMethod::Spawn, refused, NoSpace, &["boot", "GB"]);
        assert_eq!(flaw_of_spawn, None, "{flavor:?}");
        let refused = bench.resize(size(1, 1024, too_much)).await;
        let flaw_of_resize = flaw(NovaMethod::Resize, refused, NoSpace, &["boot", "GB"]);
        assert_eq!(flaw_of_resize, None, "{flavor:?}");
        let is_touched = bench.calls.take().iter().any(|(method, _)| method != "GET");
        assert_eq!(is_touched, disk == DiskDriver::Ssp, "{flavor:?}");
        assert_same(&before, &bench.world().await, "refused");
        bench.assert_sound();
    }
}

/// What two servers' names begin with, longer than a partition's name may be.
const LONG: &str = "a-server-whose-name-is-far-too-long";

#[tokio::test(start_paused = true)]
async fn a_server_that_cannot_be_is_refused_before_anything_is_touched() {
    for flavor in FLAVORS {
        let bench = Bench::new(flavor, DiskDriver::Ssp).await;
        bench.spawn(1).await.unwrap();
        let long = SpawnRequest {
            name: format!("{LONG}-1"),
            ..request(3)
        };
        let control = Control::default();
        bench.driver.spawn(long, &control).await.unwrap();
        refuse_servers(&bench).await;
    }
}

async fn refuse_servers(bench: &Bench) {
    let before = bench.world().await;
    bench.calls.take();
    type Change = fn(&mut SpawnRequest);
    let wrong: [(&str, Change, ErrorKind); 6] = [
        ("no name", |server| server.name = String::new(), Invalid),
        (
            "an instance that is there",
            |server| server.instance = instance(1),
            Exists,
        ),
        (
            "a name that another server has",
            |server| server.name = "web-1".to_owned(),
            Exists,
        ),
        (
            "a name whose first 31 characters are another's",
            |server| server.name = format!("{LONG}-2"),
            Exists,
        ),
        (
            "the name of a Virtual I/O Server",
            |server| server.name = "vios1".to_owned(),
            Exists,
        ),
        (
            "nothing to start from",
            |server| server.image = None,
            Invalid,
        ),
    ];
    for (what, change, kind) in wrong {
        let mut server = request(2);
        change(&mut server);
        let refused = bench.driver.spawn(server, &Control::default()).await;
        let flaw = flaw(NovaMethod::Spawn, refused, kind, &[]);
        assert_eq!(flaw, None, "{what}");
    }
    let sent = bench.calls.take();
    assert!(sent.iter().all(|(method, _)| method == "GET"), "{sent:?}");
    assert_same(&before, &bench.world().await, "refused");
}
