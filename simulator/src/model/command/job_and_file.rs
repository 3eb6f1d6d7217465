//! Requests about jobs and files.

use uuid::Uuid;

use crate::model::job::JobTarget;
use crate::model::names::FileKind;

/// See [`Command::SubmitJob`](super::Command::SubmitJob).
#[derive(Clone, PartialEq, Eq)]
pub struct SubmitJob {
    /// What it works on.
    pub target: JobTarget,
    /// `OperationName`
    pub operation: String,
    /// Names and values, as sent.
    pub parameters: Vec<(String, String)>,
}

/// See [`Command::CreateFile`](super::Command::CreateFile).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateFile {
    /// `Filename`
    pub name: String,
    /// `InternetMediaType`
    pub media_type: Option<String>,
    /// `FileEnumType`
    pub kind: FileKind,
    /// `TargetVirtualIOServerUUID`
    pub vios: Uuid,
    /// `TargetDeviceUniqueDeviceID`
    pub device: Option<String>,
    /// `ExpectedFileSizeInBytes`
    pub expected_bytes: Option<u64>,
    /// `SHA256`
    pub expected_sha256: Option<String>,
}
