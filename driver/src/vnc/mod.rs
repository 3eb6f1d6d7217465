//! A VNC repeater: one port for the consoles of all servers.
//!
//! A client says with `CONNECT <UUID of the server> HTTP/1.1` which console it wants, as the proxies of OpenStack do,
//! and from then on speaks RFB with it. With certificates, the repeater puts TLS in between (VeNCrypt, x509None). A
//! console that nobody looks at any more is closed after five minutes. `docs/protocol/consoles.md` tells the bytes.

mod consoles;
mod greeting;
mod repeater;
mod rfb;
mod tls;

pub use consoles::{Consoles, Line, Stream};
pub use repeater::{CLOSED_AFTER, HANDSHAKE, MOST_CLIENTS, MOST_OF_ONE, PORT, Repeater};
pub use tls::acceptor;
