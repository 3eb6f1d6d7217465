//! The event log of a run: what it has to say itself, and what its jobs wrote.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

use powervm_report::event::{
    Entry, Event, Facts, RunBegins, RunEnds, TestBegins, TestEnds, Verdict,
};
use powervm_report::log::{EventReader, EventWriter, LogError};
use powervm_report::moment::Wall;

use super::lines::{self, Said};
use super::logs::opened;
use super::result::{JobResult, Outcome, RunResult};
use super::{Order, SCENARIOS, Source};

/// Most events that are taken from a job's own log.
const MOST: usize = 2_000_000;
/// Most packages that the environment is told to hold.
const MOST_PACKAGES: usize = 1000;

/// The log that a job writes itself, if it does.
pub(super) fn of_job(work: &Path, job: &str) -> PathBuf {
    work.join("events").join(format!("{job}.jsonl"))
}

/// Writes all that is known of a run into one log.
///
/// # Errors
/// It cannot be written.
pub(super) fn write(
    path: &Path,
    work: &Path,
    order: &Order,
    begun: Wall,
    result: &RunResult,
) -> Result<(), LogError> {
    let writer = EventWriter::append(path, concat!("powervm-ci ", env!("CARGO_PKG_VERSION")))?;
    let mut log = Log {
        writer,
        run: &order.run_id,
    };
    log.say(Event::RunBegins(begins(order)), begun)?;
    let packages = BufReader::new(opened(&work.join("output").join("packages.txt"))).lines();
    let facts = packages.map_while(Result::ok).filter_map(|line| {
        let (name, version) = line.split_once("==")?;
        Some((name.to_owned(), version.to_owned()))
    });
    let facts = facts.take(MOST_PACKAGES).collect();
    log.say(Event::Environment(Facts { facts }), begun)?;
    for job in &result.jobs {
        log.job(job, work, begun)?;
    }
    let could_not_run = result.outcome == Outcome::Error;
    let ends = RunEnds {
        verdict: verdict(result.outcome),
        could_not_run: could_not_run.then(|| result.why.clone().unwrap_or_default()),
    };
    log.say(
        Event::RunEnds(ends),
        begun.after(Duration::from_secs(result.seconds)),
    )
}

fn begins(order: &Order) -> RunBegins {
    let begins = RunBegins {
        target: Some("powervm-sim".to_owned()),
        ..RunBegins::default()
    };
    match &order.source {
        Source::Change {
            number,
            patch_set,
            commit,
        } => RunBegins {
            commit: commit.clone(),
            repro: Some(format!(
                "powervm-harness ci run --change {number}/{patch_set}"
            )),
            ..begins
        },
        Source::Folder(_) => begins,
    }
}

fn verdict(outcome: Outcome) -> Verdict {
    match outcome {
        Outcome::Success => Verdict::Passed,
        Outcome::Failure | Outcome::TimedOut | Outcome::Error => Verdict::Failed,
    }
}

/// The log in the making.
struct Log<'a> {
    writer: EventWriter<File>,
    run: &'a str,
}

impl Log<'_> {
    fn say(&mut self, event: Event, wall: Wall) -> Result<(), LogError> {
        self.writer.write(&Entry {
            wall: Some(wall),
            run: self.run.to_owned(),
            ..Entry::from(event)
        })
    }

    /// A test for the job itself; those that it told in its log, and those that it only printed.
    fn job(&mut self, job: &JobResult, work: &Path, begun: Wall) -> Result<(), LogError> {
        let began = begun.after(Duration::from_secs(job.after));
        let ended = began.after(Duration::from_secs(job.seconds));
        let told = self.copy(job, &of_job(work, &job.name), ended)?;
        let output = opened(&work.join("output").join(format!("{}.txt", job.name)));
        let printed = lines::said(output)
            .into_iter()
            .filter(|said| !is_told(&told, lines::unnumbered(&said.test)));
        for said in printed {
            self.test(job, said, ended, ended)?;
        }
        let whole = Said {
            test: "as a whole".to_owned(),
            verdict: verdict(job.outcome),
            reason: (job.outcome != Outcome::Success).then(|| why(job)),
        };
        self.test(job, whole, began, ended)
    }

    fn test(
        &mut self,
        job: &JobResult,
        said: Said,
        began: Wall,
        ended: Wall,
    ) -> Result<(), LogError> {
        let test = named(&job.name, &said.test);
        let begins = TestBegins {
            test: test.clone(),
            ..TestBegins::default()
        };
        self.say(Event::TestBegins(begins), began)?;
        let ends = TestEnds {
            test,
            verdict: said.verdict,
            took_us: None,
            reason: said.reason,
            audited: false,
        };
        self.say(Event::TestEnds(ends), ended)
    }

    /// Takes over what a job wrote, as a run of its own, as far as it can be read: a stranger's code ran in it. Gives
    /// the tests that it told of.
    fn copy(
        &mut self,
        job: &JobResult,
        path: &Path,
        ended: Wall,
    ) -> Result<BTreeSet<String>, LogError> {
        let mut told = BTreeSet::new();
        let (mut is_begun, mut is_over) = (false, false);
        let reader = EventReader::new(BufReader::new(opened(path)));
        for entry in reader.map_while(Result::ok).take(MOST) {
            is_begun = true;
            is_over |= matches!(entry.event, Event::RunEnds(_));
            let mut entry = Entry {
                run: job.name.clone(),
                ..entry
            };
            if let Event::TestEnds(ends) = &entry.event {
                told.insert(ends.test.clone());
            }
            if told.len() > lines::MOST {
                break;
            }
            if let Some(test) = entry.event.test_mut()
                && !test.is_empty()
                && job.name != SCENARIOS
            {
                *test = named(&job.name, test);
            }
            // A longer name may make a line too long for readers; the log does without it.
            match self.writer.write(&entry) {
                Err(LogError::TooLong { .. }) => {}
                written => written?,
            }
        }
        if is_begun && !is_over {
            // It was ended.
            let entry = Entry {
                run: job.name.clone(),
                wall: Some(ended),
                ..Entry::from(Event::RunEnds(RunEnds {
                    verdict: Verdict::Failed,
                    could_not_run: None,
                }))
            };
            self.writer.write(&entry)?;
        }
        Ok(told)
    }
}

/// Whether a name that was printed is one of these: where a reason follows, less of a name with colons may be read.
fn is_told(told: &BTreeSet<String>, printed: &str) -> bool {
    let longer = format!("{printed}: ");
    let next = told.range(longer.clone()..).next();
    told.contains(printed) || next.is_some_and(|name| name.starts_with(&longer))
}

fn why(job: &JobResult) -> String {
    let counts = job.counts.iter().map(|counts| format!(": {counts}"));
    [job.outcome.word().to_owned()]
        .into_iter()
        .chain(counts)
        .collect()
}

/// Two programs may have checks of the same name.
fn named(job: &str, test: &str) -> String {
    format!("{job}: {test}")
}
