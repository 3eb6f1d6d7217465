//! Logon and logoff (`docs/protocol/sessions.md`).

use std::fmt::Write as _;

use axum::body::Body;
use http::{HeaderValue, Response};
use powervm_schema::xml::{Element, Namespace};
use secrecy::{ExposeSecret, SecretString};

use super::body;
use super::exchange::Exchange;
use super::problem::Problem;
use super::respond;
use super::sessions::LogonError;
use crate::accept;
use crate::model::{Command, Flavor};
use crate::render::schema_version;
use crate::weather::Draw;

const WEB: &str = "http://www.ibm.com/xmlns/systems/power/firmware/web/mc/2012_10/";
const K2: &str = "http://www.w3.org/XML/1998/namespace/k2";

/// PUT `Logon`: with a password, or on a NovaLink with `GenerateX-API-SessionFile`.
pub(crate) async fn logon(
    exchange: &Exchange,
    draw: &Draw,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let body = body::document(&exchange.headers, body).await?;
    let request = accept::parse(&body, &Namespace::Web, "LogonRequest")?;
    drop(body);
    let simulator = &exchange.simulator;
    simulator.clock().sleep(draw.latency).await;
    let now = simulator.now();
    let answer = if wants_file(&request) {
        if exchange.flavor() == Flavor::Hmc {
            return Err(Problem::new(
                400,
                "The request body is not valid.",
                "REST0001 A management console offers no session files; log on with a password.",
            ));
        }
        let path = simulator
            .sessions()
            .logon_to_with_file(simulator.realm(), now)
            .map_err(refused)?;
        answer(
            exchange.flavor(),
            "X-API-SessionFile",
            &path.display().to_string(),
        )
    } else {
        let user = request.child_value("UserID").unwrap_or_default();
        let password = SecretString::from(
            request
                .child_value("Password")
                .unwrap_or_default()
                .to_owned(),
        );
        let token = simulator
            .sessions()
            .logon_to(simulator.realm(), user.trim(), &password, now)
            .map_err(refused)?;
        answer(exchange.flavor(), "X-API-Session", token.expose_secret())
    };
    simulator.shared().tally.logon();
    Ok(respond::document(
        answer,
        HeaderValue::from_static(respond::LOGON),
        None,
    ))
}

/// DELETE `Logon`.
pub(crate) async fn logoff(exchange: &Exchange, draw: &Draw) -> Result<Response<Body>, Problem> {
    let simulator = &exchange.simulator;
    simulator.clock().sleep(draw.latency).await;
    if let Some(token) = exchange.token() {
        let application = simulator.queue(simulator.sessions().fingerprint(token));
        let _ = simulator.apply(Command::ForgetEvents { application });
        simulator.sessions().logoff(token);
    }
    Ok(respond::no_content())
}

/// 401 unless the request carries the token of a living session.
pub(crate) fn authorize(exchange: &Exchange) -> Result<(), Problem> {
    let simulator = &exchange.simulator;
    match exchange.token() {
        Some(token)
            if simulator
                .sessions()
                .check_of(simulator.realm(), token, simulator.now()) =>
        {
            Ok(())
        }
        Some(_) => Err(unauthorized(
            "The session is not valid or has expired. Log on again.",
        )),
        None => Err(unauthorized(
            "The request carries no X-API-Session. Log on first.",
        )),
    }
}

fn unauthorized(message: &'static str) -> Problem {
    Problem::new(401, "The request is not authorized.", message)
}

fn refused(error: LogonError) -> Problem {
    match error {
        LogonError::Wrong | LogonError::Locked => {
            Problem::new(401, "The request is not authorized.", error.to_string())
        }
        LogonError::File(_) => Problem::new(500, crate::weather::UNKNOWN_ERROR, error.to_string()),
    }
}

fn wants_file(request: &Element) -> bool {
    request
        .child_value("GenerateX-API-SessionFile")
        .is_some_and(|text| text.trim().eq_ignore_ascii_case("true"))
}

/// The bare element: the one document of the API that is no Atom (recordings `logon` and `logon_file`).
fn answer(flavor: Flavor, name: &str, value: &str) -> String {
    let mut text = String::with_capacity(1024);
    let version = schema_version(flavor);
    let _ = write!(
        text,
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><LogonResponse xmlns="{WEB}" xmlns:ns2="{K2}" schemaVersion="{version}"><Metadata><Atom/></Metadata><{name} kb="ROR" kxe="false">"#
    );
    for c in value.chars() {
        match c {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            _ => text.push(c),
        }
    }
    let _ = write!(text, "</{name}></LogonResponse>");
    text
}
