//! The four exhaustive loops over every saga: repeat every step, fail at every step, repeat every undo, and kill at
//! every record of the journal. Before them, a dry run, which may change nothing.

use std::collections::BTreeSet;

use anyhow::{Context, bail};
use http::Method;
use powervm_driver::Error;
use powervm_driver::operations::Control;
use powervm_driver::saga::Rehearsal;

use super::report::{Ended, MatrixReport};
use super::stage::{Scene, Stage};
use super::subjects::Failed;
use super::wire::{AtRecord, Written};
use super::{
    Selection, crashes,
    run::{self, Watch},
};

/// One turn of a loop.
#[derive(Debug, Clone)]
enum Turn {
    /// It only tells its steps.
    Tell,
    /// This step is run twice.
    Repeat(String),
    /// The record of this number cannot be written: the step does not run, or counts as failed.
    Fail(usize),
    /// As the last step fails, the undo of this one is run twice.
    RepeatUndo(String, usize),
    /// The driver dies before or after it wrote that record.
    Kill(AtRecord),
}

/// Runs the loops.
#[must_use]
pub fn run(selection: &Selection, watch: Watch<'_>) -> MatrixReport {
    let deal = |subject: usize, stage: &Stage| -> Vec<Turn> {
        let last = stage.records.len();
        let kills = selection.strikes(subject, last, KILLS.len(), |_, _| true);
        let kill = |(number, kind): (usize, usize)| Some(Turn::Kill(KILLS.get(kind)?(number)));
        let mut turns = turns(&stage.records, stage.subject.no_return());
        turns.extend(kills.into_iter().filter_map(kill));
        turns
    };
    run::run("sagas", selection, watch, deal, case)
}

/// How a driver dies at a record.
const KILLS: [fn(usize) -> AtRecord; 2] = [AtRecord::DiesBefore, AtRecord::DiesAfter];

fn turns(records: &[Written], no_return: Option<&str>) -> Vec<Turn> {
    let mut turns = vec![Turn::Tell];
    let numbered = || (1..).zip(records);
    let ends = numbered().filter(|(_, record)| record.step.is_some() && record.what == "end");
    let is_decided = |record: &Written| no_return.is_some() && record.step.as_deref() == no_return;
    let decided = numbered().find(|(_, record)| is_decided(record));
    let decided = decided.map_or(usize::MAX, |(number, _)| number);
    let is_undone = |number: &usize| *number < decided;
    let last_end = ends
        .clone()
        .map(|(number, _)| number)
        .filter(is_undone)
        .last();
    for (number, record) in ends {
        let Some(step) = &record.step else { continue };
        turns.push(Turn::Repeat(step.clone()));
        let last_end = last_end.filter(|_| is_undone(&number));
        turns.extend(last_end.map(|last| Turn::RepeatUndo(step.clone(), last)));
    }
    for (number, record) in numbered() {
        if record.step.is_some() {
            turns.push(Turn::Fail(number));
        }
    }
    turns
}

fn case(stage: &Stage, turn: &Turn) -> Ended {
    let record = |number: usize| {
        let written = stage.records.get(number - 1);
        written.map_or_else(String::new, |written| {
            let step = written.step.as_deref().unwrap_or("the operation");
            format!("record {number}, {} of '{step}'", written.what)
        })
    };
    let (kind, case) = match turn {
        Turn::Tell => ("dry run", "the steps".to_owned()),
        Turn::Repeat(step) => ("step repeated", format!("'{step}'")),
        Turn::Fail(number) => ("step failed", record(*number)),
        Turn::RepeatUndo(step, _) => ("undo repeated", format!("'{step}'")),
        Turn::Kill(AtRecord::DiesBefore(number)) => ("killed before a record", record(*number)),
        Turn::Kill(AtRecord::DiesAfter(number) | AtRecord::Refuses(number)) => {
            ("killed after a record", record(*number))
        }
    };
    let outcome = match turn {
        // What a dead driver had begun waits for ever.
        Turn::Kill(_) => stage.play(async |scene| play(scene, turn).await),
        _ => stage.play_to_the_end(async |scene| play(scene, turn).await),
    };
    Ended {
        kind: kind.to_owned(),
        case: format!("{kind}: {case}"),
        outcome: outcome.map_err(|error| format!("{error:#}")),
    }
}

async fn play(scene: &Scene<'_>, turn: &Turn) -> anyhow::Result<&'static str> {
    let subject = scene.stage.subject;
    let actor = scene.actor().await?;
    let control = match turn {
        Turn::Tell => {
            actor.line.arm(Vec::new());
            Control::default().dry_run()
        }
        Turn::Repeat(step) => Control::default().rehearsing(Rehearsal {
            repeat_step: Some(step.clone()),
            ..Rehearsal::default()
        }),
        Turn::RepeatUndo(step, last) => {
            actor.line.arm_journal(AtRecord::Refuses(*last));
            Control::default().rehearsing(Rehearsal {
                repeat_undo: Some(step.clone()),
                ..Rehearsal::default()
            })
        }
        Turn::Fail(number) => {
            actor.line.arm_journal(AtRecord::Refuses(*number));
            Control::default()
        }
        Turn::Kill(at) => {
            actor.line.arm_journal(*at);
            Control::default()
        }
    };
    let outcome = tokio::select! {
        () = actor.line.death() => return crashes::inherit(scene).await,
        outcome = actor.run(&control) => outcome,
    };
    let may_be_owed = outcome.is_err() && subject.failed() == Failed::Repeatable;
    if !may_be_owed {
        scene.nothing_is_pending().await?;
    }
    match (turn, outcome) {
        (Turn::Tell, Err(Error::DryRun(outline))) => {
            let steps: BTreeSet<&str> = outline.steps.iter().map(|step| &*step.name).collect();
            let done = scene
                .stage
                .records
                .iter()
                .filter_map(|record| record.step.as_deref());
            if let Some(untold) = done.into_iter().find(|step| !steps.contains(step)) {
                bail!("the dry run does not tell the step '{untold}'");
            }
            let mut calls = actor.line.calls().into_iter();
            if let Some(call) = calls.find(|call| call.method != Method::GET) {
                bail!("the dry run sends {} {}", call.method, call.path);
            }
            scene.is_as_before().await?;
            Ok("told")
        }
        (Turn::Tell, outcome) => bail!("no dry run: {outcome:?}"),
        (Turn::Kill(_), outcome) => bail!("the driver lives: {outcome:?}"),
        (Turn::Repeat(_), outcome) => {
            outcome.context("a repeated step fails it")?;
            scene.is_content_right()?;
            match subject.reverse() {
                Some(reverse) => {
                    reverse(&actor.driver, &Control::default()).await?;
                    scene.is_as_before().await?;
                }
                None => scene.is_as_after().await?,
            }
            Ok("succeeded")
        }
        // Past the step that decides, it goes on to its end.
        (Turn::Fail(_), Ok(())) if subject.no_return().is_some() && scene.was_done().await? => {
            scene.is_as_after().await?;
            Ok("succeeded")
        }
        (_, Ok(())) => bail!("it succeeded although a step failed"),
        (_, Err(Error::Saga(failure))) if !failure.left_behind.is_empty() => {
            bail!("something could not be undone: {failure}")
        }
        (_, Err(_)) if !scene.is_repeatable().await? => {
            scene.is_as_before().await?;
            Ok("undone")
        }
        (_, Err(_)) => {
            let repeated = actor.run(&Control::default()).await;
            repeated.context("it cannot be repeated")?;
            // What had begun to remove something stays in the journal until it is finished.
            scene.nothing_is_pending().await?;
            scene.is_as_after().await?;
            Ok("repeated")
        }
    }
}
