//! A world that is prepared for an operation, and as many copies of it as there are cases.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use powervm_driver::config::{Config, DiskDriver};
use powervm_driver::journal::{Journal, JournalFile, Outcome, Record};
use powervm_driver::operations::{Control, Driver, surrounding_kinds};
use powervm_driver::rest::{Credentials, Endpoint, Session, SessionOptions};
use powervm_driver::store::MemoryStore;
use powervm_simulator::Simulator;
use powervm_simulator::inventory::{Inventory as Room, Sizes};
use powervm_simulator::model::pace::{Pace, Span};
use powervm_simulator::state::Saved;
use powervm_simulator::weather::{Forecast, Weather};

use crate::audit::{Inventory, ItemKind, Policy, compare};
use crate::leaks::Watch;
use crate::runtime::virtual_clock;
use crate::scenario::Disk;
use crate::target::Content;
use crate::target::embedded::{SimulatedDevices, books};

use super::furniture::{self, Furniture, Volumes};
use super::subjects::snapshot::content;
use super::subjects::{Failed, SUBJECT, Subject, Work, image, instance, rebuild};
use super::wire::{Call, Line, Mortal, Strike, Wire, Written};

/// Where links of the simulator point; nothing listens there.
const ORIGIN: &str = "http://localhost:12080";
/// The volume group that the default inventory has for boot disks.
const VOLUME_GROUP: &str = "datavg";
/// How long each part of a migration takes: some looks at its job.
const MIGRATION: Span = Span::ms(2_500, 2_500);
/// How long what goes on in the background may take.
const SETTLE: Duration = Duration::from_secs(30);
/// How long the last task may live when everything is over: what sees to a job that does not end.
const LAST_TASK: Duration = Duration::from_secs(3600);

/// An operation's world, before and after it.
pub(super) struct Stage {
    pub(super) subject: Subject,
    template: Simulator,
    saved: Saved,
    seed: u64,
    /// The first host that is still there.
    first: usize,
    config: Config,
    volumes: Arc<Volumes>,
    /// What is kept of servers before the operation.
    kept: MemoryStore,
    pub(super) before: Inventory,
    pub(super) after: Inventory,
    /// What the operation sends when nothing goes wrong.
    pub(super) calls: Vec<Call>,
    /// What it writes into the journal then.
    pub(super) records: Vec<Written>,
    /// What the journal calls the operations that it consists of.
    pub(super) journalled: BTreeSet<String>,
}

/// One copy of it.
pub(super) struct Scene<'s> {
    pub(super) stage: &'s Stage,
    pub(super) simulator: Simulator,
    /// One for each host.
    pub(super) journals: Vec<JournalFile>,
    /// What is kept of servers.
    kept: MemoryStore,
}

/// A driver with its way to the simulator, and one for the other host where there are two. Both die together.
pub(super) struct Actor {
    work: Work,
    pub(super) driver: Driver,
    other: Option<Driver>,
    pub(super) line: Arc<Line>,
}

impl Actor {
    async fn prepare(&self, control: &Control) -> powervm_driver::Result<()> {
        match (self.work, &self.other) {
            (Work::One(entry), _) => (entry.prepare)(&self.driver, control).await,
            (Work::Two(pair), other) => {
                let other = other.as_ref().unwrap_or(&self.driver);
                (pair.prepare)(&self.driver, other, control).await
            }
        }
    }

    /// Does the operation.
    pub(super) async fn run(&self, control: &Control) -> powervm_driver::Result<()> {
        match (self.work, &self.other) {
            (Work::One(entry), _) => (entry.run)(&self.driver, control).await,
            (Work::Two(pair), other) => {
                let other = other.as_ref().unwrap_or(&self.driver);
                (pair.run)(&self.driver, other, control).await
            }
        }
    }

    /// Takes up the journals, the first host's first.
    pub(super) async fn recover(&self, control: &Control) -> anyhow::Result<()> {
        for driver in std::iter::once(&self.driver).chain(&self.other) {
            for recovered in driver.recover(control).await? {
                let what = || format!("'{}' is not recovered", recovered.was.title);
                recovered.result.clone().with_context(what)?;
            }
        }
        Ok(())
    }
}

/// The machine room: one system, or two with one storage, between which a migration takes its time.
fn template(subject: &Subject, seed: u64) -> anyhow::Result<Simulator> {
    let builder = Simulator::builder()
        .flavor(subject.flavor.into())
        .seed(seed)
        .check_invariants(true);
    if !subject.has_two_hosts() {
        return Ok(builder.weather(Weather::Calm).build()?);
    }
    let sizes = Sizes {
        systems: 2,
        partitions: 0,
        ..Sizes::default()
    };
    let room = Room::sized(subject.flavor.into(), sizes).with_shared_storage();
    let calm = Forecast::calm();
    let pace = Pace {
        migration_start: MIGRATION,
        migration: MIGRATION,
        ..calm.pace.clone()
    };
    let weather = Weather::Custom(Box::new(Forecast { pace, ..calm }));
    Ok(builder.inventory(room).weather(weather).build()?)
}

/// Runs a case in simulated time. What it leaves behind on the runtime goes with it.
fn on_a_clock<T>(case: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = virtual_clock().context("cannot start the runtime")?;
    let outcome = runtime.block_on(case);
    runtime.shutdown_background();
    outcome
}

impl Stage {
    /// Prepares the world, does the operation once, and notes what it was like.
    pub(super) fn set(subject: Subject, seed: u64) -> anyhow::Result<Self> {
        let control = Control::default();
        on_a_clock(async {
            let template = template(&subject, seed)?;
            let mut config = config(subject.disk);
            subject.furniture.configure(&template, &mut config)?;
            let mut stage = Self {
                subject,
                saved: template.save(),
                template,
                seed,
                first: 0,
                config,
                volumes: Arc::default(),
                kept: MemoryStore::default(),
                before: Inventory::default(),
                after: Inventory::default(),
                calls: Vec::new(),
                records: Vec::new(),
                journalled: BTreeSet::new(),
            };
            let scene = stage.scene()?;
            let actor = scene.actor().await?;
            let provided = subject.furniture.provide(&scene.simulator, &actor.driver);
            let volumes = Arc::new(provided.await?);
            furniture::with(&volumes, actor.prepare(&control)).await?;
            if let Some(befalls) = subject.befalls() {
                befalls(&scene.simulator)?;
            }
            let before = scene.look().await?;
            let saved = scene.simulator.save();
            let kept = scene.kept.copy();
            (stage.saved, stage.before, stage.volumes) = (saved, before, volumes);
            stage.first = usize::from(subject.befalls().is_some());
            stage.kept = kept;

            let scene = stage.scene()?;
            let (calls, records, journalled, after) = furniture::with(&stage.volumes, async {
                let actor = scene.actor().await?;
                actor.line.arm(Vec::new());
                actor.run(&control).await?;
                let (calls, records) = (actor.line.calls(), actor.line.records());
                let journalled = scene.journalled().await?;
                let after = scene.look().await?;
                scene.is_content_right()?;
                if let Some(reverse) = subject.reverse() {
                    reverse(&actor.driver, &control).await?;
                    scene.is_as_before().await?;
                }
                anyhow::Ok((calls, records, journalled, after))
            })
            .await?;
            (stage.calls, stage.records, stage.after) = (calls, records, after);
            stage.journalled = journalled;
            Ok(stage)
        })
        .with_context(|| {
            format!(
                "{} does not work when nothing goes wrong",
                subject.full_name()
            )
        })
    }

    /// A copy of the world, with an empty journal.
    fn scene(&self) -> anyhow::Result<Scene<'_>> {
        let hosts = if self.subject.has_two_hosts() { 2 } else { 1 };
        let journals = (self.first..hosts).map(|_| JournalFile::in_memory());
        Ok(Scene {
            stage: self,
            simulator: self.template.fork(&self.saved),
            journals: journals.collect::<Result<_, _>>()?,
            kept: self.kept.copy(),
        })
    }

    /// Plays a case that no driver dies in, and that is to leave no task behind.
    pub(super) fn play_to_the_end<T>(
        &self,
        case: impl AsyncFnOnce(&Scene<'_>) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        on_a_clock(async {
            let watch = Watch::begin();
            let scene = self.scene()?;
            let outcome = furniture::with(&self.volumes, case(&scene)).await?;
            drop(scene);
            match watch.tasks_after(LAST_TASK).await {
                0 => Ok(outcome),
                left => bail!("{left} tasks still live when everything is over"),
            }
        })
    }

    /// Plays a case in a copy of the world, in simulated time.
    pub(super) fn play<T>(
        &self,
        case: impl AsyncFnOnce(&Scene<'_>) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        on_a_clock(async {
            let scene = self.scene()?;
            furniture::with(&self.volumes, case(&scene)).await
        })
    }
}

fn config(disk: Disk) -> Config {
    Config {
        disk_driver: match disk {
            Disk::Ssp => DiskDriver::Ssp,
            Disk::Localdisk => DiskDriver::LocalDisk,
        },
        volume_group_name: VOLUME_GROUP.to_owned(),
        ..Config::default()
    }
}

impl Scene<'_> {
    /// A driver on this world and journal, ready to work; one for each host.
    pub(super) async fn actor(&self) -> anyhow::Result<Actor> {
        let line = Arc::new(Line::default());
        let mut drivers = Vec::new();
        for (host, journal) in (self.stage.first..).zip(&self.journals) {
            drivers.push(self.driver(host, journal, &line).await?);
        }
        let mut drivers = drivers.into_iter();
        Ok(Actor {
            work: self.stage.subject.work,
            driver: drivers.next().context("there is no host")?,
            other: drivers.next(),
            line,
        })
    }

    async fn driver(
        &self,
        number: usize,
        journal: &JournalFile,
        line: &Arc<Line>,
    ) -> anyhow::Result<Driver> {
        let consoles = self.simulator.novalinks();
        let console = consoles.get(number).unwrap_or(&self.simulator);
        let credentials = console.credentials();
        let endpoint = Endpoint::new(ORIGIN)?.credentials(Credentials::Password {
            user: credentials.user.clone(),
            password: credentials.password.clone(),
        });
        let wire = Arc::new(Wire::to(console, Arc::clone(line)));
        let options = SessionOptions {
            seed: self.stage.seed.wrapping_add(u64::try_from(number)?),
            ..SessionOptions::default()
        };
        let session = Session::logon(endpoint, wire, options).await?;
        let journal = Arc::new(Mortal {
            journal: journal.clone(),
            line: Arc::clone(line),
        });
        let mut config = self.stage.config.clone();
        if self.stage.subject.has_two_hosts() {
            let world = self.simulator.world();
            let systems = world.systems_in_order();
            let system = systems.get(number).context("there is no system")?;
            config.managed_system.clone_from(&system.name);
        }
        let driver = Driver::connect_with(session, config, journal).await?;
        let devices = SimulatedDevices::of(console, [content()]);
        let driver = driver.reading_disks_of(devices);
        Ok(match self.stage.subject.furniture {
            Furniture::Kept => driver.keeping_in(self.kept.clone()),
            _ => driver,
        })
    }

    /// A driver that something befalls.
    pub(super) async fn struck_actor(&self, strikes: Vec<Strike>) -> anyhow::Result<Actor> {
        let actor = self.actor().await?;
        actor.line.arm(strikes);
        Ok(actor)
    }

    /// Everything in the world when nothing is on its way any more.
    pub(super) async fn look(&self) -> anyhow::Result<Inventory> {
        tokio::time::sleep(SETTLE).await;
        let violations = self.simulator.violations();
        if !violations.is_empty() {
            bail!(
                "the simulator's model contradicts itself: {}",
                violations.join("; ")
            );
        }
        let world = self.simulator.world();
        let mut inventory = books::inventory(&world);
        for system in world.systems.values() {
            for partition in world.all_partitions_of(system.uuid) {
                let state = format!("{} is {:?}", partition.name, partition.state);
                inventory.add(ItemKind::Partition, state, "");
            }
        }
        rebuild::name_as_usual(&mut inventory);
        Ok(inventory)
    }

    /// What differs from the world before the operation.
    pub(super) async fn is_as_before(&self) -> anyhow::Result<()> {
        self.differs_from(&self.stage.before, "before").await
    }

    /// What differs from the world after an operation in which nothing went wrong.
    pub(super) async fn is_as_after(&self) -> anyhow::Result<()> {
        self.differs_from(&self.stage.after, "after").await
    }

    async fn differs_from(&self, wanted: &Inventory, when: &str) -> anyhow::Result<()> {
        let now = self.look().await?;
        let policy = Policy::of(self.stage.subject.disk);
        let audit = compare(
            std::slice::from_ref(wanted),
            std::slice::from_ref(&now),
            policy,
        );
        if audit.is_clean() {
            return Ok(());
        }
        let findings: Vec<String> = audit.findings.iter().map(ToString::to_string).collect();
        Err(anyhow!("not as {when}: {}", findings.join("; ")))
    }

    /// Whether the server's boot disk, if it has one, holds the whole image.
    pub(super) fn is_content_right(&self) -> anyhow::Result<()> {
        // It may boot from a volume, whose content is none of ours.
        let furniture = self.stage.subject.furniture;
        if !matches!(furniture, Furniture::Bare | Furniture::Kept) {
            return Ok(());
        }
        let world = self.simulator.world();
        if world.owner(instance(SUBJECT)).is_none() {
            return Ok(());
        }
        match books::content(&world, instance(SUBJECT)) {
            Content::Sha256 { sha256, .. } if sha256 == image().sha256 => Ok(()),
            content => bail!("the boot disk does not hold the image: {content:?}"),
        }
    }

    /// No operation that the journal takes for unfinished.
    pub(super) async fn nothing_is_pending(&self) -> anyhow::Result<()> {
        match self.pending().await?.first() {
            None => Ok(()),
            Some(record) => bail!(
                "the journal still has '{}' with the steps {:?}",
                record.beginning.title,
                record.begun()
            ),
        }
    }

    /// What the journals call the operations that they have.
    async fn journalled(&self) -> anyhow::Result<BTreeSet<String>> {
        let mut kinds = BTreeSet::new();
        for journal in &self.journals {
            let records = journal.history(usize::MAX).await?;
            kinds.extend(records.into_iter().map(|record| record.beginning.kind));
        }
        Ok(kinds)
    }

    /// All operations that the journals take for unfinished.
    pub(super) async fn pending(&self) -> anyhow::Result<Vec<Record>> {
        let mut pending = Vec::new();
        for journal in &self.journals {
            pending.extend(journal.pending().await?);
        }
        Ok(pending)
    }

    /// Whether the operation has been done: the journal says so, or the server is on the other host.
    pub(super) async fn was_done(&self) -> anyhow::Result<bool> {
        if self.stage.subject.has_two_hosts() {
            let world = self.simulator.world();
            let owner = world.owner(instance(SUBJECT));
            let there = owner.and_then(|owner| Some(world.partition(owner)?.system));
            let first = world.systems_in_order().first().map(|system| system.uuid);
            return Ok(there.is_some() && there != first);
        }
        let is_over = |ended| matches!(ended, Outcome::Done | Outcome::Finished);
        Ok(self.outcome().await?.is_some_and(is_over))
    }

    /// Whether the operation, which failed, is brought to its end by a repetition: one that moves a server is so once
    /// the server has moved.
    pub(super) async fn is_repeatable(&self) -> anyhow::Result<bool> {
        let subject = self.stage.subject;
        let has_moved = subject.has_two_hosts() && self.was_done().await?;
        Ok(has_moved || subject.failed() == Failed::Repeatable)
    }

    /// How the operation ended that the first host's journal has last, or the one that it is a part of.
    pub(super) async fn outcome(&self) -> anyhow::Result<Option<Outcome>> {
        let Some(journal) = self.journals.first() else {
            return Ok(None);
        };
        let history = journal.history(usize::MAX).await?;
        let whole = surrounding_kinds();
        let is_whole = |record: &&Record| whole.contains(&&*record.beginning.kind);
        let found = history.iter().find(is_whole).or(history.first());
        Ok(found.and_then(|record| record.ended.clone()))
    }
}
