//! Limits, encryption and tag of a disk as posted.

use powervm_schema::xml::Element;

use super::body::{choice, integer, invalid, text};
use crate::model::Refusal;
use crate::model::names::EncryptionState;
use crate::model::storage::{LuksEncryptor, StorageOptions};

/// The longest tag, cipher or hash.
const LENGTH: usize = 128;

/// What the element of a disk says. An `EncryptionKey` unlocks the disk and is not kept.
pub(crate) fn options(element: &Element) -> Result<StorageOptions, Refusal> {
    let stated = choice(element, "EncryptionState", EncryptionState::parse)?;
    let unlocked = text(element, "EncryptionKey").map(|_| EncryptionState::Unlocked);
    let agent = element.descend(&["EncryptionAgent", "LUKSEncryptor"]);
    Ok(StorageOptions {
        read_iops: integer(element, "ReadIOPS")?,
        write_iops: integer(element, "WriteIOPS")?,
        encryption_state: unlocked.or(stated),
        encryption: agent.map(encryptor).transpose()?,
        tag: short(element, "Tag")?,
    })
}

fn encryptor(agent: &Element) -> Result<LuksEncryptor, Refusal> {
    Ok(LuksEncryptor {
        cipher: short(agent, "Cipher")?,
        key_size: integer(agent, "KeySize")?,
        hash: short(agent, "Hash")?,
    })
}

fn short(element: &Element, name: &str) -> Result<Option<String>, Refusal> {
    match text(element, name) {
        Some(found) if found.len() > LENGTH => Err(invalid(format!(
            "{name} has more than {LENGTH} characters."
        ))),
        found => Ok(found.map(str::to_owned)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_unlocks_and_is_not_kept() {
        let element = Element::parse(
            b"<VirtualDisk><ReadIOPS>44</ReadIOPS><EncryptionKey>very secret</EncryptionKey><EncryptionAgent><LUKSEncryptor><Cipher>aes-xts-plain64</Cipher><KeySize>256</KeySize><Hash>sha1</Hash></LUKSEncryptor></EncryptionAgent></VirtualDisk>",
        )
        .unwrap();
        let read = options(&element).unwrap();
        assert_eq!(read.read_iops, Some(44));
        assert_eq!(read.encryption_state, Some(EncryptionState::Unlocked));
        assert_eq!(read.encryption.as_ref().unwrap().key_size, Some(256));
        assert!(!format!("{read:?}").contains("secret"));
    }

    #[test]
    fn nonsense_is_refused() {
        let long = format!("<V><Tag>{}</Tag></V>", "x".repeat(200));
        for text in [
            "<V><ReadIOPS>-1</ReadIOPS></V>",
            "<V><EncryptionState>Open</EncryptionState></V>",
            &long,
        ] {
            let element = Element::parse(text.as_bytes()).unwrap();
            assert_eq!(options(&element).unwrap_err().status, 400, "{text}");
        }
    }
}
