//! The simulator as one value: a world behind an atomic pointer, its clock, its weather, its sessions.

use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError, Weak};

use arc_swap::ArcSwap;
use axum::Router;
use smol_str::{SmolStr, format_smolstr};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::builder::Builder;
use crate::clock::{Clock, Millis};
use crate::counters::{Counters, Tally};
use crate::http::sessions::{Credentials, Sessions};
use crate::model::events::Event;
use crate::model::job::incident::Incident;
use crate::model::system::ManagedSystem;
use crate::model::{Command, Flavor, Outcome, Refusal, World};
use crate::peer::Peers;
use crate::render::Renderer;
use crate::requests::RequestLog;
use crate::scope::Scope;
use crate::state::{Shelf, StateFile};
use crate::weather::{Faults, Queues, Sky};

/// An emulated management console with everything that it manages. Clones share one world.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use powervm_simulator::{Flavor, Simulator};
/// let simulator = Simulator::builder().flavor(Flavor::NovaLink).seed(7).build()?;
/// let router = simulator.router(); // a tower service: call it in process, or serve it on sockets
/// assert_eq!(simulator.world().vioses.len(), 2);
/// # drop(router);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Simulator {
    shared: Arc<Shared>,
    /// Which system's NovaLink answers, where there are several.
    scope: Option<Arc<Scope>>,
}

pub(crate) struct Shared {
    pub(crate) world: ArcSwap<World>,
    /// Held by whoever makes the next world from the present one, never across an await.
    pub(crate) writer: Mutex<()>,
    pub(crate) events: Notify,
    /// Told of every new world.
    pub(crate) changed: Notify,
    pub(crate) peers: Peers,
    pub(crate) clock: Clock,
    pub(crate) sky: Sky,
    pub(crate) queues: Queues,
    pub(crate) faults: Faults,
    pub(crate) tally: Tally,
    pub(crate) sessions: Sessions,
    pub(crate) renderer: Renderer,
    pub(crate) check_invariants: bool,
    pub(crate) violations: Mutex<Vec<String>>,
    pub(crate) transactions: AtomicU64,
    pub(crate) authority: String,
    pub(crate) requests: RequestLog,
    /// How many requests are being served.
    pub(crate) present: AtomicUsize,
    pub(crate) shelf: Shelf,
    pub(crate) state_file: Option<StateFile>,
}

/// A request that is being served, for as long as this lives.
pub(crate) struct Present<'a>(&'a AtomicUsize);

impl Drop for Present<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// How many violations of invariants are kept.
const KEPT_VIOLATIONS: usize = 100;

impl Simulator {
    /// A simulator to be: choose flavour, inventory, seed and weather, then build.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn from_shared(shared: Shared) -> Self {
        Self {
            shared: Arc::new(shared),
            scope: None,
        }
    }

    /// What does not keep the simulator alive.
    pub(crate) fn downgraded(&self) -> Weak<Shared> {
        Arc::downgrade(&self.shared)
    }

    /// The whole simulator again, if it still lives.
    pub(crate) fn revived(shared: &Weak<Shared>) -> Option<Self> {
        let shared = shared.upgrade()?;
        Some(Self {
            shared,
            scope: None,
        })
    }

    /// The NovaLinks of the machine room, one for each system by name, each with a REST API of its own; the simulator
    /// itself if it is an HMC or the only NovaLink. They share the world, and the whole of it is what this one tells.
    #[must_use]
    pub fn novalinks(&self) -> Vec<Self> {
        let world = self.shared.world.load();
        if world.flavor == Flavor::Hmc || world.systems.len() < 2 || self.scope.is_some() {
            return vec![self.clone()];
        }
        let of = |system: &Arc<ManagedSystem>| Self {
            shared: Arc::clone(&self.shared),
            scope: Some(Arc::new(Scope::new(system.uuid))),
        };
        world.systems_in_order().into_iter().map(of).collect()
    }

    /// The REST API as an HTTP service, for calls in process and for sockets.
    pub fn router(&self) -> Router {
        crate::http::router(self)
    }

    /// The world at this moment of simulated time. The value stays as it is, whatever happens after.
    #[must_use]
    pub fn world(&self) -> Arc<World> {
        self.world_at(self.now())
    }

    /// The same for who has looked at the clock already.
    pub(crate) fn world_at(&self, now: Millis) -> Arc<World> {
        let mut world = self.shared.world.load_full();
        if world.is_behind(now) {
            world = self.caught_up(now);
        }
        match &self.scope {
            None => world,
            Some(scope) => scope.of(&world),
        }
    }

    /// How this NovaLink sees a world; an HMC and an only NovaLink see all of it.
    pub(crate) fn sight<'w>(&self, world: &'w World) -> Cow<'w, World> {
        match &self.scope {
            None => Cow::Borrowed(world),
            Some(scope) => Cow::Owned(world.of_system(scope.system)),
        }
    }

    /// The system whose NovaLink answers, where there are several.
    pub(crate) fn realm(&self) -> Option<Uuid> {
        self.scope.as_ref().map(|scope| scope.system)
    }

    /// The queue of events that an application has with this NovaLink.
    pub(crate) fn queue(&self, application: String) -> String {
        match self.realm() {
            None => application,
            Some(system) => format!("{system}/{application}"),
        }
    }

    /// The world after what was due has happened. While somebody writes, the writer will make it happen; who reads does
    /// not wait for that, but works out the same by itself.
    fn caught_up(&self, now: Millis) -> Arc<World> {
        match self.shared.writer.try_lock() {
            Err(TryLockError::WouldBlock) => {
                let mut world = (*self.shared.world.load_full()).clone();
                world.advance(now);
                Arc::new(world)
            }
            Ok(writer) => {
                let _ = self.commit_as(&writer, |_, _| Ok::<_, Refusal>(()));
                self.shared.world.load_full()
            }
            Err(TryLockError::Poisoned(writer)) => {
                let _ = self.commit_as(writer.get_ref(), |_, _| Ok::<_, Refusal>(()));
                self.shared.world.load_full()
            }
        }
    }

    /// Whether this NovaLink tells that event; an HMC and an only NovaLink tell all.
    pub(crate) fn tells(&self, event: &Event) -> bool {
        let world = self.shared.world.load();
        self.scope
            .as_ref()
            .is_none_or(|scope| world.concerns(scope.system, event))
    }

    /// Which product is emulated.
    #[must_use]
    pub fn flavor(&self) -> Flavor {
        self.shared.world.load().flavor
    }

    /// The simulated present.
    #[must_use]
    pub fn now(&self) -> Millis {
        self.shared.clock.now()
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// Who may log on with a password.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        self.shared.sessions.credentials()
    }

    /// The sessions.
    #[must_use]
    pub fn sessions(&self) -> &Sessions {
        &self.shared.sessions
    }

    /// The fault rules.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// The last requests.
    #[must_use]
    pub fn requests(&self) -> &RequestLog {
        &self.shared.requests
    }

    /// The snapshots.
    #[must_use]
    pub fn snapshots(&self) -> &Shelf {
        &self.shared.shelf
    }

    /// Counts a request as being served until the returned value is dropped.
    pub(crate) fn enter(&self) -> Present<'_> {
        self.shared.present.fetch_add(1, Ordering::AcqRel);
        Present(&self.shared.present)
    }

    /// What happened so far, in numbers.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.shared.tally.snapshot()
    }

    /// The violations of invariants that were found, oldest first (at most a hundred are kept).
    ///
    /// Empty unless invariants are checked.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        self.shared
            .violations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Applies one command to the world, past HTTP and weather.
    ///
    /// # Errors
    /// What the model refuses; the world is then as it was.
    pub fn apply(&self, command: Command) -> Result<Outcome, Refusal> {
        self.commit(|world, now| world.apply(now, command))
    }

    /// Lets something befall a partition or Virtual I/O Server, past HTTP and weather. With `lasts`, in milliseconds
    /// of simulated time, it is undone by itself then.
    ///
    /// # Errors
    /// 404 if there is no partition with this UUID.
    pub fn befall(
        &self,
        whom: Uuid,
        incident: Incident,
        lasts: Option<u64>,
    ) -> Result<(), Refusal> {
        self.commit(|world, now| {
            let owner = world
                .owner(whom)
                .ok_or_else(|| Refusal::not_found("partition", whom))?;
            world.befall(now, owner, incident, lasts)
        })
    }

    /// Drops all events that nobody has read yet: each client is told `MISSING_EVENTS` by its next poll.
    ///
    /// # Errors
    /// None but that of a violated invariant, if these are checked.
    pub fn lose_events(&self) -> Result<(), Refusal> {
        self.commit(|world, _| {
            world.events.lose();
            Ok(())
        })
    }

    /// Makes the next world from the present one: brings it to this moment, changes it, and puts it in its place.
    ///
    /// # Errors
    /// What `change` refuses, or a violated invariant if these are checked. The world is then as it was.
    pub(crate) fn commit<T, E: From<Refusal>>(
        &self,
        change: impl FnOnce(&mut World, Millis) -> Result<T, E>,
    ) -> Result<T, E> {
        let writer = self
            .shared
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.commit_as(&writer, change)
    }

    /// As [`Simulator::commit`], for who has the writer's lock.
    fn commit_as<T, E: From<Refusal>>(
        &self,
        _: &MutexGuard<'_, ()>,
        change: impl FnOnce(&mut World, Millis) -> Result<T, E>,
    ) -> Result<T, E> {
        let now = self.now();
        let before = self.shared.world.load_full();
        let mut world = (*before).clone();
        world.advance(now);
        let outcome = change(&mut world, now)?;
        if self.shared.check_invariants {
            self.check(&world)?;
        }
        let news = world.events.next_id() != before.events.next_id();
        self.shared.world.store(Arc::new(world));
        self.shared.changed.notify_one();
        if news {
            self.shared.events.notify_waiters();
        }
        Ok(outcome)
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// The number of the next transaction, `XT10000001`.
    pub(crate) fn transaction(&self) -> SmolStr {
        let number = self.shared.transactions.fetch_add(1, Ordering::Relaxed);
        format_smolstr!("XT{:08}", number % 100_000_000)
    }

    fn check(&self, world: &World) -> Result<(), Refusal> {
        let found = world.violations();
        if found.is_empty() {
            return Ok(());
        }
        let mut violations = self
            .shared
            .violations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for violation in &found {
            tracing::error!(%violation, "an invariant of the model is violated");
            if violations.len() < KEPT_VIOLATIONS {
                violations.push(violation.to_string());
            }
        }
        let told: Vec<String> = found.iter().map(ToString::to_string).collect();
        Err(Refusal::internal(format!(
            "The simulator's model is wrong, which is a bug of the simulator: {}",
            told.join("; ")
        )))
    }
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator")
            .field("flavor", &self.flavor())
            .field("now", &self.now().to_string())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use axum::body::Body;
    use http::Request;
    use tower::ServiceExt as _;

    use super::*;
    use crate::inventory::{Inventory, Sizes};
    use crate::model::command::SubmitJob;
    use crate::model::job::JobTarget;

    /// The token of a new session.
    fn token(simulator: &Simulator) -> String {
        use secrecy::ExposeSecret as _;
        let Credentials { user, password } = simulator.credentials();
        let token = simulator.sessions().logon(user, password, simulator.now());
        token.unwrap().expose_secret().to_owned()
    }

    /// GET of an entry and of a quick property, on a runtime of their own.
    fn read(simulator: &Simulator, token: &str, partition: Uuid) -> Vec<u16> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let entry = format!("/rest/api/uom/LogicalPartition/{partition}");
        let paths = [
            format!("{entry}?group=None"),
            format!("{entry}/quick/PartitionState"),
        ];
        let answers = paths.map(|path| {
            let request = Request::builder()
                .uri(path)
                .header("X-API-Session", token)
                .body(Body::empty())
                .unwrap();
            let answer = runtime.block_on(simulator.router().oneshot(request));
            answer.unwrap().status().as_u16()
        });
        answers.to_vec()
    }

    #[test]
    fn reads_wait_for_no_writer_even_when_something_is_due() {
        let sizes = Sizes {
            systems: 2,
            partitions: 1,
            ..Sizes::default()
        };
        let simulator = Simulator::builder()
            .flavor(Flavor::Hmc)
            .inventory(Inventory::sized(Flavor::Hmc, sizes))
            .build()
            .unwrap();
        let token = token(&simulator);
        let partition = simulator.world().partitions.keys().next().copied().unwrap();
        simulator
            .befall(partition, Incident::RmcLost, Some(1_000))
            .unwrap();

        // Somebody writes, and takes as long as it pleases him.
        let (begins, begun) = mpsc::channel();
        let (end, ends) = mpsc::channel::<()>();
        let writer = simulator.clone();
        let writer = std::thread::spawn(move || {
            writer.commit(|_, _| {
                begins.send(()).unwrap();
                let _ = ends.recv();
                Ok::<_, Refusal>(())
            })
        });
        begun.recv().unwrap();
        simulator.clock().advance(Duration::from_secs(5));

        // What is due has happened for who reads.
        let (answered, answers) = mpsc::channel();
        let reader = simulator.clone();
        std::thread::spawn(move || {
            answered.send(read(&reader, &token, partition)).unwrap();
            let world = reader.world();
            answered
                .send(vec![u16::from(world.next_due().is_none())])
                .unwrap();
        });
        let answer = || answers.recv_timeout(Duration::from_secs(60));
        assert_eq!(answer().expect("a read waits for a writer"), [200, 200]);
        assert_eq!(answer().expect("a read waits for a writer"), [1]);
        drop(end);
        writer.join().unwrap().unwrap();
        assert!(simulator.world().next_due().is_none());
    }

    #[test]
    fn who_only_reads_finds_no_job_that_ended_long_ago() {
        let simulator = Simulator::builder()
            .inventory(Inventory::sized(Flavor::NovaLink, Sizes::default()))
            .build()
            .unwrap();
        let partition = simulator.world().partitions.keys().next().copied().unwrap();
        let submit = SubmitJob {
            target: JobTarget::LogicalPartition(partition),
            operation: "CloseVterm".to_owned(),
            parameters: Vec::new(),
        };
        simulator.apply(Command::SubmitJob(submit)).unwrap();
        for (hours, jobs) in [(23, 1), (2, 0)] {
            simulator.clock().advance(Duration::from_secs(hours * 3600));
            assert_eq!(simulator.world().jobs.len(), jobs, "{hours} hours later");
        }
    }
}
