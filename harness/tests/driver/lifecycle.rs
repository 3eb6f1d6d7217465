//! Events of servers that do something by themselves.

use std::time::Duration;

use powervm_driver::config::DiskDriver;
use powervm_driver::operations::{Control, LifecycleEvents, Reboot, Stop, Transition};
use powervm_driver::partition::PartitionUuid;
use powervm_simulator::model::job::incident::Incident;
use powervm_simulator::weather::Rule;
use tokio::time::{Instant, timeout};

use crate::support::*;

fn partition(number: u32) -> PartitionUuid {
    PartitionUuid::of_instance(instance(number))
}

/// Everything that happens within that many seconds.
async fn within(events: &mut LifecycleEvents, seconds: u64) -> Vec<(PartitionUuid, Transition)> {
    let mut all = Vec::new();
    let end = Instant::now() + Duration::from_secs(seconds);
    while let Ok(event) = tokio::time::timeout_at(end, events.next()).await {
        let event = event.unwrap();
        all.push((event.id, event.transition));
    }
    all
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_goes_down_is_told_of_when_it_has_settled() {
    for flavor in FLAVORS {
        let bench = Bench::new(flavor, DiskDriver::Ssp).await;
        bench.spawn(1).await.unwrap();
        let mut events = bench.driver.lifecycle();
        assert_eq!(within(&mut events, 60).await, []);
        let server = partition(1).as_uuid();
        bench
            .simulator
            .befall(server, Incident::Down, None)
            .unwrap();
        let began = Instant::now();
        let event = events.next().await.unwrap();
        assert_eq!(
            (event.id, event.transition),
            (partition(1), Transition::Stopped)
        );
        let took = began.elapsed().as_secs();
        assert!((15..27).contains(&took), "{took} s");
        bench.simulator.befall(server, Incident::Up, None).unwrap();
        assert_eq!(
            within(&mut events, 600).await,
            [(partition(1), Transition::Started)]
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_restart_is_no_stop() {
    let bench = Bench::new(FLAVORS[0], DiskDriver::Ssp).await;
    bench.spawn(1).await.unwrap();
    let mut events = bench.driver.lifecycle();
    assert_eq!(within(&mut events, 60).await, []);
    let server = partition(1).as_uuid();
    bench
        .simulator
        .befall(server, Incident::Down, None)
        .unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    bench.simulator.befall(server, Incident::Up, None).unwrap();
    assert_eq!(within(&mut events, 120).await, []);
    let control = Control::default();
    let reboot = bench.driver.reboot(instance(1), Reboot::Hard, &control);
    let (rebooted, seen) = tokio::join!(reboot, within(&mut events, 120));
    rebooted.unwrap();
    assert_eq!(seen, []);
}

#[tokio::test(start_paused = true)]
async fn operations_end_in_one_event_each() {
    let bench = Bench::new(FLAVORS[1], DiskDriver::Ssp).await;
    let mut events = bench.driver.lifecycle();
    assert_eq!(within(&mut events, 60).await, []);
    bench.spawn(1).await.unwrap();
    let started = within(&mut events, 120).await;
    assert_eq!(started, [(partition(1), Transition::Started)]);
    let control = Control::default();
    bench
        .driver
        .stop(instance(1), Stop::Hard, &control)
        .await
        .unwrap();
    let stopped = within(&mut events, 120).await;
    assert_eq!(stopped, [(partition(1), Transition::Stopped)]);
    bench.destroy(1).await.unwrap();
    let deleted = within(&mut events, 120).await;
    assert_eq!(deleted, [(partition(1), Transition::Deleted)]);
}

#[tokio::test(start_paused = true)]
async fn what_happened_while_nobody_could_listen_is_found_afterwards() {
    let bench = Bench::new(FLAVORS[0], DiskDriver::Ssp).await;
    bench.spawn(1).await.unwrap();
    bench.spawn(2).await.unwrap();
    let mut events = bench.driver.lifecycle();
    assert_eq!(within(&mut events, 60).await, []);
    // The polls fail, and the one that works again tells nothing of the time between.
    let deaf = Rule::new("GET", "/rest/api/uom/Event")
        .first(40)
        .after()
        .reset();
    bench.simulator.faults().add(deaf).unwrap();
    let server = partition(2).as_uuid();
    bench
        .simulator
        .befall(server, Incident::Down, None)
        .unwrap();
    let seen = within(&mut events, 900).await;
    assert_eq!(seen, [(partition(2), Transition::Stopped)]);
}

/// The server itself says that it dropped events, and not that a poll failed.
#[tokio::test(start_paused = true)]
async fn events_that_the_server_lost_are_made_up_for_by_one_look_at_all() {
    for flavor in FLAVORS {
        let bench = Bench::new(flavor, DiskDriver::Ssp).await;
        bench.spawn(1).await.unwrap();
        bench.spawn(2).await.unwrap();
        let mut events = bench.driver.lifecycle();
        assert_eq!(within(&mut events, 60).await, []);
        bench.calls.take();
        let server = partition(2).as_uuid();
        let down = bench.simulator.befall(server, Incident::Down, None);
        down.unwrap();
        // Before anybody has read it.
        bench.simulator.lose_events().unwrap();
        let seen = within(&mut events, 120).await;
        assert_eq!(seen, [(partition(2), Transition::Stopped)], "{flavor:?}");
        let calls = bench.calls.take();
        let looks = calls.iter().filter(|(_, path)| {
            path.split('?')
                .next()
                .unwrap()
                .ends_with("/LogicalPartition")
        });
        assert!((1..=2).contains(&looks.count()), "{flavor:?}: {calls:?}");
        assert_eq!(within(&mut events, 600).await, []);
    }
}

/// Whoever takes a restart for a stop takes the power away.
#[tokio::test(start_paused = true)]
async fn a_restart_is_no_stop_although_its_events_are_lost() {
    let bench = Bench::new(FLAVORS[0], DiskDriver::Ssp).await;
    bench.spawn(1).await.unwrap();
    let mut events = bench.driver.lifecycle();
    assert_eq!(within(&mut events, 60).await, []);
    let server = partition(1).as_uuid();
    let down = bench.simulator.befall(server, Incident::Down, None);
    down.unwrap();
    bench.simulator.lose_events().unwrap();
    assert_eq!(within(&mut events, 3).await, []);
    bench.simulator.befall(server, Incident::Up, None).unwrap();
    bench.simulator.lose_events().unwrap();
    assert_eq!(within(&mut events, 120).await, []);

    let control = Control::default();
    let reboot = bench.driver.reboot(instance(1), Reboot::Hard, &control);
    let losing = async {
        for _ in 0..60 {
            bench.simulator.lose_events().unwrap();
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    let (rebooted, (), seen) = tokio::join!(reboot, losing, within(&mut events, 120));
    rebooted.unwrap();
    assert_eq!(seen, []);
}

#[tokio::test(start_paused = true)]
async fn a_state_that_cannot_be_read_is_read_later_and_a_lost_session_ends_it() {
    let bench = Bench::new(FLAVORS[0], DiskDriver::Ssp).await;
    bench.spawn(1).await.unwrap();
    let mut events = bench.driver.lifecycle();
    assert_eq!(within(&mut events, 60).await, []);
    let busy = Rule::new("GET", "*/quick/PartitionState")
        .first(6)
        .answer(500, "no", "HSCL9999 no");
    bench.simulator.faults().add(busy).unwrap();
    let server = partition(1).as_uuid();
    bench
        .simulator
        .befall(server, Incident::Down, None)
        .unwrap();
    let seen = within(&mut events, 600).await;
    assert_eq!(seen, [(partition(1), Transition::Stopped)]);
    bench.driver.session().logoff().await.unwrap();
    let end = timeout(Duration::from_secs(60), events.next())
        .await
        .unwrap();
    assert_eq!(end, None);
}
