//! Two drivers on two hosts of one cluster: what they bring into the pool, they bring once.

use futures_util::future::join_all;
use powervm_driver::operations::{Control, DestroyRequest, SpawnRequest};
use powervm_harness::audit::ItemKind;
use powervm_harness::target::embedded::books;

use crate::hosts::Hosts;
use crate::support::*;

/// Ten servers on each host, all at once, from an image that the pool does not have.
#[tokio::test(start_paused = true)]
async fn ten_deploys_on_each_of_two_hosts_bring_a_new_image_once() {
    for flavor in FLAVORS {
        let hosts = Hosts::new(flavor).await;
        let control = Control::default();
        let before = books::inventory(&hosts.simulator.world());
        let deploys = (0..20_u32).map(|number| {
            let driver = &hosts.drivers[number as usize % 2];
            let request = SpawnRequest {
                config_drive: None,
                ..request(number)
            };
            driver.spawn(request, &control)
        });
        for deployed in join_all(deploys).await {
            deployed.unwrap();
        }
        assert_eq!(hosts.simulator.counters().uploads, 1, "{flavor:?}");
        settle().await;
        let units = |prefix: &str| {
            let world = books::inventory(&hosts.simulator.world());
            let named = |name: &str| name.contains(prefix);
            let items = world.items.iter();
            items
                .filter(|item| item.kind == ItemKind::LogicalUnit && named(&item.name))
                .count()
        };
        // A marker bears the image's name too.
        assert_eq!((units("image_"), units("boot_")), (1, 20), "{flavor:?}");

        let removals = (0..20_u32).map(|number| {
            let driver = &hosts.drivers[number as usize % 2];
            driver.destroy(DestroyRequest::of(instance(number)), &control)
        });
        for removed in join_all(removals).await {
            removed.unwrap();
        }
        settle().await;
        let after = books::inventory(&hosts.simulator.world());
        assert_as_before(before, after, &format!("{flavor:?}"));
        assert_eq!(hosts.simulator.violations(), Vec::<String>::new());
    }
}
