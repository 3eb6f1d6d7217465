//! What a client may say of any disk besides what it is: limits, encryption, a tag (`docs/protocol/san.md`).

use crate::model::names::EncryptionState;

/// Properties that disks of all kinds share. What is `None` was never said.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct StorageOptions {
    /// `ReadIOPS`
    pub read_iops: Option<u32>,
    /// `WriteIOPS`
    pub write_iops: Option<u32>,
    /// `EncryptionState`
    pub encryption_state: Option<EncryptionState>,
    /// `EncryptionAgent/LUKSEncryptor`
    pub encryption: Option<LuksEncryptor>,
    /// `Tag`
    pub tag: Option<String>,
}

/// `LUKSEncryptor`. The key is used and forgotten.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct LuksEncryptor {
    /// `Cipher`, such as `aes-xts-plain64`.
    pub cipher: Option<String>,
    /// `KeySize` in bits.
    pub key_size: Option<u32>,
    /// `Hash`, such as `sha512`.
    pub hash: Option<String>,
}

impl StorageOptions {
    /// These options with what `other` says instead.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        Self {
            read_iops: other.read_iops.or(self.read_iops),
            write_iops: other.write_iops.or(self.write_iops),
            encryption_state: other.encryption_state.or(self.encryption_state),
            encryption: other.encryption.clone().or_else(|| self.encryption.clone()),
            tag: other.tag.clone().or_else(|| self.tag.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_stays() {
        let old = StorageOptions {
            read_iops: Some(1),
            tag: Some("a".to_owned()),
            ..StorageOptions::default()
        };
        let new = StorageOptions {
            read_iops: Some(2),
            write_iops: Some(3),
            ..StorageOptions::default()
        };
        let both = old.with(&new);
        assert_eq!((both.read_iops, both.write_iops), (Some(2), Some(3)));
        assert_eq!(both.tag.as_deref(), Some("a"));
        assert_eq!(old.with(&StorageOptions::default()), old);
    }
}
