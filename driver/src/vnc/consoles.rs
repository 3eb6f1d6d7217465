//! Where consoles are opened.

use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::error::{Error, ErrorKind, Result};
use crate::operations::Driver;

/// Bytes both ways.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection with the RFB server of a console.
pub type Line = Box<dyn Stream>;

/// Where consoles are opened.
pub trait Consoles: Send + Sync + 'static {
    /// Opens the console of a server, or finds it open, and connects with it.
    ///
    /// # Errors
    /// No such server; its console cannot be opened.
    fn open(&self, server: Uuid) -> BoxFuture<'_, Result<Line>>;

    /// Closes it.
    ///
    /// # Errors
    /// It stays open.
    fn close(&self, server: Uuid) -> BoxFuture<'_, Result<()>>;
}

impl Consoles for Driver {
    fn open(&self, server: Uuid) -> BoxFuture<'_, Result<Line>> {
        Box::pin(async move {
            let console = self.open_console(server).await?;
            let stream = TcpStream::connect((console.host, console.port)).await;
            let stream = stream.map_err(|error| {
                Error::caused(
                    ErrorKind::Local,
                    format!(
                        "the console of {} is open and cannot be reached",
                        console.server
                    ),
                    "close it with `powervm console close`, then try again",
                    error,
                )
            })?;
            Ok(Box::new(stream) as Line)
        })
    }

    fn close(&self, server: Uuid) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            match self.close_console(server).await {
                // It went with its server.
                Err(error) if error.is_not_found() => Ok(()),
                closed => closed,
            }
        })
    }
}
