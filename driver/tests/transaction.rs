//! Edits of a shelf that others edit too.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use http_body_util::BodyExt;
use powervm_driver::rest::{
    Body, Credentials, Endpoint, Groups, Session, SessionOptions, Transport, TransportError,
    TransportFailure,
};
use powervm_driver::transaction::{Changed, Edited, Group, edit};
use powervm_driver::{Error, ErrorKind};
use powervm_schema::xml::{Element, Namespace};
use proptest::prelude::*;
use tokio::time::{Instant, sleep, timeout};

const HREF: &str = "VirtualIOServer/0F3D6C2A-1111-4222-8333-444455556666";
const MAPPINGS: &[&str] = &["ViosSCSIMapping"];

type Rule = Box<dyn Fn(&mut State, &[String]) -> Reply + Send>;

/// A Virtual I/O Server that is a shelf of named things, with a version.
struct State {
    things: BTreeSet<String>,
    version: u64,
    reads: usize,
    /// Things of each update that arrived, accepted or not.
    updates: Vec<Vec<String>>,
    groups: BTreeSet<String>,
    /// What becomes of an update, beyond its version.
    rule: Rule,
}

enum Reply {
    Accept,
    Refuse(u16, &'static str),
    /// Made, but the answer is lost.
    Lose,
    /// Lost on the way to the server.
    Drop,
    Panic,
}

#[derive(Clone)]
struct Shelf(Arc<Mutex<State>>);

impl Shelf {
    fn new() -> Shelf {
        Shelf::ruled(|_, _| Reply::Accept)
    }

    fn ruled(rule: impl Fn(&mut State, &[String]) -> Reply + Send + 'static) -> Shelf {
        Shelf(Arc::new(Mutex::new(State {
            things: BTreeSet::new(),
            version: 1,
            reads: 0,
            updates: Vec::new(),
            groups: BTreeSet::new(),
            rule: Box::new(rule),
        })))
    }

    fn look<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(
            &mut self
                .0
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        )
    }

    /// Somebody else puts something there.
    fn put(&self, thing: &str) {
        self.look(|state| {
            state.things.insert(thing.to_owned());
            state.version += 1;
        });
    }

    fn things(&self) -> Vec<String> {
        self.look(|state| state.things.iter().cloned().collect())
    }

    fn traffic(&self) -> (usize, usize) {
        self.look(|state| (state.reads, state.updates.len()))
    }

    async fn session(&self) -> Session {
        let password = Credentials::Password {
            user: "u".to_owned(),
            password: "p".into(),
        };
        let endpoint = Endpoint::new("http://127.0.0.1")
            .unwrap()
            .credentials(password);
        Session::logon(endpoint, Arc::new(self.clone()), SessionOptions::default())
            .await
            .unwrap()
    }
}

fn respond(status: u16, etag: &str, body: String) -> Response<Body> {
    Response::builder()
        .status(status)
        .header("etag", etag)
        .body(Body::whole(body))
        .unwrap()
}

fn document(state: &State, query: &str) -> String {
    let things: String = state
        .things
        .iter()
        .map(|thing| format!("<Thing>{thing}</Thing>"))
        .collect();
    let uom = Namespace::Uom.uri().to_owned();
    format!(
        "<entry xmlns='http://www.w3.org/2005/Atom'><id>x</id><link rel='SELF' href='http://h/rest/api/uom/{HREF}?{query}'/><content><V:VirtualIOServer xmlns:V='{uom}' xmlns='{uom}'>{things}</V:VirtualIOServer></content></entry>"
    )
}

impl Transport for Shelf {
    fn call(
        &self,
        request: Request<Body>,
    ) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body: Bytes = body.collect().await.unwrap().to_bytes();
            if head.uri.path().ends_with("Logon") {
                let token =
                    "<LogonResponse><X-API-Session>t</X-API-Session></LogonResponse>".to_owned();
                return Ok(respond(200, "", token));
            }
            let query = head.uri.query().unwrap().to_owned();
            if head.method == "GET" {
                sleep(Duration::from_secs(1)).await;
                return self.look(|state| {
                    state.reads += 1;
                    Ok(respond(
                        200,
                        &state.version.to_string(),
                        document(state, &query),
                    ))
                });
            }
            sleep(Duration::from_secs(2)).await;
            let etag: u64 = head.headers["if-match"].to_str().unwrap().parse().unwrap();
            let sent = Element::parse(&body).unwrap();
            let things: Vec<String> = sent
                .children_named("Thing")
                .map(|thing| thing.text().into_owned())
                .collect();
            self.look(|state| {
                state.updates.push(things.clone());
                state.groups.insert(query.clone());
                let rule = std::mem::replace(&mut state.rule, Box::new(|_, _| Reply::Accept));
                let reply = rule(state, &things);
                state.rule = rule;
                let refuse = |status, message: &str| {
                    let text = format!("<HttpErrorResponse><HTTPStatus>{status}</HTTPStatus><Message>{message}</Message></HttpErrorResponse>");
                    Ok(respond(status, "", text))
                };
                let lost = || Err(TransportError::new(TransportFailure::Broken, "reset"));
                match reply {
                    Reply::Refuse(status, message) => return refuse(status, message),
                    Reply::Drop => return lost(),
                    Reply::Panic => panic!("a defective transport"),
                    Reply::Accept | Reply::Lose if etag != state.version => return refuse(412, "etag"),
                    Reply::Accept | Reply::Lose => {}
                }
                state.things = things.into_iter().collect();
                state.version += 1;
                match reply {
                    Reply::Lose => lost(),
                    _ => Ok(respond(200, &state.version.to_string(), document(state, &query))),
                }
            })
        })
    }
}

fn has(document: &Element, thing: &str) -> bool {
    document
        .children_named("Thing")
        .any(|child| child.text() == thing)
}

/// Makes sure that a thing is there.
fn ensure(
    thing: impl Into<String>,
) -> impl FnMut(&mut Element) -> Result<Changed, Error> + Send + 'static {
    let thing = thing.into();
    move |document| {
        if has(document, &thing) {
            return Ok(Changed::No);
        }
        document.push(Element::leaf(Namespace::Uom, "Thing", thing.as_str()));
        Ok(Changed::Yes)
    }
}

fn submit(group: &Group, thing: &str) -> tokio::task::JoinHandle<Result<Edited, Error>> {
    let (group, edit) = (group.clone(), ensure(thing));
    tokio::spawn(async move { group.edit(HREF, MAPPINGS, edit).await })
}

#[tokio::test(start_paused = true)]
async fn an_edit_is_applied_anew_to_what_others_left() {
    let others = Mutex::new(2);
    let shelf = Shelf::ruled(move |state, _| {
        let mut others = others.lock().unwrap();
        if *others > 0 {
            *others -= 1;
            state.things.insert(format!("other{others}"));
            state.version += 1;
        }
        Reply::Accept
    });
    let edited = edit(
        &shelf.session().await,
        HREF,
        Groups::Named(MAPPINGS),
        ensure("mine"),
    )
    .await
    .unwrap();
    assert!(edited.changed && has(&edited.entry.content, "other0"));
    assert_eq!(shelf.things(), ["mine", "other0", "other1"]);
    assert_eq!(shelf.traffic(), (3, 3));
    assert_eq!(
        shelf.look(|state| state.groups.clone()),
        BTreeSet::from(["group=ViosSCSIMapping".to_owned()])
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_when_nothing_changes() {
    let shelf = Shelf::new();
    shelf.put("mine");
    let session = shelf.session().await;
    assert!(
        !edit(&session, HREF, Groups::None, ensure("mine"))
            .await
            .unwrap()
            .changed
    );
    assert!(
        !Group::new(session)
            .edit(HREF, MAPPINGS, ensure("mine"))
            .await
            .unwrap()
            .changed
    );
    assert_eq!(shelf.traffic(), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_conflicts_ends_after_sixty_tries() {
    let shelf = Shelf::ruled(|_, _| Reply::Refuse(412, "etag"));
    let session = shelf.session().await;
    let start = Instant::now();
    let error = edit(&session, HREF, Groups::None, ensure("x"))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), shelf.traffic()),
        (ErrorKind::Conflict, (60, 60))
    );
    assert!(
        error
            .to_string()
            .contains("changed by others on each of 60 tries"),
        "{error}"
    );
    assert!(
        start.elapsed() > Duration::from_secs(300),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(
        Group::new(session)
            .edit(HREF, MAPPINGS, ensure("x"))
            .await
            .unwrap_err()
            .kind(),
        ErrorKind::Conflict
    );
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_looked_for_and_not_sent_twice() {
    for grouped in [false, true] {
        let shelf = Shelf::ruled(|state, _| {
            if state.updates.len() == 1 {
                Reply::Lose
            } else {
                Reply::Accept
            }
        });
        let session = shelf.session().await;
        let edited = match grouped {
            true => Group::new(session)
                .edit(HREF, MAPPINGS, ensure("x"))
                .await
                .unwrap(),
            false => edit(&session, HREF, Groups::None, ensure("x"))
                .await
                .unwrap(),
        };
        assert!(edited.changed);
        assert_eq!(
            (shelf.things(), shelf.traffic()),
            (vec!["x".to_owned()], (2, 1))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_always_lost_is_given_up() {
    let shelf = Shelf::ruled(|_, _| Reply::Drop);
    let error = edit(&shelf.session().await, HREF, Groups::None, ensure("x"))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), shelf.traffic()),
        (ErrorKind::UnknownOutcome, (3, 3))
    );
}

#[tokio::test(start_paused = true)]
async fn edits_that_wait_share_an_update() {
    let shelf = Shelf::new();
    let group = Group::new(shelf.session().await);
    let start = Instant::now();
    let first = submit(&group, "a");
    // The read takes a second: these two are in time for it.
    let mut tasks = vec![submit(&group, "b"), submit(&group, "c")];
    sleep(Duration::from_millis(1500)).await;
    // The first update is on its way: these seven go together in the second, without another read.
    tasks.extend(
        "defghij"
            .chars()
            .map(|thing| submit(&group, &thing.to_string())),
    );
    assert!(first.await.unwrap().unwrap().changed);
    for task in tasks {
        let edited = task.await.unwrap().unwrap();
        assert!(edited.changed && has(&edited.entry.content, "a"));
    }
    assert_eq!((shelf.traffic(), shelf.things().len()), ((1, 2), 10));
    assert_eq!(start.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_known_document_is_not_trusted_for_doing_nothing() {
    let shelf = Shelf::new();
    let group = Group::new(shelf.session().await);
    let first = submit(&group, "a");
    sleep(Duration::from_millis(1500)).await;
    // "a" will be in the answer to the update on its way, but somebody takes it away before it is looked at.
    let second = submit(&group, "a");
    assert!(!second.await.unwrap().unwrap().changed);
    first.await.unwrap().unwrap();
    assert_eq!(shelf.traffic(), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_failing_edit_harms_no_other() {
    let shelf = Shelf::new();
    let group = Group::new(shelf.session().await);
    let good = submit(&group, "a");
    let bad = group.edit(HREF, MAPPINGS, |document| {
        document.push(Element::leaf(Namespace::Uom, "Thing", "half"));
        Err(Error::operation(
            ErrorKind::NoSpace,
            "no slot is free",
            "remove something",
        ))
    });
    let worse = group.edit(HREF, MAPPINGS, |_| panic!("a defect"));
    let (bad, worse) = tokio::join!(bad, worse);
    assert_eq!(
        (bad.unwrap_err().kind(), worse.unwrap_err().kind()),
        (ErrorKind::NoSpace, ErrorKind::Internal)
    );
    good.await.unwrap().unwrap();
    assert_eq!(
        (shelf.things(), shelf.traffic()),
        (vec!["a".to_owned()], (1, 1))
    );
}

#[tokio::test(start_paused = true)]
async fn a_joint_update_that_is_refused_fails_the_guilty_only() {
    let shelf = Shelf::ruled(|_, things| {
        if things.iter().any(|thing| thing == "bad") {
            Reply::Refuse(500, "HSCL0001 no such disk")
        } else {
            Reply::Accept
        }
    });
    let group = Group::new(shelf.session().await);
    let tasks: Vec<_> = ["a", "bad", "c"].map(|thing| submit(&group, thing)).into();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    assert!(results[0].is_ok() && results[2].is_ok());
    assert!(results[1].as_ref().unwrap_err().mentions("HSCL0001"));
    assert_eq!(shelf.things(), ["a", "c"]);
}

#[tokio::test(start_paused = true)]
async fn a_busy_server_is_no_reason_to_split() {
    let shelf = Shelf::ruled(|state, _| {
        if state.updates.len() == 1 {
            Reply::Refuse(500, "VIOS0014 busy")
        } else {
            Reply::Accept
        }
    });
    let group = Group::new(shelf.session().await);
    for task in ["a", "b", "c"].map(|thing| submit(&group, thing)) {
        task.await.unwrap().unwrap();
    }
    assert_eq!(shelf.traffic(), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn one_who_goes_away_takes_no_other_along() {
    let shelf = Shelf::new();
    let group = Group::new(shelf.session().await);
    // The one who began it, while its document is read: it is taken back.
    let began = timeout(
        Duration::from_millis(500),
        group.edit(HREF, MAPPINGS, ensure("gone")),
    );
    let waits = submit(&group, "a");
    began.await.unwrap_err();
    waits.await.unwrap().unwrap();
    assert_eq!(shelf.things(), ["a"]);
    // The one who began it, while its update is on its way: it is made.
    let began = timeout(
        Duration::from_millis(1500),
        group.edit(HREF, MAPPINGS, ensure("late")),
    );
    began.await.unwrap_err();
    submit(&group, "b").await.unwrap().unwrap();
    assert_eq!(shelf.things(), ["a", "b", "late"]);
    // Nobody is left: the queue ends, and the next one starts anew.
    timeout(
        Duration::from_millis(1),
        group.edit(HREF, MAPPINGS, ensure("x")),
    )
    .await
    .unwrap_err();
    sleep(Duration::from_secs(60)).await;
    submit(&group, "c").await.unwrap().unwrap();
    assert_eq!(shelf.things(), ["a", "b", "c", "late"]);
}

#[tokio::test(start_paused = true)]
async fn conflicts_with_others_redo_the_whole_group() {
    let shelf = Shelf::new();
    let group = Group::new(shelf.session().await);
    let tasks = ["a", "b"].map(|thing| submit(&group, thing));
    sleep(Duration::from_millis(1500)).await;
    shelf.put("other");
    for task in tasks {
        assert!(has(&task.await.unwrap().unwrap().entry.content, "other"));
    }
    assert_eq!(
        (shelf.things(), shelf.traffic()),
        (
            vec!["a".to_owned(), "b".to_owned(), "other".to_owned()],
            (2, 2)
        )
    );
}

#[tokio::test(start_paused = true)]
async fn other_groups_and_other_resources_have_updates_of_their_own() {
    let shelf = Shelf::new();
    let group = Group::new(shelf.session().await);
    let storage = {
        let group = group.clone();
        tokio::spawn(async move {
            group
                .edit(HREF, &["ViosStorage", "ViosNetwork"], ensure("s"))
                .await
        })
    };
    let tasks = [submit(&group, "a"), submit(&group, "b"), storage];
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(shelf.traffic(), (2, 2));
    let groups = BTreeSet::from([
        "group=ViosSCSIMapping".to_owned(),
        "group=ViosNetwork,ViosStorage".to_owned(),
    ]);
    assert_eq!(shelf.look(|state| state.groups.clone()), groups);
}

#[tokio::test(start_paused = true)]
async fn a_defective_transport_leaves_no_queue_stuck() {
    let shelf = Shelf::ruled(|state, _| {
        if state.updates.len() == 1 {
            Reply::Panic
        } else {
            Reply::Accept
        }
    });
    let group = Group::new(shelf.session().await);
    let tasks = ["a", "b"].map(|thing| submit(&group, thing));
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap_err().kind(), ErrorKind::Internal);
    }
    submit(&group, "c").await.unwrap().unwrap();
    assert_eq!(shelf.things(), ["c"]);
}

#[derive(Debug, Clone)]
struct Arrival {
    at: u64,
    thing: u8,
    kind: u8,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Edits that come at any time, among others' changes, lost answers, refused things and waiters that leave:
    /// whoever is told "done" finds it done, nothing that nobody asked for is there, and nobody waits for ever.
    #[test]
    fn whatever_comes_together_everybody_gets_their_own(
        arrivals in proptest::collection::vec((0_u64..9_000, 0_u8..12, 0_u8..8), 1..24),
        losses in proptest::collection::vec(any::<bool>(), 0..12),
    ) {
        let arrivals: Vec<Arrival> = arrivals.into_iter().map(|(at, thing, kind)| Arrival { at, thing, kind }).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(check(arrivals, losses));
    }
}

async fn check(arrivals: Vec<Arrival>, losses: Vec<bool>) {
    let shelf = Shelf::ruled(move |state, things| {
        if things.iter().any(|thing| thing.starts_with("refused")) {
            return Reply::Refuse(500, "HSCL0001 no");
        }
        // Two losses in a row are given up on; that is tested elsewhere.
        let number = state.updates.len();
        let lost = |number: usize| losses.get(number).copied().unwrap_or(false);
        if number % 3 == 0 && lost(number) {
            Reply::Lose
        } else {
            Reply::Accept
        }
    });
    let group = Group::new(shelf.session().await);
    let mut tasks = Vec::new();
    let mut allowed = BTreeSet::new();
    for Arrival { at, thing, kind } in arrivals {
        let name = match kind {
            0 => format!("refused{thing}"),
            1 => format!("other{thing}"),
            _ => format!("thing{thing}"),
        };
        if kind != 0 {
            allowed.insert(name.clone());
        }
        let (group, shelf) = (group.clone(), shelf.clone());
        tasks.push(tokio::spawn(async move {
            sleep(Duration::from_millis(at)).await;
            let patience = if kind == 2 {
                Duration::from_millis(1_200)
            } else {
                Duration::from_secs(100_000)
            };
            match kind {
                1 => shelf.put(&name),
                _ => {
                    match timeout(patience, group.edit(HREF, MAPPINGS, ensure(name.clone()))).await
                    {
                        Ok(Ok(edited)) => {
                            assert!(kind != 0 && has(&edited.entry.content, &name));
                            assert!(shelf.things().contains(&name));
                        }
                        Ok(Err(error)) => {
                            assert!(kind == 0 && error.mentions("HSCL0001"), "{error}")
                        }
                        Err(_) => assert_eq!(kind, 2),
                    }
                }
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    sleep(Duration::from_secs(60)).await;
    let things: BTreeSet<String> = shelf.things().into_iter().collect();
    assert!(things.is_subset(&allowed), "{things:?} {allowed:?}");
}
