//! What a partition costs in a feed of few and of many.

use anyhow::Result;

use crate::Effort;
use crate::bursts::{Case, alternate};
use crate::process::Server;
use crate::report::Report;

/// Entries of the feeds.
const SIZES: [u16; 3] = [10, 100, 1000];

pub(crate) fn measure(effort: Effort, report: &mut Report) -> Result<()> {
    report.part(
        "Feeds",
        "processor microseconds a partition of LogicalPartition?group=None, one server each",
    );
    let mut servers = Vec::new();
    let mut cases = Vec::new();
    for size in SIZES {
        let server = Server::host(size, "hmc")?;
        let client = server.client()?;
        let request = client.request("GET", "/rest/api/uom/LogicalPartition?group=None", &[], "");
        cases.push(Case::new(&server, client, vec![request], 200)?);
        servers.push(server);
    }
    alternate(&mut cases, effort.rounds)?;
    let costs: Vec<f64> = cases
        .iter()
        .zip(SIZES)
        .map(|(case, size)| case.cost() / f64::from(size))
        .collect();
    for (cost, size) in costs.iter().zip(SIZES) {
        report.figure(&format!("a partition of {size} [µs]"), format!("{cost:.2}"));
    }
    if let [few, some, many] = *costs.as_slice() {
        // A feed of ten carries a whole request's fixed costs: what counts is that more is not dearer.
        report.at_most("a partition of 100 / of 10", some / few, 1.1);
        report.at_most("a partition of 1,000 / of 10", many / few, 1.1);
        report.at_most("a partition of 1,000 / of 100", many / some, 1.1);
    }
    Ok(())
}
