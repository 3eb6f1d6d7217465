//! The query parameters that the server knows, besides `group`.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::group::GroupSet;
use super::problem::Problem;
use crate::clock::Millis;

/// The query of a URL without its groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// `QUEUE_APPLICATIONID`: whose event queue is read.
    pub application: Option<String>,
    /// `force=true`: resize a running partition although its operating system does not answer.
    pub force: bool,
    /// `ignoreError=true`: leave out of a feed what cannot be read.
    pub ignore_error: bool,
    /// `resetAutoAssign=true`: hand out a virtual serial number anew.
    pub reset_auto_assign: bool,
    /// `detail=full`: all of a template, not only what names it.
    pub full_detail: bool,
    /// `StartTS`: samples from this moment on.
    pub start: Option<Millis>,
    /// `EndTS`: samples up to this moment.
    pub end: Option<Millis>,
    /// `NoOfSamples`: the newest so many samples.
    pub samples: Option<usize>,
}

/// The longest application id that gets a queue, in bytes. Clients send 32 hexadecimal digits.
const LONGEST_APPLICATION: usize = 256;

impl Query {
    /// Reads a query string as sent: percent-encoded, `+` for a space.
    ///
    /// # Errors
    /// 400: `REST0026` for an unknown group, `REST0123` for any other parameter that the server does not know.
    pub fn parse(text: &str) -> Result<(Option<GroupSet>, Self), Problem> {
        let mut query = Self::default();
        let mut groups = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = decoded(value)?;
            match &*decoded(name)? {
                "group" => groups.push(value),
                "QUEUE_APPLICATIONID" if value.len() <= LONGEST_APPLICATION => {
                    query.application = Some(value.into_owned())
                }
                "force" => query.force = value == "true",
                "ignoreError" => query.ignore_error = value == "true",
                "resetAutoAssign" => query.reset_auto_assign = value == "true",
                "detail" => query.full_detail = value == "full",
                "StartTS" => query.start = Some(moment(&value)?),
                "EndTS" => query.end = Some(moment(&value)?),
                "NoOfSamples" => {
                    query.samples = Some(value.parse().map_err(|_| incorrect())?);
                }
                // Known to real servers; nothing that is served here depends on them.
                "QUEUE_CLIENTKEY_METHOD" | "Type" | "timeout" | "topology" | "draft" => {}
                _ => return Err(incorrect()),
            }
        }
        let groups = GroupSet::parse(groups.iter().map(|value| &**value)).map_err(|name| {
            let name: String = name.chars().take(40).collect();
            Problem::new(
                400,
                "INVALID_URL",
                format!("REST0026 Unknown extended attribute group {name}"),
            )
        })?;
        Ok((groups, query))
    }
}

fn incorrect() -> Problem {
    Problem::new(400, "INVALID_URL", "REST0123 Incorrect query parameter")
}

/// An ISO 8601 moment with a zone: `2022-04-22T14:00:00Z`, the zone also as `+0000`.
fn moment(text: &str) -> Result<Millis, Problem> {
    let parsed = text
        .parse::<jiff::Timestamp>()
        .or_else(|_| jiff::Timestamp::strptime("%Y-%m-%dT%H:%M:%S%z", text));
    let millis = parsed.ok().map(jiff::Timestamp::as_millisecond);
    let millis = millis.and_then(|millis| u64::try_from(millis).ok());
    millis.map(Millis).ok_or_else(incorrect)
}

fn decoded(text: &str) -> Result<Cow<'_, str>, Problem> {
    let text = if text.contains(['+', '%']) {
        let spaced = text.replace('+', " ");
        let text = percent_decode_str(&spaced)
            .decode_utf8()
            .map_err(|_| Problem::invalid_url("The query is not UTF-8."))?;
        Cow::Owned(text.into_owned())
    } else {
        Cow::Borrowed(text)
    };
    if text.chars().any(char::is_control) {
        return Err(Problem::invalid_url("The query holds control characters."));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_commas_separate_groups() {
        let (groups, query) = Query::parse("group=ViosStorage%2CViosNetwork&force=true").unwrap();
        assert_eq!(groups.unwrap().asked(), Some("ViosStorage,ViosNetwork"));
        assert!(query.force);
    }

    #[test]
    fn the_event_queue_is_named() {
        let (_, query) = Query::parse(
            "QUEUE_CLIENTKEY_METHOD=USE_APPLICATIONID&QUEUE_APPLICATIONID=ab12&group=None",
        )
        .unwrap();
        assert_eq!(query.application.as_deref(), Some("ab12"));
        assert_eq!(
            Query::parse(&format!("QUEUE_APPLICATIONID={}", "x".repeat(257)))
                .unwrap_err()
                .status,
            400
        );
    }
}
