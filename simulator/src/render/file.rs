//! `File` of the web service. Recordings `upload_file`, `file_feed`.

use super::context::{Context, upper};
use super::writer::{COD, COR, ROR, WEB};
use crate::http::target::Service;
use crate::model::file::File;

/// The resource's own element.
pub(crate) fn render(cx: &Context<'_>, file: &File) -> String {
    let uuid = file.uuid.to_string();
    let mut w = cx.writer(2048);
    w.root("File", WEB, Some((&uuid, file.modified.0)), |w| {
        w.text("Filename", COR, &file.name);
        w.value("DateModified", ROR, file.modified.0);
        w.text("InternetMediaType", COR, &file.media_type);
        w.text("FileUUID", ROR, &uuid);
        w.reference(
            "AssetLink",
            ROR,
            &cx.base.href(Service::Web, &format!("File/contents/{uuid}")),
        );
        w.optional("SHA256", COD, file.expected_sha256.as_deref());
        if let Some(bytes) = file.expected_bytes {
            w.value("ExpectedFileSizeInBytes", COD, bytes);
        }
        if let Some(content) = &file.content {
            w.value("CurrentFileSizeInBytes", ROR, content.bytes);
        }
        w.value("FileEnumType", COR, file.kind);
        w.text("TargetVirtualIOServerUUID", COR, &upper(file.vios));
        w.optional("TargetDeviceUniqueDeviceID", COR, file.device.as_deref());
    });
    w.finish()
}
