//! `powervm-harness ci run`

use std::env;
use std::path::PathBuf;

use crate::config::Config;
use crate::run::{self, Order, Programs, RunResult, Source};
use crate::vote;

use super::{Run, Stop, print, runtime, until_signal};

pub(super) fn run(command: &Run) -> Result<u8, Stop> {
    let config = Config::load(&command.config)?;
    let (source, default) = match (&command.change, &command.source) {
        (Some((number, patch_set)), _) => {
            let commit = command.commit.clone();
            let name = format!("{number}-{patch_set}");
            (
                Source::Change {
                    number: *number,
                    patch_set: *patch_set,
                    commit,
                },
                name,
            )
        }
        (None, Some(folder)) => {
            let folder = folder
                .canonicalize()
                .map_err(|error| Stop::Other(format!("{}: {error}", folder.display())))?;
            (Source::Folder(folder), "manual".to_owned())
        }
        (None, None) => return Err(Stop::Other("there is nothing to run".to_owned())),
    };
    let run_id = command.run_id.clone().unwrap_or(default);
    let logs = command
        .logs
        .clone()
        .unwrap_or_else(|| config.logs.join(&run_id));
    let logs = std::path::absolute(logs).map_err(|error| Stop::Other(error.to_string()))?;
    let config = absolute(config)?;
    let order = Order {
        source,
        run_id,
        logs,
    };
    let programs = programs(&config)?;
    check(&config)?;
    let result = runtime()?.block_on(async {
        let cancel = until_signal()?;
        Ok::<_, Stop>(run::run(&config, &order, &programs, cancel).await)
    })?;
    print(&told(&result));
    if order.logs.is_dir() {
        print(&format!("logs: {}\n", order.logs.display()));
    }
    Ok(result.outcome.exit_code())
}

/// Programs are started in other folders than this one.
fn absolute(mut config: Config) -> Result<Config, Stop> {
    let run = &mut config.run;
    let mut paths: Vec<&mut PathBuf> = vec![
        &mut config.state,
        &mut config.logs,
        &mut run.checkout,
        &mut run.package,
    ];
    paths.extend(run.work.as_mut());
    paths.extend(run.constraints.as_mut());
    for path in paths {
        *path = std::path::absolute(&*path).map_err(|error| Stop::Other(error.to_string()))?;
    }
    Ok(config)
}

/// Looks for the files that a run needs: it would miss them minutes after its begin, and say that it could not run.
pub(super) fn check(config: &Config) -> Result<(), Stop> {
    let run = &config.run;
    let conformance = run.checkout.join("conformance");
    let pins = conformance.join("requirements").join("nova-today.txt");
    let constraints = run.constraints.clone().unwrap_or(pins);
    let programs = run.programs.iter().map(|name| {
        let file = conformance.join(format!("{name}.py"));
        (file, "checkout and programs name")
    });
    let wanted = [
        (run.package.clone(), "package names"),
        (constraints, "checkout or constraints name"),
    ];
    for (path, key) in wanted.into_iter().chain(programs) {
        if !path.exists() {
            let why = format!("there is no {}, which {key} in [run]", path.display());
            return Err(Stop::Other(why));
        }
    }
    Ok(())
}

/// Ourselves, and the simulator beside us unless the configuration names one.
fn programs(config: &Config) -> Result<Programs, Stop> {
    let harness = env::current_exe()
        .map_err(|error| Stop::Other(format!("this program cannot be found: {error}")))?;
    let simulator = config
        .run
        .simulator
        .clone()
        .unwrap_or_else(|| harness.with_file_name("powervm-sim"));
    if !simulator.is_file() {
        let why = format!(
            "there is no {}: build powervm-sim, or name it as simulator in [run]",
            simulator.display()
        );
        return Err(Stop::Other(why));
    }
    Ok(Programs { harness, simulator })
}

fn told(result: &RunResult) -> String {
    let mut text = String::new();
    for job in &result.jobs {
        let counts = job
            .counts
            .as_deref()
            .map(|counts| format!(" ({counts})"))
            .unwrap_or_default();
        let took = vote::duration(job.seconds);
        text.push_str(&format!(
            "{}: {} in {took}{counts}\n",
            job.name,
            job.outcome.word()
        ));
    }
    if let Some(why) = &result.why {
        text.push_str(&format!("{why}\n"));
    }
    text.push_str(&format!(
        "{} in {}\n",
        result.outcome.word(),
        vote::duration(result.seconds)
    ));
    text
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn files_that_a_run_needs_are_missed_before_it_begins() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ci.toml");
        fs::write(
            &path,
            "name = \"powervm\"\ncontact = \"https://wiki.example.org/ci\"\nstate = \"state\"\nlogs = \"logs\"\n\
             logs_url = \"https://ci.example.org\"\n[gerrit]\n[run]\ncheckout = \"checkout\"\npackage = \"ours.whl\"\n",
        )
        .unwrap();
        let config = Config::load(&path).unwrap();
        for name in [
            "ours.whl",
            "checkout/conformance/requirements/nova-today.txt",
            "checkout/conformance/nova_today.py",
        ] {
            let told = check(&config).unwrap_err().to_string();
            let file = folder.path().join(name);
            assert!(told.contains(&file.display().to_string()), "{told}");
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "").unwrap();
        }
        assert!(check(&config).is_ok());
    }
}
