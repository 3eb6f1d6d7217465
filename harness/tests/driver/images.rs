//! Images kept on the host: brought once, listed with what uses them, removed only when nothing does.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use powervm_driver::config::DiskDriver;
use powervm_driver::operations::Control;
use powervm_driver::storage::cached::CacheState;
use powervm_driver::storage::names::image_virtual_disk;
use powervm_harness::audit::ItemKind;
use powervm_simulator::Flavor;

use crate::support::*;

async fn states(bench: &Bench) -> Vec<(CacheState, Option<usize>)> {
    let images = bench.driver.images().await.unwrap();
    images
        .iter()
        .map(|image| (image.state, image.clones))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn an_image_is_brought_once_used_and_removed_when_nothing_uses_it() {
    for flavor in FLAVORS {
        for disk in DISKS {
            let bench = Bench::new(flavor, disk).await;
            let (none, control) = (BTreeSet::new(), Control::default());
            let before = bench.world().await;
            let kept = bench.driver.cache_image(image(), &control).await.unwrap();
            assert_eq!(kept.state, CacheState::Unused);
            let is_upload = |(method, path): &(String, String)| {
                method == "PUT" && path.contains("File/contents")
            };
            assert_eq!(
                bench
                    .calls
                    .take()
                    .iter()
                    .filter(|call| is_upload(call))
                    .count(),
                1
            );
            // Again, and by a deploy: nothing is uploaded but its config drive.
            assert_eq!(
                bench.driver.cache_image(image(), &control).await.unwrap(),
                kept
            );
            assert!(!bench.calls.take().iter().any(is_upload));
            bench.spawn(1).await.unwrap();
            assert_eq!(
                bench
                    .calls
                    .take()
                    .iter()
                    .filter(|call| is_upload(call))
                    .count(),
                1
            );
            let clones = (disk == DiskDriver::Ssp).then_some(1);
            let used = if disk == DiskDriver::Ssp {
                CacheState::Used
            } else {
                CacheState::Unused
            };
            assert_eq!(states(&bench).await, [(used, clones)], "{flavor:?} {disk}");
            if disk == DiskDriver::Ssp {
                assert!(
                    bench
                        .driver
                        .prune_images(&none, &control)
                        .await
                        .unwrap()
                        .is_empty()
                );
                assert_eq!(states(&bench).await, [(used, clones)]);
            }
            bench.destroy(1).await.unwrap();
            let keep = BTreeSet::from([image_virtual_disk(image().id)]);
            if disk == DiskDriver::LocalDisk {
                // Who knows all instances says that one of them was made from it.
                assert!(
                    bench
                        .driver
                        .prune_images(&keep, &control)
                        .await
                        .unwrap()
                        .is_empty()
                );
                assert_eq!(
                    bench
                        .driver
                        .prune_images(&none, &control)
                        .await
                        .unwrap()
                        .len(),
                    1
                );
            }
            assert!(states(&bench).await.is_empty());
            assert_eq!(bench.world().await, before, "{flavor:?} {disk}");
            bench.assert_sound();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_image_that_is_being_brought_stays() {
    for disk in DISKS {
        let bench = Bench::new(Flavor::NovaLink, disk).await;
        let driver = bench.driver.clone();
        let (over, rounds) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU32::new(0)),
        );
        let (ended, counted) = (Arc::clone(&over), Arc::clone(&rounds));
        let pruning = at_step("provide the image", move || {
            let (driver, over, rounds) = (driver.clone(), Arc::clone(&ended), Arc::clone(&counted));
            tokio::spawn(async move {
                let (none, control) = (BTreeSet::new(), Control::default());
                while !over.load(Ordering::SeqCst) {
                    let pruned = driver.prune_images(&none, &control).await.unwrap();
                    // A deploy that has ended does not hold its image any more.
                    assert!(pruned.is_empty() || over.load(Ordering::SeqCst));
                    rounds.fetch_add(1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                }
            });
        });
        let control = Control::default().watched_by(pruning);
        bench.driver.spawn(request(1), &control).await.unwrap();
        over.store(true, Ordering::SeqCst);
        assert!(rounds.load(Ordering::SeqCst) > 0, "{disk}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_marker_and_what_it_guards_are_told_of_and_stay() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    let control = Control::default();
    bench.driver.cache_image(image(), &control).await.unwrap();
    let name = bench.driver.images().await.unwrap()[0].name.clone();
    let tier = bench
        .simulator
        .world()
        .tiers
        .keys()
        .next()
        .copied()
        .unwrap();
    let mut marker = powervm_schema::storage::LogicalUnit::new();
    marker
        .set_capacity(powervm_schema::units::Gigabytes::from_f64(0.001))
        .set_unit_type(powervm_schema::storage::LogicalUnitType::Image);
    marker.set_name(format!("part0000000a{name}"));
    let path = format!("Tier/{tier}/LogicalUnit");
    bench
        .driver
        .session()
        .create(&path, &marker.0)
        .await
        .unwrap();
    let found: Vec<_> = states(&bench)
        .await
        .into_iter()
        .map(|(state, _)| state)
        .collect();
    assert_eq!(found, [CacheState::Uploading, CacheState::Marker]);
    assert!(
        bench
            .driver
            .prune_images(&BTreeSet::new(), &control)
            .await
            .unwrap()
            .is_empty()
    );
    let units = bench.world().await.items;
    let units = units
        .iter()
        .filter(|item| item.kind == ItemKind::LogicalUnit);
    assert_eq!(units.count(), 2);
}
