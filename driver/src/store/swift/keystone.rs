//! Logs on to Keystone (Identity API v3, <https://docs.openstack.org/api-ref/identity/v3/>) with a password.

use bytes::Bytes;
use http::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

use super::exchange::{Answer, Ask, Reach, read_url};
use crate::config::StoreOptions;
use crate::error::{Error, ErrorKind, Result};

/// Who logs on, to what.
pub(in crate::store) struct Login {
    /// With the version, without a slash at its end.
    url: String,
    user: String,
    user_domain: String,
    project: String,
    project_domain: String,
    password: SecretString,
    interface: String,
}

/// What a logon gives.
pub(super) struct Account {
    pub(super) token: SecretString,
    /// Swift's URL with the account, without a slash at its end.
    pub(super) url: String,
}

#[derive(Deserialize)]
struct Granted {
    token: Token,
}

#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    catalog: Vec<Service>,
}

#[derive(Deserialize)]
struct Service {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    endpoints: Vec<Place>,
}

#[derive(Deserialize)]
struct Place {
    #[serde(default)]
    interface: String,
    #[serde(default)]
    url: String,
}

impl Login {
    pub(super) fn of(options: &StoreOptions, password: SecretString) -> Result<Self> {
        let url = options.swift_auth_url.trim_end_matches('/');
        read_url(url)?;
        let url = match url.ends_with("/v3") {
            true => url.to_owned(),
            false => format!("{url}/v3"),
        };
        Ok(Self {
            url,
            user: options.swift_username.clone(),
            user_domain: options.swift_user_domain_name.clone(),
            project: options.swift_project_name.clone(),
            project_domain: options.swift_project_domain_name.clone(),
            password,
            interface: options.interface().unwrap_or("public").to_owned(),
        })
    }

    /// Logs on. The account is where `given` says, or where the catalogue has it.
    ///
    /// # Errors
    /// No answer, or one that is not the right one.
    pub(super) async fn log_on(&self, reach: &Reach, given: Option<String>) -> Result<Account> {
        let body = json!({"auth": {
            "identity": {"methods": ["password"], "password": {"user": {
                "name": self.user,
                "domain": {"name": self.user_domain},
                "password": self.password.expose_secret(),
            }}},
            "scope": {"project": {
                "name": self.project,
                "domain": {"name": self.project_domain},
            }},
        }});
        let ask = Ask {
            method: Method::POST,
            url: format!("{}/auth/tokens", self.url),
            token: None,
            content: Some(Bytes::from(body.to_string())),
            what: "Keystone",
        };
        let answer = reach.ask(&ask).await?;
        if !answer.status.is_success() {
            return Err(self.refused(answer.status));
        }
        let token = answer.headers.get("X-Subject-Token");
        let token = token.and_then(|token| token.to_str().ok());
        let token = token.ok_or_else(|| strange("gave no token"))?;
        let url = match given {
            Some(url) => url,
            None => self.place(&answer)?,
        };
        read_url(&url)?;
        Ok(Account {
            token: SecretString::from(token),
            url,
        })
    }

    /// Where the catalogue has Swift.
    fn place(&self, answer: &Answer) -> Result<String> {
        let granted: Granted = serde_json::from_slice(&answer.content)
            .map_err(|_| strange("did not answer with a token's JSON"))?;
        let services = granted.token.catalog.into_iter();
        let places = services
            .filter(|service| service.kind == "object-store")
            .flat_map(|service| service.endpoints);
        let mut places = places.filter(|place| place.interface == self.interface);
        let url = places.next().map(|place| place.url);
        let url = url.ok_or_else(|| {
            Error::operation(
                ErrorKind::Precondition,
                format!(
                    "Keystone's catalogue has no object-store with a {} URL",
                    self.interface
                ),
                "check swift_endpoint_type, or give swift_storage_url",
            )
        })?;
        Ok(url.trim_end_matches('/').to_owned())
    }

    fn refused(&self, status: StatusCode) -> Error {
        let Self {
            user,
            project,
            user_domain,
            ..
        } = self;
        let what = format!(
            "Keystone answered {status} to the logon of {user} ({user_domain}) for the project {project}"
        );
        let (kind, remedy) = match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => (
                ErrorKind::Unauthorized,
                "check the swift_… names and the file of swift_password_file",
            ),
            status if status.is_server_error() => {
                (ErrorKind::Busy, "repeat it when Keystone is well")
            }
            _ => (ErrorKind::Refused, "check swift_auth_url"),
        };
        Error::operation(kind, what, remedy)
    }
}

fn strange(what: &str) -> Error {
    Error::operation(
        ErrorKind::BadAnswer,
        format!("Keystone {what}"),
        "check that swift_auth_url is Keystone's, with /v3",
    )
}
