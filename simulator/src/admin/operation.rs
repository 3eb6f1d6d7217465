//! One request of the admin API: what serves it and what describes it, in one place, so that the two stay together.

use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter, on};
use http::Method;
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::Admin;

/// What describes a type.
pub(super) type Describe = fn(&mut SchemaGenerator) -> Schema;

/// A request that the API answers.
pub(super) struct Operation {
    pub(super) method: Method,
    /// With parameters as `{name}`.
    pub(super) path: &'static str,
    pub(super) summary: &'static str,
    pub(super) handler: MethodRouter<Admin>,
    /// Whether it needs no token.
    pub(super) open: bool,
    /// Query parameters with what they mean.
    pub(super) query: Vec<(&'static str, &'static str)>,
    pub(super) body: Option<Describe>,
    pub(super) answer: Answer,
    /// Statuses of refusals with their reasons, besides 400 for a wrong body and 401.
    pub(super) refusals: Vec<(u16, &'static str)>,
}

/// What a request that succeeds is answered with.
pub(super) enum Answer {
    /// 200 with JSON.
    Json(Describe),
    /// 200 with text of this media type.
    Text(&'static str),
    /// 204
    Nothing,
}

fn describe<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

fn anything(_: &mut SchemaGenerator) -> Schema {
    Schema::default()
}

impl Operation {
    fn new<H, T>(
        (method, filter): (Method, MethodFilter),
        path: &'static str,
        summary: &'static str,
        handler: H,
    ) -> Self
    where
        H: Handler<T, Admin>,
        T: 'static,
    {
        Self {
            method,
            path,
            summary,
            handler: on(filter, handler),
            open: false,
            query: Vec::new(),
            body: None,
            answer: Answer::Json(anything),
            refusals: Vec::new(),
        }
    }

    /// A GET.
    pub(super) fn get<H, T>(path: &'static str, summary: &'static str, handler: H) -> Self
    where
        H: Handler<T, Admin>,
        T: 'static,
    {
        Self::new((Method::GET, MethodFilter::GET), path, summary, handler)
    }

    /// A POST.
    pub(super) fn post<H, T>(path: &'static str, summary: &'static str, handler: H) -> Self
    where
        H: Handler<T, Admin>,
        T: 'static,
    {
        Self::new((Method::POST, MethodFilter::POST), path, summary, handler)
    }

    /// A PUT.
    pub(super) fn put<H, T>(path: &'static str, summary: &'static str, handler: H) -> Self
    where
        H: Handler<T, Admin>,
        T: 'static,
    {
        Self::new((Method::PUT, MethodFilter::PUT), path, summary, handler)
    }

    /// A DELETE, answered with 204.
    pub(super) fn delete<H, T>(path: &'static str, summary: &'static str, handler: H) -> Self
    where
        H: Handler<T, Admin>,
        T: 'static,
    {
        Self::new(
            (Method::DELETE, MethodFilter::DELETE),
            path,
            summary,
            handler,
        )
        .nothing()
    }

    /// It needs no token.
    pub(super) fn open(self) -> Self {
        Self { open: true, ..self }
    }

    /// It reads a JSON body of this type.
    pub(super) fn takes<T: JsonSchema>(self) -> Self {
        Self {
            body: Some(describe::<T>),
            ..self
        }
    }

    /// It is answered with JSON of this type.
    pub(super) fn gives<T: JsonSchema>(self) -> Self {
        Self {
            answer: Answer::Json(describe::<T>),
            ..self
        }
    }

    /// It is answered with text of this media type.
    pub(super) fn text(self, media_type: &'static str) -> Self {
        Self {
            answer: Answer::Text(media_type),
            ..self
        }
    }

    /// It is answered with 204.
    pub(super) fn nothing(self) -> Self {
        Self {
            answer: Answer::Nothing,
            ..self
        }
    }

    /// It has this query parameter.
    pub(super) fn query(mut self, name: &'static str, meaning: &'static str) -> Self {
        self.query.push((name, meaning));
        self
    }

    /// It may be refused with this status.
    pub(super) fn refuses(mut self, status: u16, why: &'static str) -> Self {
        self.refusals.push((status, why));
        self
    }
}
