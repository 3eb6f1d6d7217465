//! Fault rules: which request a fault strikes, when, and with what.

use std::time::Duration;

use http::Method;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use uuid::Uuid;

use crate::http::{Action, Kind, Problem, Target};
use crate::model::job::gate::Fate;
use crate::model::job::incident::Incident;

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
    /// The job that the request submits ends like this, whatever it would have come to.
    Job(Fate),
    /// Something befalls a partition or Virtual I/O Server, and the request goes its way.
    Befall {
        /// Whom; the one that the request's path names if absent.
        whom: Option<Uuid>,
        /// What.
        incident: Incident,
        /// For how many milliseconds of simulated time; until somebody undoes it if absent.
        lasts: Option<u64>,
    },
}

/// Which of the requests that a rule matches it strikes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Choice {
    Every,
    Nth(u64),
    First(u64),
    Chance { probability: f64, seed: u64 },
}

impl Choice {
    /// Whether the `number`th match is struck, counted from 1. The same seed strikes the same matches.
    pub(super) fn strikes(self, number: u64) -> bool {
        match self {
            Self::Every => true,
            Self::Nth(n) => number == n,
            Self::First(k) => number <= k,
            Self::Chance { probability, seed } => {
                let mut random = ChaCha8Rng::seed_from_u64(seed);
                random.set_stream(number);
                random.random::<f64>() < probability
            }
        }
    }
}

/// A request as rules see it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Its method.
    pub method: &'a Method,
    /// Its path, as sent.
    pub path: &'a str,
    /// What the path names, if it could be read.
    pub target: Option<&'a Target>,
}

/// One fault and the requests that it strikes.
///
/// ```
/// use powervm_simulator::weather::Rule;
/// // The second update of any Virtual I/O Server is made, but the client never learns of it.
/// let rule = Rule::new("POST", "/rest/api/uom/VirtualIOServer/*").nth(2).after().reset();
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    method: Option<Method>,
    pub(super) path: String,
    kind: Option<Kind>,
    id: Option<Uuid>,
    pub(super) job: Option<String>,
    pub(super) choice: Choice,
    pub(super) when: When,
    pub(super) fault: Fault,
}

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
            kind: None,
            id: None,
            job: None,
            choice: Choice::Every,
            when: When::Before,
            fault: Fault::Answer(problem),
        }
    }

    /// Matches only requests whose path names this resource type.
    #[must_use]
    pub fn resource(self, kind: Kind) -> Self {
        Self {
            kind: Some(kind),
            ..self
        }
    }

    /// Matches only requests whose path names the resource with this UUID.
    #[must_use]
    pub fn id(self, id: Uuid) -> Self {
        Self {
            id: Some(id),
            ..self
        }
    }

    /// Matches only submissions of this job, such as `PowerOn`; `*` stands for any text.
    #[must_use]
    pub fn job(self, operation: impl Into<String>) -> Self {
        Self {
            job: Some(operation.into()),
            ..self
        }
    }

    /// Strikes each match with this probability, by a stream of its own that `seed` begins.
    #[must_use]
    pub fn chance(self, probability: f64, seed: u64) -> Self {
        Self {
            choice: Choice::Chance { probability, seed },
            ..self
        }
    }

    /// Lets the job that is submitted end like this.
    #[must_use]
    pub fn fate(self, fate: Fate) -> Self {
        Self {
            fault: Fault::Job(fate),
            when: When::Before,
            ..self
        }
    }

    /// Lets something befall a partition, see [`Fault::Befall`].
    #[must_use]
    pub fn befall(self, whom: Option<Uuid>, incident: Incident, lasts: Option<u64>) -> Self {
        Self {
            fault: Fault::Befall {
                whom,
                incident,
                lasts,
            },
            ..self
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

    pub(super) fn matches(&self, asked: &Asked<'_>) -> bool {
        self.method
            .as_ref()
            .is_none_or(|wanted| wanted == asked.method)
            && matches_pattern(&self.path, asked.path)
            && self.matches_target(asked)
    }

    fn matches_target(&self, asked: &Asked<'_>) -> bool {
        if self.kind.is_none() && self.id.is_none() && self.job.is_none() {
            return true;
        }
        let Some(target) = asked.target else {
            return false;
        };
        let named = |kind| target.steps.iter().any(|step| step.kind == kind);
        let is_meant = |id| target.steps.iter().any(|step| step.id == Some(id));
        let submits = |job: &str| match &target.action {
            Action::Operation(operation) => {
                *asked.method == Method::PUT && matches_pattern(job, operation)
            }
            _ => false,
        };
        self.kind.is_none_or(named)
            && self.id.is_none_or(is_meant)
            && self.job.as_deref().is_none_or(submits)
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
        if let Some(kind) = self.kind {
            write!(f, " of {}", kind.name())?;
        }
        if let Some(id) = self.id {
            write!(f, " {id}")?;
        }
        if let Some(job) = &self.job {
            write!(f, " job {job}")?;
        }
        match self.choice {
            Choice::Every => write!(f, ", every time")?,
            Choice::Nth(n) => write!(f, ", number {n}")?,
            Choice::First(k) => write!(f, ", the first {k}")?,
            Choice::Chance { probability, seed } => {
                write!(f, ", with probability {probability} (seed {seed})")?;
            }
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
            Fault::Job(Fate::Failed(text)) => write!(f, "the job fails: {text}"),
            Fault::Job(Fate::Exception(text)) => write!(f, "the job breaks: {text}"),
            Fault::Befall {
                whom,
                incident,
                lasts,
            } => {
                write!(f, "{incident:?}")?;
                if let Some(whom) = whom {
                    write!(f, " of {whom}")?;
                }
                lasts.map_or(Ok(()), |lasts| write!(f, " for {lasts} ms"))
            }
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

    fn matches(rule: &Rule, method: &Method, path: &str) -> bool {
        let target = Target::parse(path, None).ok();
        rule.matches(&Asked {
            method,
            path,
            target: target.as_ref(),
        })
    }

    #[test]
    fn resources_and_jobs_are_known_by_the_url() {
        let id = Uuid::from_u128(7);
        let mapping = format!("/rest/api/uom/VirtualIOServer/{id}/VolumeGroup");
        let power_on = format!("/rest/api/uom/LogicalPartition/{id}/do/PowerOn");
        let rule = Rule::new("*", "*").resource(Kind::VirtualIoServer);
        assert!(matches(&rule, &Method::GET, &mapping));
        assert!(!matches(&rule, &Method::GET, &power_on));
        let rule = Rule::new("*", "*").id(id).job("Power*");
        assert!(matches(&rule, &Method::PUT, &power_on));
        // Reading the template submits nothing.
        assert!(!matches(&rule, &Method::GET, &power_on));
        assert!(!matches(
            &Rule::new("*", "*").id(Uuid::nil()),
            &Method::PUT,
            &power_on
        ));
        assert!(!matches(&rule, &Method::PUT, "/no/url"));
    }

    #[test]
    fn chance_is_the_same_for_the_same_seed() {
        let struck = |seed| {
            let choice = Choice::Chance {
                probability: 0.25,
                seed,
            };
            (1..=1000)
                .filter(|n| choice.strikes(*n))
                .collect::<Vec<u64>>()
        };
        assert_eq!(struck(7), struck(7));
        assert_ne!(struck(7), struck(8));
        assert!((180..320).contains(&struck(7).len()), "{}", struck(7).len());
        let never = Choice::Chance {
            probability: 0.0,
            seed: 1,
        };
        assert!((1..100).all(|n| !never.strikes(n)));
    }
}
