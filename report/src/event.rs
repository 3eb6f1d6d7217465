//! What happens during a run: the lines of an event log.
//!
//! A line is an [`Entry`]: when, in which run, and an [`Event`]. All durations are whole microseconds. Unknown keys of
//! a known event are overlooked, an unknown event is an error.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::moment::Wall;

/// The version of the format, which the first line of every log names.
pub const FORMAT: u32 = 1;

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
    /// The run that it happened in; producers that write into one log choose different ones.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub run: String,
    /// When, on the clock that the run goes by, in microseconds since its begin; for runs with a clock of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_us: Option<u64>,
    /// When, on the wall clock; absent where a log is to be the same byte for byte whenever it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wall: Option<Wall>,
}

impl From<Event> for Entry {
    fn from(event: Event) -> Self {
        Self {
            event,
            run: String::new(),
            at_us: None,
            wall: None,
        }
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The first line of a log, and of every part that a producer appended.
    Log(Log),
    /// A run begins.
    RunBegins(RunBegins),
    /// Facts of the environment: versions, machine, address of the endpoint.
    Environment(Facts),
    /// Facts of the tests' configuration.
    Configuration(Facts),
    /// A test begins.
    TestBegins(TestBegins),
    /// A step of a test begins.
    StepBegins(StepBegins),
    /// An operation of a step is over, such as the deploy of one of its servers.
    Operation(Operation),
    /// A phase of an operation is over.
    Phase(Phase),
    /// A call of the REST API is over, each try of its own.
    Call(Call),
    /// Something was looked at.
    Check(Check),
    /// A fault struck.
    Fault(Fault),
    /// The leak audit found something that is not as it was.
    Finding(Finding),
    /// The leak audit found something that is meant to stay.
    Kept(Kept),
    /// Something to know.
    Note(Note),
    /// A text that belongs to a test, such as a traceback.
    Attachment(Attachment),
    /// A step is over.
    StepEnds(StepEnds),
    /// A test is over. One that was skipped needs no begin.
    TestEnds(TestEnds),
    /// A run is over.
    RunEnds(RunEnds),
}

impl Event {
    /// The name of the test that it is about; empty or none where it is about none.
    pub fn test_mut(&mut self) -> Option<&mut String> {
        Some(match self {
            Self::TestBegins(event) => &mut event.test,
            Self::StepBegins(event) => &mut event.test,
            Self::Operation(event) => &mut event.test,
            Self::Phase(event) => &mut event.test,
            Self::Call(event) => &mut event.test,
            Self::Check(event) => &mut event.test,
            Self::Fault(event) => &mut event.test,
            Self::Finding(event) => &mut event.test,
            Self::Kept(event) => &mut event.test,
            Self::Note(event) => &mut event.test,
            Self::Attachment(event) => &mut event.test,
            Self::StepEnds(event) => &mut event.test,
            Self::TestEnds(event) => &mut event.test,
            Self::Log(_)
            | Self::RunBegins(_)
            | Self::Environment(_)
            | Self::Configuration(_)
            | Self::RunEnds(_) => return None,
        })
    }
}

/// How something went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// As expected.
    Passed,
    /// Not as expected.
    Failed,
    /// Not tried.
    Skipped,
    /// Broken off by the user.
    Cancelled,
}

impl Verdict {
    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
        }
    }
}

/// `log`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log {
    /// The format's version, [`FORMAT`].
    pub format: u32,
    /// Who writes, with its version.
    pub producer: String,
}

/// `run-begins`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RunBegins {
    /// What decides everything random; with the commit it repeats the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// The commit that was run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The version that was run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Where it ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// `novalink` or `hmc`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flavor: Option<String>,
    /// The simulator's weather.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weather: Option<String>,
    /// The image that was deployed: its name, size and checksum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The command that repeats the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repro: Option<String>,
    /// How many tests there are to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tests: Option<u64>,
}

/// `environment` and `configuration`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Facts {
    /// Names and values.
    pub facts: BTreeMap<String, String>,
}

/// `test-begins`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TestBegins {
    /// The test's name, unique in its run at any one time.
    pub test: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// The tempest tests that it follows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub follows: Vec<Follows>,
    /// Words to select it by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Who runs it, from 0.
    #[serde(default)]
    pub worker: u32,
    /// The command that repeats it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repro: Option<String>,
}

/// A tempest test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Follows {
    /// Its full name.
    pub name: String,
    /// Its `idempotent_id`.
    pub id: String,
}

/// `step-begins`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StepBegins {
    /// The test.
    pub test: String,
    /// The step's name, unique in the test.
    pub step: String,
    /// What it does, in a word.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub verb: String,
}

/// `operation`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Operation {
    /// The test.
    pub test: String,
    /// The step.
    pub step: String,
    /// The server, as the test calls it.
    pub server: String,
    /// The instance's UUID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// When it began, from the begin of the test.
    #[serde(default)]
    pub begin_us: u64,
    /// How long it took.
    pub took_us: u64,
    /// Why it did not succeed; absent when it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// `phase`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Phase {
    /// The test.
    pub test: String,
    /// The step.
    pub step: String,
    /// The phase's name.
    pub phase: String,
    /// How many operations ended it.
    pub count: u64,
    /// How many of them failed in it.
    #[serde(default)]
    pub failed: u64,
    /// Median.
    pub p50_us: u64,
    /// 95th percentile.
    pub p95_us: u64,
}

/// `call`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Call {
    /// The test that made it; empty before the first and after the last.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub test: String,
    /// The step; empty between steps, as in checks and audits.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub step: String,
    /// HTTP method.
    pub method: String,
    /// The path with its identifiers replaced by `{id}`, without the query.
    pub path: String,
    /// The answer's status; absent when none came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// From sending to the end of the answer's body.
    pub took_us: u64,
    /// Bytes of the request's body.
    #[serde(default)]
    pub sent: u64,
    /// Bytes of the answer's body.
    #[serde(default)]
    pub received: u64,
    /// Which try of the same request it is, from 1.
    #[serde(default = "one")]
    pub attempt: u32,
}

fn one() -> u32 {
    1
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckVerdict {
    /// As expected.
    Passed,
    /// Not as expected.
    Failed,
    /// The target offers no way to tell.
    NotCheckable,
}

/// `check`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The test.
    pub test: String,
    /// The step.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub step: String,
    /// What was looked at.
    pub what: String,
    /// How it came out.
    pub verdict: CheckVerdict,
    /// What was seen.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// `fault`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Fault {
    /// The test.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub test: String,
    /// The step.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub step: String,
    /// What struck, in words.
    pub fault: String,
    /// The method and path of the request that it struck, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub struck: Option<String>,
}

/// `finding`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Finding {
    /// The test.
    pub test: String,
    /// What is not as it was, in words: `left behind: …`, `lost: …`, `changed: …`.
    pub finding: String,
}

/// `kept`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Kept {
    /// The test.
    pub test: String,
    /// What stays.
    pub item: String,
    /// The policy that keeps it.
    pub policy: String,
}

/// `note`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Note {
    /// The test, if it is about one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub test: String,
    /// What to know.
    pub text: String,
}

/// `attachment`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Attachment {
    /// The test.
    pub test: String,
    /// What it is called, `traceback` for instance.
    pub name: String,
    /// The text.
    pub text: String,
}

/// What went over the wire for a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Traffic {
    /// HTTP requests.
    pub requests: u64,
    /// Changes of Virtual I/O Servers and what hangs below them.
    #[serde(default)]
    pub vios_writes: u64,
    /// Uploads of disk images.
    #[serde(default)]
    pub image_uploads: u64,
}

/// `step-ends`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepEnds {
    /// The test.
    pub test: String,
    /// The step. One that was skipped needs no begin.
    pub step: String,
    /// How it went.
    pub verdict: Verdict,
    /// How long it took.
    #[serde(default)]
    pub took_us: u64,
    /// Why it was skipped or failed, beside its checks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What went over the wire for it, checks not included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traffic: Option<Traffic>,
}

/// `test-ends`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestEnds {
    /// The test.
    pub test: String,
    /// How it went.
    pub verdict: Verdict,
    /// How long it took; counted from its begin when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_us: Option<u64>,
    /// Why it was skipped or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether a leak audit was made; without findings, nothing was left behind.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub audited: bool,
}

/// `run-ends`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunEnds {
    /// How it went, all in all.
    pub verdict: Verdict,
    /// Why it could not run; absent when it could.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub could_not_run: Option<String>,
}
