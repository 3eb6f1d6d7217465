//! What it knows and how it answers.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

/// What befalls a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Nobody listens.
    Down,
    /// The answer takes so long.
    Slow(Duration),
    /// Nothing is done, and this is answered, with a Retry-After in seconds.
    Status(u16, Option<u64>),
    /// It is done, and the answer is cut short.
    Truncated,
    /// It is done, and a proxy answers with a page of its own.
    Html,
    /// It is done, and the connection breaks before the answer.
    ResetAfter,
    /// Nothing is done, and the connection breaks.
    ResetBefore,
}

/// Our own account.
pub(crate) const OWN: u64 = 7;
/// Its name and password.
pub(crate) const USER: &str = "powervm-ci";
/// Its password.
pub(crate) const PASSWORD: &str = "hush/hush";
/// Somebody else.
pub(crate) const ALICE: u64 = 1000;

/// A message.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) author: u64,
    pub(crate) at: i64,
    pub(crate) text: String,
    pub(crate) tag: Option<String>,
    pub(crate) patch_set: u32,
}

/// A change.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) project: String,
    pub(crate) branch: String,
    pub(crate) status: &'static str,
    pub(crate) wip: bool,
    pub(crate) updated: i64,
    /// When each patch set was made.
    pub(crate) patch_sets: Vec<i64>,
    pub(crate) messages: Vec<Message>,
    /// Texts in the reply box, by message.
    pub(crate) comments: Vec<(String, String)>,
    /// Votes by patch set, label and account.
    pub(crate) votes: BTreeMap<(u32, String, u64), i64>,
}

#[derive(Debug, Default)]
pub(crate) struct Inner {
    pub(crate) now: i64,
    pub(crate) changes: BTreeMap<u64, Change>,
    /// One befalls each request, in this order, as long as there are some.
    pub(crate) troubles: VecDeque<Option<Trouble>>,
    /// As long as it is so, each request meets it.
    pub(crate) outage: Option<Trouble>,
    pub(crate) requests: Vec<String>,
    pub(crate) may_vote: bool,
}

/// A Gerrit. Clones are the same one.
#[derive(Debug, Clone)]
pub(crate) struct FakeGerrit(pub(crate) Arc<Mutex<Inner>>);

/// The commit of a patch set.
pub(crate) fn commit(change: u64, patch_set: u32) -> String {
    format!("{change:032x}{patch_set:08x}")
}

impl FakeGerrit {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Inner {
            now: 1_795_000_000,
            may_vote: true,
            ..Inner::default()
        })))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    /// A moment passes; gives it.
    pub(crate) fn tick(&self, seconds: i64) -> i64 {
        let mut inner = self.lock();
        inner.now += seconds;
        inner.now
    }

    /// A change with its first patch set.
    pub(crate) fn upload(&self, number: u64) {
        let now = self.tick(1);
        let mut inner = self.lock();
        let change = inner.changes.entry(number).or_insert_with(|| Change {
            project: "openstack/nova".to_owned(),
            branch: "master".to_owned(),
            status: "NEW",
            wip: false,
            updated: now,
            patch_sets: Vec::new(),
            messages: Vec::new(),
            comments: Vec::new(),
            votes: BTreeMap::new(),
        });
        change.patch_sets.push(now);
        change.updated = now;
    }

    /// Changes a change.
    pub(crate) fn edit(&self, number: u64, edit: impl FnOnce(&mut Change)) {
        let now = self.tick(1);
        let mut inner = self.lock();
        let change = inner.changes.get_mut(&number).unwrap();
        edit(change);
        change.updated = now;
    }

    /// Somebody says something of the newest patch set.
    pub(crate) fn comment(&self, number: u64, author: u64, text: &str) {
        let now = self.tick(1);
        self.edit(number, |change| {
            let patch_set = change.patch_sets.len() as u32;
            let id = format!("m{}", change.messages.len());
            let text = format!("Patch Set {patch_set}:\n\n{text}");
            change.messages.push(Message {
                id,
                author,
                at: now,
                text,
                tag: None,
                patch_set,
            });
        });
    }

    /// Somebody writes into the reply box of today's page.
    pub(crate) fn reply(&self, number: u64, author: u64, text: &str) {
        self.comment(number, author, "(1 comment)");
        let mut inner = self.lock();
        let change = inner.changes.get_mut(&number).unwrap();
        let id = change.messages.last().unwrap().id.clone();
        change.comments.push((id, text.to_owned()));
    }

    pub(crate) fn trouble(&self, troubles: impl IntoIterator<Item = Option<Trouble>>) {
        self.lock().troubles.extend(troubles);
    }

    /// What our account said of a change.
    pub(crate) fn said(&self, number: u64) -> Vec<Message> {
        let inner = self.lock();
        let messages = inner
            .changes
            .get(&number)
            .map(|change| change.messages.clone())
            .unwrap_or_default();
        messages
            .into_iter()
            .filter(|message| message.author == OWN)
            .collect()
    }

    /// What befalls this request.
    pub(crate) fn fate(&self, request: &Request<Bytes>) -> Option<Trouble> {
        let mut inner = self.lock();
        let line = format!("{} {}", request.method(), request.uri().path());
        inner.requests.push(line);
        inner.troubles.pop_front().flatten().or(inner.outage)
    }

    /// Does what is asked.
    pub(crate) fn answer(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let mut inner = self.lock();
        let path = request.uri().path().to_owned();
        let Some(path) = path.strip_prefix("/a/") else {
            let path = path.trim_start_matches('/').to_owned();
            return if request.method() == Method::GET && path != "accounts/self" {
                inner.route(request, &path, None)
            } else {
                inner.plain(StatusCode::FORBIDDEN, "Authentication required")
            };
        };
        if !is_known(request.headers()) {
            return inner.plain(StatusCode::UNAUTHORIZED, "Unauthorized");
        }
        inner.route(request, path, Some(OWN))
    }
}

fn is_known(headers: &HeaderMap) -> bool {
    let wanted = format!("Basic {}", STANDARD.encode(format!("{USER}:{PASSWORD}")));
    headers
        .get(header::AUTHORIZATION)
        .is_some_and(|value| value.as_bytes() == wanted.as_bytes())
}

impl Inner {
    fn route(&mut self, request: &Request<Bytes>, path: &str, who: Option<u64>) -> Response<Bytes> {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match (request.method(), parts.as_slice()) {
            (&Method::GET, ["accounts", "self"]) => {
                self.json(&json!({"_account_id": who, "username": USER}))
            }
            (&Method::GET, ["changes"]) => self.query(request.uri().query().unwrap_or_default()),
            (&Method::GET, ["changes", number]) => match self.find(number) {
                Some(number) => {
                    let change = self.info(number);
                    self.json(&change)
                }
                None => self.plain(StatusCode::NOT_FOUND, "Not found: change"),
            },
            (&Method::GET, ["changes", number, "comments"]) => self.comments(number),
            (&Method::POST, ["changes", number, "revisions", revision, "review"]) => {
                self.review(number, revision, request.body(), who.unwrap_or_default())
            }
            _ => self.plain(StatusCode::NOT_FOUND, "Not found"),
        }
    }

    fn find(&self, number: &str) -> Option<u64> {
        number
            .parse()
            .ok()
            .filter(|number| self.changes.contains_key(number))
    }

    fn query(&self, query: &str) -> Response<Bytes> {
        let fields: BTreeMap<String, String> = query
            .split('&')
            .filter_map(|field| field.split_once('='))
            .map(|(key, value)| {
                (
                    key.to_owned(),
                    percent_decode_str(value).decode_utf8_lossy().into_owned(),
                )
            })
            .collect();
        let number = |key: &str, default: usize| {
            fields
                .get(key)
                .map_or(default, |text| text.parse().unwrap())
        };
        let (start, most) = (number("S", 0), number("n", 25).min(500));
        let asked = fields.get("q").cloned().unwrap_or_default();
        let Some(project) = asked
            .split_whitespace()
            .find_map(|word| word.strip_prefix("project:"))
        else {
            return self.plain(StatusCode::BAD_REQUEST, "line 1: no project");
        };
        let after = asked
            .split_once("after:\"")
            .map(|(_, rest)| rest.trim_end_matches('"'));
        let after = after.map_or(0, |text| {
            let moment: jiff::Timestamp = text
                .replace(" +0000", "Z")
                .replace(' ', "T")
                .parse()
                .unwrap();
            moment.as_second()
        });
        let mut found: Vec<u64> = self
            .changes
            .iter()
            .filter(|(_, change)| change.project == project && change.updated >= after)
            .map(|(number, _)| *number)
            .collect();
        found.sort_by_key(|number| std::cmp::Reverse((self.changes[number].updated, *number)));
        let more = found.len() > start + most;
        let mut page: Vec<Value> = found
            .into_iter()
            .skip(start)
            .take(most)
            .map(|number| self.info(number))
            .collect();
        if let (true, Some(last)) = (more, page.last_mut()) {
            last["_more_changes"] = json!(true);
        }
        self.json(&json!(page))
    }

    fn info(&self, number: u64) -> Value {
        let change = &self.changes[&number];
        let patch_set = change.patch_sets.len() as u32;
        let current = commit(number, patch_set);
        let messages: Vec<Value> = change
            .messages
            .iter()
            .map(|message| {
                let mut value = json!({
                    "id": message.id, "author": {"_account_id": message.author, "username": name(message.author)},
                    "date": moment(message.at), "message": message.text, "_revision_number": message.patch_set,
                });
                if let Some(tag) = &message.tag {
                    value["tag"] = json!(tag);
                }
                value
            })
            .collect();
        let revision =
            json!({"_number": patch_set, "created": moment(*change.patch_sets.last().unwrap())});
        json!({
            "id": format!("{}~{number}", change.project.replace('/', "%2F")), "_number": number,
            "project": change.project, "branch": change.branch, "status": change.status,
            "work_in_progress": change.wip, "updated": moment(change.updated), "subject": "A change",
            "current_revision": current.clone(), "revisions": {current: revision}, "messages": messages,
        })
    }

    fn comments(&self, number: &str) -> Response<Bytes> {
        let Some(number) = self.find(number) else {
            return self.plain(StatusCode::NOT_FOUND, "Not found");
        };
        let comments: Vec<Value> = self.changes[&number]
            .comments
            .iter()
            .map(|(id, text)| json!({"change_message_id": id, "message": text}))
            .collect();
        self.json(&json!({"/PATCHSET_LEVEL": comments, "nova/x.py": [{"message": "recheck"}]}))
    }

    fn review(&mut self, number: &str, revision: &str, body: &Bytes, who: u64) -> Response<Bytes> {
        let Some(number) = self.find(number) else {
            return self.plain(StatusCode::NOT_FOUND, "Not found");
        };
        let input: Value = serde_json::from_slice(body).unwrap();
        let labels = input["labels"].as_object().cloned().unwrap_or_default();
        if !labels.is_empty() && !self.may_vote {
            return self.plain(
                StatusCode::FORBIDDEN,
                "Applying label \"Verified\": 1 is restricted",
            );
        }
        if let Some(label) = labels.keys().find(|label| *label != "Verified") {
            return self.plain(
                StatusCode::BAD_REQUEST,
                &format!("label \"{label}\" is not a configured label"),
            );
        }
        let now = self.now;
        let change = self.changes.get_mut(&number).unwrap();
        let sets = 1..=change.patch_sets.len() as u32;
        let Some(patch_set) = sets
            .into_iter()
            .find(|set| commit(number, *set) == revision)
        else {
            return self.plain(StatusCode::NOT_FOUND, "Not found: revision");
        };
        if change.status != "NEW" && !labels.is_empty() {
            return self.plain(StatusCode::CONFLICT, "change is closed");
        }
        let mut head = format!("Patch Set {patch_set}:");
        for (label, value) in &labels {
            head.push_str(&format!(" {label}{:+}", value.as_i64().unwrap()));
            change
                .votes
                .insert((patch_set, label.clone(), who), value.as_i64().unwrap());
        }
        change.messages.push(Message {
            id: format!("m{}", change.messages.len()),
            author: who,
            at: now,
            text: format!("{head}\n\n{}", input["message"].as_str().unwrap()),
            tag: input["tag"].as_str().map(str::to_owned),
            patch_set,
        });
        change.updated = now;
        self.json(&json!({"labels": labels}))
    }

    fn json(&self, value: &Value) -> Response<Bytes> {
        let text = format!(")]}}'\n{value}\n");
        self.with_date(
            Response::builder().header(header::CONTENT_TYPE, "application/json; charset=UTF-8"),
        )
        .body(text.into())
        .unwrap()
    }

    fn plain(&self, status: StatusCode, text: &str) -> Response<Bytes> {
        self.with_date(
            Response::builder()
                .status(status)
                .header(header::CONTENT_TYPE, "text/plain"),
        )
        .body(text.to_owned().into())
        .unwrap()
    }

    fn with_date(&self, builder: http::response::Builder) -> http::response::Builder {
        let now = std::time::UNIX_EPOCH + Duration::from_secs(self.now.try_into().unwrap());
        builder.header(header::DATE, httpdate::fmt_http_date(now))
    }
}

fn name(account: u64) -> String {
    if account == OWN {
        USER.to_owned()
    } else {
        format!("user-{account}")
    }
}

/// `2026-11-22 03:04:05.000000000`
fn moment(seconds: i64) -> String {
    let moment = jiff::Timestamp::from_second(seconds).unwrap().to_string();
    moment.replace('T', " ").replace('Z', ".000000000")
}
