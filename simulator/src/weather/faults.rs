//! Faults on demand: the rules that stand, and what became of them.
//!
//! Deterministic first: a rule strikes the nth request that it matches, or the first k, or all, or some by a seeded
//! stream. Every rule counts what it matched and what it struck, and can be read back.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use http::Method;

use super::rule::{Asked, Fault, Rule, When};
use crate::clock::Millis;

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
    /// The last of those, oldest first (at most ten).
    pub last: Vec<Hit>,
}

/// A request that a rule struck.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// When, in simulated time.
    pub at: Millis,
    /// The request's method.
    pub method: Method,
    /// The request's path, cut to 200 characters.
    pub path: String,
}

/// How many hits of a rule are kept.
const KEPT_HITS: usize = 10;
/// How much of a path is kept, in characters.
const KEPT_PATH: usize = 200;

#[derive(Debug)]
struct Entry {
    id: u64,
    rule: Rule,
    matched: u64,
    hits: u64,
    last: VecDeque<Hit>,
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
        if rule.path.len() + rule.job.as_ref().map_or(0, String::len) > LONGEST_PATTERN {
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
            last: VecDeque::new(),
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
            last: entry.last.iter().cloned().collect(),
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
    pub fn strike(&self, now: Millis, asked: &Asked<'_>) -> Strike {
        let mut strike = Strike::default();
        let mut inner = self.lock();
        for entry in inner
            .entries
            .iter_mut()
            .filter(|entry| entry.rule.matches(asked))
        {
            entry.matched += 1;
            if !entry.rule.choice.strikes(entry.matched) {
                continue;
            }
            entry.hits += 1;
            if entry.last.len() == KEPT_HITS {
                entry.last.pop_front();
            }
            entry.last.push_back(Hit {
                at: now,
                method: asked.method.clone(),
                path: asked.path.chars().take(KEPT_PATH).collect(),
            });
            let fault = entry.rule.fault.clone();
            match entry.rule.when {
                When::Before => strike.before.push(fault),
                When::After => strike.after.push(fault),
            }
        }
        strike
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Problem;

    fn strike(faults: &Faults, method: &Method, path: &str) -> Strike {
        let asked = Asked {
            method,
            path,
            target: None,
        };
        faults.strike(Millis::EPOCH, &asked)
    }

    #[test]
    fn the_nth_match_is_struck_and_counted() {
        let faults = Faults::default();
        let id = faults
            .add(Rule::new("POST", "/x/*").nth(2).answer(503, "r", "m"))
            .unwrap();
        assert_eq!(strike(&faults, &Method::GET, "/x/1"), Strike::default());
        assert_eq!(strike(&faults, &Method::POST, "/x/1"), Strike::default());
        assert_eq!(
            strike(&faults, &Method::POST, "/x/1").before,
            [Fault::Answer(Problem::new(503, "r", "m"))]
        );
        assert_eq!(strike(&faults, &Method::POST, "/x/1"), Strike::default());
        let standing = &faults.list()[0];
        assert_eq!(
            (standing.matched, standing.hits, faults.hits(id)),
            (3, 1, Some(1))
        );
        assert_eq!((standing.last.len(), &*standing.last[0].path), (1, "/x/1"));
        assert_eq!(standing.rule, "POST /x/*, number 2, before: 503 r m");
    }

    #[test]
    fn the_first_matches_are_struck_until_the_rule_goes() {
        let faults = Faults::default();
        let id = faults
            .add(Rule::new("*", "*").first(2).after().reset())
            .unwrap();
        assert_eq!(strike(&faults, &Method::GET, "/").after, [Fault::Reset]);
        assert!(faults.remove(id) && !faults.remove(id));
        assert_eq!(strike(&faults, &Method::GET, "/"), Strike::default());
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
