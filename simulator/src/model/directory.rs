//! What a console keeps besides hardware: groups, enterprise pools and partition templates. Clients read them.
//!
//! Cassette `refresher.yml`, recordings `enterprise_pool_feed` and `enterprise_pool_member_feed`.

use uuid::Uuid;

use super::partition::{PartitionMemory, ProcessorSetting};

/// `Group`: partitions, Virtual I/O Servers and systems under one name.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its UUID.
    pub uuid: Uuid,
    /// `GroupName`
    pub name: String,
    /// `GroupDescription`
    pub description: String,
    /// `GroupColor`, such as `Grey`.
    pub color: String,
    /// Its partitions. One that has gone is shown with a UUID of zeros, as recorded.
    pub partitions: Vec<Uuid>,
    /// Its Virtual I/O Servers.
    pub vioses: Vec<Uuid>,
    /// Its systems.
    pub systems: Vec<Uuid>,
    /// Changes with the document.
    pub version: u64,
}

/// `PowerEnterprisePool`: processors and memory that several systems share by license.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct EnterprisePool {
    /// Its UUID.
    pub uuid: Uuid,
    /// `PoolID`, four digits.
    pub id: String,
    /// `PoolName`
    pub name: String,
    /// `TotalMobileCoDProcUnits`
    pub processors: u32,
    /// `TotalMobileCoDMemory` in megabytes.
    pub memory: u64,
    /// Its members.
    pub members: Vec<EnterprisePoolMember>,
    /// Changes with the document.
    pub version: u64,
}

/// `PowerEnterprisePoolMember`: a system and its share.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct EnterprisePoolMember {
    /// Its UUID.
    pub uuid: Uuid,
    /// The UUID of the system.
    pub system: Uuid,
    /// `MobileCoDProcUnits`
    pub processors: u32,
    /// `MobileCoDMemory` in megabytes.
    pub memory: u64,
    /// `InactiveProcUnits`
    pub inactive_processors: u32,
}

impl EnterprisePool {
    /// `AvailableMobileCoDProcUnits`: what no member has.
    #[must_use]
    pub fn available_processors(&self) -> u32 {
        let taken = self.members.iter().map(|member| member.processors).sum();
        self.processors.saturating_sub(taken)
    }

    /// `AvailableMobileCoDMemory` in megabytes.
    #[must_use]
    pub fn available_memory(&self) -> u64 {
        let taken = self.members.iter().map(|member| member.memory).sum();
        self.memory.saturating_sub(taken)
    }

    /// The member with this UUID.
    #[must_use]
    pub fn member(&self, uuid: Uuid) -> Option<&EnterprisePoolMember> {
        self.members.iter().find(|member| member.uuid == uuid)
    }
}

/// `PartitionTemplate`: what a partition made of it will look like.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct PartitionTemplate {
    /// Its UUID.
    pub uuid: Uuid,
    /// `partitionTemplateName`
    pub name: String,
    /// `description`
    pub description: Option<String>,
    /// Whether it makes IBM i partitions.
    pub ibmi: bool,
    /// Its memory.
    pub memory: PartitionMemory,
    /// Its processors.
    pub processors: ProcessorSetting,
    /// The partition that it was captured from; the templates that come with a console have none.
    pub captured: Option<CapturedPartition>,
    /// Changes with the document.
    pub version: u64,
}

/// What a captured template tells of its partition.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct CapturedPartition {
    /// `partitionId`
    pub id: u16,
    /// `partitionName`
    pub name: String,
    /// `logicalSerialNumber`
    pub serial: String,
    /// The location code of its system, such as `U8247.22L.2125D4A`.
    pub location: String,
    /// Its network adapters: slot, MAC address, VLAN and the name of the switch.
    pub adapters: Vec<(u16, u64, u16, String)>,
    /// Its logical units.
    pub units: Vec<CapturedUnit>,
    /// The names of its optical devices.
    pub optical_devices: Vec<String>,
}

/// A logical unit as a captured template tells of it.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct CapturedUnit {
    /// `name`
    pub name: String,
    /// `capacityGB`
    pub gigabytes: String,
    /// `AssociatedClusterName`
    pub cluster: String,
    /// `AssociatedClusterId`
    pub cluster_id: String,
    /// `AssociatedTierName`
    pub tier: String,
    /// `AssociatedTierId`
    pub tier_id: String,
}
