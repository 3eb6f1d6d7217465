//! Running the cases of a matrix, and telling what comes of them while they run.

use std::sync::{Mutex, PoisonError};

use super::Selection;
use super::pool::{self, Panicked};
use super::report::{CaseFailure, Ended, MatrixReport, SubjectReport};
use super::stage::Stage;
use super::subjects::Subject;

/// What happens while a matrix runs.
#[derive(Debug)]
pub enum News<'n> {
    /// This many cases are to be run, of that many operations.
    Planned {
        /// Operations.
        operations: usize,
        /// Cases.
        cases: usize,
    },
    /// A case ended as it has to.
    Passed,
    /// A case, or an operation without any fault, did not.
    Failed(&'n CaseFailure),
    /// All cases of an operation have ended.
    Operation(&'n SubjectReport),
}

/// Told of the news, from several threads.
pub type Watch<'w> = &'w (dyn Fn(News<'_>) + Sync);

/// What is to be done with one operation.
struct Work<C> {
    stage: Stage,
    cases: Vec<C>,
}

/// Prepares every operation, deals out its cases, and plays them all.
pub(super) fn run<C: Send + Sync>(
    matrix: &'static str,
    selection: &Selection,
    watch: Watch<'_>,
    deal: impl Fn(usize, &Stage) -> Vec<C> + Sync,
    play: impl Fn(&Stage, &C) -> Ended + Sync,
) -> MatrixReport {
    let mut report = MatrixReport::new(matrix, selection.seed);
    let works = prepare(selection, &deal, |failure| {
        watch(News::Failed(&failure));
        report.failures.push(failure);
    });
    let all = || works.iter().enumerate();
    let cases: Vec<(usize, &C)> = all()
        .flat_map(|(number, work)| work.cases.iter().map(move |case| (number, case)))
        .collect();
    watch(News::Planned {
        operations: works.len(),
        cases: cases.len(),
    });
    let ended: Mutex<Vec<Vec<(usize, Ended)>>> = Mutex::new(all().map(|_| Vec::new()).collect());
    let one = |(number, case): &(usize, &C)| works.get(*number).map(|work| play(&work.stage, case));
    pool::run(&cases, selection.threads, one, |place, outcome| {
        let Some((number, _)) = cases.get(place) else {
            return;
        };
        let Some(work) = works.get(*number) else {
            return;
        };
        let end = match outcome {
            Ok(Some(end)) => end.clone(),
            Ok(None) | Err(Panicked) => panicked(place),
        };
        match end.failure(&work.stage.subject) {
            None => watch(News::Passed),
            Some(failure) => watch(News::Failed(&failure)),
        }
        let mut ended = ended.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(own) = ended.get_mut(*number) else {
            return;
        };
        own.push((place, end));
        if own.len() == work.cases.len() {
            let ends = own.iter().map(|(_, end)| end);
            watch(News::Operation(&SubjectReport::of(&work.stage, ends)));
        }
    });
    let ended = ended.into_inner().unwrap_or_else(PoisonError::into_inner);
    for (work, mut ends) in works.iter().zip(ended) {
        ends.sort_by_key(|(place, _)| *place);
        report.add(&work.stage, ends.into_iter().map(|(_, end)| end).collect());
    }
    report
}

/// Does each operation once, with nothing going wrong. One that does not work then has no cases.
fn prepare<C: Send + Sync>(
    selection: &Selection,
    deal: &(impl Fn(usize, &Stage) -> Vec<C> + Sync),
    mut failed: impl FnMut(CaseFailure),
) -> Vec<Work<C>> {
    let subjects: Vec<(usize, Subject)> = selection.numbered();
    let set = |(number, subject): &(usize, Subject)| {
        let stage = Stage::set(*subject, selection.seed)?;
        let cases = deal(*number, &stage);
        anyhow::Ok(Work { stage, cases })
    };
    let stages = pool::run(&subjects, selection.threads, set, |_, _| {});
    let mut works = Vec::new();
    for (stage, (_, subject)) in stages.into_iter().zip(&subjects) {
        let problem = match stage {
            Ok(Ok(work)) => {
                works.push(work);
                continue;
            }
            Ok(Err(error)) => format!("{error:#}"),
            Err(Panicked) => "it panicked".to_owned(),
        };
        failed(CaseFailure {
            operation: subject.full_name(),
            case: "nothing goes wrong".to_owned(),
            problem,
        });
    }
    works
}

fn panicked(place: usize) -> Ended {
    Ended {
        kind: "panic".to_owned(),
        case: format!("case {place}"),
        outcome: Err("it panicked".to_owned()),
    }
}
