//! What is told of a Virtual I/O Server that is off.

use powervm_simulator::model::job::incident::Incident;
use powervm_simulator::model::{Flavor, Owner};

use uuid::Uuid;

use super::support::{Bench, FLAVORS};

fn uuid_of(url: &str) -> Uuid {
    url.rsplit('/').next().unwrap().parse().unwrap()
}

const ALL: &str = "group=All";

/// A busy machine room whose first server is off, with the URL of that one.
fn off(flavor: Flavor) -> (Bench, String) {
    let mut bench = Bench::busy(flavor);
    let vios = bench.vios(0);
    let owner = Owner::Vios(vios.parse().unwrap());
    let now = bench.now;
    let befallen = bench.world.befall(now, owner, Incident::Down, None);
    befallen.unwrap();
    assert_eq!(bench.world.violations(), []);
    (bench, format!("uom/VirtualIOServer/{vios}"))
}

fn count(text: &str, element: &str) -> usize {
    text.matches(&format!("<{element} ")).count() + text.matches(&format!("<{element}>")).count()
}

const OF_THE_SERVER: [&str; 9] = [
    "PhysicalVolumes",
    "StoragePools",
    "MediaRepositories",
    "SharedEthernetAdapters",
    "VirtualIOServerCapabilities",
    "Storage",
    "TargetDevice",
    "Port",
    "VirtualIOServerLicenseAccepted",
];

#[test]
fn an_hmc_knows_its_adapters_and_nothing_behind_them() {
    for flavor in FLAVORS {
        let (bench, url) = off(flavor);
        let up = Bench::busy(flavor)
            .get(&format!("{url}?{ALL}"))
            .body
            .to_string();
        let down = bench.get(&format!("{url}?{ALL}")).body.to_string();
        assert!(down.contains(">not activated<"), "{down}");
        let server = &bench.world.vioses[&uuid_of(&url)];
        assert!(!server.buses.is_empty());
        for element in OF_THE_SERVER {
            let (before, after) = (count(&up, element), count(&down, element));
            if flavor == Flavor::Hmc {
                assert_eq!(after, 0, "{element}");
            } else {
                assert_eq!(after, before, "{element}");
            }
        }
        let mappings = count(&down, "VirtualSCSIMapping");
        if flavor == Flavor::Hmc {
            assert_eq!(mappings, server.buses.values().count());
            assert!(down.contains(">false</APICapable>"));
        } else {
            assert_eq!(mappings, count(&up, "VirtualSCSIMapping"));
        }
    }
}

/// Who reads such a document and posts it back has not asked for the end of what it does not tell.
#[test]
fn nothing_is_lost_when_the_document_is_posted_back() {
    let (mut bench, url) = off(Flavor::Hmc);
    let uuid = uuid_of(&url);
    let devices = |bench: &Bench| {
        let server = &bench.world.vioses[&uuid];
        (server.devices().count(), server.fc_mappings.len())
    };
    let before = devices(&bench);
    assert!(before.0 > 2);
    let all = format!("{url}?group=ViosSCSIMapping,ViosFCMapping");
    let mut document = String::new();
    bench.entry(&all).content.write_to(&mut document);
    bench.post(&all, &document).unwrap();
    assert_eq!(devices(&bench), before);
    // Up again, it is all told as before.
    let now = bench.now;
    let owner = Owner::Vios(uuid);
    bench.world.befall(now, owner, Incident::Up, None).unwrap();
    bench.pass(600_000);
    let up = bench.get(&format!("{url}?{ALL}")).body.to_string();
    assert_eq!(count(&up, "TargetDevice"), before.0);
}
