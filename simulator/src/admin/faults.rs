//! Fault rules as JSON.
//!
//! ```json
//! {"method": "POST", "path": "/rest/api/uom/VirtualIOServer/*", "nth": 2, "when": "after", "fault": "reset"}
//! {"method": "*", "path": "*", "first": 3, "fault": {"answer": {"status": 503, "message": "HSCL3205 busy"}}}
//! {"method": "GET", "path": "/rest/api/uom/*", "fault": {"cut": 100}}
//! {"resource": "VirtualIOServer", "verb": "POST", "probability": 0.1, "seed": 7, "fault": {"firmware": "VIOS0014"}}
//! {"job": "PowerOn", "nth": 1, "fault": {"job_error": "HSCL03EC There is not enough memory."}}
//! {"resource": "VolumeGroup", "first": 1, "fault": {"vios_down": {"for_ms": 60000}}}
//! {"path": "*", "fault": {"delay_ms": 5000}}
//! ```

use std::time::Duration;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::operation::Operation;
use super::{Admin, answer, read, refusal, reply};
use crate::http::Kind;
use crate::model::World;
use crate::model::job::gate::Fate;
use crate::model::job::incident::Incident;
use crate::weather::firmware::{FirmwareError, KNOWN};
use crate::weather::{Faults, Rule, UNKNOWN_ERROR};

/// A rule as a client orders it. It matches the requests that meet all of `method`, `path`, `resource`, `id` and
/// `job`, and strikes those among them that `nth`, `first` or `probability` name, or all.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// GET, PUT, POST, DELETE, or `*` for any, as which it counts if absent.
    method: Option<String>,
    /// Another name of `method`.
    verb: Option<String>,
    /// The path, where `*` stands for any text, slashes included.
    #[serde(default = "any")]
    path: String,
    /// A resource type that the path has to name, such as `VirtualIOServer`.
    resource: Option<String>,
    /// The UUID of a resource that the path has to name.
    #[schemars(with = "Option<String>")]
    id: Option<Uuid>,
    /// The job that the request has to submit, such as `PowerOn`; `*` stands for any text.
    job: Option<String>,
    /// Only the nth match, counted from 1.
    nth: Option<u64>,
    /// Only the first matches.
    first: Option<u64>,
    /// Each match with this probability, 0 to 1.
    probability: Option<f64>,
    /// Begins the stream of chances; the same seed strikes the same matches.
    seed: Option<u64>,
    /// Before the request does anything, or after its change is made and before the client hears of it.
    #[serde(default)]
    when: Moment,
    /// What strikes.
    fault: What,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Moment {
    #[default]
    Before,
    After,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum What {
    /// The request is answered with this error document.
    Answer(Error),
    /// The request is answered with the known error that has this code, or a job that it submits ends with it.
    Firmware(String),
    /// The connection is closed without an answer.
    Reset,
    /// The answer's body breaks off after so many bytes.
    Cut(usize),
    /// The request takes so much longer, in milliseconds of simulated time.
    DelayMs(u64),
    /// The job that the request submits ends with an error and this text.
    JobError(String),
    /// The job that the request submits breaks off with this exception.
    JobException(String),
    /// A Virtual I/O Server goes down.
    ViosDown(Whom),
    /// A partition goes down.
    PartitionDown(Whom),
    /// The RMC connection of a partition or Virtual I/O Server is lost.
    RmcLost(Whom),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Error {
    status: u16,
    /// `ReasonCode`
    reason: Option<String>,
    /// `Message`
    message: String,
}

/// Whom an incident befalls, and for how long.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Whom {
    /// Name or UUID; the one that the request's path names if absent.
    target: Option<String>,
    /// For how long, in milliseconds of simulated time; until somebody undoes it if absent.
    for_ms: Option<u64>,
}

/// A rule with its counts.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Listed {
    id: u64,
    /// The rule in words.
    rule: String,
    /// How many requests it matched.
    matched: u64,
    /// How many it struck.
    hits: u64,
    /// The last ten of those, oldest first.
    last: Vec<Struck>,
}

/// A request that a rule struck.
#[derive(Debug, Serialize, JsonSchema)]
struct Struck {
    /// In milliseconds of simulated time since 1970.
    at: u64,
    method: String,
    path: String,
}

/// The number of a new rule.
#[derive(Serialize, JsonSchema)]
struct Added {
    id: u64,
}

/// An error that firmware is known to give.
#[derive(Serialize, JsonSchema)]
struct Known {
    code: &'static str,
    status: u16,
    text: &'static str,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/faults", "All fault rules with their hits", show).gives::<Vec<Listed>>(),
        Operation::post("/faults", "Add a fault rule", add)
            .takes::<Order>()
            .gives::<Added>(),
        Operation::delete("/faults", "Remove all fault rules", clear),
        Operation::delete("/faults/{id}", "Remove a fault rule", remove)
            .refuses(404, "there is no such rule"),
        Operation::get(
            "/firmware-errors",
            "The errors that a fault may name by their code",
            known,
        )
        .gives::<Vec<Known>>(),
    ]
}

fn any() -> String {
    "*".to_owned()
}

impl Order {
    /// The rule that is meant; names are those of `world`.
    ///
    /// # Errors
    /// What cannot be: `nth` with `first`, a method, resource type or status that does not exist, an unknown name.
    pub fn rule(self, world: &World) -> Result<Rule, String> {
        let method = match (&self.method, &self.verb) {
            (Some(_), Some(_)) => return Err("method and verb are the same: give one".to_owned()),
            (Some(method), None) | (None, Some(method)) => method.as_str(),
            (None, None) => "*",
        };
        if !["*", "GET", "PUT", "POST", "DELETE"].contains(&method) {
            return Err("method is one of GET, PUT, POST, DELETE and *".to_owned());
        }
        let mut rule = Rule::new(method, self.path);
        if let Some(name) = &self.resource {
            let kind = Kind::parse(name).ok_or_else(|| {
                let name: String = name.chars().take(80).collect();
                format!("there is no resource type {name:?}; its name is spelled as in URLs")
            })?;
            rule = rule.resource(kind);
        }
        if let Some(id) = self.id {
            rule = rule.id(id);
        }
        let submits_job = self.job.is_some();
        if let Some(job) = self.job {
            rule = rule.job(job);
        }
        let rule = match (self.nth, self.first, self.probability) {
            (None, None, None) => rule,
            (Some(n), None, None) if n > 0 => rule.nth(n),
            (None, Some(k), None) if k > 0 => rule.first(k),
            (None, None, Some(p)) if (0.0..=1.0).contains(&p) => {
                rule.chance(p, self.seed.unwrap_or(0))
            }
            _ => {
                return Err(
                    "give one of nth and first, not 0, or a probability of 0 to 1".to_owned(),
                );
            }
        };
        let rule = match self.when {
            Moment::Before => rule.before(),
            Moment::After => rule.after(),
        };
        self.fault.put_into(rule, submits_job, world)
    }
}

impl What {
    fn put_into(self, rule: Rule, submits_job: bool, world: &World) -> Result<Rule, String> {
        let befall = |rule: Rule, whom: Whom, incident| {
            let target = whom.target.as_deref();
            let target = target.map(|name| super::incidents::find(world, name));
            Ok(rule.befall(target.transpose()?, incident, whom.for_ms))
        };
        match self {
            Self::Answer(error) if (400..600).contains(&error.status) => Ok(rule.answer(
                error.status,
                error.reason.unwrap_or_else(|| UNKNOWN_ERROR.to_owned()),
                error.message,
            )),
            Self::Answer(_) => Err("status is 400 to 599".to_owned()),
            Self::Firmware(code) => {
                let error = FirmwareError::find(&code).ok_or_else(|| {
                    let code: String = code.chars().take(40).collect();
                    format!("{code} is not known; GET /firmware-errors lists what is, answer and job_error take any text")
                })?;
                if submits_job {
                    return Ok(rule.fate(error.fate()));
                }
                let problem = error.problem();
                Ok(rule.answer(problem.status, problem.reason, problem.message))
            }
            Self::Reset => Ok(rule.reset()),
            Self::Cut(bytes) => Ok(rule.cut(bytes)),
            Self::DelayMs(milliseconds) => Ok(rule.delay(Duration::from_millis(milliseconds))),
            Self::JobError(text) => Ok(rule.fate(Fate::Failed(text))),
            Self::JobException(text) => Ok(rule.fate(Fate::Exception(text))),
            Self::ViosDown(whom) | Self::PartitionDown(whom) => befall(rule, whom, Incident::Down),
            Self::RmcLost(whom) => befall(rule, whom, Incident::RmcLost),
        }
    }
}

async fn show(State(admin): State<Admin>) -> Response {
    answer(&list(admin.simulator.faults()))
}

async fn add(State(admin): State<Admin>, request: Request) -> Response {
    let order: Order = match read(request).await {
        Ok(order) => order,
        Err(refusal) => return refusal,
    };
    let added = order.rule(&admin.simulator.world()).and_then(|rule| {
        let faults = admin.simulator.faults();
        faults.add(rule).map_err(|error| error.to_string())
    });
    match added {
        Ok(id) => answer(&Added { id }),
        Err(message) => refusal(StatusCode::BAD_REQUEST, &message),
    }
}

async fn clear(State(admin): State<Admin>) -> Response {
    admin.simulator.faults().clear();
    reply::nothing()
}

async fn remove(State(admin): State<Admin>, Path(id): Path<String>) -> Response {
    match id.parse() {
        Ok(id) if admin.simulator.faults().remove(id) => reply::nothing(),
        _ => refusal(
            StatusCode::NOT_FOUND,
            "there is no fault rule with this number",
        ),
    }
}

async fn known() -> Response {
    let known = |error: &FirmwareError| Known {
        code: error.code,
        status: error.status,
        text: error.text,
    };
    answer(&KNOWN.iter().map(known).collect::<Vec<_>>())
}

/// All rules with their counts.
#[must_use]
pub fn list(faults: &Faults) -> Vec<Listed> {
    let struck = |hit: crate::weather::faults::Hit| Struck {
        at: hit.at.0,
        method: hit.method.to_string(),
        path: hit.path,
    };
    let listed = |standing: crate::weather::faults::Standing| Listed {
        id: standing.id,
        rule: standing.rule,
        matched: standing.matched,
        hits: standing.hits,
        last: standing.last.into_iter().map(struck).collect(),
    };
    faults.list().into_iter().map(listed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> Result<String, String> {
        let world = crate::Simulator::builder().build().unwrap().world();
        let order: Order = serde_json::from_str(text).map_err(|error| error.to_string())?;
        order.rule(&world).map(|rule| rule.to_string())
    }

    #[tokio::test]
    async fn the_documented_orders_are_rules() {
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
        assert_eq!(
            rule(r#"{"resource": "VirtualIOServer", "verb": "POST", "probability": 0.1, "seed": 7, "fault": {"firmware": "HSCL05DE"}}"#).unwrap(),
            "POST * of VirtualIOServer, with probability 0.1 (seed 7), before: 500 Unknown internal error. \
             REST0126 HSCL05DE The partition name is already used by another partition."
        );
        assert_eq!(
            rule(r#"{"job": "PowerOn", "nth": 1, "fault": {"firmware": "HSCL03EC"}}"#).unwrap(),
            "* * job PowerOn, number 1, before: the job fails: HSCL03EC There is not enough memory to obtain the \
             requested configuration."
        );
        let down = rule(r#"{"fault": {"vios_down": {"target": "vios1", "for_ms": 9}}}"#).unwrap();
        assert!(
            down.starts_with("* *, every time, before: Down of "),
            "{down}"
        );
        assert!(down.ends_with(" for 9 ms"), "{down}");
    }

    #[tokio::test]
    async fn nonsense_is_refused() {
        for text in [
            r#"{"path": "*"}"#,
            r#"{"resource": "virtualioserver", "fault": "reset"}"#,
            r#"{"probability": 1.5, "fault": "reset"}"#,
            r#"{"probability": 0.5, "nth": 1, "fault": "reset"}"#,
            r#"{"fault": {"firmware": "HSCL9999"}}"#,
            r#"{"fault": {"vios_down": {"target": "nobody"}}}"#,
            r#"{"id": "x", "fault": "reset"}"#,
            r#"{"path": "*", "fault": "explode"}"#,
            r#"{"path": "*", "nth": 0, "fault": "reset"}"#,
            r#"{"path": "*", "nth": 1, "first": 1, "fault": "reset"}"#,
            r#"{"path": "*", "fault": {"answer": {"status": 200, "message": ""}}}"#,
            r#"{"method": "BREW", "path": "*", "fault": "reset"}"#,
            r#"{"method": "GET", "verb": "GET", "fault": "reset"}"#,
            r#"{"path": "*", "fault": "reset", "colour": 1}"#,
        ] {
            assert!(rule(text).is_err(), "{text}");
        }
    }
}
