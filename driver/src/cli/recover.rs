//! `powervm recover`

use serde::Serialize;

use super::arguments::{Connection, Place, Recover};
use super::connection::journal_path;
use super::output::{Output, Table};
use crate::error::{Error, Result};
use crate::journal::{Journal, JournalFile, Outcome, Record};
use crate::operations::{Control, Driver, Interrupted, Plan};

/// Shows what is not over, or what was; asks the server nothing.
pub(super) async fn show(
    connection: &Connection,
    place: &Place,
    verb: &Recover,
    output: &Output,
) -> Result<()> {
    let path = journal_path(connection, place)?;
    let (pending, history) = if path.exists() {
        let journal = JournalFile::open(&path, None).await?;
        match verb.history {
            None => (journal.pending().await?, Vec::new()),
            Some(most) => (Vec::new(), journal.history(most).await?),
        }
    } else {
        (Vec::new(), Vec::new())
    };
    if verb.history.is_some() {
        return output.print(&history, |history| ended(history));
    }
    let pending: Vec<Interrupted> = pending.iter().map(Interrupted::of).collect();
    output.print(&pending, |pending| interrupted(pending))
}

/// Finishes or undoes what is not over before a command that changes something. What cannot be recovered now is told,
/// and keeps nothing from being done.
pub(super) async fn first(driver: &Driver, control: &Control) -> Result<()> {
    for recovered in driver.recover(control).await? {
        let title = &recovered.was.title;
        match recovered.result {
            Ok(()) => eprintln!(
                "recovered: {}: '{title}', which was interrupted",
                done(recovered.was.plan)
            ),
            Err(error) => eprintln!(
                "warning: '{title}' was interrupted and could not be recovered now (see powervm recover): {error}"
            ),
        }
    }
    Ok(())
}

/// Finishes or undoes what is not over, and tells what became of it. The first failure decides the exit code.
pub(super) async fn apply(driver: &Driver, output: &Output, control: &Control) -> Result<()> {
    let recovered = driver.recover(control).await?;
    let first: Option<Error> = recovered.iter().find_map(|one| one.result.clone().err());
    let told: Vec<Told> = recovered
        .into_iter()
        .map(|one| Told {
            error: one.result.err().map(|error| error.to_string()),
            was: one.was,
        })
        .collect();
    output.print(&told, |told| {
        let mut table = Table::with(&["ID", "Operation", "Result"]);
        for one in told {
            let result = one.error.as_deref().unwrap_or(done(one.was.plan));
            table.row([
                one.was.id.to_string(),
                one.was.title.clone(),
                result.to_owned(),
            ]);
        }
        table
    })?;
    first.map_or(Ok(()), Err)
}

#[derive(Serialize)]
struct Told {
    #[serde(flatten)]
    was: Interrupted,
    error: Option<String>,
}

fn done(plan: Option<Plan>) -> &'static str {
    match plan {
        Some(Plan::Undo) => "undone",
        Some(Plan::Finish) => "finished",
        None => "unknown",
    }
}

fn interrupted(pending: &[Interrupted]) -> Table {
    let mut table = Table::with(&["ID", "Operation", "Begun", "Steps begun", "Will be"]);
    for one in pending {
        table.row([
            one.id.to_string(),
            one.title.clone(),
            moment(one.begun_at),
            one.steps.join(", "),
            done(one.plan).to_owned(),
        ]);
    }
    table
}

fn ended(history: &[Record]) -> Table {
    let mut table = Table::with(&["ID", "Operation", "Begun", "Result"]);
    for one in history {
        let result = match &one.ended {
            None => "not over".to_owned(),
            Some(Outcome::Done) => "done".to_owned(),
            Some(Outcome::Failed { error }) => error.clone(),
            Some(Outcome::Finished) => "finished after an interruption".to_owned(),
            Some(Outcome::Undone) => "undone after an interruption".to_owned(),
        };
        table.row([
            one.id.to_string(),
            one.beginning.title.clone(),
            moment(one.begun_at),
            result,
        ]);
    }
    table
}

/// Seconds since 1970 as a moment in UTC, in the form of RFC 3339.
fn moment(seconds: Option<u64>) -> String {
    let text = |seconds| {
        let at = jiff::Timestamp::from_second(i64::try_from(seconds).ok()?).ok()?;
        Some(at.to_string())
    };
    seconds.and_then(text).unwrap_or_default()
}
