//! A Virtual I/O Server that is a shelf: reads take a second, updates two.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use http_body_util::BodyExt;
use powervm_driver::Error;
use powervm_driver::rest::{
    Body, Credentials, Endpoint, Session, SessionOptions, Transport, TransportError,
    TransportFailure,
};
use powervm_driver::transaction::{Changed, Edited, Group};
use powervm_schema::xml::{Element, Namespace};
use tokio::time::sleep;

pub(crate) const HREF: &str = "VirtualIOServer/0F3D6C2A-1111-4222-8333-444455556666";
pub(crate) const MAPPINGS: &[&str] = &["ViosSCSIMapping"];

pub(crate) type Rule = Box<dyn Fn(&mut State, &[String]) -> Reply + Send>;

/// A Virtual I/O Server that is a shelf of named things, with a version.
pub(crate) struct State {
    pub(crate) things: BTreeSet<String>,
    pub(crate) version: u64,
    pub(crate) reads: usize,
    /// Things of each update that arrived, accepted or not.
    pub(crate) updates: Vec<Vec<String>>,
    pub(crate) groups: BTreeSet<String>,
    /// What becomes of an update, beyond its version.
    pub(crate) rule: Rule,
}

pub(crate) enum Reply {
    Accept,
    Refuse(u16, &'static str),
    /// Made, but the answer is lost.
    Lose,
    /// Lost on the way to the server.
    Drop,
    Panic,
}

#[derive(Clone)]
pub(crate) struct Shelf(Arc<Mutex<State>>);

impl Shelf {
    pub(crate) fn new() -> Shelf {
        Shelf::ruled(|_, _| Reply::Accept)
    }

    pub(crate) fn ruled(rule: impl Fn(&mut State, &[String]) -> Reply + Send + 'static) -> Shelf {
        Shelf(Arc::new(Mutex::new(State {
            things: BTreeSet::new(),
            version: 1,
            reads: 0,
            updates: Vec::new(),
            groups: BTreeSet::new(),
            rule: Box::new(rule),
        })))
    }

    pub(crate) fn look<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(
            &mut self
                .0
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        )
    }

    /// Somebody else puts something there.
    pub(crate) fn put(&self, thing: &str) {
        self.look(|state| {
            state.things.insert(thing.to_owned());
            state.version += 1;
        });
    }

    pub(crate) fn things(&self) -> Vec<String> {
        self.look(|state| state.things.iter().cloned().collect())
    }

    pub(crate) fn traffic(&self) -> (usize, usize) {
        self.look(|state| (state.reads, state.updates.len()))
    }

    pub(crate) async fn session(&self) -> Session {
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

pub(crate) fn respond(status: u16, etag: &str, body: String) -> Response<Body> {
    Response::builder()
        .status(status)
        .header("etag", etag)
        .body(Body::whole(body))
        .unwrap()
}

pub(crate) fn document(state: &State, query: &str) -> String {
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

pub(crate) fn has(document: &Element, thing: &str) -> bool {
    document
        .children_named("Thing")
        .any(|child| child.text() == thing)
}

/// Makes sure that a thing is there.
pub(crate) fn ensure(
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

pub(crate) fn submit(group: &Group, thing: &str) -> tokio::task::JoinHandle<Result<Edited, Error>> {
    let (group, edit) = (group.clone(), ensure(thing));
    tokio::spawn(async move { group.edit(HREF, MAPPINGS, edit).await })
}
