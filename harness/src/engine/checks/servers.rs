//! Servers after a step: as ordered, in the right state, in the right place.

use std::collections::BTreeSet;

use crate::report::Check;
use crate::scenario::{Action, Deed, Expect};
use crate::target::{Order, ServerView};

use super::super::looks::Looks;
use super::super::operation::{Done, Outcome};
use super::super::step::Surroundings;

/// Servers have their names, the size of their flavors, and the interfaces and volumes that they were given.
pub(super) fn as_ordered(
    around: &Surroundings<'_>,
    outcomes: &[Outcome],
    looks: &Looks,
) -> Vec<Check> {
    let mut checks = Vec::new();
    for outcome in outcomes {
        let server = &outcome.operation.instance.server;
        let (Ok(done), Some(order)) = (&outcome.result, &outcome.operation.order) else {
            continue;
        };
        let action = &outcome.operation.work.action;
        if let Done::View(view) = done {
            checks.push(size(view, order, action));
        }
        let Some(Ok(look)) = looks.get(server) else {
            continue;
        };
        if !matches!(done, Done::View(_)) && changes(action) {
            checks.push(size(look, order, action));
        }
        checks.extend(devices(look, order));
        checks.extend(addresses(around, outcome, look));
    }
    checks
}

/// Whether what was done could change what a server is made of.
fn changes(action: &Action) -> bool {
    !matches!(
        action,
        Action::Do(
            Deed::Stop
                | Deed::Start
                | Deed::Reboot(_)
                | Deed::Snapshot(_)
                | Deed::Console
                | Deed::Rescue(_)
        )
    )
}

fn size(view: &ServerView, order: &Order, action: &Action) -> Check {
    // So its partition is called until its new size is confirmed.
    let is_pending = matches!(action, Action::Do(Deed::Resize(_)));
    let own = view.name.strip_prefix("resize_").filter(|_| is_pending);
    let same = own.unwrap_or(&view.name) == order.instance.name
        && view.vcpus.is_none_or(|vcpus| vcpus == order.size.vcpus)
        && view
            .memory_mb
            .is_none_or(|memory| memory == order.size.memory_mb);
    let number =
        |number: Option<u64>| number.map_or("unknown".to_owned(), |number| number.to_string());
    let (vcpus, memory) = (number(view.vcpus.map(u64::from)), number(view.memory_mb));
    Check::that(
        format!("{} is as ordered", order.instance.server),
        same,
        format!("{}, vcpus {vcpus}, memory {memory} MB", view.name),
    )
}

/// Interfaces in the order in which they were given, and as many volumes.
fn devices(view: &ServerView, order: &Order) -> Vec<Check> {
    let server = &order.instance.server;
    let mut checks = Vec::new();
    if let Some(interfaces) = &view.interfaces {
        let vlans: Vec<u16> = interfaces.iter().map(|(vlan, _)| *vlan).collect();
        checks.push(Check::that(
            format!("{server} has interfaces on the VLANs {:?}", order.networks),
            vlans == order.networks,
            format!("{vlans:?}"),
        ));
    }
    if let Some(volumes) = view.volumes
        && (volumes > 0 || !order.volumes.is_empty())
    {
        checks.push(Check::that(
            format!("{server} has {} volumes", order.volumes.len()),
            volumes == order.volumes.len(),
            format!("{volumes}"),
        ));
    }
    checks
}

/// A server keeps the addresses of its interfaces whatever is done to it, but for those that come and go.
fn addresses(around: &Surroundings<'_>, outcome: &Outcome, view: &ServerView) -> Option<Check> {
    let server = &outcome.operation.instance.server;
    let before = around.deployed.addresses(server)?;
    let interfaces = view.interfaces.as_ref()?;
    let now: BTreeSet<String> = interfaces.iter().map(|(_, mac)| mac.clone()).collect();
    let kept = match &outcome.operation.work.action {
        Action::Do(Deed::AttachInterface(_)) => before.is_subset(&now),
        Action::Do(Deed::DetachInterface(_)) => now.is_subset(before),
        _ => now == *before,
    };
    Some(Check::that(
        format!("{server} keeps its addresses"),
        kept,
        format!("{} before, {} after", list(before), list(&now)),
    ))
}

fn list(addresses: &BTreeSet<String>) -> String {
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    addresses.join(" ")
}

/// The servers are in the state that the step expects.
pub(super) fn state(expect: &Expect, looks: &Looks) -> Option<Check> {
    let wanted = expect.state.as_ref()?;
    let what = format!("the state is {wanted}");
    Some(every(what, looks, |view| {
        (view.state == *wanted)
            .then_some(())
            .ok_or_else(|| view.state.clone())
    }))
}

/// The servers are on the host that the step expects.
pub(super) fn place(expect: &Expect, looks: &Looks) -> Option<Check> {
    let wanted = expect.host?;
    let what = format!("the host is {wanted}");
    Some(every(what, looks, |view| {
        (view.host == wanted)
            .then_some(())
            .ok_or_else(|| format!("on host {}", view.host))
    }))
}

/// That something is so of every server that the step left there, and that there is one.
fn every(what: String, looks: &Looks, is_so: impl Fn(&ServerView) -> Result<(), String>) -> Check {
    for (server, look) in looks {
        match look.as_ref().map(&is_so) {
            Ok(Ok(())) => {}
            Ok(Err(is)) => return Check::that(what, false, format!("{server} is {is}")),
            Err(failure) => return Check::that(what, false, format!("{server}: {failure}")),
        }
    }
    Check::that(
        what,
        !looks.is_empty(),
        format!("{} looked at", looks.len()),
    )
}
