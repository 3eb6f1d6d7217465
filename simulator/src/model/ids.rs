//! Identifiers: everything that a real server would make up comes from one seeded stream inside the world.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use uuid::Uuid;

/// The source of identifiers and of every random choice. A clone continues with the same values.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Ids {
    stream: ChaCha8Rng,
    next_job: u64,
}

impl Ids {
    /// A source that yields the same values for the same seed. Job numbers count up from `first_job`, which real
    /// servers take from the time of their start in milliseconds (recording `refresher.yml` of an HMC V8R8.6).
    #[must_use]
    pub fn new(seed: u64, first_job: u64) -> Self {
        Self {
            stream: ChaCha8Rng::seed_from_u64(seed),
            next_job: first_job,
        }
    }

    /// A random UUID (version 4), as partitions and files have.
    pub fn random_uuid(&mut self) -> Uuid {
        uuid::Builder::from_random_bytes(self.bytes()).into_uuid()
    }

    /// A UUID of version 3, as systems, volume groups, adapters and logical units have on real servers.
    pub fn named_uuid(&mut self) -> Uuid {
        uuid::Builder::from_md5_bytes(self.bytes()).into_uuid()
    }

    /// The number of the next job.
    pub const fn job(&mut self) -> u64 {
        let job = self.next_job;
        self.next_job += 1;
        job
    }

    /// Lower-case hexadecimal digits.
    pub fn hex(&mut self, digits: usize) -> String {
        (0..digits)
            .filter_map(|_| char::from_digit(self.stream.random_range(0..16), 16))
            .collect()
    }

    /// A MAC address prefix: 48 bits, locally administered, unicast, last byte zero.
    pub fn mac_prefix(&mut self) -> u64 {
        (self.stream.next_u64() & 0xfcff_ffff_ff00) | 0x0200_0000_0000
    }

    /// A number of the range, both ends included; the lower end if the range is empty.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        if low >= high {
            low
        } else {
            self.stream.random_range(low..=high)
        }
    }

    fn bytes(&mut self) -> [u8; 16] {
        let mut bytes = [0; 16];
        self.stream.fill_bytes(&mut bytes);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_one_sequence() {
        let (mut one, mut two) = (Ids::new(7, 1), Ids::new(7, 1));
        assert_eq!(one.random_uuid(), two.random_uuid());
        assert_eq!(one.hex(64), two.hex(64));
        assert_ne!(one.random_uuid(), Ids::new(8, 1).random_uuid());
    }

    #[test]
    fn uuids_have_their_versions() {
        let mut ids = Ids::new(1, 1);
        assert_eq!(ids.random_uuid().get_version_num(), 4);
        assert_eq!(ids.named_uuid().get_version_num(), 3);
    }

    #[test]
    fn prefixes_are_local_unicast_with_a_free_last_byte() {
        let mut ids = Ids::new(3, 1);
        for _ in 0..100 {
            let prefix = ids.mac_prefix();
            assert_eq!(prefix & 0xff, 0);
            assert_eq!(prefix >> 40 & 0b11, 0b10);
            assert!(prefix < 1 << 48);
        }
    }
}
