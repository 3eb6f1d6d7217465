//! Faults on demand: which request they strike, when, and with what.
//!
//! Deterministic first: a rule strikes the nth request that it matches, or the first k, or all. Every rule counts
//! what it matched and what it struck, and can be read back.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::Method;

use crate::http::Problem;

/// When a fault strikes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum When {
    /// Before the request changes or reads anything.
    #[default]
    Before,
    /// After the change is made and before the client hears of it.
    After,
}

/// What a fault does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The request is answered with this error document.
    Answer(Problem),
    /// The connection is closed without an answer.
    Reset,
    /// The answer's body breaks off after this many bytes and the connection is closed.
    Cut(usize),
    /// The request takes this much longer (simulated time), then goes its way.
    Delay(Duration),
}

/// Which of the requests that a rule matches it strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    Every,
    Nth(u64),
    First(u64),
}

/// One fault and the requests that it strikes.
///
/// ```
/// use powervm_simulator::weather::Rule;
/// // The second update of any Virtual I/O Server is made, but the client never learns of it.
/// let rule = Rule::new("POST", "/rest/api/uom/VirtualIOServer/*").nth(2).after().reset();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    method: Option<Method>,
    path: String,
    choice: Choice,
    when: When,
    fault: Fault,
}

/// Why a rule cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// There are too many rules already.
    #[error("there are {MOST_RULES} fault rules already; clear them first")]
    TooMany,
    /// The pattern is longer than any path.
    #[error("the path pattern is longer than {LONGEST_PATTERN} bytes")]
    PatternTooLong,
}

/// How many rules there may be at a time.
pub const MOST_RULES: usize = 1000;
/// The longest path pattern, in bytes.
pub const LONGEST_PATTERN: usize = 4096;

impl Rule {
    /// A rule for requests of this method (`*` for any) whose path matches `path`, where `*` stands for any text,
    /// slashes included. It answers every match with 500 until told otherwise.
    #[must_use]
    pub fn new(method: &str, path: impl Into<String>) -> Self {
        let method = if method == "*" {
            None
        } else {
            Method::from_bytes(method.as_bytes()).ok()
        };
        let problem = Problem::new(500, super::UNKNOWN_ERROR, super::UNKNOWN_ERROR);
        Self {
            method,
            path: path.into(),
            choice: Choice::Every,
            when: When::Before,
            fault: Fault::Answer(problem),
        }
    }

    /// Strikes the `n`th match only, counted from 1.
    #[must_use]
    pub fn nth(self, n: u64) -> Self {
        Self {
            choice: Choice::Nth(n),
            ..self
        }
    }

    /// Strikes the first `k` matches.
    #[must_use]
    pub fn first(self, k: u64) -> Self {
        Self {
            choice: Choice::First(k),
            ..self
        }
    }

    /// Strikes before the request does anything (the default).
    #[must_use]
    pub fn before(self) -> Self {
        Self {
            when: When::Before,
            ..self
        }
    }

    /// Strikes after the change is made.
    #[must_use]
    pub fn after(self) -> Self {
        Self {
            when: When::After,
            ..self
        }
    }

    /// Answers with this status, `ReasonCode` and `Message`.
    #[must_use]
    pub fn answer(
        self,
        status: u16,
        reason: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            fault: Fault::Answer(Problem::new(status, reason.into(), message.into())),
            ..self
        }
    }

    /// Closes the connection without an answer.
    #[must_use]
    pub fn reset(self) -> Self {
        Self {
            fault: Fault::Reset,
            ..self
        }
    }

    /// Breaks the answer's body off after `bytes` and closes the connection.
    #[must_use]
    pub fn cut(self, bytes: usize) -> Self {
        Self {
            fault: Fault::Cut(bytes),
            when: When::After,
            ..self
        }
    }

    /// Makes the request take `duration` longer, in simulated time.
    #[must_use]
    pub fn delay(self, duration: Duration) -> Self {
        Self {
            fault: Fault::Delay(duration),
            ..self
        }
    }

    fn matches(&self, method: &Method, path: &str) -> bool {
        self.method.as_ref().is_none_or(|wanted| wanted == method)
            && matches_pattern(&self.path, path)
    }
}

/// A rule and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The number under which the rule was added.
    pub id: u64,
    /// The rule, in words.
    pub rule: String,
    /// How many requests it matched.
    pub matched: u64,
    /// How many requests it struck.
    pub hits: u64,
}

#[derive(Debug)]
struct Entry {
    id: u64,
    rule: Rule,
    matched: u64,
    hits: u64,
}

/// The fault rules of one simulator. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    entries: Vec<Entry>,
}

/// What strikes one request, decided when it arrives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Strike {
    /// Before anything is done.
    pub before: Vec<Fault>,
    /// After the change.
    pub after: Vec<Fault>,
}

impl Faults {
    /// Adds a rule and returns its number.
    ///
    /// # Errors
    /// [`FaultError`] if there are too many rules or the pattern is too long.
    pub fn add(&self, rule: Rule) -> Result<u64, FaultError> {
        if rule.path.len() > LONGEST_PATTERN {
            return Err(FaultError::PatternTooLong);
        }
        let mut inner = self.lock();
        if inner.entries.len() >= MOST_RULES {
            return Err(FaultError::TooMany);
        }
        inner.next += 1;
        let id = inner.next;
        inner.entries.push(Entry {
            id,
            rule,
            matched: 0,
            hits: 0,
        });
        Ok(id)
    }

    /// Removes one rule; false if there is none with this number.
    pub fn remove(&self, id: u64) -> bool {
        let mut inner = self.lock();
        let before = inner.entries.len();
        inner.entries.retain(|entry| entry.id != id);
        inner.entries.len() < before
    }

    /// Removes all rules.
    pub fn clear(&self) {
        self.lock().entries.clear();
    }

    /// All rules with their counts, in the order in which they were added.
    #[must_use]
    pub fn list(&self) -> Vec<Standing> {
        let standing = |entry: &Entry| Standing {
            id: entry.id,
            rule: entry.rule.to_string(),
            matched: entry.matched,
            hits: entry.hits,
        };
        self.lock().entries.iter().map(standing).collect()
    }

    /// How often the rule with this number struck.
    #[must_use]
    pub fn hits(&self, id: u64) -> Option<u64> {
        self.lock()
            .entries
            .iter()
            .find(|entry| entry.id == id)
            .map(|entry| entry.hits)
    }

    /// Decides what strikes a request, and counts it.
    #[must_use]
    pub fn strike(&self, method: &Method, path: &str) -> Strike {
        let mut strike = Strike::default();
        for entry in self
            .lock()
            .entries
            .iter_mut()
            .filter(|entry| entry.rule.matches(method, path))
        {
            entry.matched += 1;
            let chosen = match entry.rule.choice {
                Choice::Every => true,
                Choice::Nth(n) => entry.matched == n,
                Choice::First(k) => entry.matched <= k,
            };
            if chosen {
                entry.hits += 1;
                match entry.rule.when {
                    When::Before => strike.before.push(entry.rule.fault.clone()),
                    When::After => strike.after.push(entry.rule.fault.clone()),
                }
            }
        }
        strike
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} {}",
            self.method.as_ref().map_or("*", Method::as_str),
            self.path
        )?;
        match self.choice {
            Choice::Every => write!(f, ", every time")?,
            Choice::Nth(n) => write!(f, ", number {n}")?,
            Choice::First(k) => write!(f, ", the first {k}")?,
        }
        f.write_str(match self.when {
            When::Before => ", before: ",
            When::After => ", after: ",
        })?;
        match &self.fault {
            Fault::Answer(problem) => write!(f, "{problem}"),
            Fault::Reset => f.write_str("reset"),
            Fault::Cut(bytes) => write!(f, "cut after {bytes} bytes"),
            Fault::Delay(duration) => write!(f, "delay of {} ms", duration.as_millis()),
        }
    }
}

/// Whether `text` matches `pattern`, where `*` stands for any text. Takes time linear in the text per star.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, text, matches) in [
            ("/a", "/a", true),
            ("/a", "/ab", false),
            ("/a/*", "/a/b/c", true),
            ("*/quick/*", "/x/quick/State", true),
            ("*/do/PowerOn", "/x/do/PowerOff", false),
            ("*", "", true),
            ("a*a", "a", false),
            ("a**b", "ab", true),
        ] {
            assert_eq!(matches_pattern(pattern, text), matches, "{pattern} {text}");
        }
    }

    #[test]
    fn the_nth_match_is_struck_and_counted() {
        let faults = Faults::default();
        let id = faults
            .add(Rule::new("POST", "/x/*").nth(2).answer(503, "r", "m"))
            .unwrap();
        assert_eq!(faults.strike(&Method::GET, "/x/1"), Strike::default());
        assert_eq!(faults.strike(&Method::POST, "/x/1"), Strike::default());
        assert_eq!(
            faults.strike(&Method::POST, "/x/1").before,
            [Fault::Answer(Problem::new(503, "r", "m"))]
        );
        assert_eq!(faults.strike(&Method::POST, "/x/1"), Strike::default());
        let standing = &faults.list()[0];
        assert_eq!(
            (standing.matched, standing.hits, faults.hits(id)),
            (3, 1, Some(1))
        );
        assert_eq!(standing.rule, "POST /x/*, number 2, before: 503 r m");
    }

    #[test]
    fn the_first_matches_are_struck_until_the_rule_goes() {
        let faults = Faults::default();
        let id = faults
            .add(Rule::new("*", "*").first(2).after().reset())
            .unwrap();
        assert_eq!(faults.strike(&Method::GET, "/").after, [Fault::Reset]);
        assert!(faults.remove(id) && !faults.remove(id));
        assert_eq!(faults.strike(&Method::GET, "/"), Strike::default());
    }

    #[test]
    fn the_number_of_rules_is_bounded() {
        let faults = Faults::default();
        for _ in 0..MOST_RULES {
            faults.add(Rule::new("*", "*")).unwrap();
        }
        assert_eq!(faults.add(Rule::new("*", "*")), Err(FaultError::TooMany));
        faults.clear();
        assert!(
            faults
                .add(Rule::new("*", "x".repeat(LONGEST_PATTERN + 1)))
                .is_err()
        );
    }
}
