//! Servers with IBM i.

use std::collections::BTreeMap;

use crate::resize::size;
use crate::support::*;
use powervm_driver::ErrorKind;
use powervm_driver::operations::{Control, SpawnRequest};
use powervm_driver::rest::Groups;
use powervm_schema::partition::{LogicalPartition, PartitionType};
use powervm_schema::vios::VirtualIoServer;
use powervm_schema::xml::Element;

fn ibmi() -> SpawnRequest {
    let distro = ("image_os_distro".to_owned(), "IBMi".to_owned());
    SpawnRequest {
        metadata: BTreeMap::from([distro]),
        ..request(1)
    }
}

async fn partition(bench: &Bench) -> Element {
    let path = format!("LogicalPartition/{}", crate::storage::partition(1));
    let entry = bench.driver.session().get_entry(&path, Groups::None).await;
    entry.unwrap().content
}

/// The slots of the server's boot disk, in order.
async fn boot_slots(bench: &Bench) -> Vec<String> {
    let groups = Groups::Named(&["ViosSCSIMapping"]);
    let session = bench.driver.session();
    let feed = session.get_feed("VirtualIOServer", groups).await.unwrap();
    let mut slots: Vec<u32> = Vec::new();
    for entry in &feed.entries {
        for mapping in VirtualIoServer(&entry.content).scsi_mappings() {
            let name = mapping.storage().and_then(|storage| {
                let mapped = storage.mapped()?;
                mapped.name().map(str::to_owned)
            });
            if name.is_some_and(|name| name.contains("boot_") || name.contains("b_web")) {
                let client = mapping.client_adapter().unwrap();
                slots.push(client.adapter().slot().unwrap().unwrap());
            }
        }
    }
    slots.sort_unstable();
    slots.iter().map(ToString::to_string).collect()
}

#[tokio::test(start_paused = true)]
async fn a_server_with_ibmi_knows_what_it_starts_from() {
    for flavor in FLAVORS {
        for disk in DISKS {
            let bench = Bench::new(flavor, disk).await;
            let before = bench.world().await;
            let control = Control::default();
            let server = bench.driver.spawn(ibmi(), &control).await.unwrap();
            assert_eq!(server.summary.state, "running", "{flavor:?} {disk}");
            let slots = boot_slots(&bench).await;
            let check = |document: &Element| {
                let document = LogicalPartition(document);
                let partition = document.partition();
                let kind = partition.partition_type().unwrap();
                assert_eq!(kind, Some(PartitionType::Os400));
                assert_eq!(document.is_restricted_io_partition().unwrap(), Some(true));
                assert_eq!(document.designated_ipl_source(), Some("b"));
                let io = partition.io().unwrap();
                let tagged = io.tagged_io().unwrap();
                assert_eq!(tagged.console(), Some("HMC"));
                assert_eq!(tagged.load_source(), slots.first().map(String::as_str));
                assert_eq!(
                    tagged.alternate_load_source(),
                    slots.last().map(String::as_str)
                );
            };
            check(&partition(&bench).await);
            bench.resize(size(2, 2048, 1)).await.unwrap();
            check(&partition(&bench).await);
            bench.confirm().await.unwrap();
            bench.destroy(1).await.unwrap();
            assert_as_before(before, bench.world().await, "destroyed");
            bench.assert_sound();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn ibmi_has_no_secure_boot() {
    let bench = Bench::new(powervm_simulator::Flavor::Hmc, DISKS[0]).await;
    let mut request = ibmi();
    let secure = ("powervm:secure_boot".to_owned(), "2".to_owned());
    request.flavor.extra_specs.extend([secure]);
    let error = bench
        .driver
        .spawn(request, &Control::default())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("secure_boot"), "{error}");
    assert_ne!(error.kind(), ErrorKind::Internal);
}
