//! Sockets: http and https listeners on hyper, with an end that is quick and clean.
//!
//! `axum::serve` sets no `TCP_NODELAY`; small answers then wait 40 ms for a delayed acknowledgement, so the accept
//! loop is our own.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use secrecy::SecretString;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use crate::gather::Gathered;
use crate::http::connection::{Aborted, Connection};
use crate::simulator::Simulator;
use crate::tls::{Certificate, Identity, TlsError};

/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long the headers of a request may take, and how long a connection may be idle. Longer than clients keep idle
/// connections, so that it is they who close them and no request meets a closing connection.
const HEADERS: Duration = Duration::from_secs(120);
/// How long requests in flight may go on after the end was asked for.
const DRAIN: Duration = Duration::from_millis(500);
/// How many connections a listener has at a time unless something else is said; one more is answered with 503.
pub const MOST_CONNECTIONS: usize = 4096;
/// What a connection too many is told. Over TLS it is just closed: a handshake would cost what is to be saved.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 58\r\nConnection: close\r\n\r\nthere are too many connections; close some and try again.\n";
/// The largest request line with headers, in bytes.
const LARGEST_HEAD: usize = 64 * 1024;

/// Where and how to listen.
#[derive(Clone, Debug, Default)]
pub struct ServeOptions {
    /// Address of the http listener; port 0 takes a free one.
    pub http: Option<SocketAddr>,
    /// Address of the https listener.
    pub https: Option<SocketAddr>,
    /// The certificate of the https listener.
    pub certificate: Certificate,
    /// The admin API, http.
    pub admin: Option<AdminOptions>,
    /// How many connections each listener has at a time, [`MOST_CONNECTIONS`] if absent.
    pub most_connections: Option<usize>,
}

/// Where the admin API listens, and what its users have to know.
#[derive(Clone, Debug)]
pub struct AdminOptions {
    /// A loopback address.
    pub address: SocketAddr,
    /// The bearer token.
    pub token: SecretString,
}

impl ServeOptions {
    /// The same so many ports higher; a free port stays a free port, and there is one admin API only.
    fn above(&self, number: u16) -> Self {
        let raised = |address: &SocketAddr| match address.port() {
            0 => *address,
            port => SocketAddr::new(address.ip(), port.saturating_add(number)),
        };
        Self {
            http: self.http.as_ref().map(raised),
            https: self.https.as_ref().map(raised),
            certificate: self.certificate.clone(),
            admin: None,
            most_connections: self.most_connections,
        }
    }
}

/// Addresses of http and https, and the certificate.
type Bound = (Option<SocketAddr>, Option<SocketAddr>, Option<String>);

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// An address cannot be bound.
    #[error("cannot listen on {address}: {source}; choose another address or port 0")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The admin API is for this machine only.
    #[error("the admin API listens on loopback addresses only, and {0} is none")]
    AdminNotLoopback(SocketAddr),
    /// There is no certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// A simulator on its sockets. Dropping it ends the listeners at once; [`Serving::stop`] lets requests finish.
#[derive(Debug)]
pub struct Serving {
    /// The http listener's address, with the port that was chosen.
    pub http: Option<SocketAddr>,
    /// The https listener's address.
    pub https: Option<SocketAddr>,
    /// The admin API's address.
    pub admin: Option<SocketAddr>,
    /// The https listener's certificate in PEM if it was made at start.
    pub certificate_pem: Option<String>,
    /// The other NovaLinks of the machine room, see [`Simulator::novalinks`].
    pub neighbours: Vec<Neighbour>,
    most_connections: usize,
    ending: CancellationToken,
    tasks: TaskTracker,
}

/// Where another NovaLink of the same machine room listens.
#[derive(Clone, Debug)]
pub struct Neighbour {
    /// The name of its system.
    pub system: String,
    /// The http listener's address.
    pub http: Option<SocketAddr>,
    /// The https listener's address.
    pub https: Option<SocketAddr>,
    /// The https listener's certificate in PEM if it was made at start.
    pub certificate_pem: Option<String>,
}

/// Binds the sockets and serves `simulator` on them until the returned value is stopped or dropped.
///
/// # Errors
/// [`ServeError`]; nothing is served then.
pub async fn serve(simulator: &Simulator, options: &ServeOptions) -> Result<Serving, ServeError> {
    if let Some(AdminOptions { address, .. }) = &options.admin
        && !address.ip().is_loopback()
    {
        return Err(ServeError::AdminNotLoopback(*address));
    }
    let mut novalinks = simulator.novalinks().into_iter();
    let first = novalinks.next().unwrap_or_else(|| simulator.clone());
    let mut serving = serve_router(&first.router(), options).await?;
    for (novalink, number) in novalinks.zip(1..) {
        serving.add(&novalink, &options.above(number)).await?;
    }
    if let Some(AdminOptions { address, token }) = &options.admin {
        let admin = crate::admin::router(simulator, token.clone());
        serving.admin = Some(serving.listen(*address, admin, None).await?);
    }
    serving.attend(simulator);
    Ok(serving)
}

/// Binds the http and https sockets and serves any HTTP service on them.
///
/// # Errors
/// [`ServeError`]; nothing is served then.
pub async fn serve_router(router: &Router, options: &ServeOptions) -> Result<Serving, ServeError> {
    let mut serving = Serving {
        http: None,
        https: None,
        admin: None,
        certificate_pem: None,
        neighbours: Vec::new(),
        most_connections: options.most_connections.unwrap_or(MOST_CONNECTIONS),
        ending: CancellationToken::new(),
        tasks: TaskTracker::new(),
    };
    let bound = serving.bind(router, options).await?;
    (serving.http, serving.https, serving.certificate_pem) = bound;
    Ok(serving)
}

/// Binds a fork's sockets: its REST API and its admin API, on free ports of the loopback interface.
pub(crate) async fn serve_fork(
    simulator: &Simulator,
    token: SecretString,
) -> Result<Serving, ServeError> {
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let options = ServeOptions {
        http: Some(anywhere),
        ..ServeOptions::default()
    };
    let mut serving = serve_router(&simulator.router(), &options).await?;
    let admin = crate::admin::router_of_fork(simulator, token);
    serving.admin = Some(serving.listen(anywhere, admin, None).await?);
    serving.attend(simulator);
    Ok(serving)
}

impl Serving {
    /// Ends the listeners, gives requests in flight half a second, then closes every connection.
    pub async fn stop(self) {
        self.ending.cancel();
        self.tasks.close();
        // Connections end themselves after DRAIN; the margin is for their tasks to be run.
        let _ = tokio::time::timeout(DRAIN + Duration::from_millis(200), self.tasks.wait()).await;
    }

    /// Carries the model's questions to peers until the end, if there are any.
    fn attend(&self, simulator: &Simulator) {
        let world = simulator.world();
        if world.peers.is_empty() && world.errands.is_empty() {
            return;
        }
        let (ending, attending) = (self.ending.clone(), simulator.clone().attend());
        self.tasks.spawn(async move {
            tokio::select! {
                () = ending.cancelled() => {}
                () = attending => {}
            }
        });
    }

    /// Binds the sockets of another NovaLink.
    async fn add(
        &mut self,
        novalink: &Simulator,
        options: &ServeOptions,
    ) -> Result<(), ServeError> {
        let (http, https, certificate_pem) = self.bind(&novalink.router(), options).await?;
        let world = novalink.world();
        self.neighbours.push(Neighbour {
            system: world
                .systems
                .values()
                .map(|system| system.name.clone())
                .collect(),
            http,
            https,
            certificate_pem,
        });
        Ok(())
    }

    /// Binds an http and an https socket; gives their addresses and the certificate, if one was made.
    async fn bind(&self, router: &Router, options: &ServeOptions) -> Result<Bound, ServeError> {
        let http = match options.http {
            Some(address) => Some(self.listen(address, router.clone(), None).await?),
            None => None,
        };
        let Some(address) = options.https else {
            return Ok((http, None, None));
        };
        let names = if address.ip().is_unspecified() {
            Vec::new()
        } else {
            vec![address.ip().to_string()]
        };
        let Identity {
            config,
            certificate_pem,
        } = options.certificate.identity(&names)?;
        let tls = Some(TlsAcceptor::from(config));
        let https = self.listen(address, router.clone(), tls).await?;
        Ok((http, Some(https), certificate_pem))
    }

    async fn listen(
        &self,
        address: SocketAddr,
        router: Router,
        tls: Option<TlsAcceptor>,
    ) -> Result<SocketAddr, ServeError> {
        let told = |source| ServeError::Bind { address, source };
        let listener = listener(address).map_err(told)?;
        let bound = listener.local_addr().map_err(told)?;
        if !bound.ip().is_loopback() {
            tracing::warn!(address = %bound, "listening beyond the loopback interface: anybody who reaches this address can try to log on");
        }
        let (ending, tasks) = (self.ending.clone(), self.tasks.clone());
        let room = Arc::new(Semaphore::new(self.most_connections));
        self.tasks
            .spawn(accept((listener, room), bound, router, tls, ending, tasks));
        Ok(bound)
    }
}

/// A feed of ten megabytes costs least when what is written waits in as much memory as a processor's cache holds, and not
/// in the four megabytes that Linux would let grow.
const SEND_BUFFER: u32 = 208 << 10;
/// Connections that wait to be accepted, as many as tokio's own listener lets wait.
const BACKLOG: u32 = 1024;

/// Its connections have its send buffer.
fn listener(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // Elsewhere that lets two servers have one address.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.ending.cancel();
    }
}

async fn accept(
    (listener, room): (TcpListener, Arc<Semaphore>),
    local: SocketAddr,
    router: Router,
    tls: Option<TlsAcceptor>,
    ending: CancellationToken,
    tasks: TaskTracker,
) {
    loop {
        let accepted = tokio::select! {
            () = ending.cancelled() => return,
            accepted = next(&listener) => accepted,
        };
        let Some(stream) = accepted else {
            continue;
        };
        let Ok(place) = Arc::clone(&room).try_acquire_owned() else {
            tracing::warn!(address = %local, "a connection too many is refused");
            // Whoever cannot take so few bytes at once does not get them.
            if tls.is_none() {
                let _ = stream.try_write(FULL);
            }
            continue;
        };
        let (router, tls, ending) = (router.clone(), tls.clone(), ending.clone());
        tasks.spawn(async move {
            connection(stream, local, router, tls, ending).await;
            drop(place);
        });
    }
}

/// The next connection.
async fn next(listener: &TcpListener) -> Option<TcpStream> {
    match listener
        .accept()
        .await
        .and_then(|(stream, _)| undelayed(stream))
    {
        Ok(stream) => Some(stream),
        Err(error) => {
            // Out of file descriptors, or a connection that ended before it began: the next one may do.
            tracing::warn!(%error, "a connection cannot be accepted");
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        }
    }
}

/// The same connection without Nagle's delay: small answers go out at once.
fn undelayed(stream: TcpStream) -> io::Result<TcpStream> {
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn connection(
    stream: TcpStream,
    local: SocketAddr,
    router: Router,
    tls: Option<TlsAcceptor>,
    ending: CancellationToken,
) {
    match tls {
        None => {
            http1(
                stream,
                Connection {
                    secure: false,
                    local,
                },
                router,
                ending,
            )
            .await
        }
        Some(acceptor) => {
            let handshake = tokio::select! {
                () = ending.cancelled() => return,
                handshake = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)) => handshake,
            };
            match handshake {
                Ok(Ok(stream)) => {
                    http1(
                        stream,
                        Connection {
                            secure: true,
                            local,
                        },
                        router,
                        ending,
                    )
                    .await
                }
                Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
                Err(_) => tracing::debug!("TLS handshake took too long"),
            }
        }
    }
}

async fn http1<S>(stream: S, peer: Connection, router: Router, ending: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let router = router.clone();
        async move {
            if size_of_head(&request) > LARGEST_HEAD {
                return Ok(too_large().map(Gathered::from));
            }
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(peer);
            let Ok(response) = router.oneshot(request).await;
            // An error instead of an answer makes hyper close the connection without a word.
            if response.extensions().get::<Aborted>().is_some() {
                Err(Aborted)
            } else {
                Ok(response.map(Gathered::from))
            }
        }
    });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        .max_buf_size(LARGEST_HEAD)
        .half_close(false);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        () = ending.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::time::timeout(DRAIN, connection).await.ok()
        }
    };
    if let Some(Err(error)) = ended {
        tracing::debug!(%error, "connection ended");
    }
}

/// hyper's own bound counts what it has to keep while a head is not complete; one that comes at once may be larger.
fn size_of_head<B>(request: &Request<B>) -> usize {
    let path = request.uri().path_and_query();
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| name.as_str().len() + value.len() + 4);
    path.map_or(0, |path| path.as_str().len()) + headers.sum::<usize>()
}

fn too_large() -> Response<Body> {
    let told = format!("the head of the request is larger than {LARGEST_HEAD} bytes\n");
    let mut response = Response::new(Body::from(told));
    *response.status_mut() = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn accepted_connections_do_not_delay_small_answers() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let client = TcpStream::connect(address).await.unwrap();
        assert!(next(&listener).await.unwrap().nodelay().unwrap());
        drop(client);
    }
}
