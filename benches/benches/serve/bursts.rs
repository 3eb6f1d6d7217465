//! Processor time a request: the server's user and system time round bursts that alternate.
//!
//! What a neighbour on the machine does, or a clock that slows down, meets all cases alike; and it is time used, not
//! time passed.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::client::Client;
use crate::process::{Server, cpu, now};

/// How long a burst shall take on the wall: some dozen ticks of the kernel's accounting.
const BURST: Duration = Duration::from_millis(120);

/// One kind of request, and what it has cost so far.
#[derive(Debug)]
pub(crate) struct Case {
    process: u32,
    client: Client,
    requests: Vec<Vec<u8>>,
    status: u16,
    /// How often the requests are sent in a burst.
    times: u32,
    used: Duration,
    sent: u64,
}

impl Case {
    /// A request, or several one after the other that count as one. All are answered with `status`.
    pub(crate) fn new(
        server: &Server,
        mut client: Client,
        requests: Vec<Vec<u8>>,
        status: u16,
    ) -> Result<Self> {
        let began = now();
        let mut warm = 0;
        while warm < 5 || (warm < 100 && began.elapsed() < BURST) {
            for request in &requests {
                let answer = client.exchange(request)?;
                if answer.status != status {
                    bail!(
                        "{status} was expected, not {}: {}",
                        answer.status,
                        client.text()
                    );
                }
            }
            warm += 1;
        }
        let each = began.elapsed() / warm;
        let times = BURST.as_nanos() / each.as_nanos().max(1);
        Ok(Self {
            process: server.id(),
            client,
            requests,
            status,
            times: u32::try_from(times).unwrap_or(1).clamp(2, 10_000),
            used: Duration::ZERO,
            sent: 0,
        })
    }

    fn burst(&mut self) -> Result<()> {
        let before = cpu(self.process)?;
        for _ in 0..self.times {
            for request in &self.requests {
                let answer = self.client.exchange(request)?;
                if answer.status != self.status {
                    bail!("a request was answered with {}", answer.status);
                }
            }
        }
        self.used += cpu(self.process)?.saturating_sub(before);
        self.sent += u64::from(self.times);
        Ok(())
    }

    /// Microseconds of processor time a request.
    pub(crate) fn cost(&self) -> f64 {
        self.used.as_secs_f64() * 1e6 / self.sent.max(1) as f64
    }
}

/// A burst of each case, over and over.
pub(crate) fn alternate(cases: &mut [Case], rounds: usize) -> Result<()> {
    for round in 0..rounds {
        // To and fro, so that no case always follows the same one.
        if round % 2 == 0 {
            cases.iter_mut().try_for_each(Case::burst)?;
        } else {
            cases.iter_mut().rev().try_for_each(Case::burst)?;
        }
    }
    Ok(())
}
