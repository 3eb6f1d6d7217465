//! What a NovaLink does not see it does not change: of several in one machine room each manages its own system.

use super::kind::Kind;
use super::monitored::Monitored;
use super::problem::Problem;
use super::target::{Action, Target, no_such_job};
use crate::model::{Command, Refusal, World};

/// 404 for a path through something that is not in sight.
pub(crate) fn require(target: &Target, seen: &World) -> Result<(), Problem> {
    for step in &target.steps {
        let Some(id) = step.id else {
            continue;
        };
        let there = match step.kind {
            Kind::ManagementConsole => seen.console_named(id).is_some(),
            Kind::ManagedSystem => seen.systems.contains_key(&id),
            Kind::LogicalPartition => seen.partitions.contains_key(&id),
            Kind::VirtualIoServer => seen.vioses.contains_key(&id),
            Kind::File => seen.files.contains_key(&id),
            _ => true,
        };
        if !there {
            return Err(Refusal::not_found(step.kind.name(), id).into());
        }
    }
    match &target.action {
        Action::Job(id) | Action::CancelJob(id) if !seen.jobs.contains_key(id) => {
            Err(no_such_job(&id.to_string()))
        }
        Action::Monitoring(Monitored::Preferences(system))
            if !seen.systems.contains_key(system) =>
        {
            Err(Refusal::not_found("ManagedSystem", *system).into())
        }
        _ => Ok(()),
    }
}

/// 404 for a body that names something that is not in sight, and a refusal by a NovaLink that does not control its
/// system.
pub(crate) fn require_named(command: &Command, seen: &World) -> Result<(), Problem> {
    seen.check_control(command)?;
    match command {
        Command::CreateFile(create) if !seen.vioses.contains_key(&create.vios) => {
            Err(Refusal::not_found("VirtualIOServer", create.vios).into())
        }
        _ => Ok(()),
    }
}
