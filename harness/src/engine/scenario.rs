//! One scenario: a host opened, the steps, the clean-up, the audit.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::audit::{Audit, Inventory, Policy, compare};
use crate::image::{Image, derived_uuid, hex};
use crate::report::{ScenarioReport, StepReport, Verdict};
use crate::scenario::{Action, Scenario, Work};
use crate::stats::millis;
use crate::target::{
    Capacity, Failure, Host, Instance, Opening, Order, PhaseWatch, Target, TargetError,
};

use super::Settings;
use super::observer::{Event, Observer};
use super::operation::{Operation, Outcome};
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
            policy,
            began,
            earlier: &report.steps,
        };
        let step_report = match step::run(step, &around).await {
            Ok((step_report, outcomes)) => {
                deployed.note(&outcomes);
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
    for instance in deployed.begun.values() {
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

fn unwatched() -> PhaseWatch {
    Arc::new(|_, _| {})
}

/// The servers of a scenario that steps began to deploy, and those that are there.
#[derive(Debug, Default)]
pub(super) struct Deployed {
    begun: BTreeMap<String, Instance>,
    there: BTreeMap<String, Order>,
}

impl Deployed {
    /// What a server that is there was ordered as.
    pub(super) fn order(&self, server: &str) -> Option<&Order> {
        self.there.get(server)
    }

    fn note(&mut self, outcomes: &[Outcome]) {
        for outcome in outcomes {
            let instance = &outcome.operation.instance;
            match (&outcome.operation.work.action, &outcome.result) {
                (Action::Create(_), result) => {
                    self.begun.insert(instance.server.clone(), instance.clone());
                    if let (Ok(_), Some(order)) = (result, &outcome.operation.order) {
                        self.there.insert(instance.server.clone(), order.clone());
                    }
                }
                (Action::Delete, Ok(_)) => {
                    self.there.remove(&instance.server);
                }
                _ => {}
            }
        }
    }

    /// Deletes the servers that no step deleted.
    async fn clean_up(&mut self, host: &dyn Host) -> Vec<String> {
        let mut lines = Vec::new();
        let never = CancellationToken::new();
        for Order { instance, .. } in std::mem::take(&mut self.there).into_values() {
            lines.push(match host.delete(&instance, unwatched(), &never).await {
                Ok(()) => format!("deleted {}", instance.server),
                Err(failure) => format!("could not delete {}: {failure}", instance.server),
            });
        }
        lines
    }
}

/// Gives servers their partition names and UUIDs: the same seed and scenario, the same names.
#[derive(Debug, Clone)]
pub(super) struct Names {
    seed: [u8; 8],
    scenario: String,
    prefix: String,
}

impl Names {
    pub(super) fn new(seed: u64, scenario: &str) -> Self {
        let seed = seed.to_be_bytes();
        let tag = derived_uuid(&[b"run", &seed, scenario.as_bytes()]);
        let tag = hex(tag.as_bytes().get(12..).unwrap_or_default());
        Self {
            seed,
            scenario: scenario.to_owned(),
            prefix: format!("ph{tag}"),
        }
    }

    /// The instance that a server of the scenario is.
    pub(super) fn instance(&self, server: &str) -> Instance {
        Instance {
            server: server.to_owned(),
            // The server's name first: the names of local disks take the first characters only.
            name: format!("{server}-{}", self.prefix),
            uuid: derived_uuid(&[
                b"instance",
                &self.seed,
                self.scenario.as_bytes(),
                server.as_bytes(),
            ]),
        }
    }

    /// The operation that `work` is on this server, its amounts taken from what the host has left.
    pub(super) fn operation(
        &self,
        work: &Work,
        server: &str,
        capacity: Capacity,
        image: &Image,
    ) -> Operation {
        let mut instance = self.instance(server);
        let Action::Create(spec) = &work.action else {
            return Operation {
                instance,
                work: work.clone(),
                order: None,
            };
        };
        if let Some(other) = &spec.named_like {
            instance.name = self.instance(other).name;
        }
        let order = Order {
            instance: instance.clone(),
            vcpus: spec.flavor.vcpus,
            memory_mb: spec
                .flavor
                .memory_mb
                .resolve(capacity.memory_free_mb, capacity.memory_region_mb),
            root_gb: spec.flavor.root_gb.resolve(capacity.disk_free_gb, 1),
            extra_specs: spec.flavor.extra_specs.clone(),
            networks: spec.networks.clone(),
            config_drive: spec.config_drive,
            power_on: spec.power_on,
            // An image of its own for every scenario, so that a cache is as cold as the scenario wants it.
            image: image.labelled(&format!("{}-{}", self.prefix, spec.image)),
        };
        Operation {
            instance,
            work: work.clone(),
            order: Some(order),
        }
    }
}
