//! Flavors and networks, as steps and defaults name them.

use toml::Spanned;

use super::super::error::Source;
use super::super::raw::{RawAmount, RawFlavor};
use super::super::{Amount, FlavorSpec, ScenarioError};

/// The highest VLAN id of IEEE 802.1Q that a network may have.
const MAX_VLAN: i64 = 4094;

/// Lays the keys that are set over `spec`.
pub(super) fn flavor(
    source: &Source<'_>,
    key: &str,
    raw: &RawFlavor,
    spec: &mut FlavorSpec,
) -> Result<(), ScenarioError> {
    if let Some(vcpus) = &raw.vcpus {
        spec.vcpus = u32::try_from(*vcpus.get_ref()).map_err(|_| {
            source.error(
                &vcpus.span(),
                format!("{key}.vcpus"),
                "has to be 0 to 4294967295",
            )
        })?;
    }
    if let Some(memory) = &raw.memory_mb {
        spec.memory_mb = amount(source, &format!("{key}.memory_mb"), memory)?;
    }
    if let Some(root) = &raw.root_gb {
        spec.root_gb = amount(source, &format!("{key}.root_gb"), root)?;
    }
    spec.extra_specs.extend(raw.extra_specs.clone());
    Ok(())
}

fn amount(
    source: &Source<'_>,
    key: &str,
    raw: &Spanned<RawAmount>,
) -> Result<Amount, ScenarioError> {
    let amount = match raw.get_ref() {
        RawAmount::Number(number) => u64::try_from(*number).ok().map(Amount::Exactly),
        RawAmount::Text(text) => Amount::parse(text),
    };
    amount.ok_or_else(|| {
        source.error(
            &raw.span(),
            key,
            "has to be a number from 0, \"free\", \"free + 256\" or \"60% of free\"",
        )
    })
}

/// Reads VLAN ids.
pub(super) fn networks(
    source: &Source<'_>,
    key: &str,
    raw: &[Spanned<i64>],
) -> Result<Vec<u16>, ScenarioError> {
    raw.iter().map(|vlan| network(source, key, vlan)).collect()
}

/// Reads one VLAN id.
pub(super) fn network(
    source: &Source<'_>,
    key: &str,
    vlan: &Spanned<i64>,
) -> Result<u16, ScenarioError> {
    u16::try_from(*vlan.get_ref())
        .ok()
        .filter(|_| (1..=MAX_VLAN).contains(vlan.get_ref()))
        .ok_or_else(|| source.error(&vlan.span(), key, format!("a VLAN is 1 to {MAX_VLAN}")))
}
