//! Tells the network agents of the host what was plugged and unplugged: they wait for an event that a client sends.

use powervm_schema::event::Event;

use super::driver::Driver;
use crate::error::{ErrorKind, Result};
use crate::network::{Attachment, Mac};

/// Whom the agents listen to: the name that the compute drivers have used for it.
pub(crate) const PROVIDER: &str = "NOVA_PVM_VIF";

/// What was done to an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Plug,
    Unplug,
}

impl Action {
    fn word(self) -> &'static str {
        match self {
            Self::Plug => "plug",
            Self::Unplug => "unplug",
        }
    }
}

/// The type of an interface, as the network service calls it.
pub(super) fn kind_of(attachment: &Attachment) -> &'static str {
    match attachment {
        Attachment::SharedEthernet => "pvm_sea",
        Attachment::Ovs(_) => "ovs",
        Attachment::Sriov(_) => "pvm_sriov",
    }
}

/// Sends the event, if the configuration wants events. To hear of an interface twice does no harm.
///
/// # Errors
/// Those of the request.
pub(super) async fn tell(
    driver: &Driver,
    action: Action,
    kind: &str,
    mac: Mac,
    path: &str,
) -> Result<()> {
    if !driver.config().announce_interfaces {
        return Ok(());
    }
    let session = driver.session();
    let detail = serde_json::json!({
        "provider": PROVIDER,
        "action": action.word(),
        "mac": mac.rest(),
        "type": kind,
    });
    let mut event = Event::new();
    event
        .set_data(format!(
            "{}/rest/api/uom/{path}",
            session.endpoint().origin()
        ))
        .set_detail(detail.to_string());
    match session.create("Event", &event.0).await {
        Err(error) if error.kind() == ErrorKind::UnknownOutcome => {
            session.create("Event", &event.0).await.map(drop)
        }
        told => told.map(drop),
    }
}

/// As [`tell`], of an interface that is gone: that nobody hears of it is no reason to have it back.
pub(super) async fn tell_gone(driver: &Driver, kind: &str, mac: Option<Mac>, path: &str) {
    let Some(mac) = mac else { return };
    if let Err(error) = tell(driver, Action::Unplug, kind, mac, path).await {
        tracing::warn!(%error, %mac, "could not tell the network agents of an interface that is gone");
    }
}
