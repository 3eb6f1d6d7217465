//! The scenario file as TOML has it, with the place of every value, before anything is checked.

use std::collections::BTreeMap;

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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStep {
    pub(super) name: Spanned<String>,
    #[serde(rename = "do")]
    pub(super) verb: Spanned<String>,
    pub(super) server: Option<Spanned<String>>,
    pub(super) parallel: Option<Spanned<i64>>,
    pub(super) kind: Option<Spanned<String>>,
    pub(super) image: Option<Spanned<String>>,
    pub(super) named_like: Option<Spanned<String>>,
    pub(super) flavor: Option<Spanned<RawFlavor>>,
    pub(super) networks: Option<Spanned<Vec<Spanned<i64>>>>,
    pub(super) config_drive: Option<Spanned<bool>>,
    pub(super) power_on: Option<Spanned<bool>>,
    pub(super) work: Option<Spanned<Vec<Spanned<RawWork>>>>,
    pub(super) expect: Option<RawExpect>,
}

/// One piece of a `together` step: the keys of a step that say what is done, without a name and expectations.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWork {
    #[serde(rename = "do")]
    pub(super) verb: Spanned<String>,
    pub(super) server: Option<Spanned<String>>,
    pub(super) parallel: Option<Spanned<i64>>,
    pub(super) kind: Option<Spanned<String>>,
    pub(super) image: Option<Spanned<String>>,
    pub(super) named_like: Option<Spanned<String>>,
    pub(super) flavor: Option<Spanned<RawFlavor>>,
    pub(super) networks: Option<Spanned<Vec<Spanned<i64>>>>,
    pub(super) config_drive: Option<Spanned<bool>>,
    pub(super) power_on: Option<Spanned<bool>>,
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
