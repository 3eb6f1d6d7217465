//! 200 systems of 50 partitions beside 2 of 50: memory, and how long single answers take.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::Effort;
use crate::client::{Client, own_element};
use crate::process::{Server, now};
use crate::report::Report;
use crate::room::{self, Partition};

const EMPTY: &[&str] = &["--flavor", "hmc"];
const SMALL: &[&str] = &["--flavor", "hmc", "--systems", "2", "--partitions", "50"];
const LARGE: &[&str] = &["--flavor", "hmc", "--systems", "200", "--partitions", "50"];
const PARTITIONS: u64 = 10_000;
/// So many partitions are asked for, in the small room and in the large one.
const ASKED: usize = 100;
/// So often each of them in a round, one after the other: the 99th of a hundred times would be little else than the one
/// time at which something else had the processor.
const TIMES: usize = 10;

pub(crate) fn measure(effort: Effort, report: &mut Report) -> Result<()> {
    report.part(
        "Scale",
        "200 systems of 50 partitions; resident memory, and wall time of answers beside a room of 100 partitions",
    );
    let large = Server::simulator(LARGE)?;
    memory(&large, report)?;
    let small = Server::simulator(SMALL)?;
    let mut rooms = [Room::new(small)?, Room::new(large)?];
    let rounds = effort.rounds;
    compare(
        "GET of a partition",
        &mut rooms,
        rounds,
        report,
        Room::entries,
    )?;
    compare("quick property", &mut rooms, rounds, report, Room::quick)?;
    compare("PowerOn", &mut rooms, rounds, report, Room::power_on)?;
    let [_, mut large] = rooms;
    beside_a_writer(&mut large, rounds, report)
}

fn memory(large: &Server, report: &mut Report) -> Result<()> {
    let empty = Server::simulator(EMPTY)?.resident_kib()?;
    let each = |resident: u64| resident.saturating_sub(empty) as f64 / PARTITIONS as f64;
    report.figure("empty server [MiB]", empty / 1024);
    report.at_most(
        "memory a partition beyond the empty server [KiB]",
        each(large.resident_kib()?),
        40.0,
    );
    let mut client = large.client()?;
    for partition in room::partitions(&mut client)? {
        client.get(&room::entry(&partition.uuid))?;
    }
    report.at_most(
        "the same after each partition was read [KiB]",
        each(large.resident_kib()?),
        40.0,
    );
    Ok(())
}

/// A server with the partitions that are asked for.
struct Room {
    server: Server,
    client: Client,
    partitions: Vec<Partition>,
}

impl Room {
    fn new(server: Server) -> Result<Self> {
        let mut client = server.client()?;
        let all = room::partitions(&mut client)?;
        let step = all.len() / ASKED;
        // Of each kind as many as in the small room, from all over the large one.
        let every = |state: &str| {
            let of_state = all.iter().filter(|partition| partition.state == state);
            of_state
                .step_by(step.max(1))
                .take(ASKED / 2)
                .cloned()
                .collect::<Vec<_>>()
        };
        let mut partitions = every("running");
        partitions.extend(every("not activated"));
        if partitions.len() < ASKED {
            bail!("only {} partitions of the right states", partitions.len());
        }
        Ok(Self {
            server,
            client,
            partitions,
        })
    }

    /// How long one request takes.
    fn timed(&mut self, request: &[u8], status: u16) -> Result<Duration> {
        let began = now();
        let answer = self.client.exchange(request)?;
        let took = began.elapsed();
        if answer.status != status {
            bail!("{}: {}", answer.status, self.client.text());
        }
        Ok(took)
    }

    fn each(&mut self, path: fn(&str) -> String) -> Result<Vec<Duration>> {
        let requests: Vec<_> = self
            .partitions
            .iter()
            .map(|partition| self.client.request("GET", &path(&partition.uuid), &[], ""))
            .collect();
        (0..TIMES)
            .flat_map(|_| &requests)
            .map(|request| self.timed(request, 200))
            .collect()
    }

    fn entries(&mut self) -> Result<Vec<Duration>> {
        self.each(room::entry)
    }

    fn quick(&mut self) -> Result<Vec<Duration>> {
        self.each(room::quick)
    }

    /// Powers the stopped ones on, and off again without looking at the clock.
    fn power_on(&mut self) -> Result<Vec<Duration>> {
        let stopped: Vec<String> = self
            .partitions
            .iter()
            .filter(|partition| partition.state == "not activated")
            .map(|partition| partition.uuid.clone())
            .collect();
        let mut times = Vec::new();
        for uuid in &stopped {
            let request = job(&self.client, uuid, "PowerOn", &[]);
            times.push(self.timed(&request, 200)?);
        }
        for uuid in &stopped {
            let how = [("operation", "shutdown"), ("immediate", "true")];
            let request = job(&self.client, uuid, "PowerOff", &how);
            self.timed(&request, 200)?;
        }
        Ok(times)
    }
}

fn job(client: &Client, uuid: &str, operation: &str, parameters: &[(&str, &str)]) -> Vec<u8> {
    const WEB: &str = "http://www.ibm.com/xmlns/systems/power/firmware/web/mc/2012_10/";
    let parameters: String = parameters
        .iter()
        .map(|(name, value)| {
            format!(
                "<JobParameter schemaVersion=\"V1_0\"><ParameterName>{name}</ParameterName>\
                 <ParameterValue>{value}</ParameterValue></JobParameter>"
            )
        })
        .collect();
    let body = format!(
        "<JobRequest:JobRequest xmlns:JobRequest=\"{WEB}\" xmlns=\"{WEB}\" schemaVersion=\"V1_0\">\
         <RequestedOperation schemaVersion=\"V1_0\"><OperationName>{operation}</OperationName>\
         <GroupName>LogicalPartition</GroupName></RequestedOperation>\
         <JobParameters schemaVersion=\"V1_0\">{parameters}</JobParameters></JobRequest:JobRequest>"
    );
    client.request(
        "PUT",
        &format!("/rest/api/uom/LogicalPartition/{uuid}/do/{operation}"),
        &[(
            "Content-Type",
            "application/vnd.ibm.powervm.web+xml; type=JobRequest",
        )],
        &body,
    )
}

/// The 99th percentile of each round, small and large in turn; the median over the rounds, so that a neighbour's
/// outbreak spoils single rounds only.
fn compare(
    name: &str,
    rooms: &mut [Room; 2],
    rounds: usize,
    report: &mut Report,
    measure: fn(&mut Room) -> Result<Vec<Duration>>,
) -> Result<()> {
    let mut slowest = [Vec::new(), Vec::new()];
    for room in rooms.iter_mut() {
        measure(room)?;
    }
    for _ in 0..rounds {
        for (room, slowest) in rooms.iter_mut().zip(&mut slowest) {
            slowest.push(percentile(measure(room)?, 99)?);
        }
    }
    let [small, large] = slowest;
    let (small, large) = (percentile(small, 50)?, percentile(large, 50)?);
    report.figure(
        &format!("{name}, p99 of 100 and of 10,000 partitions [µs]"),
        format!("{} {}", small.as_micros(), large.as_micros()),
    );
    report.at_most(
        &format!("{name}, 10,000 / 100 partitions"),
        large.as_secs_f64() / small.as_secs_f64(),
        1.2,
    );
    Ok(())
}

/// Reads of one system, alone and while a client changes a Virtual I/O Server of another without a pause.
fn beside_a_writer(room: &mut Room, rounds: usize, report: &mut Report) -> Result<()> {
    let server = room::servers(&mut room.client)?
        .pop()
        .context("no server")?;
    let mut writer = room.server.client()?;
    let path = room::server(&server);
    let mut alone = Vec::new();
    for _ in 0..rounds {
        alone.push(percentile(room.entries()?, 50)?);
    }
    let over = AtomicBool::new(false);
    let (written, beside) = std::thread::scope(|scope| {
        let writing = scope.spawn(|| -> Result<u64> {
            let (mut number, mut body) = (0, own_element(&writer.get(&path)?.1).to_owned());
            let kind = [(
                "Content-Type",
                "application/vnd.ibm.powervm.uom+xml; type=VirtualIOServer",
            )];
            while !over.load(Ordering::Relaxed) {
                let request = writer.request("POST", &path, &kind, &body);
                let answer = writer.exchange(&request)?;
                if answer.status != 200 {
                    bail!("{}: {}", answer.status, writer.text());
                }
                own_element(writer.text()).clone_into(&mut body);
                number += 1;
            }
            Ok(number)
        });
        let mut beside = Vec::new();
        let read = (0..rounds).try_for_each(|_| {
            beside.push(percentile(room.entries()?, 50)?);
            Ok(())
        });
        over.store(true, Ordering::Relaxed);
        let written = writing
            .join()
            .unwrap_or_else(|_| bail!("the writing client panicked"));
        read.and(written.map(|written| (written, beside)))
    })?;
    let (alone, beside) = (percentile(alone, 50)?, percentile(beside, 50)?);
    report.figure("changes of another system meanwhile", written);
    report.figure(
        "GET of a partition, median with / without them",
        format!("{:.2}", beside.as_secs_f64() / alone.as_secs_f64()),
    );
    Ok(())
}

/// The nearest-rank percentile.
fn percentile(mut times: Vec<Duration>, percent: usize) -> Result<Duration> {
    times.sort_unstable();
    let rank = (times.len() * percent).div_ceil(100).max(1);
    times.get(rank - 1).copied().context("nothing was timed")
}
