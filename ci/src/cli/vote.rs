//! `powervm-harness ci vote`

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use crate::backoff::Backoff;
use crate::config::Config;
use crate::run::ResultFile;
use crate::vote::{self, Ballot, Cast};

use super::{Stop, Vote, gerrit, print, runtime, say, seed, until_signal};

pub(super) fn vote(command: &Vote) -> Result<u8, Stop> {
    let config = Config::load(&command.config)?;
    let file = ResultFile::read(&command.logs).map_err(|error| {
        Stop::Other(format!("no result in {}: {error}", command.logs.display()))
    })?;
    let Some(review) = vote::review(&config, &file.run_id, &file.result) else {
        say("the run could not run, which says nothing of the change: nothing is said");
        return Ok(0);
    };
    if command.dry_run {
        let label = review
            .labels
            .iter()
            .map(|(label, vote)| format!("{label}{vote:+}"));
        let label = label.collect::<Vec<_>>().join(" ");
        let label = if label.is_empty() {
            "no vote".to_owned()
        } else {
            label
        };
        print(&format!(
            "{}\n# tag {}, {label}\n",
            review.message.trim_end(),
            review.tag
        ));
        return Ok(0);
    }
    let (Some(change), Some(patch_set), Some(commit)) =
        (file.change, file.patch_set, file.commit.clone())
    else {
        let why = "the run was of a folder, or no patch set was fetched (ci run --change N/M)";
        return Err(Stop::Other(why.to_owned()));
    };
    let gerrit = gerrit(&config)?;
    if !gerrit.has_credentials() {
        return Err(Stop::Other(
            "[gerrit] has no username and password_file to say it with".to_owned(),
        ));
    }
    let intention = command.logs.join("vote.json");
    let ballot = Ballot {
        run_id: file.run_id,
        change,
        patch_set,
        commit,
        is_first: !command.again,
        is_resumed: intention.exists(),
        review,
    };
    runtime()?.block_on(async {
        let cancel = until_signal()?;
        let own = gerrit.own_account().await?;
        let mut backoff = Backoff::new(Duration::from_secs(5), Duration::from_secs(300), seed(&config));
        let intend = || intend(&intention, &ballot);
        let cast = tokio::select! {
            () = cancel.cancelled() => return Err(Stop::Other("it was broken off; call it again".to_owned())),
            cast = vote::cast(&gerrit, &own, &ballot, &mut backoff, intend) => cast?,
        };
        match cast {
            Cast::Said => say("Gerrit has it"),
            Cast::WasSaid => say("Gerrit has had it before: nothing was said"),
            Cast::Outdated(why) => say(&format!("nothing was said: {why}")),
            Cast::Unwanted => {}
            Cast::Refused(error) => return Err(error.into()),
        }
        Ok(0)
    })
}

/// Written down before it is sent, beside the result that it is about.
fn intend(path: &Path, ballot: &Ballot) -> Result<bool, Stop> {
    let write = || -> std::io::Result<()> {
        let text = serde_json::json!({"run_id": ballot.run_id, "change": ballot.change, "patch_set": ballot.patch_set});
        let mut file = File::create(path)?;
        writeln!(file, "{text}")?;
        file.sync_all()
    };
    write()
        .map_err(|error| Stop::Other(format!("{}: {error}; nothing was said", path.display())))?;
    Ok(true)
}
