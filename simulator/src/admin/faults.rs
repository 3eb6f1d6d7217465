//! Fault rules as JSON.
//!
//! ```json
//! {"method": "POST", "path": "/rest/api/uom/VirtualIOServer/*", "nth": 2, "when": "after", "fault": "reset"}
//! {"method": "*", "path": "*", "first": 3, "fault": {"answer": {"status": 503, "message": "HSCL3205 busy"}}}
//! {"method": "GET", "path": "/rest/api/uom/*", "fault": {"cut": 100}}
//! {"method": "GET", "path": "/rest/api/uom/*", "fault": {"delay_ms": 5000}}
//! ```

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::weather::{Faults, Rule, UNKNOWN_ERROR};

/// A rule as a client orders it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    #[serde(default = "any")]
    method: String,
    path: String,
    nth: Option<u64>,
    first: Option<u64>,
    #[serde(default)]
    when: Moment,
    fault: What,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Moment {
    #[default]
    Before,
    After,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum What {
    Answer(Answer),
    Reset,
    Cut(usize),
    DelayMs(u64),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    status: u16,
    reason: Option<String>,
    message: String,
}

/// A rule with its counts.
#[derive(Debug, Serialize)]
pub struct Listed {
    id: u64,
    rule: String,
    matched: u64,
    hits: u64,
}

fn any() -> String {
    "*".to_owned()
}

impl Order {
    /// The rule that is meant.
    ///
    /// # Errors
    /// What cannot be: `nth` with `first`, a method or a status that does not exist.
    pub fn rule(self) -> Result<Rule, String> {
        if self.method != "*" && !["GET", "PUT", "POST", "DELETE"].contains(&self.method.as_str()) {
            return Err("method is one of GET, PUT, POST, DELETE and *".to_owned());
        }
        let rule = Rule::new(&self.method, self.path);
        let rule = match (self.nth, self.first) {
            (None, None) => rule,
            (Some(n), None) if n > 0 => rule.nth(n),
            (None, Some(k)) if k > 0 => rule.first(k),
            _ => return Err("give nth or first, not both, and not 0".to_owned()),
        };
        let rule = match self.when {
            Moment::Before => rule.before(),
            Moment::After => rule.after(),
        };
        match self.fault {
            What::Answer(answer) if (400..600).contains(&answer.status) => Ok(rule.answer(
                answer.status,
                answer.reason.unwrap_or_else(|| UNKNOWN_ERROR.to_owned()),
                answer.message,
            )),
            What::Answer(_) => Err("status is 400 to 599".to_owned()),
            What::Reset => Ok(rule.reset()),
            What::Cut(bytes) => Ok(rule.cut(bytes)),
            What::DelayMs(milliseconds) => Ok(rule.delay(Duration::from_millis(milliseconds))),
        }
    }
}

/// All rules with their counts.
#[must_use]
pub fn list(faults: &Faults) -> Vec<Listed> {
    let listed = |standing: crate::weather::faults::Standing| Listed {
        id: standing.id,
        rule: standing.rule,
        matched: standing.matched,
        hits: standing.hits,
    };
    faults.list().into_iter().map(listed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> Result<String, String> {
        let order: Order = serde_json::from_str(text).map_err(|error| error.to_string())?;
        order.rule().map(|rule| rule.to_string())
    }

    #[test]
    fn the_documented_orders_are_rules() {
        assert_eq!(
            rule(
                r#"{"method": "POST", "path": "/x/*", "nth": 2, "when": "after", "fault": "reset"}"#
            )
            .unwrap(),
            "POST /x/*, number 2, after: reset"
        );
        assert_eq!(
            rule(r#"{"path": "*", "first": 3, "fault": {"answer": {"status": 503, "message": "HSCL3205 busy"}}}"#).unwrap(),
            "* *, the first 3, before: 503 Unknown internal error. HSCL3205 busy"
        );
        assert_eq!(
            rule(r#"{"path": "*", "fault": {"cut": 100}}"#).unwrap(),
            "* *, every time, after: cut after 100 bytes"
        );
        assert!(
            rule(r#"{"path": "*", "fault": {"delay_ms": 5000}}"#)
                .unwrap()
                .contains("5000 ms")
        );
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            r#"{"path": "*"}"#,
            r#"{"path": "*", "fault": "explode"}"#,
            r#"{"path": "*", "nth": 0, "fault": "reset"}"#,
            r#"{"path": "*", "nth": 1, "first": 1, "fault": "reset"}"#,
            r#"{"path": "*", "fault": {"answer": {"status": 200, "message": ""}}}"#,
            r#"{"method": "BREW", "path": "*", "fault": "reset"}"#,
            r#"{"path": "*", "fault": "reset", "colour": 1}"#,
        ] {
            assert!(rule(text).is_err(), "{text}");
        }
    }
}
