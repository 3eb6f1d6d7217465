//! Processor time of single answers, beside the same bytes from memory in the same process and from nginx.

use anyhow::Result;

use crate::Effort;
use crate::bursts::{Case, alternate};
use crate::client::Client;
use crate::nginx::Nginx;
use crate::process::Server;
use crate::report::Report;
use crate::room;

/// So many partitions give their Virtual I/O Server as many mappings.
const PARTITIONS: u16 = 100;

pub(crate) fn measure(effort: Effort, report: &mut Report) -> Result<()> {
    report.part(
        "Serving costs",
        "processor microseconds a request (user and system), and their ratios",
    );
    let server = Server::host(PARTITIONS, "novalink")?;
    let nginx = Nginx::start()?;
    if nginx.is_none() {
        println!(
            "  no nginx to compare with: install it (Debian: apt-get install --no-install-recommends nginx)"
        );
    }
    let mut bench = Bench {
        server,
        nginx,
        cases: Vec::new(),
        names: Vec::new(),
    };
    bench.fill()?;
    alternate(&mut bench.cases, effort.rounds)?;
    bench.tell(report);
    Ok(())
}

struct Bench {
    server: Server,
    nginx: Option<Nginx>,
    cases: Vec<Case>,
    names: Vec<String>,
}

impl Bench {
    fn fill(&mut self) -> Result<()> {
        let mut client = self.server.client()?;
        let partitions = room::partitions(&mut client)?;
        let first = partitions
            .iter()
            .find(|partition| partition.name == room::PARTITION)
            .ok_or_else(|| anyhow::anyhow!("there is no {}", room::PARTITION))?;
        let other = partitions
            .iter()
            .find(|partition| partition.name != room::PARTITION && partition.state == "running")
            .unwrap_or(first);
        let vios = room::servers(&mut client)?.remove(0);

        self.kept("hello", "hello", &mut client)?;
        self.kept("hello again", "hello", &mut client)?;
        let entry = room::entry(&other.uuid);
        let (answer, _) = client.get(&entry)?;
        self.add("304", client_get(&client, &entry, &answer.etag), 304)?;
        self.add(
            "quick",
            client_get(&client, &room::quick(&other.uuid), ""),
            200,
        )?;
        self.beside("partition", &entry, &mut client)?;
        self.beside("server", &room::server(&vios), &mut client)?;
        let changes = [
            ("partition", "/bench/partition", room::entry(&first.uuid)),
            ("server", "/bench/mapping", room::server(&vios)),
        ];
        for (name, change, path) in changes {
            let change = client.request("GET", change, &[], "");
            self.add(&format!("{name}, change"), vec![change.clone()], 200)?;
            let mut both = vec![change];
            both.extend(client_get(&client, &path, ""));
            self.add(&format!("{name}, change and read"), both, 200)?;
        }
        Ok(())
    }

    /// A document, the same bytes from memory, and from nginx.
    fn beside(&mut self, name: &str, path: &str, client: &mut Client) -> Result<()> {
        let (_, body) = client.get(path)?;
        println!("  {name}: {} bytes", body.len());
        self.add(name, client_get(client, path, ""), 200)?;
        self.kept(&format!("{name}, kept"), &body, client)?;
        if let Some(nginx) = &self.nginx {
            let file = nginx.file(name, &body)?;
            let other = Client::new(nginx.address());
            let request = other.request("GET", &file, &[], "");
            let case = Case::new(&nginx.server, other, vec![request], 200)?;
            self.cases.push(case);
            self.names.push(format!("{name}, nginx"));
        }
        Ok(())
    }

    /// Bytes from the memory of the simulator's own process.
    fn kept(&mut self, name: &str, body: &str, client: &mut Client) -> Result<()> {
        let path = format!("/bench/kept/{}", self.cases.len());
        let put = client.request("PUT", &path, &[], body);
        client.exchange(&put)?;
        self.add(name, client_get(client, &path, ""), 200)
    }

    fn add(&mut self, name: &str, requests: Vec<Vec<u8>>, status: u16) -> Result<()> {
        let client = Client::new(self.server.address);
        self.cases
            .push(Case::new(&self.server, client, requests, status)?);
        self.names.push(name.to_owned());
        Ok(())
    }

    fn cost(&self, name: &str) -> f64 {
        let at = self.names.iter().position(|known| known == name);
        at.and_then(|at| self.cases.get(at))
            .map_or(f64::NAN, Case::cost)
    }

    fn tell(&self, report: &mut Report) {
        for (name, case) in self.names.iter().zip(&self.cases) {
            report.figure(&format!("{name} [µs]"), format!("{:.1}", case.cost()));
        }
        let hello = self.cost("hello");
        report.within(
            "control: hello / hello again",
            hello / self.cost("hello again"),
            0.9,
            1.1,
        );
        report.at_most("304 / hello", self.cost("304") / hello, 1.3);
        report.at_most("quick property / hello", self.cost("quick") / hello, 1.3);
        for (name, shown) in [
            ("partition", "partition"),
            ("server", "server with 100 mappings"),
        ] {
            let kept = self.cost(&format!("{name}, kept"));
            let changed = self.cost(&format!("{name}, change and read"))
                - self.cost(&format!("{name}, change"));
            report.at_most(
                &format!("{shown}, unchanged / the same bytes from memory"),
                self.cost(name) / kept,
                1.6,
            );
            report.at_most(
                &format!("{shown}, changed / the same bytes from memory"),
                changed / kept,
                3.0,
            );
            let nginx = self.cost(&format!("{name}, nginx"));
            if nginx.is_finite() {
                report.figure(
                    &format!("{shown}, unchanged / nginx with a file of the same bytes"),
                    format!("{:.2}", self.cost(name) / nginx),
                );
            }
        }
    }
}

/// A GET, with what the client has already if it has something.
fn client_get(client: &Client, path: &str, etag: &str) -> Vec<Vec<u8>> {
    let known = [("If-None-Match", etag)];
    let headers = if etag.is_empty() { &[][..] } else { &known[..] };
    vec![client.request("GET", path, headers, "")]
}
