//! Runs the stages of `cargo xtask test`: announces, times and sums up.

use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;

use crate::stages::{self, STAGES, Stage};
use crate::watch::Stopwatch;
use crate::workspace::Workspace;

/// Which stages to run.
#[derive(Debug, Default, Args)]
pub(crate) struct Selection {
    /// Only these stages (and what they need), comma-separated.
    #[arg(long, value_delimiter = ',', value_name = "STAGE", value_parser = known_stage)]
    only: Vec<String>,
    /// Not these stages, comma-separated.
    #[arg(long, value_delimiter = ',', value_name = "STAGE", value_parser = known_stage)]
    skip: Vec<String>,
    /// List the stages and stop.
    #[arg(long)]
    list: bool,
}

fn known_stage(name: &str) -> Result<String, String> {
    if stages::named(name).is_some() {
        return Ok(name.to_owned());
    }
    let names: Vec<_> = STAGES.iter().map(|stage| stage.name).collect();
    Err(format!("the stages are {}", names.join(", ")))
}

impl Selection {
    /// The chosen stages in their order.
    fn stages(&self) -> impl Iterator<Item = &'static Stage> + '_ {
        STAGES.iter().filter(|stage| {
            let wanted = self.only.is_empty()
                || self.only.iter().any(|name| {
                    name == stage.name
                        || stages::named(name)
                            .is_some_and(|wanted| wanted.needs.contains(&stage.name))
                });
            wanted && !self.skip.iter().any(|name| name == stage.name)
        })
    }
}

/// How a stage ended.
#[derive(Debug)]
enum Ending {
    Passed,
    /// With what it said and what to do.
    Failed(String),
    Skipped(&'static str),
}

/// Runs the chosen stages, goes on after a failure, and fails at the end if any did.
pub(crate) fn run(workspace: &Workspace, selection: &Selection) -> Result<()> {
    if selection.list {
        for stage in STAGES {
            println!("{:<12} {}", stage.name, stage.about);
        }
        return Ok(());
    }
    let mut endings: Vec<(&'static str, Ending, Duration)> = Vec::new();
    for stage in selection.stages() {
        let lacking = stage.needs.iter().find(|need| {
            endings
                .iter()
                .any(|(name, ending, _)| name == *need && !matches!(ending, Ending::Passed))
        });
        if let Some(need) = lacking {
            endings.push((stage.name, Ending::Skipped(need), Duration::ZERO));
            continue;
        }
        eprintln!("\n==> {}: {}", stage.name, stage.about);
        let watch = Stopwatch::start();
        let outcome = (stage.run)(workspace);
        let took = watch.elapsed();
        let ending = match outcome {
            Ok(()) => {
                eprintln!("<== {}: passed in {:.1} s", stage.name, took.as_secs_f64());
                Ending::Passed
            }
            Err(error) => {
                let said = format!("{error:#}\n    what to do: {}", stage.advice);
                eprintln!(
                    "<== {}: FAILED after {:.1} s: {said}",
                    stage.name,
                    took.as_secs_f64()
                );
                Ending::Failed(said)
            }
        };
        endings.push((stage.name, ending, took));
    }
    sum_up(&endings)
}

/// Prints a line a stage, and then again what the failed ones said: the end of a log is what is read.
fn sum_up(endings: &[(&'static str, Ending, Duration)]) -> Result<()> {
    println!("\nstage          seconds  result");
    for (name, ending, took) in endings {
        let result = match ending {
            Ending::Passed => "passed".to_owned(),
            Ending::Failed(_) => "FAILED".to_owned(),
            Ending::Skipped(need) => format!("NOT RUN: {need} failed"),
        };
        println!("{name:<12} {:>9.1}  {result}", took.as_secs_f64());
    }
    if endings.is_empty() {
        bail!("no stage was chosen");
    }
    let failed: Vec<_> = endings
        .iter()
        .filter_map(|(name, ending, _)| match ending {
            Ending::Passed => None,
            Ending::Failed(said) => Some(format!("\n{name}: {said}")),
            Ending::Skipped(need) => Some(format!("\n{name}: not run, {need} failed")),
        })
        .collect();
    if !failed.is_empty() {
        bail!("not passed:{}", failed.concat());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(only: &[&str], skip: &[&str]) -> Vec<&'static str> {
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let selection = Selection {
            only: own(only),
            skip: own(skip),
            list: false,
        };
        selection.stages().map(|stage| stage.name).collect()
    }

    #[test]
    fn only_brings_along_what_a_stage_needs() {
        assert_eq!(names(&["test"], &[]), ["recordings", "test"]);
        assert_eq!(names(&["clippy", "fmt"], &[]), ["fmt", "clippy"]);
    }

    #[test]
    fn everything_runs_unless_told_otherwise() {
        assert_eq!(names(&[], &[]).len(), STAGES.len());
        assert!(!names(&[], &["conformance"]).contains(&"conformance"));
    }

    #[test]
    fn an_unknown_stage_is_refused_with_the_names() {
        let error = known_stage("lint").unwrap_err();
        assert!(error.contains("clippy"), "{error}");
    }

    #[test]
    fn a_failed_or_skipped_stage_fails_the_run() {
        let took = Duration::from_secs(1);
        assert!(sum_up(&[("fmt", Ending::Passed, took)]).is_ok());
        let failed = Ending::Failed("it is bent".to_owned());
        let error = sum_up(&[("fmt", failed, took)]).unwrap_err();
        assert_eq!(error.to_string(), "not passed:\nfmt: it is bent");
        assert!(sum_up(&[("test", Ending::Skipped("recordings"), took)]).is_err());
        assert!(sum_up(&[]).is_err());
    }
}
