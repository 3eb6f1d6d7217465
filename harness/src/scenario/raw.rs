//! The scenario file as TOML has it, with the place of every value, before anything is checked.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawScenario {
    pub(super) format: Spanned<i64>,
    pub(super) title: String,
    #[serde(default)]
    pub(super) description: String,
    #[serde(default)]
    pub(super) follows: Vec<RawTempestTest>,
    #[serde(default)]
    pub(super) tags: Vec<String>,
    #[serde(default)]
    pub(super) needs: Vec<Spanned<String>>,
    pub(super) disk: Spanned<String>,
    pub(super) server: Option<RawServer>,
    #[serde(default)]
    pub(super) step: Vec<Spanned<RawStep>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTempestTest {
    pub(super) name: String,
    pub(super) id: Spanned<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawServer {
    pub(super) flavor: Option<RawFlavor>,
    pub(super) networks: Option<Vec<Spanned<i64>>>,
    pub(super) config_drive: Option<bool>,
    pub(super) power_on: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFlavor {
    pub(super) vcpus: Option<Spanned<i64>>,
    pub(super) memory_mb: Option<Spanned<RawAmount>>,
    pub(super) root_gb: Option<Spanned<RawAmount>>,
    #[serde(default)]
    pub(super) extra_specs: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a number or text such as \"free + 256\" or \"60% of free\""
)]
pub(super) enum RawAmount {
    Number(i64),
    Text(String),
}

/// The keys of one piece of work, wherever it stands; each of them but `do` belongs to some verbs only.
macro_rules! work {
    ($(#[$about:meta])* $name:ident { $($more:ident: $type:ty,)* } $($key:ident: $value:ty,)*) => {
        $(#[$about])*
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $name {
            $(pub(super) $more: $type,)*
            #[serde(rename = "do")]
            pub(super) verb: Spanned<String>,
            $(pub(super) $key: Option<Spanned<$value>>,)*
        }

        impl $name {
            /// What is done, without what only a step has.
            pub(super) fn keys(&self) -> Keys<'_> {
                Keys {
                    verb: &self.verb,
                    $($key: &self.$key,)*
                }
            }
        }
    };
}

macro_rules! both {
    ($($key:ident: $value:ty,)*) => {
        work! {
            /// A step: what is done, under a name, and what has to come out.
            RawStep {
                name: Spanned<String>,
                work: Option<Spanned<Vec<Spanned<RawWork>>>>,
                expect: Option<RawExpect>,
            }
            $($key: $value,)*
        }
        work! {
            /// One piece of a `together` step.
            RawWork {}
            $($key: $value,)*
        }

        /// The keys of either.
        #[derive(Debug, Clone, Copy)]
        pub(super) struct Keys<'r> {
            pub(super) verb: &'r Spanned<String>,
            $(pub(super) $key: &'r Option<Spanned<$value>>,)*
        }

        impl Keys<'_> {
            /// The keys that are set, and where.
            pub(super) fn set(&self) -> Vec<(&'static str, Range<usize>)> {
                let all = [$((stringify!($key), self.$key.as_ref().map(Spanned::span)),)*];
                all.into_iter().filter_map(|(key, span)| Some((key, span?))).collect()
            }
        }
    };
}

both! {
    server: String,
    parallel: i64,
    kind: String,
    image: String,
    named_like: String,
    flavor: RawFlavor,
    networks: Vec<Spanned<i64>>,
    config_drive: bool,
    power_on: bool,
    boot_volume: String,
    volumes: Vec<Spanned<String>>,
    volume: String,
    network: i64,
    host: i64,
    cancel_in: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawExpect {
    pub(super) refused: Option<RawRefusal>,
    pub(super) state: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) listed: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) absent: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) untouched: bool,
    pub(super) within_s: Option<Spanned<f64>>,
    pub(super) makespan: Option<RawMakespan>,
    pub(super) image_uploads: Option<Spanned<i64>>,
    pub(super) mapping_writes: Option<Spanned<f64>>,
    pub(super) requests: Option<Spanned<f64>>,
    pub(super) host: Option<Spanned<i64>>,
    pub(super) used: Option<RawUsed>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRefusal {
    pub(super) kind: Spanned<String>,
    pub(super) message: Option<String>,
    pub(super) count: Option<Spanned<i64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMakespan {
    pub(super) times: Spanned<f64>,
    pub(super) of: Spanned<String>,
    #[serde(default)]
    pub(super) weather: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawUsed {
    pub(super) proc_units: Option<Spanned<f64>>,
    pub(super) memory_mb: Option<Spanned<i64>>,
    pub(super) disk_gb: Option<Spanned<i64>>,
}
