//! A soak: the same deploy and delete over and over, to see whether anything grows, breaks or stays.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use futures_util::future::join_all;
use serde::Serialize;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::audit::{Audit, Policy, compare};
use crate::image::{Image, derived_uuid};
use crate::scenario::{Disk, ServerSpec};
use crate::stats::{Summary, millis};
use crate::target::{Capacity, Content, Failure, Host, Instance, Order, PhaseWatch, Size};
use crate::wall::resident_kib;

/// After how many deploys memory counts as warmed up.
pub const WARM_UP: usize = 100;

/// How much more memory than after the warm-up is still flat, in KiB.
pub const ALLOWED_GROWTH_KIB: u64 = 8 * 1024;

/// What a soak does.
#[derive(Debug, Clone)]
pub struct Soak {
    /// How many deploys, each with its delete.
    pub deploys: usize,
    /// How many at a time.
    pub parallel: usize,
    /// Where boot disks go.
    pub disk: Disk,
    /// Decides the identities of the servers.
    pub seed: u64,
    /// The image they boot from.
    pub image: Image,
    /// Breaks the soak off after the deploys that are under way.
    pub cancel: CancellationToken,
}

/// What came of a soak. Nothing in it depends on the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SoakReport {
    /// Deploys that succeeded.
    pub deployed: usize,
    /// Deletes that succeeded.
    pub deleted: usize,
    /// How many operations failed or left a disk without the image.
    pub failed: usize,
    /// Operations that failed, and disks that did not hold the image, at most the first ten.
    pub failures: Vec<String>,
    /// Durations of the deploys.
    pub deploys: Summary,
    /// Durations of the deletes.
    pub deletes: Summary,
    /// HTTP requests in all.
    pub requests: u64,
    /// What was left behind.
    pub audit: Audit,
    /// From begin to end, in milliseconds of the run's clock.
    pub took_ms: u64,
}

/// Resident memory as it went, in KiB. Differs from machine to machine, so it is told and not reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Memory {
    /// At the begin.
    pub begin_kib: u64,
    /// After [`WARM_UP`] deploys.
    pub warm_kib: u64,
    /// The most that was seen after that.
    pub most_kib: u64,
    /// At the end.
    pub end_kib: u64,
}

impl Memory {
    /// How much more was seen after the warm-up, in KiB.
    #[must_use]
    pub fn growth_kib(&self) -> u64 {
        self.most_kib.saturating_sub(self.warm_kib)
    }

    /// Whether it stayed where it was after the warm-up.
    #[must_use]
    pub fn is_flat(&self) -> bool {
        self.growth_kib() <= ALLOWED_GROWTH_KIB
    }

    fn sample(&mut self, done: usize) {
        let Some(now) = resident_kib() else { return };
        if done <= WARM_UP {
            self.warm_kib = now;
        }
        if done >= WARM_UP {
            self.most_kib = self.most_kib.max(now);
        }
        self.end_kib = now;
    }
}

#[derive(Debug, Default)]
struct Tally {
    deploys: Vec<(std::time::Duration, std::time::Duration)>,
    deletes: Vec<(std::time::Duration, std::time::Duration)>,
    failures: Vec<String>,
    failed: usize,
    done: usize,
    memory: Memory,
}

impl Tally {
    fn failed(&mut self, text: String) {
        self.failed += 1;
        if self.failures.len() < 10 {
            self.failures.push(text);
        }
    }
}

/// Runs a soak; `progress` hears how many deploys are done, and how much memory there is.
///
/// # Errors
/// When the host's inventory or capacity cannot be read.
pub async fn run(
    host: &dyn Host,
    soak: &Soak,
    progress: &(dyn Fn(usize, Option<u64>) + Send + Sync),
) -> Result<(SoakReport, Memory), Failure> {
    let before = host.inventory().await?;
    let capacity = host.capacity().await?;
    let traffic = host.traffic();
    let began = Instant::now();
    let tally = Mutex::new(Tally::default());
    lock(&tally).memory.begin_kib = resident_kib().unwrap_or_default();

    let next = AtomicUsize::new(0);
    let workers = (0..soak.parallel.max(1))
        .map(|_| work(host, soak, capacity, began, &next, &tally, progress));
    join_all(workers).await;

    let after = host.inventory().await?;
    let tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    let report = SoakReport {
        deployed: tally.deploys.len(),
        deleted: tally.deletes.len(),
        failed: tally.failed,
        failures: tally.failures,
        deploys: Summary::of(&tally.deploys),
        deletes: Summary::of(&tally.deletes),
        requests: host.traffic().since(&traffic).requests,
        audit: compare(&before, &after, Policy::of(soak.disk)),
        took_ms: millis(began.elapsed()),
    };
    Ok((report, tally.memory))
}

async fn work(
    host: &dyn Host,
    soak: &Soak,
    capacity: Capacity,
    began: Instant,
    next: &AtomicUsize,
    tally: &Mutex<Tally>,
    progress: &(dyn Fn(usize, Option<u64>) + Send + Sync),
) {
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= soak.deploys || soak.cancel.is_cancelled() {
            return;
        }
        let order = order(soak, number, capacity);
        let begin = began.elapsed();
        match host.create(&order, unwatched(), &soak.cancel).await {
            Err(failure) => lock(tally).failed(format!("deploy {number}: {failure}")),
            Ok(_) => {
                lock(tally).deploys.push((begin, began.elapsed()));
                if let Some(problem) = problem(host, &order).await {
                    lock(tally).failed(format!("deploy {number}: {problem}"));
                }
                let begin = began.elapsed();
                // A server that is there goes, even when the soak was broken off meanwhile.
                match host
                    .delete(&order.instance, unwatched(), &CancellationToken::new())
                    .await
                {
                    Err(failure) => lock(tally).failed(format!("delete {number}: {failure}")),
                    Ok(()) => lock(tally).deletes.push((begin, began.elapsed())),
                }
            }
        }
        let mut tally = lock(tally);
        tally.done += 1;
        let done = tally.done;
        tally.memory.sample(done);
        progress(done, resident_kib());
    }
}

async fn problem(host: &dyn Host, order: &Order) -> Option<String> {
    match host.content(&order.instance).await {
        Content::Sha256 { sha256, .. }
            if order
                .image
                .as_ref()
                .is_some_and(|image| sha256 == image.sha256) =>
        {
            None
        }
        Content::Sha256 { disk, sha256, .. } => Some(format!("{disk} holds {sha256}")),
        Content::Missing(why) => Some(why),
        Content::NotCheckable(_) => None,
    }
}

fn order(soak: &Soak, number: usize, capacity: Capacity) -> Order {
    let spec = ServerSpec::default();
    // The number first: the names of local disks take the first characters only.
    let server = format!("{number}-soak");
    let uuid: Uuid = derived_uuid(&[b"soak", &soak.seed.to_be_bytes(), &number.to_be_bytes()]);
    Order {
        instance: Instance {
            name: format!("{server}-ph"),
            server,
            uuid,
        },
        size: Size {
            vcpus: spec.flavor.vcpus,
            memory_mb: spec
                .flavor
                .memory_mb
                .resolve(capacity.memory_free_mb, capacity.memory_region_mb),
            root_gb: spec.flavor.root_gb.resolve(capacity.disk_free_gb, 1),
            extra_specs: spec.flavor.extra_specs,
        },
        networks: spec.networks,
        config_drive: spec.config_drive,
        power_on: spec.power_on,
        image: Some(soak.image.clone()),
        volumes: spec.volumes,
        host: spec.host,
    }
}

fn unwatched() -> PhaseWatch {
    Arc::new(|_, _| {})
}

fn lock(tally: &Mutex<Tally>) -> std::sync::MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}
