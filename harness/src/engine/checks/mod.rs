//! What is looked at after a step.

mod servers;

use crate::audit::{Inventory, compare};
use crate::image::Image;
use crate::report::{Check, StepReport};
use crate::scenario::{Action, Expect, Step, Used};
use crate::stats::human;
use crate::target::Content;

use super::looks::Looks;
use super::operation::Outcome;
use super::step::Surroundings;

/// Makes every check that the step calls for, in a fixed order.
pub(super) async fn all(
    step: &Step,
    around: &Surroundings<'_>,
    report: &StepReport,
    outcomes: &[Outcome],
    looks: &Looks,
    listed: Option<Vec<String>>,
    before: Option<Vec<Inventory>>,
) -> Vec<Check> {
    let mut checks = Vec::new();
    checks.extend(outcome(&step.expect, outcomes));
    checks.extend(servers::as_ordered(around, outcomes, looks));
    checks.extend(image(around, outcomes).await);
    checks.extend(servers::state(&step.expect, looks));
    checks.extend(servers::place(&step.expect, looks));
    checks.extend(list(&step.expect, around, listed).await);
    if let Some(before) = before {
        checks.push(untouched(around, &before).await);
    }
    if let Some(wanted) = &step.expect.used {
        checks.extend(used(around, wanted).await);
    }
    checks.extend(durations(&step.expect, around, report));
    checks.extend(traffic(&step.expect, report));
    checks
}

/// The operations that had to be refused were, and every other one succeeded.
fn outcome(expect: &Expect, outcomes: &[Outcome]) -> Vec<Check> {
    let mut checks = Vec::new();
    let refused: Vec<&Outcome> = outcomes
        .iter()
        .filter(|outcome| outcome.result.is_err())
        .collect();
    let Some(expected) = &expect.refused else {
        for outcome in refused {
            let (server, verb) = (
                &outcome.operation.instance.server,
                outcome.operation.work.action.verb(),
            );
            let detail = match &outcome.result {
                Err(failure) => failure.to_string(),
                Ok(_) => String::new(),
            };
            checks.push(Check::that(
                format!("{verb} {server} succeeds"),
                false,
                detail,
            ));
        }
        return checks;
    };
    let wanted = expected.count.unwrap_or(outcomes.len());
    let what = format!("{wanted} of {} refused: {}", outcomes.len(), expected.kind);
    checks.push(Check::that(
        what,
        refused.len() == wanted,
        format!("{} refused", refused.len()),
    ));
    for outcome in refused {
        let Err(failure) = &outcome.result else {
            continue;
        };
        let server = &outcome.operation.instance.server;
        let kind = failure.kind == expected.kind;
        checks.push(Check::that(
            format!("{server} is refused for {}", expected.kind),
            kind,
            failure.to_string(),
        ));
        if let Some(text) = &expected.message {
            let holds = failure
                .message
                .to_lowercase()
                .contains(&text.to_lowercase());
            checks.push(Check::that(
                format!("the refusal of {server} says {text:?}"),
                holds,
                failure.message.clone(),
            ));
        }
    }
    checks
}

/// The image that a server's boot disk is to hold.
fn ordered(outcome: &Outcome) -> Option<&Image> {
    outcome.operation.order.as_ref()?.image.as_ref()
}

/// What lies in the disks of deployed servers is the image.
async fn image(around: &Surroundings<'_>, outcomes: &[Outcome]) -> Option<Check> {
    let created: Vec<&Outcome> = outcomes
        .iter()
        .filter(|outcome| {
            let wrote = match &outcome.operation.work.action {
                Action::Create(_) => true,
                Action::Do(deed) => deed.writes_disk(),
                Action::Show | Action::Delete => false,
            };
            wrote && outcome.result.is_ok() && ordered(outcome).is_some()
        })
        .collect();
    let first = created.first()?;
    let what = "the disks hold the image (SHA-256)";
    let mut same = 0;
    for outcome in &created {
        let Some(image) = ordered(outcome) else {
            continue;
        };
        match around.host.content(&outcome.operation.instance).await {
            Content::Sha256 { sha256, bytes, .. }
                if bytes == image.bytes && sha256.eq_ignore_ascii_case(&image.sha256) =>
            {
                same += 1;
            }
            Content::Sha256 {
                disk,
                bytes,
                sha256,
            } => {
                let image = format!("{} bytes, {}", image.bytes, image.sha256);
                return Some(Check::that(
                    what,
                    false,
                    format!("{disk} holds {bytes} bytes, {sha256}, not {image}"),
                ));
            }
            Content::Missing(why) => return Some(Check::that(what, false, why)),
            Content::NotCheckable(why) => return Some(Check::not_checkable(what, why)),
        }
    }
    let sha256 = ordered(first)
        .map(|image| image.sha256.as_str())
        .unwrap_or_default();
    Some(Check::that(
        what,
        same == created.len(),
        format!("{same} of {} hold {sha256}", created.len()),
    ))
}

/// What the hypervisor takes for itself at most of the servers of a scenario that counts memory: each that runs has a
/// page table of some memory regions (`docs/protocol/partitions.md`).
const PAGE_TABLES_MB: i64 = 512;

/// What the driver counts as in use is more by as much as it should be.
async fn used(around: &Surroundings<'_>, wanted: &Used) -> Vec<Check> {
    let now = match around.host.usage().await {
        Ok(now) => now,
        Err(failure) => {
            let what = "the host says what is in use";
            return vec![Check::that(what, false, failure.to_string())];
        }
    };
    let mut checks = Vec::new();
    let before = &around.used;
    if let Some(wanted) = wanted.memory_mb {
        let more = now.memory_mb - before.memory_mb;
        let tables = more - wanted;
        let what = format!("{wanted} MB of memory more are in use, page tables aside");
        let same = tables == 0 || wanted > 0 && (0..=PAGE_TABLES_MB).contains(&tables);
        checks.push(Check::that(what, same, format!("{more}")));
    }
    let mut number = |wanted: Option<i64>, more: i64, what: &str| {
        if let Some(wanted) = wanted {
            let what = format!("{wanted} {what} more are in use");
            checks.push(Check::that(what, more == wanted, format!("{more}")));
        }
    };
    number(wanted.disk_gb, now.disk_gb - before.disk_gb, "GB of disk");
    if let Some(wanted) = wanted.proc_units {
        let more = now.proc_units - before.proc_units;
        let what = format!("{wanted} processing units more are in use");
        // The hypervisor counts in hundredths.
        checks.push(Check::that(
            what,
            (more - wanted).abs() < 0.005,
            format!("{more:.2}"),
        ));
    }
    checks
}

/// The host lists the servers that it should, and no others of the scenario.
async fn list(
    expect: &Expect,
    around: &Surroundings<'_>,
    listed: Option<Vec<String>>,
) -> Vec<Check> {
    if expect.listed.is_empty() && expect.absent.is_empty() {
        return Vec::new();
    }
    let listed = match listed {
        Some(listed) => listed,
        None => match around.host.list().await {
            Ok(listed) => listed,
            Err(failure) => {
                return vec![Check::that(
                    "the servers can be listed",
                    false,
                    failure.to_string(),
                )];
            }
        },
    };
    let there = |server: &String| listed.contains(&around.names.instance(server).name);
    let mut checks = Vec::new();
    for server in &expect.listed {
        checks.push(Check::that(
            format!("{server} is listed"),
            there(server),
            format!("{} servers", listed.len()),
        ));
    }
    for server in &expect.absent {
        checks.push(Check::that(
            format!("{server} is not listed"),
            !there(server),
            format!("{} servers", listed.len()),
        ));
    }
    checks
}

/// The step left the host as it was.
async fn untouched(around: &Surroundings<'_>, before: &[Inventory]) -> Check {
    let what = "the host is as before the step";
    match around.host.inventory().await {
        Err(failure) => Check::that(what, false, failure.to_string()),
        Ok(after) => {
            let audit = compare(before, &after, around.policy);
            let findings: Vec<String> = audit.findings.iter().map(ToString::to_string).collect();
            let detail = if findings.is_empty() {
                audit.compared.join("; ")
            } else {
                findings.join("; ")
            };
            Check::that(what, audit.is_clean(), detail)
        }
    }
}

/// The step took no longer than it may.
fn durations(expect: &Expect, around: &Surroundings<'_>, report: &StepReport) -> Vec<Check> {
    let mut checks = Vec::new();
    let makespan = report.summary.makespan_ms;
    if let Some(limit) = expect.within_s {
        let holds = makespan as f64 <= limit * 1000.0;
        checks.push(Check::that(
            format!("it ends within {limit} s"),
            holds,
            human(makespan),
        ));
    }
    if let Some(bound) = &expect.makespan {
        let what = format!("it ends within {} times {:?}", bound.times, bound.of);
        let other = around
            .earlier
            .iter()
            .find(|step| step.name == bound.of)
            .map(|step| step.summary.makespan_ms);
        let other = other.unwrap_or_default();
        let ratio = makespan as f64 / other.max(1) as f64;
        let detail = format!(
            "{} against {}: {ratio:.2} times",
            human(makespan),
            human(other)
        );
        let meant = bound.weather.is_empty() || bound.weather.contains(&around.target.weather);
        checks.push(if !around.target.virtual_clock {
            Check::not_checkable(
                what,
                format!("{detail}; only a clock of the harness's own makes that a bound"),
            )
        } else if !meant {
            Check::not_checkable(
                what,
                format!(
                    "{detail}; the bound is meant for {} weather",
                    bound.weather.join(", ")
                ),
            )
        } else {
            Check::that(what, ratio <= bound.times, detail)
        });
    }
    checks
}

/// The step sent no more than it may.
fn traffic(expect: &Expect, report: &StepReport) -> Vec<Check> {
    let mut checks = Vec::new();
    let operations = report.operations.len().max(1) as f64;
    if let Some(uploads) = expect.image_uploads {
        let seen = report.traffic.image_uploads;
        checks.push(Check::that(
            format!("{uploads} image uploads in all"),
            seen == uploads,
            format!("{seen} seen"),
        ));
    }
    if let Some(limit) = expect.mapping_writes {
        let each = report.traffic.most_mapping_writes() as f64 / operations;
        let what = format!("at most {limit} mapping writes to a Virtual I/O Server per operation");
        let counts: Vec<String> = report
            .traffic
            .mapping_writes
            .values()
            .map(ToString::to_string)
            .collect();
        let detail = format!(
            "{each:.2}; {} in all",
            if counts.is_empty() {
                "0".to_owned()
            } else {
                counts.join(" + ")
            }
        );
        checks.push(Check::that(what, each <= limit, detail));
    }
    if let Some(limit) = expect.requests {
        let each = report.requests_per_operation;
        checks.push(Check::that(
            format!("at most {limit} requests per operation"),
            each <= limit,
            format!("{each}"),
        ));
    }
    checks
}
