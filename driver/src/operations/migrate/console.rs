//! Consoles: who manages a system, and who may log on to whom.

use powervm_schema::system::ManagementConsole;
use powervm_schema::xml::Element;

use crate::error::{Error, ErrorKind, Result};
use crate::operations::driver::Driver;
use crate::rest::Groups;
use crate::transaction::{Changed, edit};

/// Changes of the keys, one at a time.
const TURN: &str = "authorised keys";

/// The console behind a driver's endpoint.
pub(super) struct Console {
    pub(super) uuid: String,
    /// Its public key; an HMC does not tell its own.
    pub(super) public_key: Option<String>,
}

impl Console {
    /// Reads it.
    ///
    /// # Errors
    /// Those of the request.
    pub(super) async fn of(driver: &Driver) -> Result<Self> {
        let feed = driver
            .session()
            .get_feed("ManagementConsole", Groups::None)
            .await?;
        let entry = feed.entries.first().ok_or_else(|| {
            Error::operation(
                ErrorKind::BadAnswer,
                "the server tells of no management console",
                "check that the endpoint is the REST API of an HMC or NovaLink",
            )
        })?;
        let key = ManagementConsole(&entry.content)
            .public_ssh_key()
            .map(str::trim)
            .filter(|key| !key.is_empty())
            .map(str::to_owned);
        Ok(Self {
            uuid: entry.id.clone(),
            public_key: key,
        })
    }
}

/// Whether two keys are one: type and number count, the comment does not.
fn is_same(one: &str, other: &str) -> bool {
    let words = |key: &str| {
        let mut words = key.split_ascii_whitespace().map(str::to_owned);
        (words.next(), words.next())
    };
    words(one) == words(other)
}

/// Whether the key may log on to the driver's console.
///
/// # Errors
/// Those of the request.
pub(super) async fn is_let_in(driver: &Driver, key: &str) -> Result<bool> {
    let console = Console::of(driver).await?;
    let path = format!("ManagementConsole/{}", console.uuid);
    let entry = driver.session().get_entry(&path, Groups::None).await?;
    Ok(ManagementConsole(&entry.content)
        .authorized_keys()
        .any(|known| is_same(known, key)))
}

/// Lets whoever has this key log on to the driver's console.
///
/// # Errors
/// Those of the requests.
pub(super) async fn let_in(driver: &Driver, key: &str) -> Result<()> {
    change(driver, |console| {
        let mut console = ManagementConsole(console);
        let is_known = console.authorized_keys().any(|known| is_same(known, key));
        if !is_known {
            console.push_authorized_key(key);
        }
        (!is_known).into()
    })
    .await
}

/// Lets nobody log on with this key any more.
///
/// # Errors
/// Those of the requests.
pub(super) async fn shut_out(driver: &Driver, key: &str) -> Result<()> {
    change(driver, |console| {
        let mut changed = false;
        if let Some(keys) = console.child_mut("AuthorizedKeys") {
            keys.retain_children(|known| {
                let goes = is_same(&known.text(), key);
                changed |= goes;
                !goes
            });
        }
        changed.into()
    })
    .await
}

async fn change(
    driver: &Driver,
    mut keys: impl FnMut(&mut Element) -> Changed + Send,
) -> Result<()> {
    let _turn = driver.shared.networks.take(&TURN.to_owned()).await;
    let console = Console::of(driver).await?;
    let path = format!("ManagementConsole/{}", console.uuid);
    edit(driver.session(), &path, Groups::None, |console| {
        Ok(keys(console))
    })
    .await
    .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_comment_of_a_key_does_not_count() {
        assert!(is_same("ssh-rsa AAAA wlp@one", " ssh-rsa  AAAA wlp@two\n"));
        assert!(!is_same("ssh-rsa AAAA", "ssh-rsa AAAB"));
        assert!(!is_same("ssh-rsa AAAA", "ssh-ed25519 AAAA"));
    }
}
