//! Results as tables or JSON, and failures that say what to do.

use std::io::Write;
use std::process::ExitCode;

use serde::Serialize;
use serde_json::{Value, json};

use super::exit;
use crate::error::{Error, ErrorKind, Result, printable};
use crate::operations::{NovaMethod, nova_exception};

/// How results are printed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    json: bool,
    method: Option<NovaMethod>,
}

impl Output {
    pub(super) fn new(json: bool) -> Self {
        Self { json, method: None }
    }

    /// What Nova would have asked the driver for to have this done.
    pub(super) fn of(self, method: NovaMethod) -> Self {
        Self {
            method: Some(method),
            ..self
        }
    }

    /// Whether a program reads the output.
    pub(super) fn is_json(self) -> bool {
        self.json
    }

    /// Prints a value: as JSON, or as the table made of it.
    pub(super) fn print<T: Serialize>(
        self,
        value: &T,
        table: impl FnOnce(&T) -> Table,
    ) -> Result<()> {
        let text = if self.json {
            let text = serde_json::to_string_pretty(value);
            text.map_err(|error| {
                Error::caused(
                    ErrorKind::Internal,
                    "the result is no JSON",
                    "report it",
                    error,
                )
            })?
        } else {
            table(value).to_string()
        };
        put(&text)
    }

    /// Prints one of many values on a line of its own.
    pub(super) fn line<T: Serialize>(
        self,
        value: &T,
        words: impl FnOnce(&T) -> String,
    ) -> Result<()> {
        if self.json {
            let text = serde_json::to_string(value);
            put(&text
                .map_err(|error| Error::internal(format!("the result is no JSON: {error}")))?)
        } else {
            put(&printable(&words(value)))
        }
    }

    /// Prints an error and returns its exit code.
    pub(super) fn failure(self, error: &Error) -> ExitCode {
        let code = exit::code(error);
        if self.json {
            let _ = put(&described(error, code, self.method).to_string());
        } else {
            eprintln!("{}", in_words(error));
        }
        ExitCode::from(code)
    }
}

/// Prints a text and the end of its line.
pub(super) fn put(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Error::caused(
            ErrorKind::Local,
            format!("the result cannot be printed: {error}"),
            "check where standard output goes",
            error,
        )),
        Ok(()) => Ok(()),
    }
}

fn described(error: &Error, code: u8, method: Option<NovaMethod>) -> Value {
    let left_behind: Vec<Value> = error
        .left_behind()
        .iter()
        .map(|left| json!({"step": left.step, "error": left.error.to_string()}))
        .collect();
    let mut said = json!({
        "message": error.to_string(),
        "kind": format!("{:?}", error.kind()),
        "exit_code": code,
        "remedy": error.remedy(),
    });
    if let Some(said) = said.as_object_mut() {
        let status = error.status().map(|status| status.as_u16());
        for (name, value) in [
            ("reason_code", json!(error.reason_code())),
            ("http_status", json!(status)),
        ] {
            if !value.is_null() {
                said.insert(name.to_owned(), value);
            }
        }
        if let Error::Saga(failure) = error {
            said.insert("step".to_owned(), json!(failure.step));
            said.insert("undone".to_owned(), json!(left_behind.is_empty()));
        }
        if matches!(error, Error::Saga(_)) || !left_behind.is_empty() {
            said.insert("left_behind".to_owned(), json!(left_behind));
        }
        if let Some(exception) = method.and_then(|method| nova_exception(method, error)) {
            said.insert("nova_exception".to_owned(), json!(exception.name()));
        }
    }
    json!({"error": said})
}

/// What failed, in which step, why, what became of what was made already.
fn in_words(error: &Error) -> String {
    let Error::Saga(failure) = error else {
        return format!("error: {error}");
    };
    let step = failure
        .step
        .as_deref()
        .map_or_else(String::new, |step| format!(" at the step '{step}'"));
    let mut text = format!(
        "error: could not {}: it failed{step}\n  why: {}",
        failure.saga, failure.error
    );
    for other in &failure.others {
        text.push_str(&format!(
            "\n  and: '{}' failed too: {}",
            other.step, other.error
        ));
    }
    let left_behind = failure.all_left_behind();
    if left_behind.is_empty() {
        text.push_str("\n  undone: everything that it had made was removed again");
    }
    for left in left_behind {
        text.push_str(&format!(
            "\n  left behind: '{}' could not be undone; the next command that changes something tries again, \
             otherwise remove it by hand: {}",
            left.step, left.error
        ));
    }
    text
}

/// Rows of cells under headings.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these headings.
    pub(super) fn with(headings: &[&str]) -> Self {
        let mut table = Self::default();
        table.row(headings.iter().copied());
        table
    }

    /// A table of fields and values.
    pub(super) fn of_fields() -> Self {
        Self::with(&["Field", "Value"])
    }

    /// Adds a row. What servers say cannot drive the terminal.
    pub(super) fn row<C: ToString>(&mut self, cells: impl IntoIterator<Item = C>) -> &mut Self {
        self.rows.push(
            cells
                .into_iter()
                .map(|cell| printable(&cell.to_string()))
                .collect(),
        );
        self
    }

    /// Adds a field with its value.
    pub(super) fn field(&mut self, name: &str, value: impl ToString) -> &mut Self {
        self.row([name.to_owned(), value.to_string()])
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            self.rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let rule = widths
            .iter()
            .map(|width| "-".repeat(width + 2))
            .collect::<Vec<_>>()
            .join("+");
        let line = |row: &[String]| {
            let cells = widths.iter().enumerate().map(|(column, width)| {
                format!(" {:width$} ", row.get(column).map_or("", String::as_str))
            });
            format!("|{}|", cells.collect::<Vec<_>>().join("|"))
        };
        writeln!(formatter, "+{rule}+")?;
        for (number, row) in self.rows.iter().enumerate() {
            writeln!(formatter, "{}", line(row))?;
            if number == 0 {
                writeln!(formatter, "+{rule}+")?;
            }
        }
        write!(formatter, "+{rule}+")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saga::{SagaFailure, StepFailure};

    #[test]
    fn tables_are_aligned_and_harmless() {
        let mut table = Table::with(&["ID", "Name"]);
        table.row(["1", "größer"]).row(["22", "b\u{1b}[2J"]);
        let text = table.to_string();
        let widths: Vec<usize> = text.lines().map(|line| line.chars().count()).collect();
        assert!(widths.iter().all(|width| *width == widths[0]), "{text}");
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn a_failed_deploy_says_step_reason_and_what_is_left() {
        let error = Error::operation(ErrorKind::NoSpace, "the pool is full", "free some");
        let left = StepFailure {
            step: "create the boot disk".to_owned(),
            error: Error::internal("gone"),
        };
        let mut failure = SagaFailure {
            saga: "create web".to_owned(),
            step: Some("provide the image".to_owned()),
            error,
            others: Vec::new(),
            left_behind: Vec::new(),
        };
        let text = in_words(&failure.clone().into());
        for part in [
            "could not create web",
            "'provide the image'",
            "the pool is full; free some",
            "removed again",
        ] {
            assert!(text.contains(part), "{text}");
        }
        failure.left_behind.push(left);
        let error = Error::from(failure);
        assert!(in_words(&error).contains("left behind: 'create the boot disk'"));
        let value = described(&error, 8, Some(NovaMethod::Spawn));
        assert_eq!(
            value["error"]["left_behind"][0]["step"],
            "create the boot disk"
        );
        assert_eq!(value["error"]["exit_code"], 8);
        assert_eq!(value["error"]["remedy"], "free some");
        assert_eq!(value["error"]["undone"], false);
        assert_eq!(
            value["error"]["nova_exception"],
            "ComputeResourcesUnavailable"
        );
    }
}
