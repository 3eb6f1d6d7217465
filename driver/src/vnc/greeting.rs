//! `CONNECT <UUID> HTTP/1.1`: which console is wanted.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};
use uuid::Uuid;

/// The longest head that is read.
const LONGEST: usize = 1024;

/// The answer to a head that names a server.
pub(super) const WELCOME: &[u8] = b"HTTP/1.1 200 OK\r\n\r\n";
/// The answer to one that does not.
pub(super) const UNKNOWN: &[u8] = b"HTTP/1.1 400 Bad Request\r\n\r\n";

/// Reads a head to its end, and not a byte beyond.
///
/// # Errors
/// The connection ends; a head that is too long.
pub(super) async fn read(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Uuid>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= LONGEST {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "its head is too long",
            ));
        }
        head.push(from.read_u8().await?);
    }
    Ok(parse(&head))
}

/// The server that a head names.
fn parse(head: &[u8]) -> Option<Uuid> {
    let line = std::str::from_utf8(head).ok()?.lines().next()?;
    let mut words = line.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    let fits = method == "CONNECT" && version.starts_with("HTTP/1.") && words.next().is_none();
    // As OpenStack writes it, in either case.
    let is_plain = target.len() == 36;
    Uuid::try_parse(target).ok().filter(|_| fits && is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "71c20000-0000-4000-8000-000000000001";

    #[tokio::test]
    async fn a_head_names_a_server() {
        let id = Uuid::parse_str(ID).unwrap();
        for (head, wanted) in [
            (format!("CONNECT {ID} HTTP/1.1\r\n\r\n"), Some(id)),
            (
                format!("CONNECT {} HTTP/1.0\r\nHost: x\r\n\r\n", ID.to_uppercase()),
                Some(id),
            ),
            (format!("GET {ID} HTTP/1.1\r\n\r\n"), None),
            (format!("CONNECT {ID}\r\n\r\n"), None),
            (format!("CONNECT {ID} HTTP/1.1 x\r\n\r\n"), None),
            ("CONNECT ../../etc HTTP/1.1\r\n\r\n".to_owned(), None),
            ("\r\n\r\n".to_owned(), None),
        ] {
            let rest = format!("{head}more");
            let mut from = rest.as_bytes();
            assert_eq!(read(&mut from).await.unwrap(), wanted, "{head:?}");
            assert_eq!(from, b"more");
        }
        let endless = vec![b'x'; 10_000];
        assert!(read(&mut endless.as_slice()).await.is_err());
        assert!(read(&mut &b"CONNECT"[..]).await.is_err());
        assert!(
            read(&mut &b"CONNECT \xff HTTP/1.1\r\n\r\n"[..])
                .await
                .unwrap()
                .is_none()
        );
    }
}
