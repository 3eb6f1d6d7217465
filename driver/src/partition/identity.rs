//! From an instance's UUID to a partition's, and back.
//!
//! The hypervisor keeps the top bit of a partition's UUID for itself, so the first hexadecimal
//! digit of a partition's UUID is never above 7. The partition of an instance carries the
//! instance's UUID with that bit cleared; every tool that shares the host relies on it.

use std::fmt;

use uuid::Uuid;

/// UUID of a partition: the top bit is clear, and it is written in upper case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionUuid(Uuid);

/// The bit that the hypervisor keeps for itself.
const TOP_BIT: u128 = 1 << 127;

impl PartitionUuid {
    /// The partition's UUID for an instance: the instance's, the top bit cleared.
    #[must_use]
    pub fn of_instance(instance: Uuid) -> Self {
        Self(Uuid::from_u128(instance.as_u128() & !TOP_BIT))
    }

    /// Reads the UUID that a server reports. `None` when the text is no UUID.
    ///
    /// A partition that was not made for an instance may carry any UUID; it is kept as it is.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text.trim()).ok().map(Self)
    }

    /// The two instances that this partition may belong to: the same UUID, and the one with the
    /// top bit set. Which of them it is, only who keeps the instances knows.
    #[must_use]
    pub fn instances(self) -> [Uuid; 2] {
        [self.0, Uuid::from_u128(self.0.as_u128() | TOP_BIT)]
    }

    /// Whether this is the partition of `instance`.
    #[must_use]
    pub fn belongs_to(self, instance: Uuid) -> bool {
        self == Self::of_instance(instance)
    }

    /// The UUID itself; as text it is in lower case, as a config drive's metadata has it.
    #[must_use]
    pub fn as_uuid(self) -> Uuid {
        self.0
    }

    /// Whether `text` (any case) is this UUID.
    #[must_use]
    pub fn is(self, text: &str) -> bool {
        Self::parse(text) == Some(self)
    }
}

impl fmt::Display for PartitionUuid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:X}", self.0.hyphenated())
    }
}

impl fmt::Debug for PartitionUuid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn uuid(text: &str) -> Uuid {
        Uuid::parse_str(text).unwrap()
    }

    #[test]
    fn clears_the_top_bit_and_writes_upper_case() {
        let partition = PartitionUuid::of_instance(uuid("fa3b7c44-0d2e-4b5f-9c11-8e6f00aa10bc"));
        assert_eq!(
            partition.to_string(),
            "7A3B7C44-0D2E-4B5F-9C11-8E6F00AA10BC"
        );
    }

    #[test]
    fn leaves_a_clear_top_bit_alone() {
        let partition = PartitionUuid::of_instance(uuid("5b4f7b8c-99b1-4fc8-8d8f-6c22f8e92b1c"));
        assert_eq!(
            partition.to_string(),
            "5B4F7B8C-99B1-4FC8-8D8F-6C22F8E92B1C"
        );
    }

    proptest! {
        #[test]
        fn every_instance_is_among_its_partitions_candidates(bits in any::<u128>()) {
            let instance = Uuid::from_u128(bits);
            let partition = PartitionUuid::of_instance(instance);
            prop_assert!(partition.instances().contains(&instance));
            prop_assert!(partition.belongs_to(instance));
            prop_assert!(partition.to_string().as_bytes()[0] <= b'7');
            prop_assert_eq!(PartitionUuid::parse(&partition.to_string()), Some(partition));
        }
    }
}
