//! Speaking to the server: sessions, retries, resources, jobs, events and file uploads.
//!
//! Everything goes through one [`Transport`]: sockets in production ([`HttpTransport`]), a tower service in this
//! process in tests ([`ServiceTransport`]). Whatever a server sends is input: it is read within limits and turns
//! into a typed [`Error`](crate::Error) when it is not what was asked for.

mod answer;
mod body;
mod count;
mod endpoint;
mod events;
mod exchange;
pub(crate) mod job;
mod logon;
mod path;
mod resource;
mod retry;
mod session;
mod socket;
mod source;
mod tls;
mod together;
pub(crate) mod transport;
mod upload;

pub use body::{Body, BodyError};
pub use count::{CallClass, CallCounts, CallObserver, CallRecord};
pub use endpoint::{Credentials, Endpoint, HTTP_PORT, HTTPS_PORT};
pub use events::{EventStream, Notice, Occurrence};
pub use job::{Job, JobFailure, JobOutcome};
pub use path::Groups;
pub use retry::RetryPolicy;
pub use session::{Flavor, Session, SessionOptions};
pub use socket::HttpTransport;
pub use tls::{Fingerprint, Trust};
pub use transport::{ServiceTransport, Transport, TransportError, TransportFailure};
pub use upload::{Upload, UploadKind};
