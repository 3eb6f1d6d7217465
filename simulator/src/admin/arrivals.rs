//! Partitions of other simulators that move here (`docs/protocol/mobility.md`).
//!
//! | request | answer |
//! |---|---|
//! | `POST /arrivals/check` | whether a partition could come; changes nothing |
//! | `PUT /arrivals/<journey>` | a place is kept |
//! | `POST /arrivals/<journey>/take-in` | the partition is taken in |
//! | `DELETE /arrivals/<journey>` | the journey is given up, unless the partition has arrived |
//! | `GET /arrivals` | the places that are kept, and how the last journeys ended |
//!
//! Each may be asked again: what was done is answered, not done once more. 409 tells what a migration job tells.

use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::operation::Operation;
use super::{Admin, answer, read, refusal};
use crate::model::migration::journey::{Answer, Journey, Outcome, Place, Question, Trouble};
use crate::model::migration::{Bundle, Manner, Options};

/// A partition that wants to come. Both simulators have to be of the same version.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// The version of the program that asks.
    program: String,
    /// While it runs or while it is off.
    manner: Manner,
    /// What the job `Migrate` asked for.
    options: Options,
    /// The public SSH key of the console that it leaves; an HMC has none.
    key: Option<String>,
    /// The partition with its adapters, and its storage by identities that hold beyond one system: as a saved state has
    /// a partition.
    #[schemars(with = "serde_json::Value")]
    bundle: Bundle,
}

impl From<Journey> for Asked {
    fn from(told: Journey) -> Self {
        let Journey {
            manner,
            options,
            key,
            bundle,
        } = told;
        Self {
            program: env!("CARGO_PKG_VERSION").to_owned(),
            manner,
            options,
            key,
            bundle,
        }
    }
}

/// A partition that a place is kept for, or one that came, or did not.
#[derive(Serialize, JsonSchema)]
struct Arrival {
    /// The journey.
    journey: Uuid,
    /// `expected`, `arrived` or `given_up`.
    state: &'static str,
    /// The name of the partition that is expected.
    partition: Option<String>,
    /// Its place.
    place: Option<Place>,
}

pub(super) fn operations() -> Vec<Operation> {
    let no = "the partition cannot come; the error is what a migration job tells";
    let unnamed = "a journey is a UUID";
    vec![
        Operation::get(
            "/arrivals",
            "Partitions of other simulators that a place is kept for, and how the last journeys ended",
            list,
        )
        .gives::<Vec<Arrival>>(),
        Operation::post(
            "/arrivals/check",
            "Whether a partition of another simulator could move here",
            check,
        )
        .takes::<Asked>()
        .gives::<Answer>()
        .refuses(409, no),
        Operation::put("/arrivals/{journey}", "Keep a place for it", reserve)
            .takes::<Asked>()
            .gives::<Answer>()
            .refuses(404, unnamed)
            .refuses(409, no),
        Operation::post("/arrivals/{journey}/take-in", "Take it in", take_in)
            .takes::<Asked>()
            .gives::<Answer>()
            .refuses(404, unnamed)
            .refuses(409, no),
        Operation::delete(
            "/arrivals/{journey}",
            "Give the journey up, unless the partition has arrived",
            give_up,
        )
        .gives::<Answer>()
        .refuses(404, unnamed),
    ]
}

async fn list(State(admin): State<Admin>) -> Response {
    let world = admin.simulator.world();
    let arrivals = world.arrivals().map(|(journey, known)| match known {
        Ok(kept) => Arrival {
            journey,
            state: "expected",
            partition: Some(kept.name.clone()),
            place: Some(kept.place()),
        },
        Err(outcome) => Arrival {
            journey,
            state: match outcome {
                Outcome::Arrived => "arrived",
                Outcome::GivenUp => "given_up",
            },
            partition: None,
            place: None,
        },
    });
    answer(&arrivals.collect::<Vec<_>>())
}

async fn check(State(admin): State<Admin>, request: Request) -> Response {
    ask(&admin, Uuid::nil(), request, Question::Check).await
}

async fn reserve(
    State(admin): State<Admin>,
    Path(journey): Path<String>,
    request: Request,
) -> Response {
    match Uuid::try_parse(&journey) {
        Ok(journey) => ask(&admin, journey, request, Question::Reserve).await,
        Err(_) => nameless(),
    }
}

async fn take_in(
    State(admin): State<Admin>,
    Path(journey): Path<String>,
    request: Request,
) -> Response {
    match Uuid::try_parse(&journey) {
        Ok(journey) => ask(&admin, journey, request, Question::TakeIn).await,
        Err(_) => nameless(),
    }
}

async fn give_up(State(admin): State<Admin>, Path(journey): Path<String>) -> Response {
    match Uuid::try_parse(&journey) {
        Ok(journey) => told(admin.simulator.answer_peer(journey, &Question::GiveUp)),
        Err(_) => nameless(),
    }
}

fn nameless() -> Response {
    refusal(StatusCode::NOT_FOUND, "a journey is a UUID")
}

async fn ask(
    admin: &Admin,
    journey: Uuid,
    request: Request,
    question: fn(Box<Journey>) -> Question,
) -> Response {
    let asked: Asked = match read(request).await {
        Ok(asked) => asked,
        Err(refusal) => return refusal,
    };
    if asked.program != env!("CARGO_PKG_VERSION") {
        return refusal(
            StatusCode::CONFLICT,
            "The two simulators are of different versions.",
        );
    }
    let journey_told = Journey {
        manner: asked.manner,
        options: asked.options,
        key: asked.key,
        bundle: asked.bundle,
    };
    let question = question(Box::new(journey_told));
    told(admin.simulator.answer_peer(journey, &question))
}

fn told(answered: Result<Answer, Trouble>) -> Response {
    match answered {
        Ok(answered) => answer(&answered),
        Err(Trouble::Refused(why) | Trouble::Silence(why)) => refusal(StatusCode::CONFLICT, &why),
    }
}
