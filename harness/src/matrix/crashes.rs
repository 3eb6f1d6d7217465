//! The crash matrix: the driver is gone at each request of each operation, and another one takes up its journal.

use anyhow::{Context, bail};
use powervm_driver::journal::Outcome;
use powervm_driver::operations::Control;
use powervm_driver::{Error, ErrorKind};

use super::report::{Ended, MatrixReport};
use super::stage::{Scene, Stage};
use super::wire::Strike;
use super::{
    Selection,
    run::{self, Watch},
};

/// How a driver dies: what reports call it, and at which request.
type Death = (&'static str, fn(usize) -> Strike);

const DEATHS: [Death; 3] = [
    ("before the request is sent", Strike::DiesBefore),
    ("before the answer is there", Strike::DiesAfter),
    ("while the request is on its way", Strike::DiesMeanwhile),
];

/// Runs the matrix.
#[must_use]
pub fn run(selection: &Selection, watch: Watch<'_>) -> MatrixReport {
    let deal = |subject: usize, stage: &Stage| -> Vec<(usize, Death)> {
        let dealt = selection.strikes(subject, stage.calls.len(), DEATHS.len(), |_, _| true);
        let death = |(number, kind): (usize, usize)| Some((number, *DEATHS.get(kind)?));
        dealt.into_iter().filter_map(death).collect()
    };
    run::run(
        "crashes",
        selection,
        watch,
        deal,
        |stage, (number, death)| case(stage, *number, *death),
    )
}

fn case(stage: &Stage, number: usize, (how, death): Death) -> Ended {
    let call = stage
        .calls
        .get(number - 1)
        .map(|call| format!("{} {}", call.method, call.path))
        .unwrap_or_default();
    let outcome = stage.play(async |scene| play(scene, death(number)).await);
    Ended {
        kind: how.to_owned(),
        case: format!("{how}, request {number}: {call}"),
        outcome: outcome.map_err(|error| format!("{error:#}")),
    }
}

async fn play(scene: &Scene<'_>, strike: Strike) -> anyhow::Result<&'static str> {
    let control = Control::default();
    let victim = scene.struck_actor(vec![strike]).await?;
    tokio::select! {
        () = victim.line.death() => {}
        outcome = victim.run(&control) => {
            bail!("the operation ended without meeting its end: {outcome:?}");
        }
    }
    inherit(scene).await
}

/// Another driver takes up the journal; then the operation is repeated.
pub(super) async fn inherit(scene: &Scene<'_>) -> anyhow::Result<&'static str> {
    let subject = scene.stage.subject;
    let control = Control::default();
    let heir = scene
        .actor()
        .await
        .context("the next driver does not start")?;
    let was_told = !scene.pending().await?.is_empty();
    heir.recover(&control).await?;
    scene.nothing_is_pending().await?;
    let was_done = scene.was_done().await?;
    let ending = match (subject.has_two_hosts(), scene.outcome().await?) {
        (true, _) if was_done => "done",
        (true, _) if was_told => "undone",
        (true, _) | (false, None) => "not begun",
        (false, Some(Outcome::Done)) => "done",
        (false, Some(Outcome::Finished)) => "finished",
        (false, Some(Outcome::Undone)) => "undone",
        (false, Some(Outcome::Failed { error })) => {
            bail!("it failed before the driver died: {error}")
        }
    };
    match ending {
        "undone" | "not begun" => scene.is_as_before().await,
        _ => scene.is_as_after().await,
    }
    .context("after the recovery")?;
    match heir.run(&control).await {
        // It was done but for the answer; a second server of that kind is refused.
        Err(error) if was_done && is_there_already(&error) => {}
        repeated => repeated.context("the operation cannot be repeated")?,
    }
    scene.nothing_is_pending().await?;
    scene.is_content_right()?;
    match subject.reverse() {
        // What a second try makes may have other numbers than what the first would have made.
        Some(reverse) => {
            reverse(&heir.driver, &control)
                .await
                .context("what was repeated cannot be taken back")?;
            scene.is_as_before().await
        }
        None => scene.is_as_after().await,
    }
    .context("after the repetition")?;
    Ok(ending)
}

fn is_there_already(error: &Error) -> bool {
    error.kind() == ErrorKind::Exists
}
