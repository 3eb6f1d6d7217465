//! Takes secrets and addresses out of texts, so that anybody may read them.
//!
//! Passwords, tokens, session headers, private keys and userinfo of URLs become `***`. Addresses become others, of the
//! ranges for documentation, the same address always the same one, so that a log can still be followed; so do the host
//! names that were given. Loopback, the unspecified address and netmasks stay. What is in doubt is taken out.
//!
//! Texts are streamed: whatever their size, a window of them is in memory, and nothing slips through where windows meet.

mod addresses;
mod rules;
mod stream;

use std::io::{self, Read, Write};

use regex::bytes::Regex;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use self::addresses::Pseudonyms;
use self::rules::Rules;

/// What stands in the place of a secret.
pub const MASK: &str = "***";

/// What is known to be secret, beside what looks like it.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Passwords and tokens, wherever they stand. Shorter ones than three characters are overlooked.
    pub secrets: Vec<SecretString>,
    /// Names of hosts and domains, `hmc1.lab.example` or `.lab.example`; what is below them is meant as well.
    pub hosts: Vec<String>,
}

/// Takes secrets and addresses out of texts. One for all texts of a tree, so that an address has the same pseudonym in
/// all of them.
#[derive(Debug)]
pub struct Scrubber {
    rules: Rules,
    pseudonyms: Pseudonyms,
}

/// The known secrets make a pattern that is too large.
#[derive(Debug, thiserror::Error)]
#[error("too many secrets or host names to look for: {0}")]
pub struct TooManyError(String);

impl Scrubber {
    /// A scrubber that knows these.
    ///
    /// # Errors
    /// [`TooManyError`] when no pattern can be made of all of them.
    pub fn new(known: &Known) -> Result<Self, TooManyError> {
        let secrets: Vec<&str> = known
            .secrets
            .iter()
            .map(ExposeSecret::expose_secret)
            .collect();
        Ok(Self {
            rules: Rules::new(&secrets, &known.hosts)
                .map_err(|error| TooManyError(error.to_string()))?,
            pseudonyms: Pseudonyms::default(),
        })
    }

    /// Copies a text of any size without its secrets, and returns how many places were changed.
    ///
    /// # Errors
    /// Those of input and output.
    pub fn copy<R: Read, W: Write>(&mut self, input: R, output: W) -> io::Result<u64> {
        stream::copy(self, input, output)
    }

    /// A text without its secrets.
    #[must_use]
    pub fn text(&mut self, text: &str) -> String {
        let mut out = Vec::with_capacity(text.len());
        // Neither reading from memory nor writing to it fails.
        match self.copy(text.as_bytes(), &mut out) {
            Ok(0) => text.to_owned(),
            Ok(_) => String::from_utf8_lossy(&out).into_owned(),
            Err(_) => MASK.to_owned(),
        }
    }

    /// Takes the secrets out of every text of a JSON value; what a telling name like `password` names is one.
    pub fn value(&mut self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Array(values) => values.iter_mut().for_each(|value| self.value(value)),
            Value::Object(members) => {
                for (name, value) in members.iter_mut() {
                    if value.is_string() && self.rules.is_secret_name(name) {
                        *value = Value::from(MASK);
                    } else {
                        self.value(value);
                    }
                }
            }
            _ => {}
        }
    }
}

fn regex(pattern: &str) -> Result<Regex, regex::Error> {
    regex::bytes::RegexBuilder::new(pattern)
        .unicode(false)
        .case_insensitive(true)
        .size_limit(64 << 20)
        .build()
}

#[cfg(test)]
mod tests;
