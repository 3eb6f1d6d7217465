//! Logging on, once more when the token expired, and off.

use std::path::Path;
use std::sync::PoisonError;
use std::time::Duration;

use http::{Method, StatusCode, header};
use powervm_schema::xml::{Element, Namespace};
use secrecy::{ExposeSecret, SecretString};
use tokio::io::AsyncReadExt;

use super::answer::{Answer, ReadFailure};
use super::body::Body;
use super::count::CallRecord;
use super::endpoint::Credentials;
use super::exchange::{ANYTHING, Exchange, unsendable};
use super::session::{Core, Flavor, Session};
use super::transport::TransportFailure;
use crate::error::{Error, Result};

const PATH: &str = "/rest/api/web/Logon";
const REQUEST: &str = "application/vnd.ibm.powervm.web+xml; type=LogonRequest";
const RESPONSE: &str = "application/vnd.ibm.powervm.web+xml; type=LogonResponse";
/// Real tokens have 240 to 290 characters.
const LONGEST_TOKEN: usize = 8 * 1024;
/// A logon answer is a few hundred bytes.
const ANSWER_LIMIT: u64 = 1 << 20;

/// The first logon, patient with a server that is starting.
pub(super) async fn first(core: &Core) -> Result<(SecretString, Flavor)> {
    let mut tries = 1;
    loop {
        let error = match logon(core).await {
            Ok(result) => return Ok(result),
            Err(error) => error,
        };
        let starting = matches!(&error, Error::Unreachable { source, .. } if source.failure() == TransportFailure::Connect)
            || matches!(
                error.status(),
                Some(StatusCode::NOT_FOUND | StatusCode::SERVICE_UNAVAILABLE)
            );
        if !starting || tries >= core.options.connect_tries {
            return Err(error);
        }
        tries += 1;
        tracing::info!(%error, tries, "the server is not up yet");
        tokio::time::sleep(core.options.connect_pause).await;
    }
}

/// Logs on again unless another request has done so since the token of `generation` was used. One at a time, and
/// never again after a refusal: consoles lock an account after three.
pub(super) async fn again(session: &Session, generation: u64) -> Result<()> {
    let core = &*session.core;
    let _turn = core.logon_turn.lock().await;
    let auth = session.auth();
    if auth.lost {
        return Err(lost());
    }
    if auth.generation != generation {
        return Ok(());
    }
    tracing::info!("the session expired, logging on again");
    let result = logon(core).await;
    let mut auth = core.auth.lock().unwrap_or_else(PoisonError::into_inner);
    match result {
        Ok((token, _)) => {
            auth.token = token;
            auth.generation += 1;
            Ok(())
        }
        Err(error) => {
            auth.lost |= error.status() == Some(StatusCode::UNAUTHORIZED);
            Err(error)
        }
    }
}

/// Tells the server and forgets the token. An expired session counts as ended.
pub(super) async fn logoff(session: &Session) -> Result<()> {
    let core = &*session.core;
    let _turn = core.logon_turn.lock().await;
    let auth = session.auth();
    {
        let mut held = core.auth.lock().unwrap_or_else(PoisonError::into_inner);
        held.lost = true;
        held.token = SecretString::default();
    }
    if auth.lost {
        return Ok(());
    }
    let request = core
        .builder(&Method::DELETE, PATH, ANYTHING, Some(&auth))
        .body(Body::empty())
        .map_err(unsendable)?;
    let call = core.call_of(&Method::DELETE, PATH);
    let (result, took) = core
        .send(request, ANSWER_LIMIT, core.options.answer_timeout)
        .await;
    session.record(&record(core, Method::DELETE, &result, took, 0));
    let answer =
        result.map_err(|failure| core.failed(call.clone(), failure, false, ANSWER_LIMIT))?;
    match answer.status {
        status if status.is_success() || status == StatusCode::UNAUTHORIZED => Ok(()),
        _ => Err(core.refused(call, &answer, false)),
    }
}

/// The error of requests of a session that is no more.
pub(super) fn lost() -> Error {
    Error::Credentials {
        what: "the session was logged off, or its logon was refused and is not tried again lest the account be locked"
            .to_owned(),
        remedy: "check the credentials and open a new session".to_owned(),
    }
}

fn record(
    core: &Core,
    method: Method,
    result: &Result<Answer, ReadFailure>,
    took: Duration,
    sent: usize,
) -> CallRecord {
    let answer = result.as_ref().ok();
    let (class, path) = ("Logon".to_owned(), PATH.to_owned());
    CallRecord {
        number: core.next_number(),
        method,
        class,
        path,
        status: answer.map(|answer| answer.status),
        took,
        sent: sent as u64,
        received: answer.map_or(0, |answer| answer.body.len() as u64),
        attempt: 1,
    }
}

async fn logon(core: &Core) -> Result<(SecretString, Flavor)> {
    let body = document(core)?;
    let exchange = Exchange::new(
        Method::PUT,
        PATH.to_owned(),
        RESPONSE,
        core.options.answer_timeout,
    );
    let builder = core
        .builder(&exchange.method, PATH, exchange.accept, None)
        .header(header::CONTENT_TYPE, REQUEST);
    let request = builder
        .body(Body::whole(body.expose_secret().to_owned()))
        .map_err(unsendable)?;
    let call = core.call_of(&exchange.method, PATH);
    let (result, took) = core.send(request, ANSWER_LIMIT, exchange.timeout).await;
    let sent = body.expose_secret().len();
    core.record(&record(core, Method::PUT, &result, took, sent));
    // Nothing is changed by a logon that came to nothing, except a session that expires.
    let answer =
        result.map_err(|failure| core.failed(call.clone(), failure, false, ANSWER_LIMIT))?;
    if !answer.status.is_success() {
        return Err(core.refused(call, &answer, false));
    }
    let status = answer.status;
    let bad = |problem: String| Error::BadAnswer {
        call: call.clone(),
        status,
        problem,
    };
    let response = answer.element(&core.limits).map_err(bad)?;
    if response.local_name() != "LogonResponse" {
        return Err(bad("another document than a LogonResponse".to_owned()));
    }
    let novalink = answer
        .headers
        .get("X-MC-Type")
        .is_some_and(|value| value.as_bytes() == b"PVM");
    let flavor = if novalink {
        Flavor::NovaLink
    } else {
        Flavor::Hmc
    };
    let token = match core.endpoint.logon_credentials() {
        Credentials::Password { .. } => response
            .child("X-API-Session")
            .map(|token| token.text().into_owned()),
        Credentials::TokenFile if !novalink => {
            return Err(Error::Credentials {
                what: "an HMC takes no token file".to_owned(),
                remedy: "log on with a user and a password".to_owned(),
            });
        }
        Credentials::TokenFile => match response.child("X-API-SessionFile") {
            Some(file) => Some(token_of(file.text().trim()).await?),
            None => None,
        },
    };
    let token: String = token.unwrap_or_default().split_whitespace().collect();
    let visible = token.bytes().all(|byte| byte.is_ascii_graphic());
    if token.is_empty() || token.len() > LONGEST_TOKEN || !visible {
        return Err(bad(
            "a LogonResponse without a usable session token".to_owned()
        ));
    }
    Ok((token.into(), flavor))
}

fn document(core: &Core) -> Result<SecretString> {
    let leaf = |name: &str, text: &str| Element::leaf(Namespace::Web, name, text);
    let mut request =
        Element::new(Namespace::Web, "LogonRequest").with_attributes(&[("schemaVersion", "V1_0")]);
    match core.endpoint.logon_credentials() {
        Credentials::Password { user, password } => {
            request.push(leaf("UserID", user));
            request.push(leaf("Password", password.expose_secret()));
        }
        Credentials::TokenFile => {
            if !core.endpoint.is_loopback() {
                return Err(Error::Credentials {
                    what: "a token file proves being on the NovaLink partition, but the endpoint is another machine"
                        .to_owned(),
                    remedy: "use the endpoint http://127.0.0.1:12080 there, or log on with a user and a password".to_owned(),
                });
            }
            let unique =
                uuid::Builder::from_random_bytes(core.jitter.bits().to_be_bytes()).into_uuid();
            request.push(leaf("UserID", &format!("powervm_{unique}")));
            request.push(leaf("GenerateX-API-SessionFile", "true"));
        }
    }
    let declared = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#;
    Ok(format!("{declared}{}", request.to_xml()).into())
}

/// Reads the file that the server put the token into.
async fn token_of(path: &str) -> Result<String> {
    let unusable = |why: String| {
        Error::Credentials {
        what: format!("the token file {:?} that the server named {why}", crate::error::printable(path)),
        remedy: "run as a user of the group that may administer NovaLink (pvm_admin), or log on with a password".to_owned(),
    }
    };
    if !Path::new(path).is_absolute() {
        return Err(unusable("is no absolute path".to_owned()));
    }
    let metadata = tokio::fs::metadata(path)
        .await
        .map_err(|error| unusable(format!("cannot be read: {error}")))?;
    // A pipe or device would never end.
    if !metadata.is_file() {
        return Err(unusable("is no file".to_owned()));
    }
    let file = tokio::fs::File::open(path)
        .await
        .map_err(|error| unusable(format!("cannot be read: {error}")))?;
    let mut token = String::new();
    let mut bounded = file.take(LONGEST_TOKEN as u64);
    bounded
        .read_to_string(&mut token)
        .await
        .map_err(|error| unusable(format!("cannot be read: {error}")))?;
    Ok(token)
}
