//! What a partition costs in a feed of few and of many.
//!
//! Beside each feed stand its bytes from memory: a feed of a thousand is ten megabytes, which no processor's cache holds,
//! and what it costs to send them is the kernel's.

use anyhow::Result;

use crate::Effort;
use crate::bursts::{Case, alternate};
use crate::process::Server;
use crate::report::Report;

/// Where the bytes of a feed are kept.
const KEPT: &str = "/bench/kept/feed";
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
        let mut keeper = server.client()?;
        keeper.exchange(&request)?;
        let body = keeper.text().to_owned();
        let put = keeper.request("PUT", KEPT, &[], &body);
        keeper.exchange(&put)?;
        let kept = keeper.request("GET", KEPT, &[], "");
        cases.push(Case::new(&server, client, vec![request], 200)?);
        cases.push(Case::new(&server, keeper, vec![kept], 200)?);
        servers.push(server);
    }
    alternate(&mut cases, effort.rounds)?;
    let (mut costs, mut beyond) = (Vec::new(), Vec::new());
    for (pair, size) in cases.chunks_exact(2).zip(SIZES) {
        let [feed, kept] = pair else { continue };
        let each = |case: &Case| case.cost() / f64::from(size);
        report.figure(
            &format!("a partition of {size}, and its bytes from memory [µs]"),
            format!("{:.2} {:.2}", each(feed), each(kept)),
        );
        costs.push(each(feed));
        beyond.push(feed.cost() / kept.cost());
    }
    for (ratio, size) in beyond.iter().zip(SIZES) {
        report.figure(
            &format!("a feed of {size}, unchanged / the same bytes from memory"),
            format!("{ratio:.2}"),
        );
    }
    if let [few, some, many] = *costs.as_slice() {
        // A feed of ten carries a whole request's fixed costs: what counts is that more is not dearer.
        report.at_most("a partition of 100 / of 10", some / few, 1.1);
        report.at_most("a partition of 1,000 / of 10", many / few, 1.1);
        report.figure(
            "a partition of 1,000 / of 100",
            format!("{:.2}", many / some),
        );
    }
    if let [_, some, many] = *beyond.as_slice() {
        report.at_most(
            "the same, each beside its bytes from memory",
            many / some,
            1.1,
        );
    }
    Ok(())
}
