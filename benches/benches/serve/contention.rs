//! 64 clients that read, edit and write mappings, all on one Virtual I/O Server and each on its own.

use std::sync::Barrier;

use anyhow::{Context as _, Result, bail};

use crate::Effort;
use crate::client::{Client, own_element};
use crate::process::{Server, now};
use crate::report::Report;
use crate::room;

const CLIENTS: usize = 64;
const ROOM: &[&str] = &["--flavor", "hmc", "--systems", "32", "--partitions", "4"];

/// What came of a run.
#[derive(Debug, Default)]
struct Tally {
    commits: u64,
    stale: u64,
    lost: u64,
}

pub(crate) fn measure(effort: Effort, report: &mut Report) -> Result<()> {
    report.part(
        "Contention",
        "64 clients of GET, edit, POST with If-Match: each adds a mapping of its own and takes it out again",
    );
    let server = Server::simulator(ROOM)?;
    let mut client = server.client()?;
    let servers = room::servers(&mut client)?;
    let partitions = room::partitions(&mut client)?;
    let mut system_of = |path: &str| -> Result<String> {
        let (_, text) = client.get(path)?;
        let (_, rest) = text
            .split_once("/ManagedSystem/")
            .context("a document that names no system")?;
        Ok(rest.chars().take(36).collect())
    };
    let mut homes = Vec::new();
    for uuid in &servers {
        homes.push((uuid.clone(), system_of(&room::server(uuid))?));
    }
    let mut clients = Vec::new();
    for partition in &partitions {
        let system = system_of(&room::entry(&partition.uuid))?;
        clients.push((partition.uuid.clone(), system));
    }
    // A partition has slots for 64 adapters, so the clients use several.
    let client_in = |system: &str, number: usize| {
        let own: Vec<_> = clients.iter().filter(|(_, home)| home == system).collect();
        let (uuid, _) = own
            .get(number % own.len().max(1))
            .context("a system without a partition")?;
        anyhow::Ok(uuid.clone())
    };
    let (first, first_system) = homes.first().context("no server")?.clone();
    let one: Result<Vec<_>> = (0..CLIENTS)
        .map(|number| Ok((first.clone(), client_in(&first_system, number)?)))
        .collect();
    let many: Result<Vec<_>> = homes
        .iter()
        .map(|(uuid, system)| Ok((uuid.clone(), client_in(system, 0)?)))
        .collect();
    let (one, many) = (one?, many?);
    if many.len() != CLIENTS {
        bail!("{} Virtual I/O Servers, not {CLIENTS}", many.len());
    }
    let mut rates = Vec::new();
    for (name, places) in [("on one server", one), ("on 64 servers", many)] {
        let began = now();
        let tally = contend(&server, &places, effort.edits)?;
        let seconds = began.elapsed().as_secs_f64();
        rates.push(tally.commits as f64 / seconds);
        report.figure(&format!("commits {name}"), tally.commits);
        report.figure(&format!("412 {name}"), tally.stale);
        report.within(&format!("lost updates {name}"), tally.lost as f64, 0.0, 0.0);
        report.figure(
            &format!("commits a second {name}"),
            format!("{:.0}", tally.commits as f64 / seconds),
        );
    }
    if let [one, many] = *rates.as_slice() {
        report.figure(
            "commits a second, 64 servers / one",
            format!("{:.2}", many / one),
        );
    }
    Ok(())
}

fn contend(server: &Server, places: &[(String, String)], edits: usize) -> Result<Tally> {
    let start = Barrier::new(places.len());
    std::thread::scope(|scope| {
        let workers: Vec<_> = places
            .iter()
            .enumerate()
            .map(|(number, (vios, partition))| {
                let start = &start;
                scope.spawn(move || -> Result<Tally> {
                    let client = server.client();
                    start.wait();
                    edit(client?, number, vios, partition, edits)
                })
            })
            .collect();
        let mut sum = Tally::default();
        for worker in workers {
            let tally = worker
                .join()
                .unwrap_or_else(|_| bail!("a client panicked"))?;
            sum.commits += tally.commits;
            sum.stale += tally.stale;
            sum.lost += tally.lost;
        }
        Ok(sum)
    })
}

/// Adds a mapping, sees it, takes it out, sees it gone; over and over.
fn edit(
    mut client: Client,
    number: usize,
    vios: &str,
    partition: &str,
    edits: usize,
) -> Result<Tally> {
    let mut tally = Tally::default();
    let path = room::server(vios);
    // A slot of its own tells a client's mapping from the others'.
    let slot = 1000 + number;
    let mapping = format!(
        "<VirtualSCSIMapping schemaVersion=\"V1_0\"><AssociatedLogicalPartition \
         href=\"http://h/rest/api/uom/LogicalPartition/{partition}\" rel=\"related\"/>\
         <ServerAdapter schemaVersion=\"V1_0\"><VirtualSlotNumber>{slot}</VirtualSlotNumber></ServerAdapter>\
         </VirtualSCSIMapping>"
    );
    let mut there = false;
    let mut remaining = 2 * edits;
    while remaining > 0 {
        let (answer, entry) = client.get(&path)?;
        let text = own_element(&entry);
        let own = own_mapping(text, slot);
        if own.is_some() != there {
            tally.lost += 1;
        }
        let edited = match own {
            Some(own) => text.replacen(own, "", 1),
            None => text.replacen(
                "</VirtualSCSIMappings>",
                &format!("{mapping}</VirtualSCSIMappings>"),
                1,
            ),
        };
        let added = own.is_none();
        let headers = [
            (
                "Content-Type",
                "application/vnd.ibm.powervm.uom+xml; type=VirtualIOServer",
            ),
            ("If-Match", answer.etag.as_str()),
        ];
        let request = client.request("POST", &path, &headers, &edited);
        match client.exchange(&request)?.status {
            200 => {
                there = added;
                tally.commits += 1;
                remaining -= 1;
            }
            412 => tally.stale += 1,
            status => bail!("{status}: {}", client.text()),
        }
    }
    Ok(tally)
}

/// The mapping whose server adapter has this slot.
fn own_mapping(text: &str, slot: usize) -> Option<&str> {
    const END: &str = "</VirtualSCSIMapping>";
    let mut rest = text;
    loop {
        let begin = rest.find("<VirtualSCSIMapping ")?;
        let from = rest.get(begin..)?;
        let mapping = from.get(..from.find(END)? + END.len())?;
        let (_, server) = mapping.split_once("<ServerAdapter").unwrap_or_default();
        if server.contains(&format!(">{slot}</VirtualSlotNumber>")) {
            return Some(mapping);
        }
        rest = from.get(mapping.len()..)?;
    }
}
