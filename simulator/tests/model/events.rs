//! What the event log tells of changes.

use powervm_simulator::model::events::EventData;
use powervm_simulator::model::names::EventKind;
use powervm_simulator::model::{Command, Outcome, Owner, Resource};

use super::support::{Room, lu, mapping};

fn take(room: &mut Room) -> Vec<(EventKind, Option<Resource>, String)> {
    let Outcome::Events(events) = room.done(Command::TakeEvents {
        application: "test".to_owned(),
    }) else {
        panic!()
    };
    events
        .iter()
        .map(|event| {
            let resource = match &event.data {
                EventData::Resource { resource, .. } => Some(*resource),
                _ => None,
            };
            (event.kind, resource, event.detail.clone())
        })
        .collect()
}

#[test]
fn the_life_of_a_partition_is_told() {
    let mut room = Room::novalink();
    assert_eq!(
        take(&mut room),
        [(EventKind::NewClient, None, String::new())]
    );
    assert!(take(&mut room).is_empty());
    let client = room.partition_named("one");
    let resource = Resource::LogicalPartition(client);
    let events = take(&mut room);
    assert_eq!(
        events[0],
        (EventKind::AddUri, Some(resource), String::new())
    );
    room.plug(Owner::Partition(client), |_| {}).unwrap();
    assert!(
        take(&mut room)
            .iter()
            .any(|event| event.0 == EventKind::AddUri
                && matches!(event.1, Some(Resource::ClientNetworkAdapter { .. })))
    );
    room.power(client, "PowerOn", &[]);
    let details: Vec<String> = take(&mut room)
        .into_iter()
        .filter(|event| event.1 == Some(resource))
        .map(|event| event.2)
        .collect();
    assert_eq!(details, ["PartitionState,ReferenceCode,Other"; 2]);
    room.power(client, "PowerOff", &[("immediate", "true")]);
    take(&mut room);
    room.done(crate::support::delete_partition(client));
    let events = take(&mut room);
    assert_eq!(
        events[0],
        (EventKind::DeleteUri, Some(resource), String::new())
    );
}

#[test]
fn partitions_stand_under_their_system_even_when_they_go() {
    let mut room = Room::novalink();
    let client = room.partition_named("one");
    take(&mut room);
    room.done(crate::support::delete_partition(client));
    let Outcome::Events(events) = room.done(Command::TakeEvents {
        application: "test".to_owned(),
    }) else {
        panic!()
    };
    let expected = EventData::Resource {
        resource: Resource::LogicalPartition(client),
        system: Some(room.system()),
    };
    assert_eq!(events[0].data, expected);
}

#[test]
fn a_mapping_is_told_of_both_ends_and_the_unit() {
    let mut room = Room::novalink();
    let client = room.partition_named("one");
    let unit = room.unit("lu", 1, None);
    let udid = room.unit_udid(unit);
    take(&mut room);
    room.map(0, vec![mapping(client, lu(&udid))]).unwrap();
    let events = take(&mut room);
    let vios = Resource::VirtualIoServer(room.vioses()[0]);
    assert!(events.contains(&(
        EventKind::ModifyUri,
        Some(vios),
        "VirtualSCSIMappings".to_owned()
    )));
    assert!(events.contains(&(
        EventKind::ModifyUri,
        Some(Resource::LogicalPartition(client)),
        "Other".to_owned()
    )));
    let unit = Resource::LogicalUnit {
        tier: room.tier(),
        unit,
    };
    assert!(events.contains(&(EventKind::ModifyUri, Some(unit), "LogicalUnit".to_owned())));
}

#[test]
fn clients_may_tell_something_themselves() {
    let mut room = Room::novalink();
    take(&mut room);
    let push = Command::PushEvent {
        data: "http://x/LogicalPartition/1".to_owned(),
        detail: "{\"action\":\"plug\"}".to_owned(),
    };
    let Outcome::Event(event) = room.done(push) else {
        panic!()
    };
    assert_eq!(event.kind, EventKind::CustomClientEvent);
    assert_eq!(
        take(&mut room),
        [(
            EventKind::CustomClientEvent,
            None,
            "{\"action\":\"plug\"}".to_owned()
        )]
    );
    room.done(Command::ForgetEvents {
        application: "test".to_owned(),
    });
    assert_eq!(take(&mut room)[0].0, EventKind::NewClient);
}

#[test]
fn refused_commands_tell_nothing() {
    let mut room = Room::novalink();
    take(&mut room);
    room.refused(crate::support::delete_partition(
        room.world.partitions.keys().next().copied().unwrap(),
    ));
    assert!(take(&mut room).is_empty());
}
