//! Weather files: a named weather and what differs from it.
//!
//! ```toml
//! base = "typical"                      # calm, typical or stormy; typical if absent
//! upload_megabytes_per_second = 400     # 0: at once
//! vios_busy = 0.1                       # of the requests to a Virtual I/O Server
//! unavailable = 0.0                     # of all requests: 503
//! slow_job = 0.02
//! slow_job_factor = 5.0
//!
//! [latency.vios_write]                  # any class of docs/decisions/weather.md
//! median_ms = 3000
//! p95_ms = 9000
//!
//! [pace.power_on]                       # job_start, refusal, power_on, boot, open_firmware, rmc,
//! low_ms = 2000                         # power_off_immediate, power_off, os_shutdown, other_job,
//! high_ms = 3000                        # migration_start, migration, migration_gigabyte, suspend_step
//! ```

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Class, Forecast, Latency};
use crate::model::Pace;
use crate::model::pace::Span;

/// Why a weather file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WeatherError {
    /// It is no TOML, or a key or a value is not as documented.
    #[error("the weather file is not valid: {0}")]
    Syntax(#[from] toml::de::Error),
    /// `base` names no weather.
    #[error("there is no weather {0:?}; use calm, typical or stormy")]
    Base(String),
    /// A table below `latency` or `pace` names nothing.
    #[error("there is no {section} {name:?}; known are {known}")]
    Unknown {
        /// `latency` or `pace`.
        section: &'static str,
        /// The name in the file.
        name: String,
        /// The names that exist.
        known: String,
    },
    /// A number is out of its range.
    #[error("{name} is {value}, but has to be {range}")]
    Range {
        /// The key.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What would do.
        range: &'static str,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    base: Option<String>,
    upload_megabytes_per_second: Option<f64>,
    vios_busy: Option<f64>,
    unavailable: Option<f64>,
    slow_job: Option<f64>,
    slow_job_factor: Option<f64>,
    #[serde(default)]
    latency: BTreeMap<String, Quantiles>,
    #[serde(default)]
    pace: BTreeMap<String, Range>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Quantiles {
    median_ms: f64,
    p95_ms: Option<f64>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Range {
    low_ms: u64,
    high_ms: Option<u64>,
}

/// Reads a weather file.
///
/// # Errors
/// [`WeatherError`], with the place in the file or the name that is wrong.
pub fn parse(text: &str) -> Result<Forecast, WeatherError> {
    let file: File = toml::from_str(text)?;
    let mut forecast = match file.base.as_deref() {
        None | Some("typical") => Forecast::typical(),
        Some("calm") => Forecast::calm(),
        Some("stormy") => Forecast::stormy(),
        Some(other) => return Err(WeatherError::Base(other.to_owned())),
    };
    if let Some(rate) = file.upload_megabytes_per_second {
        let rate = within(
            "upload_megabytes_per_second",
            rate,
            0.0,
            1e6,
            "0 to 1000000",
        )?;
        forecast.upload_bytes_per_second = if rate > 0.0 {
            Some((rate * 1e6).max(1.0) as u64)
        } else {
            None
        };
    }
    for (name, value, place) in [
        ("vios_busy", file.vios_busy, &mut forecast.vios_busy),
        ("unavailable", file.unavailable, &mut forecast.unavailable),
        ("slow_job", file.slow_job, &mut forecast.slow_job),
    ] {
        if let Some(value) = value {
            *place = within(name, value, 0.0, 1.0, "0 to 1")?;
        }
    }
    if let Some(factor) = file.slow_job_factor {
        forecast.slow_job_factor = within("slow_job_factor", factor, 1.0, 1e6, "1 to 1000000")?;
    }
    for (name, quantiles) in file.latency {
        let class = Class::EVERY.iter().find(|class| class.name() == name);
        let class = class.ok_or_else(|| {
            unknown(
                "latency",
                name,
                Class::EVERY.iter().map(|class| class.name()),
            )
        })?;
        forecast.latency.insert(*class, quantiles.latency()?);
    }
    for (name, range) in file.pace {
        let span = place(&mut forecast.pace, &name).ok_or_else(|| unknown("pace", name, PACES))?;
        *span = range.span()?;
    }
    Ok(forecast)
}

const PACES: [&str; 14] = [
    "job_start",
    "refusal",
    "power_on",
    "boot",
    "open_firmware",
    "rmc",
    "power_off_immediate",
    "power_off",
    "os_shutdown",
    "other_job",
    "migration_start",
    "migration",
    "migration_gigabyte",
    "suspend_step",
];

fn place<'a>(pace: &'a mut Pace, name: &str) -> Option<&'a mut Span> {
    match name {
        "job_start" => Some(&mut pace.job_start),
        "refusal" => Some(&mut pace.refusal),
        "power_on" => Some(&mut pace.power_on),
        "boot" => Some(&mut pace.boot),
        "open_firmware" => Some(&mut pace.open_firmware),
        "rmc" => Some(&mut pace.rmc),
        "power_off_immediate" => Some(&mut pace.power_off_immediate),
        "power_off" => Some(&mut pace.power_off),
        "os_shutdown" => Some(&mut pace.os_shutdown),
        "other_job" => Some(&mut pace.other_job),
        "migration_start" => Some(&mut pace.migration_start),
        "migration" => Some(&mut pace.migration),
        "migration_gigabyte" => Some(&mut pace.migration_gigabyte),
        "suspend_step" => Some(&mut pace.suspend_step),
        _ => None,
    }
}

/// A day, in milliseconds: the longest duration that a weather file may name.
const DAY: u64 = 86_400_000;

impl Range {
    fn span(self) -> Result<Span, WeatherError> {
        let high = self.high_ms.unwrap_or(self.low_ms);
        let low = within(
            "low_ms",
            self.low_ms as f64,
            0.0,
            high.min(DAY) as f64,
            "0 to high_ms",
        )? as u64;
        let high = within("high_ms", high as f64, 0.0, DAY as f64, "0 to 86400000")? as u64;
        Ok(Span::ms(low, high))
    }
}

impl Quantiles {
    fn latency(self) -> Result<Latency, WeatherError> {
        let day = DAY as f64;
        let median = within("median_ms", self.median_ms, 0.0, day, "0 to 86400000")?;
        let p95 = within(
            "p95_ms",
            self.p95_ms.unwrap_or(median),
            0.0,
            day,
            "0 to 86400000",
        )?;
        Ok(Latency::new(median, p95))
    }
}

fn within(
    name: &'static str,
    value: f64,
    least: f64,
    most: f64,
    range: &'static str,
) -> Result<f64, WeatherError> {
    if value >= least && value <= most {
        Ok(value)
    } else {
        Err(WeatherError::Range { name, value, range })
    }
}

fn unknown(
    section: &'static str,
    name: String,
    known: impl IntoIterator<Item = &'static str>,
) -> WeatherError {
    WeatherError::Unknown {
        section,
        name,
        known: known.into_iter().collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_changes_only_what_it_names() {
        let forecast = parse("base = \"stormy\"\nvios_busy = 0.5\n[latency.quick]\nmedian_ms = 3\n[pace.power_on]\nlow_ms = 9\nhigh_ms = 10\n").unwrap();
        assert_eq!(forecast.vios_busy, 0.5);
        assert_eq!(forecast.latency[&Class::Quick], Latency::new(3.0, 3.0));
        assert_eq!(
            forecast.latency[&Class::Entry],
            Forecast::stormy().latency[&Class::Entry]
        );
        assert_eq!(forecast.pace.power_on, Span::ms(9, 10));
        assert_eq!(parse("").unwrap(), Forecast::typical());
    }

    #[test]
    fn mistakes_are_told() {
        for (text, told) in [
            ("base = \"sunny\"", "sunny"),
            ("colour = 3", "colour"),
            ("vios_busy = 2", "0 to 1"),
            ("vios_busy = nan", "0 to 1"),
            ("[latency.nothing]\nmedian_ms = 3", "vios_write"),
            ("[pace.nothing]\nlow_ms = 3", "power_on"),
            ("[pace.rmc]\nlow_ms = 3\nhigh_ms = 2", "low_ms"),
            ("[latency.quick]\nmedian_ms = -3", "median_ms"),
            ("upload_megabytes_per_second = -1", "upload"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}
