//! The beginning of RFB (RFC 6143) between a client and a console, with VeNCrypt put in on the client's side.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Security type without any security.
const NONE: u8 = 1;
/// Security type of VeNCrypt.
const VENCRYPT: u8 = 19;
/// The version of VeNCrypt that is spoken.
const VENCRYPT_VERSION: [u8; 2] = [0, 2];
/// Sub-type: a certificate of the server's, then nothing.
const X509_NONE: u32 = 260;

/// Agrees with the client on TLS, which it begins next, and tells the console that there is no security.
///
/// # Errors
/// The connection ends; one of the two speaks another version, or wants other security.
pub(super) async fn negotiate(
    client: &mut (impl AsyncRead + AsyncWrite + Unpin),
    console: &mut (impl AsyncRead + AsyncWrite + Unpin),
) -> io::Result<()> {
    // Who is in between repeats what the two say of their versions.
    let version = version_of(console).await?;
    client.write_all(&version).await?;
    let version = version_of(client).await?;
    console.write_all(&version).await?;
    offered(console).await?;

    client.write_all(&[1, VENCRYPT]).await?;
    if client.read_u8().await? != VENCRYPT {
        return Err(wrong("the client wants no VeNCrypt"));
    }
    client.write_all(&VENCRYPT_VERSION).await?;
    let mut version = [0; 2];
    client.read_exact(&mut version).await?;
    if version != VENCRYPT_VERSION {
        client.write_all(&[0xff]).await?;
        return Err(wrong("the client speaks another VeNCrypt"));
    }
    client.write_all(&[0, 1]).await?;
    client.write_all(&X509_NONE.to_be_bytes()).await?;
    if client.read_u32().await? != X509_NONE {
        client.write_all(&[0]).await?;
        return Err(wrong("the client wants no certificate"));
    }
    client.write_all(&[1]).await?;
    client.flush().await?;

    console.write_all(&[NONE]).await?;
    console.flush().await
}

/// Reads a version from 3.7 on: before that the server alone chose the security.
async fn version_of(from: &mut (impl AsyncRead + Unpin)) -> io::Result<[u8; 12]> {
    let mut version = [0; 12];
    from.read_exact(&mut version).await?;
    match &version {
        b"RFB 003.007\n" | b"RFB 003.008\n" => Ok(version),
        _ => Err(wrong("it does not speak RFB 3.7 or 3.8")),
    }
}

/// Reads which security a console offers: none has to be among it, since it is of this machine alone.
async fn offered(console: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
    let count = console.read_u8().await?;
    let mut kinds = vec![0; count.into()];
    console.read_exact(&mut kinds).await?;
    if kinds.contains(&NONE) {
        return Ok(());
    }
    Err(wrong("the console wants security of its own"))
}

fn wrong(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::*;

    /// What the negotiation comes to when the two say this; and what each of them was told.
    async fn told(client: &[u8], console: &[u8]) -> (io::Result<()>, Vec<u8>, Vec<u8>) {
        let (mut near_client, mut far_client) = duplex(256);
        let (mut near_console, mut far_console) = duplex(256);
        far_client.write_all(client).await.unwrap();
        far_client.shutdown().await.unwrap();
        far_console.write_all(console).await.unwrap();
        far_console.shutdown().await.unwrap();
        let outcome = negotiate(&mut near_client, &mut near_console).await;
        drop((near_client, near_console));
        let (mut to_client, mut to_console) = (Vec::new(), Vec::new());
        far_client.read_to_end(&mut to_client).await.unwrap();
        far_console.read_to_end(&mut to_console).await.unwrap();
        (outcome, to_client, to_console)
    }

    #[tokio::test]
    async fn a_client_gets_tls_and_the_console_none() {
        let client = b"RFB 003.008\n\x13\x00\x02\x00\x00\x01\x04";
        let (outcome, to_client, to_console) = told(client, b"RFB 003.008\n\x02\x05\x01").await;
        outcome.unwrap();
        assert_eq!(
            to_client,
            b"RFB 003.008\n\x01\x13\x00\x02\x00\x01\x00\x00\x01\x04\x01"
        );
        assert_eq!(to_console, b"RFB 003.008\n\x01");
    }

    #[tokio::test]
    async fn whoever_wants_something_else_is_refused() {
        let good: &[u8] = b"RFB 003.008\n\x01\x01";
        for (client, console) in [
            (&b"RFB 003.003\n"[..], good),
            (b"GET / HTTP/1.1\r\n\r\n", good),
            (b"RFB 003.008\n\x01", good),
            (b"RFB 003.008\n\x13\x00\x01", good),
            (b"RFB 003.008\n\x13\x00\x02\x00\x00\x01\x03", good),
            (b"RFB 003.008\n\x13", good),
            (b"RFB 003.008\n", b"RFB 003.008\n\x01\x02"),
            (b"RFB 003.008\n", b"RFB 003.008\n\x00"),
            (b"RFB 003.008\n", b"SSH-2.0-OpenSSH"),
            (b"", good),
        ] {
            let (outcome, _, to_console) = told(client, console).await;
            assert!(outcome.is_err(), "{client:?}");
            assert!(
                to_console.len() <= 12,
                "the console was let go on: {to_console:?}"
            );
        }
    }
}
