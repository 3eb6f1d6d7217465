//! `powervm-harness report`

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::Context;
use powervm_report::results::{FAILED, PASSED, Results};
use powervm_report::scrub::{Known, Scrubber};
use powervm_report::tree::LogTree;
use powervm_report::{html, junit, subunit, table};
use secrecy::SecretString;

use super::arguments::Report;
use super::{Ending, Stop, print, say};

pub(super) fn report(command: &Report) -> Result<Ending, Stop> {
    let results = Results::read_all(&command.from)?;
    if let Some(path) = &command.subunit {
        put(path, |out| subunit::write(&results, out))?;
    }
    if let Some(path) = &command.junit {
        let text = junit::junit(&results)?;
        put(path, |out| out.write_all(text.as_bytes()))?;
    }
    if let Some(path) = &command.html {
        put(path, |out| html::write(&results, out))?;
    }
    if let Some(folder) = &command.logs {
        logs(command, folder)?;
        say(&format!("wrote {}", folder.display()));
    }
    if !command.quiet {
        if command.phases {
            print(&table::phases(&results));
        }
        print(&table::render(&results, None));
    }
    Ok(match results.exit_code() {
        PASSED => Ending::Passed,
        FAILED => Ending::Failed,
        _ => Ending::CouldNotRun,
    })
}

fn logs(command: &Report, folder: &Path) -> Result<(), Stop> {
    let secrets = match &command.secrets_file {
        Some(path) => fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?
            .lines()
            .map(SecretString::from)
            .collect(),
        None => Vec::new(),
    };
    let scrubber = Scrubber::new(&Known {
        secrets,
        hosts: command.hide_host.clone(),
    })?;
    let mut tree = LogTree::create(folder, &command.title, scrubber)?;
    tree.results(&command.from)?;
    if let Some(path) = &command.console {
        tree.console(open(path)?)?;
    }
    for (name, path) in &command.service {
        tree.service(name, open(path)?)?;
    }
    for (name, path) in &command.conf {
        tree.configuration(name, open(path)?)?;
    }
    Ok(tree.finish()?)
}

fn open(path: &Path) -> anyhow::Result<File> {
    File::open(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Writes a file and says so.
fn put(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> anyhow::Result<()> {
    File::create(path)
        .map(BufWriter::new)
        .and_then(|mut out| {
            write(&mut out)?;
            out.flush()
        })
        .with_context(|| format!("cannot write {}", path.display()))?;
    say(&format!("wrote {}", path.display()));
    Ok(())
}
