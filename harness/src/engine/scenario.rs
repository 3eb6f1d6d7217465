//! One scenario: a host opened, the steps, the clean-up, the audit.

use std::sync::Arc;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::audit::{Audit, Inventory, Policy, compare};
use crate::report::{ScenarioReport, StepReport, Verdict};
use crate::scenario::{Capability, Scenario};
use crate::stats::millis;
use crate::target::{Failure, Host, Opening, PhaseWatch, Target, TargetError};

use super::Settings;
use super::deployed::Deployed;
use super::names::Names;
use super::observer::{Event, Observer};
use super::step::{self, Surroundings};

/// Runs one scenario on a host of its own.
///
/// # Errors
/// When the host cannot be opened.
pub(super) async fn run(
    scenario: &Scenario,
    target: &dyn Target,
    settings: &Settings,
    observer: &dyn Observer,
) -> Result<ScenarioReport, TargetError> {
    let mut report = ScenarioReport {
        name: scenario.name.clone(),
        title: scenario.title.clone(),
        follows: scenario.follows.clone(),
        verdict: Verdict::Skipped,
        reason: None,
        took_ms: 0,
        steps: Vec::new(),
        cleanup: Vec::new(),
        audit: None,
    };
    if settings.cancel.is_cancelled() {
        report.verdict = Verdict::Cancelled;
        return Ok(report);
    }
    let capabilities = target.capabilities();
    if let Some(why) = settings.excluded.get(&scenario.name) {
        report.reason = Some(why.clone());
        return Ok(report);
    }
    let missing: Vec<&str> = scenario
        .needs
        .difference(&capabilities)
        .map(|need| need.name())
        .collect();
    if !missing.is_empty() {
        report.reason = Some(format!("the target lacks {}", missing.join(", ")));
        return Ok(report);
    }

    let host = target
        .open(Opening {
            scenario: &scenario.name,
            disk: scenario.disk,
            two_hosts: scenario.needs.contains(&Capability::TwoHosts),
        })
        .await?;
    let began = Instant::now();
    match play(
        scenario,
        host.as_ref(),
        target,
        settings,
        observer,
        began,
        &mut report,
    )
    .await
    {
        Ok(()) => {}
        Err(failure) => {
            report.verdict = Verdict::Failed;
            report.reason = Some(failure.to_string());
        }
    }
    report.took_ms = millis(began.elapsed());
    host.close().await;
    Ok(report)
}

async fn play(
    scenario: &Scenario,
    host: &dyn Host,
    target: &dyn Target,
    settings: &Settings,
    observer: &dyn Observer,
    began: Instant,
    report: &mut ScenarioReport,
) -> Result<(), Failure> {
    let description = target.describe();
    let policy = Policy::of(scenario.disk);
    let names = Names::new(settings.seed, &scenario.name);
    let before = host.inventory().await?;
    let used = host.usage().await?;
    let mut deployed = Deployed::default();

    let mut verdict = Verdict::Passed;
    for step in &scenario.steps {
        if verdict != Verdict::Passed {
            report
                .steps
                .push(StepReport::skipped(&step.name, step.verb()));
            continue;
        }
        observer.observe(&Event::StepBegins {
            scenario: &scenario.name,
            step,
        });
        let around = Surroundings {
            host,
            settings,
            observer,
            target: &description,
            names: &names,
            deployed: &deployed,
            used,
            policy,
            began,
            earlier: &report.steps,
        };
        let step_report = match step::run(step, &around).await {
            Ok((step_report, outcomes)) => {
                deployed.note(outcomes);
                step_report
            }
            Err(failure) => {
                report.reason = Some(format!("{}: {failure}", step.name));
                StepReport {
                    verdict: Verdict::Failed,
                    ..StepReport::skipped(&step.name, step.verb())
                }
            }
        };
        verdict = step_report.verdict;
        observer.observe(&Event::StepEnds {
            scenario: &scenario.name,
            report: &step_report,
        });
        report.steps.push(step_report);
    }

    report.cleanup = deployed.clean_up(host).await;
    report.cleanup.extend(host.put_away().await);
    let audit = compare(&before, &host.inventory().await?, policy);
    if !audit.is_clean() {
        report
            .cleanup
            .extend(sweep(&deployed, host, &before, policy).await);
        verdict = if verdict == Verdict::Cancelled {
            verdict
        } else {
            Verdict::Failed
        };
    }
    report.audit = Some(audit);
    report.verdict = verdict;
    Ok(())
}

/// Removes what can be found by instance after an audit has failed, so that a real host is not left with it. What
/// the audit found stays found.
async fn sweep(
    deployed: &Deployed,
    host: &dyn Host,
    before: &[Inventory],
    policy: Policy,
) -> Vec<String> {
    let mut lines = Vec::new();
    let never = CancellationToken::new();
    for instance in deployed.begun() {
        if let Err(failure) = host.delete(instance, unwatched(), &never).await {
            lines.push(format!(
                "could not remove what {} left: {failure}",
                instance.server
            ));
        }
    }
    match host.inventory().await {
        Ok(after) => {
            let rest: Audit = compare(before, &after, policy);
            lines.extend(
                rest.findings
                    .iter()
                    .map(|finding| format!("still there after sweeping: {finding}")),
            );
        }
        Err(failure) => lines.push(format!("could not look again after sweeping: {failure}")),
    }
    lines
}

pub(super) fn unwatched() -> PhaseWatch {
    Arc::new(|_, _| {})
}
