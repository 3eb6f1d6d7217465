//! `VirtualSerialNumberInformation`, a child of a managed system. Recording `vsn`.

use super::context::Context;
use super::writer::{ROR, UOM};
use crate::model::serial_number::VirtualSerialNumber;

/// What `AssociatedPartitionId` says of a number that nobody has.
const NOBODY: u16 = 65_535;

/// The resource's own element.
pub(crate) fn render(cx: &Context<'_>, number: &VirtualSerialNumber) -> String {
    let since = ROR.since("V1_13_0");
    let partition = number
        .partition
        .and_then(|uuid| cx.world.partitions.get(&uuid));
    let mut w = cx.writer(1024);
    w.root(
        "VirtualSerialNumberInformation",
        UOM,
        Some((&number.uuid.to_string(), cx.created())),
        |w| {
            w.text("VirtualSerialNumber", since, &number.number);
            let id = partition.map_or(NOBODY, |partition| partition.id);
            w.value("AssociatedPartitionId", since, id);
            w.value("IsAutoAssignCapable", since, number.auto_assign);
        },
    );
    w.finish()
}
