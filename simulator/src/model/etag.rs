//! Entity tags: a number that changes exactly when what a request sees has changed.

use uuid::Uuid;

/// The parts of a document that have versions of their own. A tag covers the base and the parts asked for, so a
/// change of mappings leaves the tag of a request for storage alone (`docs/protocol/mappings.md`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Facets {
    /// `ViosSCSIMapping`
    pub scsi_mappings: bool,
    /// `ViosFCMapping`
    pub fc_mappings: bool,
    /// `ViosStorage`
    pub storage: bool,
    /// `ViosNetwork`
    pub network: bool,
    /// `VNIC`
    pub vnic: bool,
    /// `NVRAM`
    pub nvram: bool,
}

/// The value of an `ETag` header and of an `etag` element: a signed 32-bit number in decimal, as recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Etag(pub i32);

impl std::fmt::Display for Etag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The tag of a resource whose visible parts have these versions (FNV-1a over both, folded to 32 bits).
#[must_use]
pub fn etag(id: Uuid, versions: &[u64]) -> Etag {
    let words = versions.iter().flat_map(|version| version.to_le_bytes());
    let hash = id
        .as_bytes()
        .iter()
        .copied()
        .chain(words)
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    let [a, b, c, d, e, f, g, h] = hash.to_le_bytes();
    Etag(i32::from_le_bytes([a ^ e, b ^ f, c ^ g, d ^ h]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_tells_ids_and_versions_apart() {
        let id = Uuid::from_u128(7);
        assert_eq!(etag(id, &[1, 2]), etag(id, &[1, 2]));
        assert_ne!(etag(id, &[1, 2]), etag(id, &[2, 1]));
        assert_ne!(etag(id, &[1]), etag(Uuid::from_u128(8), &[1]));
        let tags: std::collections::BTreeSet<i32> =
            (0..10_000).map(|version| etag(id, &[version]).0).collect();
        assert!(tags.len() > 9_990);
    }
}
