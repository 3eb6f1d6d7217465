//! Operators: each edits two partitions of its own through the REST API, and puts everything back.

use std::time::Duration;

use powervm_driver::rest::{Groups, Job, Session};
use powervm_driver::transaction::{Changed, edit};
use powervm_driver::{Error, Result};
use powervm_schema::xml::{Element, Namespace};
use powervm_simulator::model::partition::Partition;

use super::hall::{Chance, Hall, Home};
use super::jobs;

/// A partition of the inventory as it was at the begin.
struct Own {
    path: String,
    name: String,
    memory: String,
    /// How little and how much memory it may be given, in megabytes.
    limits: (u64, u64),
    runs: bool,
}

pub(super) async fn work(hall: &Hall, number: u16) {
    let mut chance = hall.chance("operator", number);
    let Some(home) = hall.homes.get(usize::from(number) % hall.homes.len()) else {
        return;
    };
    let own = own(hall, home, number);
    loop {
        hall.pause(chance.between(1, 12)).await;
        if !hall.is_open() {
            break;
        }
        let Some(partition) = chance.of(&own) else {
            return;
        };
        match chance.between(0, 6) {
            0 | 1 => resize(hall, home, partition, &mut chance).await,
            2 => rename(hall, home, partition, &mut chance).await,
            3 => interface(hall, home, partition, &mut chance).await,
            4 => disk(hall, home, partition, &mut chance).await,
            5 => power(hall, home, partition, &mut chance).await,
            _ => look(hall, home, partition).await,
        }
    }
    for partition in &own {
        let session = home.driver.session();
        hall.restored("restore memory", || {
            set_memory(session, partition, &partition.memory)
        })
        .await;
        hall.restored("restore name", || {
            set_name(session, partition, &partition.name)
        })
        .await;
        let (operation, how) = if partition.runs {
            ("PowerOn", None)
        } else {
            ("PowerOff", Some("shutdown"))
        };
        hall.restored("restore power", || {
            switch(hall, session, partition, operation, how)
        })
        .await;
    }
}

/// The partitions of an operator: every other one of the system runs.
fn own(hall: &Hall, home: &Home, number: u16) -> Vec<Own> {
    let world = hall.simulator.world();
    let mut all: Vec<&Partition> = world
        .partitions_of(home.system)
        .map(|partition| &**partition)
        .filter(|partition| partition.name.starts_with("existing-"))
        .collect();
    all.sort_by(|one, other| one.name.cmp(&other.name));
    all.iter()
        .skip(2 * usize::from(number % hall.operators.max(1)))
        .take(2)
        .map(|partition| Own {
            path: format!("LogicalPartition/{}", partition.uuid),
            name: partition.name.clone(),
            memory: partition.memory.current.to_string(),
            limits: (partition.memory.minimum, partition.memory.maximum),
            runs: partition.memory.active,
        })
        .collect()
}

async fn resize(hall: &Hall, home: &Home, own: &Own, chance: &mut Chance) {
    let (least, most) = own.limits;
    let wanted = (256 * chance.between(least / 256, most / 256)).to_string();
    let resized = set_memory(home.driver.session(), own, &wanted).await;
    hall.note("resize", resized);
}

async fn rename(hall: &Hall, home: &Home, own: &Own, chance: &mut Chance) {
    let name = format!("{}-{}", own.name, chance.between(1, 9));
    let renamed = set_name(home.driver.session(), own, &name).await;
    hall.note("rename", renamed);
}

/// An adapter comes and goes.
async fn interface(hall: &Hall, home: &Home, own: &Own, chance: &mut Chance) {
    let session = home.driver.session();
    let mut document = Element::resource_root(Namespace::Uom, "ClientNetworkAdapter", "V1_0");
    document.push(leaf("PortVLANID", "1"));
    let made = session
        .create(&format!("{}/ClientNetworkAdapter", own.path), &document)
        .await;
    let Some(made) = hall.note("attach interface", made) else {
        // An answer may be lost on its way: what was made goes by the difference.
        return strays(hall, home, own).await;
    };
    hall.pause(chance.between(1, 5)).await;
    let path = format!("{}/ClientNetworkAdapter/{}", own.path, made.id);
    hall.restored("detach interface", || session.ensure_deleted(&path))
        .await;
}

/// Adapters beyond the first, which the inventory made, are an operator's whose answer was lost.
async fn strays(hall: &Hall, home: &Home, own: &Own) {
    let session = home.driver.session();
    hall.restored("look for lost interfaces", || async {
        let path = format!("{}/ClientNetworkAdapter", own.path);
        let feed = session.get_feed(&path, Groups::None).await?;
        let mut adapters: Vec<_> = feed.entries.iter().collect();
        adapters.sort_by_key(|entry| {
            let slot = entry.content.child_value("VirtualSlotNumber");
            slot.and_then(|slot| slot.parse::<u32>().ok())
        });
        for adapter in adapters.iter().skip(1) {
            session
                .ensure_deleted(&format!("{path}/{}", adapter.id))
                .await?;
        }
        Ok(())
    })
    .await;
}

/// A logical unit comes, is mapped, unmapped and goes.
async fn disk(hall: &Hall, home: &Home, own: &Own, chance: &mut Chance) {
    let session = home.driver.session();
    let world = hall.simulator.world();
    let Some(tier) = world.tiers.keys().next() else {
        return;
    };
    let Some(vios) = world.vioses_of(home.system).next() else {
        return;
    };
    let name = format!("op_{}_{}", own.name, chance.between(0, u64::MAX));
    let units = format!("Tier/{tier}/LogicalUnit");
    let mut unit = Element::resource_root(Namespace::Uom, "LogicalUnit", "V1_0");
    unit.push(leaf("UnitCapacity", "1"));
    unit.push(leaf("LogicalUnitType", "VirtualIO_Disk"));
    unit.push(leaf("UnitName", &name));
    let made = session.create(&units, &unit).await;
    hall.note("create disk", made);
    let server = format!("VirtualIOServer/{}", vios.partition.uuid);
    let mapped = edit(session, &server, MAPPINGS, |vios| {
        let mut storage = Element::new(Namespace::Uom, "Storage");
        storage
            .push(Element::new(Namespace::Uom, "LogicalUnit").with_leaf("UnitName", name.as_str()));
        let mut mapping = Element::new(Namespace::Uom, "VirtualSCSIMapping");
        let mut client = Element::new(Namespace::Uom, "AssociatedLogicalPartition");
        client.set_attribute("href", format!("http://h/rest/api/uom/{}", own.path));
        mapping.push(client);
        mapping.push(storage);
        match vios.child_mut("VirtualSCSIMappings") {
            Some(mappings) => mappings.push(mapping),
            None => return Ok(Changed::No),
        }
        Ok(Changed::Yes)
    })
    .await;
    hall.note("attach disk", mapped);
    hall.pause(chance.between(1, 5)).await;
    hall.restored("detach disk", || async {
        edit(session, &server, MAPPINGS, |vios| Ok(unmap(vios, &name))).await
    })
    .await;
    hall.restored("delete disk", || async {
        let feed = session.get_feed(&units, Groups::None).await?;
        let named = |entry: &&powervm_schema::atom::Entry| {
            entry.content.child_value("UnitName") == Some(&name)
        };
        match feed.entries.iter().find(named) {
            Some(unit) => {
                session
                    .ensure_deleted(&format!("{units}/{}", unit.id))
                    .await
            }
            None => Ok(()),
        }
    })
    .await;
}

const MAPPINGS: Groups<'static> = Groups::Named(&["ViosSCSIMapping"]);

/// Takes out the mappings of the logical unit with this name.
fn unmap(vios: &mut Element, name: &str) -> Changed {
    let mut changed = Changed::No;
    if let Some(mappings) = vios.child_mut("VirtualSCSIMappings") {
        mappings.retain_children(|mapping| {
            let unit = mapping.descend(&["Storage", "LogicalUnit", "UnitName"]);
            let goes = unit.is_some_and(|unit| unit.text().trim() == name);
            if goes {
                changed = Changed::Yes;
            }
            !goes
        });
    }
    changed
}

async fn power(hall: &Hall, home: &Home, own: &Own, chance: &mut Chance) {
    let ways = [
        ("PowerOn", None),
        ("PowerOff", Some("shutdown")),
        ("PowerOff", Some("osshutdown")),
    ];
    if let Some((operation, how)) = chance.of(&ways) {
        let switched = switch(hall, home.driver.session(), own, operation, *how).await;
        hall.note(operation, switched);
    }
}

async fn look(hall: &Hall, home: &Home, own: &Own) {
    let session = home.driver.session();
    hall.note("quick", session.quick(&own.path, "PartitionState").await);
    hall.note(
        "feed",
        session.get_feed("LogicalPartition", Groups::None).await,
    );
    hall.note(
        "search",
        session
            .search("LogicalPartition", "PartitionName", &own.name)
            .await,
    );
    let vioses = format!("ManagedSystem/{}/VirtualIOServer", home.system);
    hall.note("feed of servers", session.get_feed(&vioses, MAPPINGS).await);
}

async fn set_memory(session: &Session, own: &Own, megabytes: &str) -> Result<()> {
    set(
        session,
        own,
        &["PartitionMemoryConfiguration", "DesiredMemory"],
        megabytes,
    )
    .await
}

async fn set_name(session: &Session, own: &Own, name: &str) -> Result<()> {
    set(session, own, &["PartitionName"], name).await
}

async fn set(session: &Session, own: &Own, path: &[&str], text: &str) -> Result<()> {
    let edited = edit(session, &own.path, Groups::None, |partition| {
        let mut element = partition;
        for name in path {
            element = element.child_mut(name).ok_or_else(|| {
                Error::invalid(
                    format!("a partition without {name}"),
                    "look at its document",
                )
            })?;
        }
        if element.text() == text {
            return Ok(Changed::No);
        }
        element.set_text(text);
        Ok(Changed::Yes)
    });
    edited.await.map(drop)
}

/// It is on, or off, already: as an HMC says it, and as a NovaLink does.
const ALREADY: [&str; 5] = [
    "HSCL3681",
    "HSCL1558",
    "PVME01042026",
    "PVME01050901",
    "PVME04000005",
];

async fn switch(
    hall: &Hall,
    session: &Session,
    own: &Own,
    operation: &str,
    how: Option<&str>,
) -> Result<()> {
    let mut job = Job::new(&own.path, operation).timeout(Duration::from_secs(1800));
    if let Some(how) = how {
        job = job.parameter("operation", how);
        if how == "shutdown" {
            job = job.parameter("immediate", "true");
        }
    }
    let job = job.accept(ALREADY);
    jobs::run(hall, session, &own.path, operation, job)
        .await
        .map(drop)
}

fn leaf(name: &'static str, text: &str) -> Element {
    Element::leaf(Namespace::Uom, name, text)
}
