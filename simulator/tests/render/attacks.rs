//! Bodies that mean no good, or nothing at all: each gets an answer, and the world stays as it was.

use super::support::{Bench, job, partition, uom};
use http::Method;
use proptest::prelude::*;
use uuid::Uuid;

use powervm_simulator::model::Flavor;

#[test]
fn documents_that_are_none_are_refused() {
    let mut bench = Bench::busy(Flavor::NovaLink);
    let (system, vios, tier) = (bench.system(), bench.vios(0), bench.tier());
    let partition_uuid = bench.partitions().pop().unwrap();
    let good = partition("x", "");
    let nested = format!("{}{}", "<a>".repeat(5000), "</a>".repeat(5000));
    let bomb = format!(
        "<!DOCTYPE l [<!ENTITY a \"{}\"><!ENTITY b \"&a;&a;&a;&a;\">]>{}",
        "x".repeat(1000),
        good.replace(">x<", ">&b;<")
    );
    let create = format!("uom/ManagedSystem/{system}/LogicalPartition");
    let before = bench.world.clone();
    let replaced = |from: &str, to: &str| {
        let text = good.replace(from, to);
        assert_ne!(text, good, "{from}");
        text
    };
    let put = [
        (create.clone(), String::new()),
        (create.clone(), "{\"json\":true}".to_owned()),
        (create.clone(), good[..good.len() / 2].to_owned()),
        (create.clone(), "\u{0}\u{1}".to_owned()),
        (create.clone(), nested),
        (create.clone(), bomb),
        (
            create.clone(),
            good.replace("LogicalPartition", "VirtualIOServer"),
        ),
        (create.clone(), good.replace("/uom/mc/", "/web/mc/")),
        (
            create.clone(),
            replaced("<DesiredMemory>1024<", "<DesiredMemory>lots<"),
        ),
        (
            create.clone(),
            replaced("<DesiredMemory>1024<", "<DesiredMemory>-1<"),
        ),
        (
            create.clone(),
            replaced(
                "<DesiredMemory>1024<",
                "<DesiredMemory>99999999999999999999999<",
            ),
        ),
        (create.clone(), replaced(">0.50<", ">half<")),
        (create.clone(), replaced(">false<", ">maybe<")),
        (create.clone(), replaced(">AIX/Linux<", ">Plan 9<")),
        (create.clone(), replaced(">uncapped<", ">generous<")),
        (
            create.clone(),
            replaced("<PartitionName>x</PartitionName>", ""),
        ),
        (
            create.clone(),
            partition("x", "<PartitionUUID>not-a-uuid</PartitionUUID>"),
        ),
        (
            create.clone(),
            partition("x", "<PendingSecureBoot>77</PendingSecureBoot>"),
        ),
        (
            format!("uom/Tier/{tier}/LogicalUnit"),
            uom("LogicalUnit", "<UnitName>a</UnitName>"),
        ),
        (
            format!("uom/Tier/{tier}/LogicalUnit"),
            uom(
                "LogicalUnit",
                "<UnitName>a</UnitName><UnitCapacity>-3</UnitCapacity>",
            ),
        ),
        (
            format!("uom/LogicalPartition/{partition_uuid}/ClientNetworkAdapter"),
            uom("ClientNetworkAdapter", "<PortVLANID>70000</PortVLANID>"),
        ),
        (
            format!("uom/LogicalPartition/{partition_uuid}/ClientNetworkAdapter"),
            uom(
                "ClientNetworkAdapter",
                "<PortVLANID>1</PortVLANID><TaggedVLANIDs>1,x</TaggedVLANIDs>",
            ),
        ),
        (
            "web/File".to_owned(),
            super::support::web(
                "File",
                "<Filename>f</Filename><FileEnumType>FLOPPY</FileEnumType><TargetVirtualIOServerUUID>x</TargetVirtualIOServerUUID>",
            ),
        ),
        (
            format!("uom/LogicalPartition/{partition_uuid}/do/PowerOn"),
            job("PowerOff", &[]),
        ),
        (
            format!("uom/Cluster/{}/do/PowerOn", Uuid::from_u128(1)),
            "<x/>".to_owned(),
        ),
    ];
    for (url, body) in put {
        let problem = bench.put(&url, &body).expect_err(&url);
        assert!(
            (400..500).contains(&problem.status),
            "{url} {body:.100}: {problem}"
        );
        assert!(problem.message.len() < 600, "{url}: {problem}");
    }
    let post = [
        (
            format!("uom/VirtualIOServer/{vios}?group=ViosSCSIMapping"),
            uom(
                "VirtualIOServer",
                "<VirtualSCSIMappings><VirtualSCSIMapping><Storage><Tape/></Storage></VirtualSCSIMapping></VirtualSCSIMappings>",
            ),
        ),
        (
            format!("{}?group=None", bench.volume_group(&vios)),
            uom("VolumeGroup", "<VirtualDisks><VirtualDisk/></VirtualDisks>"),
        ),
        (
            format!("{}?group=None", bench.volume_group(&vios)),
            uom(
                "VolumeGroup",
                "<VirtualDisks><VirtualDisk><DiskName>a</DiskName><DiskCapacity>NaN</DiskCapacity></VirtualDisk></VirtualDisks>",
            ),
        ),
        (
            format!("uom/LogicalPartition/{}", Uuid::from_u128(9)),
            good.clone(),
        ),
        (format!("uom/LogicalPartition/{vios}"), good.clone()),
        (
            format!("uom/Cluster/{}", Uuid::from_u128(9)),
            uom("Cluster", ""),
        ),
    ];
    for (url, body) in post {
        let problem = bench.post(&url, &body).expect_err(&url);
        assert!((400..500).contains(&problem.status), "{url}: {problem}");
    }
    for (method, url) in [
        (Method::DELETE, create),
        (Method::DELETE, bench.volume_group(&vios)),
        (Method::DELETE, format!("uom/ManagedSystem/{system}")),
    ] {
        assert_eq!(
            bench.change(&method, &url, "").unwrap_err().status,
            405,
            "{url}"
        );
    }
    assert_eq!(bench.world.partitions, before.partitions);
    assert_eq!(bench.world.vioses, before.vioses);
    assert_eq!(
        (&bench.world.tiers, &bench.world.files, &bench.world.jobs),
        (&before.tiers, &before.files, &before.jobs)
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Bytes cut, doubled or exchanged anywhere in a body are answered, never a panic.
    #[test]
    fn a_damaged_body_gets_an_answer(at in 0_usize..4000, length in 0_usize..40, with in "\\PC{0,8}") {
        let mut bench = Bench::new(Flavor::NovaLink, 5, 1);
        let vios = bench.vios(0);
        let url = format!("uom/VirtualIOServer/{vios}?group=ViosSCSIMapping");
        let mut body = bench.own_text(&url);
        let start = (0..=at.min(body.len())).rev().find(|at| body.is_char_boundary(*at)).unwrap_or(0);
        let end = (start..=(start + length).min(body.len())).rev().find(|at| body.is_char_boundary(*at)).unwrap_or(start);
        body.replace_range(start..end, &with);
        let _ = bench.post(&url, &body);
    }
}
