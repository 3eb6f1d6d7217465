//! The storage behind a simulator: volumes made, shown to hosts, grown and deleted, as Cinder does it.
//!
//! It speaks to the simulator's admin API, over a socket or in process. A real storage needs Cinder.

use std::fmt;
use std::sync::Arc;

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request};
use http_body_util::{BodyExt, Limited};
use powervm_driver::rest::{Body, Endpoint, HttpTransport, ServiceTransport, Transport};
use powervm_simulator::Simulator;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::scenario::RefusalKind;
use crate::target::Failure;

/// The largest answer that is read.
const LARGEST_ANSWER: usize = 16 << 20;
/// Where the admin API of a simulator in the same process seems to be.
const IN_PROCESS: &str = "http://admin.localhost";

/// How a volume is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Fibre Channel, through the Virtual I/O Servers or by ports of the server's own.
    FibreChannel,
    /// iSCSI.
    Iscsi,
    /// A file.
    File,
    /// A Ceph image.
    Rbd,
}

impl Protocol {
    /// As the admin API names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FibreChannel => "fibre_channel",
            Self::Iscsi => "iscsi",
            Self::File => "nfs",
            Self::Rbd => "rbd",
        }
    }
}

/// The storage of one simulator. Clones speak to the same.
#[derive(Clone)]
pub struct Storage {
    origin: String,
    token: SecretString,
    transport: Arc<dyn Transport>,
}

impl fmt::Debug for Storage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Storage")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

impl Storage {
    /// The storage of a simulator in this process.
    #[must_use]
    pub fn of(simulator: &Simulator) -> Self {
        let token = SecretString::from("in-process");
        let router = powervm_simulator::admin::router(simulator, token.clone());
        Self {
            origin: IN_PROCESS.to_owned(),
            token,
            transport: Arc::new(ServiceTransport::new(router)),
        }
    }

    /// The storage of the simulator whose admin API is at this URL.
    ///
    /// # Errors
    /// A URL that is none of `http://HOST:PORT`.
    pub fn at(url: &str, token: SecretString) -> powervm_driver::Result<Self> {
        let endpoint = Endpoint::new(url)?;
        Ok(Self {
            origin: endpoint.origin(),
            token,
            transport: Arc::new(HttpTransport::new(&endpoint)?),
        })
    }

    /// Makes a volume and returns its identifier.
    ///
    /// # Errors
    /// What the storage refuses.
    pub async fn create(
        &self,
        name: &str,
        gigabytes: u64,
        protocol: Protocol,
    ) -> Result<String, Failure> {
        self.create_with(name, gigabytes, protocol, Value::Null)
            .await
    }

    /// As [`Self::create`], with an operating system on it, as far as firmware can tell.
    ///
    /// # Errors
    /// What the storage refuses.
    pub async fn create_bootable(
        &self,
        name: &str,
        gigabytes: u64,
        protocol: Protocol,
    ) -> Result<String, Failure> {
        let image = crate::image::Image::made();
        let content = json!({ "bytes": image.bytes, "sha256": image.sha256 });
        self.create_with(name, gigabytes, protocol, content).await
    }

    async fn create_with(
        &self,
        name: &str,
        gigabytes: u64,
        protocol: Protocol,
        content: Value,
    ) -> Result<String, Failure> {
        // A path of a file is absolute, and an image is in a pool.
        let path = match protocol {
            Protocol::FibreChannel | Protocol::Iscsi => Value::Null,
            Protocol::File => json!(format!("/volumes/{name}")),
            Protocol::Rbd => json!(format!("volumes/{name}")),
        };
        let order = json!({ "name": name, "gigabytes": gigabytes, "protocol": protocol.name(), "path": path, "content": content });
        let made = self.call(Method::POST, "/volumes", Some(order)).await?;
        made.get("id")
            .and_then(Value::as_str)
            .map(str::to_owned)
            .ok_or_else(|| failure("POST /volumes: the answer has no id"))
    }

    /// Lets a host use a volume; the answer is Cinder's `connection_info`.
    ///
    /// # Errors
    /// What the storage refuses.
    pub async fn map(&self, volume: &str, connector: &Value, chap: bool) -> Result<Value, Failure> {
        let body = json!({ "connector": connector, "chap": chap });
        let mut answer = self
            .call(Method::POST, &format!("/volumes/{volume}/map"), Some(body))
            .await?;
        Ok(answer
            .get_mut("connection_info")
            .map(Value::take)
            .unwrap_or_default())
    }

    /// Lets no host use a volume any more.
    ///
    /// # Errors
    /// What the storage refuses.
    pub async fn unmap(&self, volume: &str) -> Result<(), Failure> {
        self.call(
            Method::POST,
            &format!("/volumes/{volume}/unmap"),
            Some(json!({})),
        )
        .await
        .map(drop)
    }

    /// Makes a volume larger.
    ///
    /// # Errors
    /// What the storage refuses.
    pub async fn extend(&self, volume: &str, gigabytes: u64) -> Result<(), Failure> {
        let body = json!({ "gigabytes": gigabytes });
        self.call(
            Method::POST,
            &format!("/volumes/{volume}/extend"),
            Some(body),
        )
        .await
        .map(drop)
    }

    /// Deletes a volume that nobody uses.
    ///
    /// # Errors
    /// What the storage refuses.
    pub async fn delete(&self, volume: &str) -> Result<(), Failure> {
        self.call(Method::DELETE, &format!("/volumes/{volume}"), None)
            .await
            .map(drop)
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value, Failure> {
        let wrong = |what: String| failure(&format!("{method} {}{path}: {what}", self.origin));
        let text = body.map(|body| body.to_string()).unwrap_or_default();
        let request = Request::builder()
            .method(method.clone())
            .uri(format!("{}{path}", self.origin))
            .header(CONTENT_TYPE, "application/json")
            .header(
                AUTHORIZATION,
                format!("Bearer {}", self.token.expose_secret()),
            )
            .body(Body::whole(text))
            .map_err(|error| wrong(error.to_string()))?;
        let answer = self
            .transport
            .call(request)
            .await
            .map_err(|error| wrong(error.to_string()))?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), LARGEST_ANSWER)
            .collect()
            .await;
        let body = body.map_err(|error| wrong(error.to_string()))?.to_bytes();
        if !status.is_success() {
            return Err(wrong(format!(
                "{status} {}",
                String::from_utf8_lossy(&body)
            )));
        }
        if body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&body)
            .map_err(|error| wrong(format!("not an answer of powervm-sim: {error}")))
    }
}

fn failure(message: &str) -> Failure {
    Failure {
        kind: RefusalKind::Other,
        message: message.to_owned(),
    }
}
