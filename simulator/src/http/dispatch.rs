//! From request to answer: faults, session, weather, then the one who serves it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use http::{Method, Request, Response};
use tokio::time::Instant;
use uuid::Uuid;

use super::body;
use super::connection::{Aborted, aborted};
use super::documents;
use super::events;
use super::exchange::Exchange;
use super::kind::Kind;
use super::logon;
use super::monitored::Monitored;
use super::problem::Problem;
use super::respond;
use super::target::{Action, Target};
use super::upload;
use super::write;
use crate::requests::{self, Logged};
use crate::simulator::Simulator;
use crate::weather::faults::Strike;
use crate::weather::{Asked, Class, Draw, Fault};

/// Answers one request. Never fails: what goes wrong becomes an error document, or a closed connection.
pub(crate) async fn answer(simulator: Simulator, request: Request<Body>) -> Response<Body> {
    let _present = simulator.enter();
    let (began, really) = (simulator.now(), Instant::now());
    let (parts, body) = request.into_parts();
    let target = Target::parse(parts.uri.path(), parts.uri.query());
    let class = target
        .as_ref()
        .ok()
        .map(|target| Class::of(&parts.method, target));
    let asked = Asked {
        method: &parts.method,
        path: parts.uri.path(),
        target: target.as_ref().ok(),
    };
    let strike = simulator.faults().strike(began, &asked);
    let named = target.as_ref().ok().and_then(partition_of);
    let sent = body::announced(&parts.headers);
    let exchange = Arc::new(Exchange::new(&simulator, parts));

    let served = serve(&exchange, target, class, &strike, body).await;
    let mut response = served.unwrap_or_else(|problem| exchange.refuse(&problem));
    for fault in &strike.after {
        befall(&simulator, named, fault);
        response = exchange.strike(response, fault).await;
    }
    exchange.stamp(&mut response);

    let closed = response.extensions().get::<Aborted>().is_some();
    let status = if closed {
        0
    } else {
        response.status().as_u16()
    };
    let tally = &simulator.shared().tally;
    let took = really.elapsed();
    tally.request(&exchange.method, class, status, took);
    let faults = strike.before.len() + strike.after.len();
    if faults > 0 {
        tally.faults(faults);
    }
    let milliseconds = simulator.now().since(began).as_millis();
    simulator.requests().add(Logged {
        number: 0,
        at: began,
        method: requests::name(&exchange.method),
        url: requests::url(&exchange.uri),
        class: class.map(Class::name),
        status,
        simulated_ms: u64::try_from(milliseconds).unwrap_or(u64::MAX),
        real_us: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        sent,
        received: response.body().size_hint().exact(),
        transaction: exchange.transaction.clone(),
        faults,
    });
    tracing::debug!(method = %exchange.method, path = exchange.uri.path(), status, milliseconds, transaction = %exchange.transaction, "request");
    response
}

async fn serve(
    exchange: &Arc<Exchange>,
    target: Result<Target, Problem>,
    class: Option<Class>,
    strike: &Strike,
    body: Body,
) -> Result<Response<Body>, Problem> {
    match admit(exchange, target, class, strike).await {
        Ok(Some((target, draw))) => route(exchange, target, draw, body).await,
        Ok(None) => Ok(aborted()),
        Err(problem) => {
            // A client that still sends may never see an answer after which the connection is closed.
            body::drain(body).await;
            Err(problem)
        }
    }
}

/// What becomes of a request before its body is read: what it is for and how it goes, or nothing where its
/// connection is closed.
async fn admit(
    exchange: &Arc<Exchange>,
    target: Result<Target, Problem>,
    class: Option<Class>,
    strike: &Strike,
) -> Result<Option<(Target, Draw)>, Problem> {
    let mut fate = None;
    for fault in &strike.before {
        befall(
            &exchange.simulator,
            target.as_ref().ok().and_then(partition_of),
            fault,
        );
        match fault {
            Fault::Delay(duration) => exchange.simulator.clock().sleep(*duration).await,
            Fault::Answer(problem) => return Err(problem.clone()),
            Fault::Reset | Fault::Cut(_) => return Ok(None),
            Fault::Job(decided) => fate = Some(decided.clone()),
            Fault::Befall { .. } => {}
        }
    }
    let is_logon = exchange.method == Method::PUT
        && target
            .as_ref()
            .is_ok_and(|target| target.action == Action::Logon);
    if !is_logon {
        logon::authorize(exchange)?;
    }
    let target = target?;
    if let Some(allow) = disallowed(&exchange.method, &target) {
        return Err(Problem::method_not_allowed(allow));
    }
    let draw = exchange
        .simulator
        .shared()
        .sky
        .draw(class.unwrap_or(Class::Entry));
    if let Some(trouble) = &draw.trouble {
        exchange
            .simulator
            .clock()
            .sleep(TROUBLE.min(draw.latency))
            .await;
        return Err(trouble.clone());
    }
    Ok(Some((target, Draw { fate, ..draw })))
}

/// The partition or Virtual I/O Server that a path names; the last one of several.
fn partition_of(target: &Target) -> Option<Uuid> {
    let of_kind = |kind: Kind| matches!(kind, Kind::LogicalPartition | Kind::VirtualIoServer);
    let named = target.steps.iter().rev().find(|step| of_kind(step.kind));
    named.and_then(|step| step.id)
}

/// Lets a fault's incident happen. One that befalls nobody, because the path names nobody, is none.
fn befall(simulator: &Simulator, named: Option<Uuid>, fault: &Fault) {
    if let Fault::Befall {
        whom,
        incident,
        lasts,
    } = fault
        && let Some(whom) = whom.or(named)
        && let Err(refusal) = simulator.befall(whom, *incident, *lasts)
    {
        tracing::warn!(%whom, %refusal, "a fault befalls nobody");
    }
}

/// How long a server takes to find that it is too busy.
const TROUBLE: Duration = Duration::from_millis(100);

async fn route(
    exchange: &Arc<Exchange>,
    target: Target,
    draw: Draw,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let read = exchange.method == Method::GET;
    match &target.action {
        Action::Logon if exchange.method == Method::PUT => {
            logon::logon(exchange, &draw, body).await
        }
        Action::Logon => logon::logoff(exchange, &draw).await,
        Action::FileContents(file) => upload::receive(exchange, *file, &draw, body).await,
        Action::Document if read && target.kind() == Some(Kind::Event) && !target.is_entry() => {
            let events = events::poll(exchange, &target).await?;
            Ok(documents::events(exchange, &target, &events))
        }
        Action::Quick | Action::QuickAll | Action::QuickProperty(_)
            if answers_json(&target) && respond::refuses_json(&exchange.headers) =>
        {
            Err(Problem::new(
                406,
                "Not Acceptable",
                "Quick properties are JSON; ask for them with Accept: */*.",
            ))
        }
        _ if read => {
            exchange
                .simulator
                .clock()
                .sleep(duration_of_read(exchange, &target, &draw))
                .await;
            documents::read(exchange, &target)
        }
        _ => write::perform(exchange, target, draw, body).await,
    }
}

/// Of the quick properties only the list of a type's names is a document.
fn answers_json(target: &Target) -> bool {
    target.action != Action::Quick || target.is_entry()
}

/// A live question goes to each Virtual I/O Server of a feed in turn, and every partition of a feed costs its share.
fn duration_of_read(exchange: &Exchange, target: &Target, draw: &Draw) -> Duration {
    let simulator = &exchange.simulator;
    match Class::of(&exchange.method, target) {
        Class::ViosRead if target.kind() == Some(Kind::VirtualIoServer) && !target.is_entry() => {
            let world = simulator.world();
            let servers = match target.id_of(Kind::ManagedSystem) {
                Some(system) => world.vioses_of(system).count(),
                None => world.vioses.len(),
            };
            draw.latency * u32::try_from(servers).unwrap_or(u32::MAX)
        }
        Class::PartitionFeed => {
            let partitions = simulator.world().partitions.len();
            let partitions = u32::try_from(partitions).unwrap_or(u32::MAX);
            draw.latency + simulator.shared().sky.forecast().per_partition * partitions
        }
        _ => draw.latency,
    }
}

/// The methods that would do, if this one does not.
fn disallowed(method: &Method, target: &Target) -> Option<&'static str> {
    let allow = match &target.action {
        Action::Logon => "PUT, DELETE",
        Action::FileContents(_) => "PUT, POST",
        Action::Operation(_) => "GET, PUT",
        Action::Job(_) => "GET, DELETE",
        Action::CancelJob(_) => "POST",
        Action::Monitoring(Monitored::AllPreferences | Monitored::Preferences(_)) => "GET, POST",
        Action::Document if target.is_entry() => "GET, POST, DELETE",
        Action::Document => "GET, PUT",
        _ => "GET",
    };
    if allow.split(", ").any(|allowed| allowed == method.as_str()) {
        None
    } else {
        Some(allow)
    }
}
