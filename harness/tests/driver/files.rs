//! Volumes that are files (NFS, GPFS, local) and Ceph images: a Virtual I/O Server that NovaLink runs on serves them.

use crate::storage::*;
use crate::support::*;
use powervm_driver::ErrorKind;
use powervm_driver::config::DiskDriver;
use powervm_driver::operations::{Control, SpawnRequest};
use powervm_driver::volume::Transport;
use powervm_harness::storage::Protocol;
use powervm_simulator::Flavor;
use powervm_simulator::model::names::VirtualDiskKind;
use powervm_simulator::model::vios::ExternalDisk;
use powervm_simulator::weather::Rule;

const PROTOCOLS: [Protocol; 2] = [Protocol::File, Protocol::Rbd];

async fn bench() -> Bench {
    let simulator = novalink_on_a_server();
    let mut config = config(DiskDriver::Ssp);
    config.volumes.rbd_user = "powervm".to_owned();
    Bench::with(simulator, config).await
}

/// What the Virtual I/O Servers serve of files and images.
fn served(bench: &Bench) -> Vec<(String, ExternalDisk)> {
    let world = bench.simulator.world();
    let all = world.vioses.values().flat_map(|vios| {
        let name = vios.partition.name.clone();
        let disks = vios.external_disks.values();
        disks.map(move |disk| (name.clone(), ExternalDisk::clone(disk)))
    });
    all.collect()
}

#[tokio::test(start_paused = true)]
async fn they_come_and_go_while_the_server_is_off_and_as_it_runs() {
    for protocol in PROTOCOLS {
        for is_off in [true, false] {
            let bench = bench().await;
            let san = San::new(&bench, 2, protocol).await;
            ready(&bench, is_off).await;
            let before = bench.world().await;
            let about = format!("{protocol:?}, off: {is_off}");
            let attached = san.attach(&bench, 0..2).await.unwrap();
            for (volume, connection) in attached.volumes.iter().zip(&san.connections) {
                assert_eq!(volume.paths.len(), 1, "{about}");
                let name = match &connection.transport {
                    Transport::File(file) => &file.path,
                    Transport::Rbd(image) => &image.name,
                    other => panic!("{about}: {other:?}"),
                };
                let all = served(&bench);
                let (server, disk) = all.iter().find(|(_, disk)| disk.name == *name).unwrap();
                assert_eq!(server, "vios1", "{about}");
                assert_eq!(disk.tag.as_ref(), Some(&connection.volume), "{about}");
                let (kind, user) = match protocol {
                    Protocol::Rbd => (VirtualDiskKind::Rbd, Some("powervm")),
                    _ => (VirtualDiskKind::File, None),
                };
                assert_eq!(
                    (disk.kind, disk.rbd_user.as_deref()),
                    (kind, user),
                    "{about}"
                );
            }
            let world = bench.world().await;
            san.attach(&bench, 0..2).await.unwrap();
            assert_same(&world, &bench.world().await, &about);
            san.detach(&bench, 0..1).await.unwrap();
            assert_eq!(served(&bench).len(), 1, "{about}");
            san.detach(&bench, 0..2).await.unwrap();
            assert_eq!(served(&bench), [], "{about}");
            assert_same(&before, &bench.world().await, &about);
            bench.assert_sound();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_grows_and_an_image_cannot_be_looked_at_again() {
    for protocol in PROTOCOLS {
        let bench = bench().await;
        let san = San::new(&bench, 1, protocol).await;
        ready(&bench, true).await;
        san.attach(&bench, 0..1).await.unwrap();
        san.storage.extend(&san.ids[0], 3).await.unwrap();
        let extended = bench
            .driver
            .extend_volumes(san.request(0..1), &Control::default())
            .await;
        let gigabytes = served(&bench)[0].1.capacity.to_string();
        match protocol {
            Protocol::Rbd => {
                assert_eq!(extended.unwrap_err().kind(), ErrorKind::Precondition);
                assert_eq!(gigabytes, "1");
            }
            _ => {
                extended.unwrap();
                assert_eq!(gigabytes, "3");
            }
        }
        bench.assert_sound();
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_boots_from_one_and_is_removed_with_its_mapping() {
    for protocol in PROTOCOLS {
        let bench = bench().await;
        let san = San::new(&bench, 1, protocol).await;
        let before = bench.world().await;
        let order = SpawnRequest {
            image: None,
            volumes: san.connections.clone(),
            ..request(1)
        };
        bench
            .driver
            .spawn(order, &Control::default())
            .await
            .unwrap();
        assert_eq!(served(&bench).len(), 1);
        bench.destroy(1).await.unwrap();
        assert_eq!(served(&bench), []);
        assert_same(&before, &bench.world().await, &format!("{protocol:?}"));
        bench.assert_sound();
    }
}

#[tokio::test(start_paused = true)]
async fn an_attachment_survives_any_failure() {
    let fates: [fn(Rule) -> Rule; 4] = [
        |rule| rule.answer(500, "no", "HSCL9999 no"),
        |rule| rule.after().answer(500, "no", "HSCL9999 no"),
        |rule| rule.reset(),
        |rule| rule.after().reset(),
    ];
    for protocol in PROTOCOLS {
        let first = bench().await;
        let san = San::new(&first, 1, protocol).await;
        ready(&first, true).await;
        first.calls.take();
        san.attach(&first, 0..1).await.unwrap();
        let requests = first.calls.take().len() as u64;
        assert!(requests > 1, "{requests} requests");
        for number in 1..=requests {
            for strike in fates {
                let bench = bench().await;
                let san = San::new(&bench, 1, protocol).await;
                ready(&bench, true).await;
                let before = bench.world().await;
                let rule = strike(Rule::new("*", "*").nth(number));
                bench.simulator.faults().add(rule).unwrap();
                let outcome = san.attach(&bench, 0..1).await;
                bench.simulator.faults().clear();
                let about = format!("{protocol:?}, request {number}");
                match outcome {
                    Ok(_) => san.detach(&bench, 0..1).await.map(drop).unwrap(),
                    Err(powervm_driver::Error::Saga(failure)) => {
                        assert!(failure.left_behind.is_empty(), "{about}: {failure:?}");
                    }
                    Err(_) => {}
                }
                assert_eq!(served(&bench), [], "{about}");
                assert_same(&before, &bench.world().await, &about);
                bench.assert_sound();
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn they_need_a_virtual_io_server_that_is_the_management_partition() {
    for protocol in PROTOCOLS {
        let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
        let san = San::new(&bench, 1, protocol).await;
        ready(&bench, true).await;
        let before = bench.world().await;
        let refused = san.attach(&bench, 0..1).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Precondition, "{refused}");
        assert_same(&before, &bench.world().await, "refused");
        let detached = san.detach(&bench, 0..1).await.unwrap();
        assert!(detached.volumes[0].paths.is_empty());
    }
}
