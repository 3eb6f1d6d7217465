//! What a request's URL names, read once at the door.
//!
//! The grammar is `docs/protocol/urls.md`:
//! `/rest/api/<service>/<Type>[/<uuid>[/<Type>[/<uuid>]]][/quick|/search|/do|/jobs …][?group=…]`.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use uuid::Uuid;

use super::group::GroupSet;
use super::kind::Kind;
use super::monitored::Monitored;
use super::problem::Problem;
use super::query::Query;
use super::search::Condition;
use crate::model::Refusal;

/// The service part of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// `uom`: the managed resources.
    Uom,
    /// `web`: logon and files.
    Web,
    /// `templates`: partition templates of an HMC.
    Templates,
    /// `pcm`: performance and capacity monitoring.
    Pcm,
}

impl Service {
    /// The name as in URLs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Uom => "uom",
            Self::Web => "web",
            Self::Templates => "templates",
            Self::Pcm => "pcm",
        }
    }
}

/// One type of a path and, for an entry, its identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The resource type.
    pub kind: Kind,
    /// The resource, if the path names one; absent means the whole feed.
    pub id: Option<Uuid>,
    /// The identifier with the letter case that the client sent (empty for a feed). SELF links repeat it.
    pub text: String,
}

/// What a request wants of the resource that its path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The feed or the entry itself.
    Document,
    /// `…/quick`: the object of all quick properties of an entry; of a feed, the list of property names.
    Quick,
    /// `…/quick/All` on a feed: an array of quick objects.
    QuickAll,
    /// `…/quick/<Property>` of an entry: one JSON scalar.
    QuickProperty(String),
    /// `<Type>/search`: the search parameters that the type has.
    SearchParameters,
    /// `<Type>/search/(…)`: the feed of what meets the condition.
    Search(Condition),
    /// `…/do/<Operation>`: a job's template (GET) or its submission (PUT).
    Operation(String),
    /// `…/jobs`: the jobs of a resource; without one, all jobs.
    Jobs,
    /// `jobs/<id>`
    Job(u64),
    /// `jobs/<id>/cancel`
    CancelJob(u64),
    /// `web/File/contents/<uuid>`
    FileContents(Uuid),
    /// `web/Logon`
    Logon,
    /// Whatever the `pcm` service has.
    Monitoring(Monitored),
}

/// A parsed URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The service of the path.
    pub service: Service,
    /// The resource: root type first. Empty for jobs by id and for logon.
    pub steps: Vec<Step>,
    /// What is wanted of the resource.
    pub action: Action,
    /// The extended attribute groups; [`GroupSet::default_for`] the last type if the URL names none.
    pub groups: GroupSet,
    /// The other query parameters.
    pub query: Query,
}

/// The longest path with query that is read, in bytes. More is 414.
pub const LONGEST_URL: usize = 8 * 1024;

/// The most types that a path may have (`ManagedSystem/…/LogicalPartition/…/ClientNetworkAdapter`).
const MOST_STEPS: usize = 3;

impl Target {
    /// Reads the path and the query of a URL, both as sent (percent-encoded).
    ///
    /// # Errors
    /// 400 with `REST000B` (and `REST000E` for an unknown root type), `REST0026` for an unknown group, `REST0123`
    /// for an unknown query parameter; 414 for a URL longer than [`LONGEST_URL`]; 500 for a search that is none.
    pub fn parse(path: &str, query: Option<&str>) -> Result<Self, Problem> {
        if path.len() + query.map_or(0, str::len) > LONGEST_URL {
            return Err(Problem::new(
                414,
                "INVALID_URL",
                format!("The URL is longer than {LONGEST_URL} bytes."),
            ));
        }
        let mut segments = decoded_segments(path)?;
        let service = match segments.next().as_deref() {
            Some("uom") => Service::Uom,
            Some("web") => Service::Web,
            Some("templates") => Service::Templates,
            Some("pcm") => Service::Pcm,
            _ => {
                return Err(Problem::invalid_url(
                    "Known services are uom, web, templates and pcm.",
                ));
            }
        };
        let mut target = Self {
            service,
            steps: Vec::new(),
            action: Action::Document,
            groups: GroupSet::none(),
            query: Query::default(),
        };
        match service {
            Service::Pcm => target.read_pcm(&mut segments)?,
            Service::Uom | Service::Web | Service::Templates => target.read_path(&mut segments)?,
        }
        if segments.next().is_some() {
            return Err(Problem::invalid_url("The path goes on after its end."));
        }
        let (groups, query) = Query::parse(query.unwrap_or_default())?;
        target.groups = groups.unwrap_or_else(|| {
            target
                .kind()
                .map_or_else(GroupSet::none, GroupSet::default_for)
        });
        target.query = query;
        Ok(target)
    }

    /// Whether all of a resource is asked for, where less is shown without (`detail=full`). One template alone is always
    /// shown in full.
    #[must_use]
    pub fn wants_detail(&self) -> bool {
        self.query.full_detail || self.is_entry()
    }

    /// The type that the path ends in.
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        self.steps.last().map(|step| step.kind)
    }

    /// The resource that the path ends in; absent for a feed.
    #[must_use]
    pub fn id(&self) -> Option<Uuid> {
        self.steps.last().and_then(|step| step.id)
    }

    /// The step before the last: the parent of a child resource.
    #[must_use]
    pub fn parent(&self) -> Option<&Step> {
        self.steps
            .len()
            .checked_sub(2)
            .and_then(|index| self.steps.get(index))
    }

    /// The identifier of the first step of this type.
    #[must_use]
    pub fn id_of(&self, kind: Kind) -> Option<Uuid> {
        self.steps
            .iter()
            .find(|step| step.kind == kind)
            .and_then(|step| step.id)
    }

    /// The types of the path from root to end, for a `match`: `[Kind::Tier, Kind::LogicalUnit]`.
    #[must_use]
    pub fn kinds(&self) -> Vec<Kind> {
        self.steps.iter().map(|step| step.kind).collect()
    }

    /// Whether the path names one resource (or job) and not a feed.
    #[must_use]
    pub fn is_entry(&self) -> bool {
        self.id().is_some()
    }

    /// The path below the service as the client sent it, without action and query: `Tier/<uuid>/LogicalUnit`.
    #[must_use]
    pub fn path(&self) -> String {
        let mut path = String::new();
        self.push_path(&mut path);
        path
    }

    /// Adds the path to a text.
    pub(crate) fn push_path(&self, text: &mut String) {
        for (number, step) in self.steps.iter().enumerate() {
            if number > 0 {
                text.push('/');
            }
            text.push_str(step.kind.name());
            if !step.text.is_empty() {
                text.push('/');
                text.push_str(&step.text);
            }
        }
    }

    fn read_path(&mut self, segments: &mut Segments<'_>) -> Result<(), Problem> {
        while let Some(word) = segments.next() {
            let entry = self.steps.last().map(|step| step.id.is_some());
            match (&*word, entry) {
                ("quick", Some(entry)) => self.action = quick(segments, entry)?,
                ("search", Some(false)) if self.steps.len() == 1 => self.action = search(segments)?,
                ("do", Some(_)) => {
                    self.action = Action::Operation(needed(segments, "an operation")?)
                }
                ("jobs", Some(true)) => self.action = Action::Jobs,
                ("jobs", None) if self.service == Service::Uom => self.action = job(segments)?,
                ("Logon", None) if self.service == Service::Web => self.action = Action::Logon,
                ("contents", Some(false)) if self.kind() == Some(Kind::File) => {
                    self.action = Action::FileContents(identifier(&needed(segments, "a file")?)?);
                }
                (_, Some(false)) => self.identify(word.into_owned())?,
                (_, _) => self.step(&word)?,
            }
            if self.action != Action::Document {
                break;
            }
        }
        if self.steps.is_empty() && self.action == Action::Document {
            return Err(Problem::invalid_url("The path names no resource type."));
        }
        Ok(())
    }

    fn read_pcm(&mut self, segments: &mut Segments<'_>) -> Result<(), Problem> {
        let words: Vec<String> = segments.map(Cow::into_owned).collect();
        self.action = Action::Monitoring(Monitored::parse(&words)?);
        Ok(())
    }

    fn step(&mut self, name: &str) -> Result<(), Problem> {
        let known = Kind::parse(name).filter(|kind| kind.service() == self.service);
        match (known, self.kind()) {
            (Some(kind), None) if kind.is_root() => {
                self.steps.push(Step {
                    kind,
                    id: None,
                    text: String::new(),
                });
                Ok(())
            }
            (Some(kind), Some(parent))
                if kind.parents().contains(&parent) && self.steps.len() < MOST_STEPS =>
            {
                self.steps.push(Step {
                    kind,
                    id: None,
                    text: String::new(),
                });
                Ok(())
            }
            (_, None) => Err(Problem::invalid_url(&format!(
                "REST000E Unrecognized root REST type of {}.",
                printable(name)
            ))),
            (_, Some(parent)) => Err(Problem::invalid_url(&format!(
                "{} is no child of {}.",
                printable(name),
                parent.name()
            ))),
        }
    }

    fn identify(&mut self, word: String) -> Result<(), Problem> {
        let id = identifier(&word)?;
        if let Some(step) = self.steps.last_mut() {
            step.id = Some(id);
            step.text = word;
        }
        Ok(())
    }
}

/// Room for the segments of most paths.
const USUAL_SEGMENTS: usize = 8;

/// The decoded segments of a path below `/rest/api/`.
type Segments<'u> = std::vec::IntoIter<Cow<'u, str>>;

fn decoded_segments(path: &str) -> Result<Segments<'_>, Problem> {
    let rest = path
        .strip_prefix("/rest/api/")
        .ok_or_else(|| Problem::new(404, "INVALID_URL", "REST000B Paths begin with /rest/api/."))?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let mut words = Vec::with_capacity(USUAL_SEGMENTS);
    for raw in rest.split('/') {
        let word = decoded(raw)?;
        if word.is_empty() || word.chars().any(char::is_control) {
            return Err(Problem::invalid_url(
                "A segment of the path is empty or holds control characters.",
            ));
        }
        words.push(word);
    }
    Ok(words.into_iter())
}

/// Nearly no segment holds what has to be decoded.
fn decoded(raw: &str) -> Result<Cow<'_, str>, Problem> {
    if !raw.contains('%') {
        return Ok(Cow::Borrowed(raw));
    }
    percent_decode_str(raw)
        .decode_utf8()
        .map_err(|_| Problem::invalid_url("The path is not UTF-8."))
}

fn quick(segments: &mut Segments<'_>, entry: bool) -> Result<Action, Problem> {
    match (segments.next(), entry) {
        (None, _) => Ok(Action::Quick),
        (Some(property), true) => Ok(Action::QuickProperty(property.into_owned())),
        (Some(all), false) if all == "All" => Ok(Action::QuickAll),
        (Some(_), false) => Err(Problem::invalid_url(
            "A quick property belongs to an entry; a feed has quick/All.",
        )),
    }
}

fn search(segments: &mut Segments<'_>) -> Result<Action, Problem> {
    match segments.next() {
        None => Ok(Action::SearchParameters),
        Some(expression) => Condition::parse(&expression).map(Action::Search),
    }
}

fn job(segments: &mut Segments<'_>) -> Result<Action, Problem> {
    let Some(word) = segments.next() else {
        return Ok(Action::Jobs);
    };
    let id = word.parse().map_err(|_| no_such_job(&word))?;
    match segments.next().as_deref() {
        None => Ok(Action::Job(id)),
        Some("cancel") => Ok(Action::CancelJob(id)),
        Some(_) => Err(Problem::invalid_url("A job knows no operation but cancel.")),
    }
}

/// 404 `REST0005` as captured for jobs that are gone or never were.
#[must_use]
pub fn no_such_job(id: &str) -> Problem {
    Problem::new(
        404,
        UNKNOWN_RESOURCE,
        format!("REST0005 No such Job {}", printable(id)),
    )
}

/// The `ReasonCode` of a 404.
pub const UNKNOWN_RESOURCE: &str = Refusal::UNKNOWN_RESOURCE;

fn needed(segments: &mut Segments<'_>, what: &str) -> Result<String, Problem> {
    segments
        .next()
        .map(Cow::into_owned)
        .ok_or_else(|| Problem::invalid_url(&format!("The path ends before it names {what}.")))
}

pub(super) fn identifier(word: &str) -> Result<Uuid, Problem> {
    // Only the hyphenated form is an identifier here; the uuid crate would also take braces, urn: and bare hex.
    if word.len() == 36
        && let Ok(id) = Uuid::try_parse(word)
    {
        return Ok(id);
    }
    Err(Problem::invalid_url(&format!(
        "{} is no UUID.",
        printable(word)
    )))
}

/// At most forty characters of what a client sent, for a message.
fn printable(word: &str) -> String {
    word.chars()
        .take(40)
        .map(|c| if c.is_control() { '?' } else { c })
        .collect()
}

#[cfg(test)]
mod tests;
