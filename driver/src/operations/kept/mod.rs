//! What is kept of servers outside of their host: their slot maps and their NVRAM.
//!
//! Objects are named by the partition's UUID, which follows from either UUID of its instance: the slot map is
//! `UUID_slot_map`, the NVRAM `UUID`.

mod survey;

use bytes::Bytes;
use powervm_schema::partition::LogicalPartition;

use super::control::Control;
use super::driver::{Driver, path_of};
use super::request::ServerRef;
use crate::error::{Error, ErrorKind, Result};
use crate::partition::{PartitionUuid, SlotMap};
use crate::rest::Groups;
use crate::store::Store;

/// The group that a partition's NVRAM is read with.
const NVRAM: &str = "NVRAM";

/// What is kept of a server that is to be made anew.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    pub(super) slots: Option<SlotMap>,
    pub(super) nvram: Option<String>,
}

impl Driver {
    /// What is kept of a server's slots, if anything is.
    ///
    /// # Errors
    /// No such server, no store, one that cannot be reached or has something else under that name.
    pub async fn slot_map(&self, server: impl Into<ServerRef>) -> Result<Option<SlotMap>> {
        let partition = self.named(&server.into()).await?;
        self.load_slots(partition).await
    }

    /// Whether NVRAM of a server is kept.
    ///
    /// # Errors
    /// As [`Driver::slot_map`].
    pub async fn has_nvram(&self, server: impl Into<ServerRef>) -> Result<bool> {
        let partition = self.named(&server.into()).await?;
        Ok(self.load_nvram(partition).await?.is_some())
    }

    /// Keeps a server's slots and NVRAM as they are now. Returns the slots, and whether it has NVRAM.
    ///
    /// # Errors
    /// No such server, no store or one that cannot be reached; those of the requests.
    pub async fn keep(&self, server: impl Into<ServerRef>) -> Result<(SlotMap, bool)> {
        self.store()?;
        let partition = self.resolve(&server.into()).await?;
        let _turn = self.shared.instances.take(&partition).await;
        let slots = self.keep_slots(partition).await?;
        Ok((slots, self.keep_nvram(partition).await?))
    }

    /// Forgets what is kept of a server, which need not exist any more.
    ///
    /// # Errors
    /// No store, or one that cannot be reached.
    pub async fn forget_kept(&self, server: impl Into<ServerRef>) -> Result<()> {
        self.store()?;
        let partition = self.named(&server.into()).await?;
        self.delete_kept(partition).await
    }

    /// Of a UUID the partition, there or not; of a name the one that is there.
    async fn named(&self, server: &ServerRef) -> Result<PartitionUuid> {
        match server.partition() {
            Some(partition) => Ok(partition),
            None => self.resolve(server).await,
        }
    }

    /// Whether anything is kept.
    pub(super) fn keeps(&self) -> bool {
        self.store.is_some()
    }

    fn store(&self) -> Result<&dyn Store> {
        self.store.as_deref().ok_or_else(|| {
            Error::operation(
                ErrorKind::Precondition,
                "nothing is kept of servers: there is no store",
                "name one as nvram_store in the configuration",
            )
        })
    }

    pub(super) async fn load_slots(&self, partition: PartitionUuid) -> Result<Option<SlotMap>> {
        let name = slots_name(partition);
        let Some(content) = self.store()?.get(&name).await? else {
            return Ok(None);
        };
        SlotMap::parse(&content).map(Some).map_err(|why| {
            Error::operation(
                ErrorKind::Precondition,
                format!("the object {name} of the store is no slot map of this driver's: {why}"),
                "see which driver keeps it; remove it if the server's slots do not matter",
            )
        })
    }

    pub(super) async fn keep_slots(&self, partition: PartitionUuid) -> Result<SlotMap> {
        let slots = survey::look(self, partition).await?;
        let content = Bytes::from(slots.to_json());
        self.store()?.put(&slots_name(partition), content).await?;
        Ok(slots)
    }

    /// As [`Self::keep_slots`], for what cannot be taken back any more: a slot that is kept and not in use harms nobody.
    pub(super) async fn keep_slots_if_possible(&self, partition: PartitionUuid, control: &Control) {
        if !self.keeps() {
            return;
        }
        match self.keep_slots(partition).await {
            Err(error) if !error.is_not_found() => control.warn(format!(
                "the slots of {partition} could not be kept: {error}"
            )),
            _ => {}
        }
    }

    pub(super) async fn load_nvram(&self, partition: PartitionUuid) -> Result<Option<String>> {
        let store = self.store()?;
        for instance in partition.instances() {
            let name = instance.hyphenated().to_string();
            if let Some(content) = store.get(&name).await? {
                let text = String::from_utf8(content.into()).ok();
                let is_base64 =
                    |byte: u8| byte.is_ascii_alphanumeric() || b"+/=\r\n".contains(&byte);
                let text = text.filter(|text| text.bytes().all(is_base64));
                return text.map(Some).ok_or_else(|| {
                    Error::operation(
                        ErrorKind::Precondition,
                        format!("the object {name} of the store is no NVRAM"),
                        "see what keeps it, and remove it",
                    )
                });
            }
        }
        Ok(None)
    }

    /// Whether the partition has NVRAM, which is kept then. Without, what is kept stays.
    pub(super) async fn keep_nvram(&self, partition: PartitionUuid) -> Result<bool> {
        let store = self.store()?;
        let groups = Groups::Named(&[NVRAM]);
        let entry = self
            .session()
            .get_entry(&path_of(partition), groups)
            .await?;
        let document = LogicalPartition(&entry.content);
        let nvram = document.partition().nvram().unwrap_or_default().trim();
        if nvram.is_empty() {
            return Ok(false);
        }
        let content = Bytes::from(nvram.to_owned());
        store.put(&nvram_name(partition), content).await?;
        Ok(true)
    }

    /// As [`Self::keep_nvram`], when nothing else is to fail for it.
    pub(super) async fn keep_nvram_if_possible(&self, partition: PartitionUuid) {
        if !self.keeps() {
            return;
        }
        if let Err(error) = self.keep_nvram(partition).await {
            tracing::warn!(%error, %partition, "the server's NVRAM could not be kept");
        }
    }

    /// What is kept of a server that is made anew. NVRAM that nobody has is none: the guest starts with what firmware
    /// gives it.
    pub(super) async fn load_kept(
        &self,
        partition: PartitionUuid,
        control: &Control,
    ) -> Result<Kept> {
        if !self.keeps() {
            return Ok(Kept::default());
        }
        let kept = Kept {
            slots: self.load_slots(partition).await?,
            nvram: self.load_nvram(partition).await?,
        };
        for (is_there, what) in [
            (kept.slots.is_some(), "slots"),
            (kept.nvram.is_some(), "NVRAM"),
        ] {
            if !is_there {
                control.warn(format!("nothing is kept of the server's {what}"));
            }
        }
        Ok(kept)
    }

    /// Sees to it that nothing is kept of a server.
    pub(super) async fn delete_kept(&self, partition: PartitionUuid) -> Result<()> {
        let store = self.store()?;
        store.delete(&slots_name(partition)).await?;
        for instance in partition.instances() {
            store.delete(&instance.hyphenated().to_string()).await?;
        }
        Ok(())
    }

    /// As [`Self::delete_kept`], for a server that is gone: what is left of it in the store keeps nobody from anything.
    pub(super) async fn delete_kept_if_possible(
        &self,
        partition: PartitionUuid,
        control: &Control,
    ) {
        if !self.keeps() {
            return;
        }
        if let Err(error) = self.delete_kept(partition).await {
            control.warn(format!(
                "what is kept of {partition} could not be deleted: {error}"
            ));
        }
    }
}

/// The slots of a partition as they are now.
///
/// # Errors
/// Those of the requests.
pub(super) async fn slots_now(driver: &Driver, partition: PartitionUuid) -> Result<SlotMap> {
    survey::look(driver, partition).await
}

fn slots_name(partition: PartitionUuid) -> String {
    format!("{}_slot_map", nvram_name(partition))
}

fn nvram_name(partition: PartitionUuid) -> String {
    partition.as_uuid().hyphenated().to_string()
}
