//! Objects in OpenStack's object store (Swift's object API v1, <https://docs.openstack.org/api-ref/object-store/>).

mod exchange;
mod keystone;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Method, StatusCode, header};
use md5::{Digest, Md5};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::SecretString;
use tokio::sync::Mutex;

use self::exchange::{Answer, Ask, Reach};
use self::keystone::{Account, Login};
use super::{Store, check_name};
use crate::config::StoreOptions;
use crate::error::{Error, ErrorKind, Result};
use crate::rest::{Transport, Trust};

/// How often something is tried in all; once more for a token that has expired.
const TRIES: u32 = 2;
/// How long is waited before it is tried again.
const PAUSE: Duration = Duration::from_millis(250);

/// Characters of a container's name that stay as they are.
const NAME: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Where the objects are, and who may reach them.
pub struct SwiftOptions {
    pub(super) login: Login,
    /// The container.
    pub(super) container: String,
    /// Swift's URL with the account, instead of the catalogue's.
    pub(super) storage_url: Option<String>,
    pub(super) trust: Trust,
}

impl SwiftOptions {
    /// As the configuration has them, with the password of its file.
    ///
    /// # Errors
    /// A password file that cannot be read, or a URL that is none.
    pub fn of(options: &StoreOptions) -> Result<Self> {
        let path = &options.swift_password_file;
        let password = std::fs::read_to_string(path).map_err(|error| {
            Error::caused(
                ErrorKind::Local,
                format!(
                    "the file {} of swift_password_file cannot be read",
                    path.display()
                ),
                "give a file that this user can read",
                error,
            )
        })?;
        let password = password.trim_end_matches(['\n', '\r']);
        Self::with_password(options, SecretString::from(password))
    }

    /// As the configuration has them, with this password.
    ///
    /// # Errors
    /// A URL that is none.
    pub fn with_password(options: &StoreOptions, password: SecretString) -> Result<Self> {
        let cacert = &options.swift_cacert;
        let storage_url = options.swift_storage_url.trim_end_matches('/');
        Ok(Self {
            login: Login::of(options, password)?,
            container: options.swift_container.clone(),
            storage_url: (!storage_url.is_empty()).then(|| storage_url.to_owned()),
            trust: match cacert.as_os_str().is_empty() {
                true => Trust::System,
                false => Trust::Authority(cacert.clone()),
            },
        })
    }
}

/// Objects of one container, which is made when something is put there.
///
/// One logon serves until its token has expired. What fails on the way is tried twice; each object travels with its
/// MD5, so that one that was cut or mixed up is noticed.
pub struct SwiftStore {
    options: SwiftOptions,
    reach: Reach,
    account: Mutex<Option<Arc<Account>>>,
}

impl fmt::Debug for SwiftStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SwiftStore")
            .field("container", &self.options.container)
            .finish_non_exhaustive()
    }
}

impl SwiftStore {
    /// Reached over the network. Logs on when it is first used.
    ///
    /// # Errors
    /// Trusted certificates that cannot be read.
    pub fn new(options: SwiftOptions) -> Result<Self> {
        let reach = Reach::over_network(options.trust.clone())?;
        Ok(Self::reached(options, reach))
    }

    /// Reached through this, Keystone and Swift both.
    #[must_use]
    pub fn through(options: SwiftOptions, transport: Arc<dyn Transport>) -> Self {
        Self::reached(options, Reach::through(transport))
    }

    fn reached(options: SwiftOptions, reach: Reach) -> Self {
        Self {
            options,
            reach,
            account: Mutex::default(),
        }
    }

    /// The account, logged on to now if need be.
    async fn account(&self) -> Result<Arc<Account>> {
        // Held across the logon: of many that find no token, one gets it.
        let mut account = self.account.lock().await;
        if let Some(account) = account.as_ref() {
            return Ok(Arc::clone(account));
        }
        let given = self.options.storage_url.clone();
        let mut tries = 1;
        let found = loop {
            match self.options.login.log_on(&self.reach, given.clone()).await {
                Err(error) if tries < TRIES && is_passing(&error) => tries += 1,
                found => break Arc::new(found?),
            }
            tokio::time::sleep(PAUSE).await;
        };
        *account = Some(Arc::clone(&found));
        Ok(found)
    }

    /// Forgets a token that the store does not take any more.
    async fn forget(&self, expired: &Arc<Account>) {
        let mut account = self.account.lock().await;
        account.take_if(|known| Arc::ptr_eq(known, expired));
    }

    /// Asks for something, as often as it may help.
    async fn ask(&self, method: &Method, name: &str, content: Option<&Bytes>) -> Result<Answer> {
        let (mut tries, mut logons) = (1, 1);
        loop {
            let account = self.account().await?;
            let outcome = self.ask_once(&account, method, name, content).await;
            match &outcome {
                Ok(answer) if answer.status == StatusCode::UNAUTHORIZED && logons < 2 => {
                    self.forget(&account).await;
                    logons += 1;
                    continue;
                }
                Ok(answer) if is_done(method, answer.status) => return outcome,
                Ok(answer) if tries >= TRIES || !answer.status.is_server_error() => {
                    return Err(self.refused(method, name, answer));
                }
                Err(error) if tries >= TRIES || !is_passing(error) => return outcome,
                Ok(_) | Err(_) => {}
            }
            tries += 1;
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn ask_once(
        &self,
        account: &Account,
        method: &Method,
        name: &str,
        content: Option<&Bytes>,
    ) -> Result<Answer> {
        let container = utf8_percent_encode(&self.options.container, NAME);
        let container = format!("{}/{container}", account.url);
        let ask = Ask {
            method: method.clone(),
            url: format!("{container}/{name}"),
            token: Some(&account.token),
            content: content.cloned(),
            what: "Swift",
        };
        let answer = self.reach.ask(&ask).await?;
        if *method != Method::PUT || answer.status != StatusCode::NOT_FOUND {
            return Ok(answer);
        }
        let make = Ask {
            url: container,
            content: Some(Bytes::new()),
            ..ask.clone()
        };
        let made = self.reach.ask(&make).await?;
        match made.status.is_success() {
            true => self.reach.ask(&ask).await,
            false => Ok(made),
        }
    }

    fn refused(&self, method: &Method, name: &str, answer: &Answer) -> Error {
        let (kind, remedy) = match answer.status {
            StatusCode::UNAUTHORIZED => (
                ErrorKind::Unauthorized,
                "check that Swift and Keystone belong together",
            ),
            StatusCode::FORBIDDEN => (
                ErrorKind::Forbidden,
                "give the user a role in its project that may write there",
            ),
            status if status.is_server_error() => (ErrorKind::Busy, "repeat it when Swift is well"),
            _ => (
                ErrorKind::Refused,
                "check swift_container and swift_storage_url",
            ),
        };
        let container = &self.options.container;
        let what = format!(
            "Swift answered {} to {method} of {container}/{name}",
            answer.status
        );
        Error::operation(kind, what, remedy)
    }
}

/// What may be otherwise a moment later.
fn is_passing(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Unreachable | ErrorKind::Interrupted | ErrorKind::TimedOut | ErrorKind::Busy
    )
}

fn is_done(method: &Method, status: StatusCode) -> bool {
    let is_absent = status == StatusCode::NOT_FOUND && *method != Method::PUT;
    status.is_success() || is_absent
}

impl Store for SwiftStore {
    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Bytes>>> {
        Box::pin(async move {
            check_name(name)?;
            let mut tries = 1;
            loop {
                let answer = self.ask(&Method::GET, name, None).await?;
                if answer.status == StatusCode::NOT_FOUND {
                    return Ok(None);
                }
                if answer.is_whole() {
                    return Ok(Some(answer.content));
                }
                if tries >= TRIES {
                    return Err(Error::operation(
                        ErrorKind::Interrupted,
                        format!("the object {name} that Swift sent is not the one that it keeps"),
                        "repeat it, and see whether something between changes it",
                    ));
                }
                tries += 1;
                tokio::time::sleep(PAUSE).await;
            }
        })
    }

    fn put<'a>(&'a self, name: &'a str, content: Bytes) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            check_name(name)?;
            self.ask(&Method::PUT, name, Some(&content)).await.map(drop)
        })
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            check_name(name)?;
            self.ask(&Method::DELETE, name, None).await.map(drop)
        })
    }
}

impl Answer {
    /// Whether the content is what the server says that it is, where it says that.
    fn is_whole(&self) -> bool {
        let tag = self.headers.get(header::ETAG);
        let tag = tag.and_then(|tag| tag.to_str().ok());
        let tag = tag.map(|tag| tag.trim_matches('"'));
        tag.is_none_or(|tag| tag.len() != 32 || tag.eq_ignore_ascii_case(&md5_hex(&self.content)))
    }
}

/// What Swift calls the ETag of an object.
fn md5_hex(content: &[u8]) -> String {
    let sum = Md5::digest(content);
    sum.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_s_tag_is_its_md5() {
        assert_eq!(md5_hex(b""), "d41d8cd98f00b204e9800998ecf8427e");
    }
}
