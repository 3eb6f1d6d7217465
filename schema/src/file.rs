//! Files: how bytes get to a disk or into a media repository.

use crate::view::{spelled, view};

spelled! {
    /// What becomes of the bytes.
    pub enum FileType {
        /// An image in the media repository, named as the file.
        MediaIso = "BROKERED_MEDIA_ISO",
        /// The content of an existing virtual disk or logical unit.
        DiskImage = "BROKERED_DISK_IMAGE",
    }
}

view! {
    /// A file to be uploaded, at `/rest/api/web/File/<UUID>`; its bytes at `/rest/api/web/File/contents/<UUID>`.
    ///
    /// Source: the recording `upload_file.txt`.
    pub struct File = "File" in Web {
        "Filename" text name set_name;
        /// Milliseconds since 1970.
        "DateModified" value(u64) date_modified set_date_modified;
        "InternetMediaType" text media_type set_media_type;
        "FileUUID" text uuid set_uuid;
        "AssetLink" href asset_link set_asset_link;
        /// Lower-case hexadecimal.
        "SHA256" text sha256 set_sha256;
        "ExpectedFileSizeInBytes" value(u64) expected_size set_expected_size;
        "CurrentFileSizeInBytes" value(u64) current_size set_current_size;
        "FileEnumType" value(FileType) file_type set_file_type;
        "TargetVirtualIOServerUUID" text target_vios_uuid set_target_vios_uuid;
        /// UDID of the disk or logical unit that the bytes go to.
        "TargetDeviceUniqueDeviceID" text target_device_udid set_target_device_udid;
    }
}
