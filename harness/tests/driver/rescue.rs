//! A server is started from a rescue disk, and from its own again.

use crate::support::*;
use powervm_driver::config::DiskDriver;
use powervm_driver::operations::{Control, RescueRequest, Server};
use powervm_driver::partition::PowerState;
use powervm_driver::{Error, ErrorKind};
use powervm_simulator::Flavor;
use powervm_simulator::weather::Rule;

impl Bench {
    async fn rescue(&self) -> powervm_driver::Result<Server> {
        let request = RescueRequest {
            instance: instance(1),
            name: Some("web-1".to_owned()),
            image: image(),
        };
        self.driver.rescue(request, &Control::default()).await?;
        self.driver.show(instance(1)).await
    }

    async fn unrescue(&self) -> powervm_driver::Result<()> {
        let name = Some("web-1".to_owned());
        self.driver
            .unrescue(instance(1), name, &Control::default())
            .await
    }
}

fn disks(server: &Server) -> Vec<&str> {
    let names = server.storage.iter().map(|disk| disk.name.as_str());
    let mut names: Vec<&str> = names.filter(|name| !name.starts_with("cfg_")).collect();
    names.dedup();
    names
}

#[tokio::test(start_paused = true)]
async fn a_server_is_rescued_and_is_itself_again() {
    for flavor in FLAVORS {
        for disk in DISKS {
            let bench = Bench::new(flavor, disk).await;
            let empty = bench.world().await;
            bench.spawn(1).await.unwrap();
            let before = bench.world().await;
            let own = bench.driver.show(instance(1)).await.unwrap();
            let rescued = bench.rescue().await.unwrap();
            assert_eq!(rescued.summary.status, PowerState::Running);
            let (rescue, boot) = match disk {
                DiskDriver::Ssp => ("rescue_web_1", "boot_web_1"),
                DiskDriver::LocalDisk => ("r_web_1_f1c2", "b_web_1_f1c2"),
            };
            let found = disks(&rescued);
            assert_eq!(found.len(), 2, "{found:?}");
            for (wanted, is) in [boot, rescue].into_iter().zip(&found) {
                assert!(
                    is.starts_with(&wanted[..wanted.len() - 1]),
                    "{wanted}: {found:?}"
                );
            }
            let menus = bench.simulator.world();
            let partition = menus
                .partitions
                .values()
                .find(|found| found.name == "web-1");
            let mode = &partition.unwrap().settings.boot_mode;
            assert!(format!("{mode:?}").contains("SystemManagementServices"));

            let again = bench.rescue().await.unwrap_err();
            assert_eq!(again.kind(), ErrorKind::Exists, "{again}");
            bench.unrescue().await.unwrap();
            bench.unrescue().await.unwrap();
            let back = bench.driver.show(instance(1)).await.unwrap();
            assert_eq!(back.storage, own.storage);
            assert_eq!(back.summary.status, PowerState::Running);
            assert_eq!(bench.world().await, before, "{flavor:?} {disk}");

            // A rescued server goes with both of its disks.
            bench.rescue().await.unwrap();
            bench.destroy(1).await.unwrap();
            assert_eq!(without_caches(bench.world().await), without_caches(empty));
            bench.assert_sound();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_rescue_leaves_the_servers_own_disk_and_the_server_running() {
    for disk in DISKS {
        for job in ["PowerOn", "PowerOff"] {
            let bench = Bench::new(Flavor::NovaLink, disk).await;
            bench.spawn(1).await.unwrap();
            let before = bench.world().await;
            let own = bench.driver.show(instance(1)).await.unwrap();
            let rule =
                Rule::new("PUT", format!("*do/{job}*")).first(if job == "PowerOn" { 1 } else { 3 });
            let rule = rule.answer(500, "no", "HSCL9999 no");
            bench.simulator.faults().add(rule).unwrap();
            let failed = bench.rescue().await.unwrap_err();
            let Error::Saga(failure) = &failed else {
                panic!("{failed}")
            };
            assert!(failure.left_behind.is_empty(), "{failed}");
            bench.simulator.faults().clear();
            assert_eq!(bench.world().await, before, "{disk} {job}");
            let now = bench.driver.show(instance(1)).await.unwrap();
            assert_eq!(now.storage, own.storage);
            assert_eq!(now.summary.status, PowerState::Running);
            bench.assert_sound();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_of_a_rescue_that_failed_is_finished_by_the_next() {
    for disk in DISKS {
        let bench = Bench::new(Flavor::NovaLink, disk).await;
        bench.spawn(1).await.unwrap();
        let before = bench.world().await;
        bench.rescue().await.unwrap();
        let (method, path) = match disk {
            DiskDriver::Ssp => ("DELETE", "*LogicalUnit*"),
            DiskDriver::LocalDisk => ("POST", "*VolumeGroup*"),
        };
        let rule = Rule::new(method, path).answer(500, "no", "HSCL9999 no");
        bench.simulator.faults().add(rule).unwrap();
        let failed = bench.unrescue().await.unwrap_err();
        assert!(
            failed.to_string().contains("delete the rescue disk"),
            "{failed}"
        );
        bench.simulator.faults().clear();
        bench.unrescue().await.unwrap();
        assert_eq!(bench.world().await, before, "{disk}");
        bench.assert_sound();
    }
}
