//! The network agent: VLANs that are bridged for whoever needs them, and go when nobody does.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::*;
use futures_util::future::BoxFuture;
use powervm_driver::config::{Config, DiskDriver};
use powervm_driver::network::NetworkInterface;
use powervm_driver::operations::{
    AgentOptions, AgentRound, Control, NetworkAgent, NoPorts, PortSource, SpawnRequest, WantedPort,
};
use powervm_driver::rest::Groups;
use powervm_driver::{Error, Result};
use powervm_schema::atom::Entry;
use powervm_schema::network::{ClientNetworkAdapter, VirtualSwitch};
use powervm_simulator::Flavor;
use powervm_simulator::weather::{Rule, Weather};
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

const INTERVAL: Duration = Duration::from_secs(1800);

/// Ports that a test chooses.
#[derive(Default)]
struct Ports {
    now: Mutex<Option<Vec<WantedPort>>>,
    changed: Notify,
    rounds: Mutex<usize>,
}

impl Ports {
    fn of(vlans: &[u16]) -> Arc<Self> {
        let ports = Arc::new(Self::default());
        ports.set("default", vlans);
        ports
    }

    fn set(&self, network: &str, vlans: &[u16]) {
        let port = |vlan: &u16| WantedPort {
            id: None,
            physical_network: network.to_owned(),
            vlan: *vlan,
        };
        *self.now.lock().unwrap() = Some(vlans.iter().map(port).collect());
        self.changed.notify_one();
    }
}

impl PortSource for Ports {
    fn ports(&self) -> BoxFuture<'_, Result<Vec<WantedPort>>> {
        let now = self.now.lock().unwrap().clone();
        Box::pin(async move {
            now.ok_or_else(|| Error::Cancelled {
                what: "the network service's answer".to_owned(),
            })
        })
    }

    fn changed(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.changed.notified())
    }

    fn done<'a>(&'a self, _: &'a AgentRound) -> BoxFuture<'a, ()> {
        *self.rounds.lock().unwrap() += 1;
        Box::pin(std::future::ready(()))
    }
}

fn on(number: u32, vlan: u16) -> SpawnRequest {
    SpawnRequest {
        networks: vec![NetworkInterface::on_vlan(vlan)],
        power_on: false,
        ..request(number)
    }
}

async fn spawn(bench: &Bench, number: u32, vlan: u16) {
    let control = Control::default();
    let made = bench.driver.spawn(on(number, vlan), &control);
    made.await.unwrap();
}

async fn carried(bench: &Bench) -> BTreeSet<u16> {
    bench.driver.bridges().await.unwrap().remove(0).vlans
}

fn agent(bench: &Bench, ports: Arc<dyn PortSource>) -> NetworkAgent {
    bench.driver.network_agent(ports, AgentOptions::default())
}

fn announcing() -> Config {
    Config {
        announce_interfaces: true,
        ..config(DiskDriver::Ssp)
    }
}

/// An agent at work.
struct Works {
    rounds: mpsc::UnboundedReceiver<AgentRound>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<Result<()>>,
}

impl Works {
    fn start(agent: NetworkAgent) -> Self {
        let (told, rounds) = mpsc::unbounded_channel();
        let stop = CancellationToken::new();
        let control = Control::default().cancelled_by(stop.clone());
        let task = tokio::spawn(async move {
            agent
                .run(&control, |round| told.send(round.clone()).unwrap())
                .await
        });
        Self { rounds, stop, task }
    }

    /// The next round that something was done in, within this time.
    async fn change_within(&mut self, seconds: u64) -> Option<AgentRound> {
        let change = async {
            loop {
                let round = self.rounds.recv().await.unwrap();
                if round.changed() {
                    return round;
                }
            }
        };
        timeout(Duration::from_secs(seconds), change).await.ok()
    }

    async fn end(self) {
        self.stop.cancel();
        let ended = timeout(Duration::from_secs(60), self.task).await;
        ended.unwrap().unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn what_adapters_and_ports_need_is_bridged_and_goes_when_nobody_does() {
    for flavor in FLAVORS {
        let bench = Bench::new(flavor, DiskDriver::Ssp).await;
        let control = Control::default();
        let ports = Ports::of(&[800]);
        let mut agent = agent(&bench, ports.clone());
        // What the simulator's bridge carries for nobody goes, three at a time.
        let mut rounds = 0;
        while agent.once(&control).await.unwrap().changed() {
            rounds += 1;
            assert!(rounds < 20, "{flavor:?}: it comes to an end");
        }
        let idle = carried(&bench).await;
        assert!(idle.contains(&800), "{flavor:?}: {idle:?}");
        spawn(&bench, 1, 700).await;
        let round = agent.once(&control).await.unwrap();
        assert_eq!(round.bridges[0].provisioned, [700].into(), "{flavor:?}");
        assert!(
            round
                .problems
                .iter()
                .all(|problem| !problem.contains("VLAN"))
        );
        assert!(carried(&bench).await.is_superset(&[700, 800].into()));
        assert!(!agent.once(&control).await.unwrap().changed(), "{flavor:?}");

        ports.set("default", &[]);
        bench.destroy(1).await.unwrap();
        let round = agent.once(&control).await.unwrap();
        assert_eq!(round.bridges[0].pruned, [700, 800].into(), "{flavor:?}");
        assert_eq!(*ports.rounds.lock().unwrap(), rounds + 4);
        bench.assert_sound();
    }
}

#[tokio::test(start_paused = true)]
async fn an_interface_is_bridged_as_soon_as_it_is_told_of() {
    for flavor in FLAVORS {
        let bench = Bench::with(simulator(flavor, Weather::Calm), announcing()).await;
        let ports = Ports::of(&[]);
        let options = AgentOptions {
            prunes: false,
            ..AgentOptions::default()
        };
        let agent = bench.driver.network_agent(ports.clone(), options);
        let mut works = Works::start(agent);
        tokio::time::sleep(Duration::from_secs(60)).await;
        spawn(&bench, 1, 700).await;
        let round = works.change_within(10).await.unwrap();
        assert!(!round.heals, "{flavor:?}");
        assert_eq!(round.bridges[0].provisioned, [700].into(), "{flavor:?}");
        ports.set("default", &[801]);
        let round = works.change_within(10).await.unwrap();
        assert_eq!(round.bridges[0].provisioned, [801].into(), "{flavor:?}");
        // Nothing is taken off but when all is looked at, and here not even then.
        bench.destroy(1).await.unwrap();
        assert_eq!(works.change_within(2 * 1800).await, None);
        works.end().await;
        assert!(carried(&bench).await.is_superset(&[700, 801].into()));
    }
}

#[tokio::test(start_paused = true)]
async fn without_events_it_is_bridged_after_an_interval() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    let options = AgentOptions {
        prunes: false,
        ..AgentOptions::default()
    };
    let agent = bench.driver.network_agent(Arc::new(NoPorts), options);
    let mut works = Works::start(agent);
    tokio::time::sleep(Duration::from_secs(60)).await;
    spawn(&bench, 1, 700).await;
    let round = works.change_within(INTERVAL.as_secs()).await.unwrap();
    assert_eq!(round.bridges[0].provisioned, [700].into());
    works.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_lost_events_were_about_is_bridged_too() {
    let bench = Bench::with(simulator(Flavor::Hmc, Weather::Calm), announcing()).await;
    let options = AgentOptions {
        prunes: false,
        ..AgentOptions::default()
    };
    let agent = bench.driver.network_agent(Arc::new(NoPorts), options);
    let mut works = Works::start(agent);
    tokio::time::sleep(Duration::from_secs(60)).await;
    // A poll that is on its way for so long that the server has no room for what happens meanwhile.
    let held = Rule::new("GET", "/rest/api/uom/Event").first(1);
    let held = bench
        .simulator
        .faults()
        .add(held.delay(Duration::from_secs(300)));
    is_met(&bench.simulator, held.unwrap()).await;
    spawn(&bench, 1, 700).await;
    bench.simulator.lose_events().unwrap();
    let round = works.change_within(600).await.unwrap();
    assert!(!round.heals, "{round:?}");
    assert_eq!(round.bridges[0].provisioned, [700].into());
    works.end().await;
}

/// A trunk adapter of a Virtual I/O Server that belongs to no shared Ethernet adapter.
async fn strand_trunk(bench: &Bench, vlan: u16) {
    let world = bench.simulator.world();
    let system = world.systems_in_order()[0].uuid;
    let vios = *world.vioses.keys().next().unwrap();
    let session = bench.driver.session();
    let path = format!("ManagedSystem/{system}/VirtualSwitch");
    let switches = session.get_feed(&path, Groups::None).await.unwrap();
    let is_bridged = |entry: &&Entry| {
        let name = VirtualSwitch(&entry.content).name();
        name.is_some_and(|name| name.starts_with("ETHERNET0"))
    };
    let switch = switches.entries.iter().find(is_bridged).unwrap();
    let mut trunk = ClientNetworkAdapter::new();
    trunk
        .set_use_next_available_slot(true)
        .set_port_vlan(vlan)
        .set_virtual_switch([switch.self_href().unwrap()])
        .set_trunk_priority(1u32);
    let path = format!("VirtualIOServer/{vios}/ClientNetworkAdapter");
    session.create(&path, &trunk.0).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_bridged_keeps_nothing_else() {
    for flavor in FLAVORS {
        let bench = Bench::new(flavor, DiskDriver::Ssp).await;
        let impossible = 850;
        strand_trunk(&bench, impossible).await;
        let ports = Ports::of(&[]);
        let both = [("default", impossible), ("default", 801), ("other", 802)];
        *ports.now.lock().unwrap() = Some(
            both.map(|(network, vlan)| WantedPort {
                id: None,
                physical_network: network.to_owned(),
                vlan,
            })
            .to_vec(),
        );
        let round = agent(&bench, ports)
            .once(&Control::default())
            .await
            .unwrap();
        assert_eq!(round.bridges[0].provisioned, [801].into(), "{flavor:?}");
        let told = |part: &str| round.problems.iter().any(|problem| problem.contains(part));
        assert!(
            told(&format!("VLAN {impossible} is not bridged")),
            "{round:?}"
        );
        assert!(told("'other'"), "{round:?}");
        assert!(
            told("no label") || told("no link") || flavor == Flavor::Hmc,
            "{round:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_round_that_fails_is_repeated_and_prunes_nothing() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    let before = carried(&bench).await;
    // Nobody knows the ports: nothing goes.
    let ports = Arc::new(Ports::default());
    let mut works = Works::start(agent(&bench, ports.clone()));
    assert_eq!(works.change_within(600).await, None);
    assert_eq!(carried(&bench).await, before);
    works.end().await;

    let mut kept: Vec<u16> = before.iter().copied().collect();
    kept.push(700);
    ports.set("default", &kept);
    let fault = Rule::new("POST", "*/NetworkBridge/*")
        .nth(1)
        .answer(500, "no", "HSCL9999 no");
    bench.simulator.faults().add(fault).unwrap();
    let mut works = Works::start(agent(&bench, ports));
    let round = works.change_within(600).await.unwrap();
    assert_eq!(round.bridges[0].provisioned, [700].into());
    works.end().await;
    bench.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn trunk_adapters_that_nobody_needs_go_at_its_start() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    let ovs = "ovs=br-int,id=port-1,mac=fa:16:3e:00:00:01";
    let request = SpawnRequest {
        networks: vec![ovs.parse().unwrap()],
        power_on: false,
        ..request(1)
    };
    let control = Control::default();
    bench.driver.spawn(request, &control).await.unwrap();
    let shown = bench.driver.show(instance(1)).await.unwrap();
    let path = format!("LogicalPartition/{}/ClientNetworkAdapter", shown.summary.id);
    let session = bench.driver.session();
    let feed = session.get_feed(&path, Groups::None).await.unwrap();
    for entry in &feed.entries {
        let path = format!("{path}/{}", entry.id);
        session.ensure_deleted(&path).await.unwrap();
    }
    assert_eq!(bench.driver.trunks().await.unwrap().len(), 1);
    let round = agent(&bench, Arc::new(NoPorts))
        .once(&control)
        .await
        .unwrap();
    assert_eq!(round.swept, 1);
    assert!(bench.driver.trunks().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_tells_the_steps_and_changes_nothing() {
    let bench = Bench::new(Flavor::NovaLink, DiskDriver::Ssp).await;
    let before = carried(&bench).await;
    let mut agent = agent(&bench, Ports::of(&[700]));
    let control = Control::default().dry_run();
    let error = agent.once(&control).await.unwrap_err();
    assert!(matches!(error, Error::DryRun(_)), "{error}");
    assert_eq!(carried(&bench).await, before);
}
