//! The auditor's two views of a host agree: what the REST API shows and what the simulator's books say.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

use std::sync::Arc;

use powervm_driver::rest::{Credentials, Endpoint, ServiceTransport, Session, SessionOptions};
use powervm_harness::audit::{Inventory, ItemKind};
use powervm_harness::survey::Survey;
use powervm_harness::target::embedded::books;
use powervm_simulator::{Flavor, Simulator};

async fn session(simulator: &Simulator) -> Session {
    let credentials = simulator.credentials();
    let endpoint = Endpoint::new("http://localhost:12080")
        .expect("an endpoint")
        .credentials(Credentials::Password {
            user: credentials.user.clone(),
            password: credentials.password.clone(),
        });
    let transport = Arc::new(ServiceTransport::new(simulator.router()));
    Session::logon(endpoint, transport, SessionOptions::default())
        .await
        .expect("a session")
}

fn names(inventory: &Inventory, kind: ItemKind) -> Vec<String> {
    let mut names: Vec<String> = inventory
        .items
        .iter()
        .filter(|item| item.kind == kind)
        .map(ToString::to_string)
        .collect();
    names.sort();
    names
}

#[tokio::test(start_paused = true)]
async fn both_views_show_the_same_things() {
    for flavor in [Flavor::NovaLink, Flavor::Hmc] {
        let simulator = Simulator::builder()
            .flavor(flavor)
            .seed(3)
            .build()
            .expect("a simulator");
        let survey = Survey::read(&session(&simulator).await)
            .await
            .expect("a survey");
        let (rest, books) = (survey.inventory(), books::inventory(&simulator.world()));
        for kind in [
            ItemKind::Partition,
            ItemKind::LogicalUnit,
            ItemKind::VirtualDisk,
            ItemKind::Media,
            ItemKind::File,
            ItemKind::VirtualNetwork,
        ] {
            assert_eq!(
                names(&rest, kind),
                names(&books, kind),
                "{flavor:?} {kind:?}"
            );
        }
        assert!(!names(&rest, ItemKind::Partition).is_empty(), "{flavor:?}");
        let mappings = names(&books, ItemKind::Mapping).len();
        assert_eq!(
            names(&rest, ItemKind::Mapping).len(),
            mappings,
            "{flavor:?}"
        );
        assert_eq!(
            survey.suspicions(),
            [],
            "{flavor:?}: a fresh host is in good order"
        );
    }
}

/// What a volume and a virtual NIC add shows in both views, and goes from both with them.
#[tokio::test(start_paused = true)]
async fn devices_that_are_left_behind_are_seen() {
    use powervm_harness::storage::{Protocol, Storage};
    for flavor in [Flavor::NovaLink, Flavor::Hmc] {
        let simulator = Simulator::builder()
            .flavor(flavor)
            .seed(3)
            .build()
            .expect("a simulator");
        let session = session(&simulator).await;
        let look = async || {
            let survey = Survey::read(&session).await.expect("a survey");
            [survey.inventory(), books::inventory(&simulator.world())]
        };
        let counts =
            |views: &[Inventory; 2], kind| views.each_ref().map(|view| names(view, kind).len());
        let before = look().await;
        for kind in [ItemKind::Disk, ItemKind::BridgedVlan] {
            let [rest, books] = counts(&before, kind);
            assert!(
                rest > 0 && rest == books,
                "{flavor:?} {kind:?}: {rest} and {books}"
            );
        }
        let storage = Storage::of(&simulator);
        let id = storage
            .create("left", 1, Protocol::FibreChannel)
            .await
            .expect("a volume");
        let vios = simulator
            .world()
            .vioses
            .values()
            .next()
            .expect("a server")
            .clone();
        let ports: Vec<String> = vios
            .fc_ports()
            .map(|port| format!("{:016x}", port.wwpn))
            .collect();
        let connector = serde_json::json!({ "wwpns": ports });
        storage
            .map(&id, &connector, false)
            .await
            .expect("a connection");
        let target = format!(
            "VirtualIOServer/{}",
            vios.partition.uuid.to_string().to_uppercase()
        );
        session
            .job(powervm_driver::rest::Job::new(target, "ConfigDevice"))
            .await
            .expect("a scan");
        let after = look().await;
        for (before, after) in counts(&before, ItemKind::Disk)
            .into_iter()
            .zip(counts(&after, ItemKind::Disk))
        {
            assert!(after > before, "{flavor:?}: {before} and {after}");
        }
    }
}
