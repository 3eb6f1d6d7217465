//! A client of one connection that waits for each answer: as little as can be between the bursts and the socket.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use anyhow::{Context as _, Result, bail};

const LOGON: &str = "application/vnd.ibm.powervm.web+xml; type=LogonRequest";
const WEB: &str = "http://www.ibm.com/xmlns/systems/power/firmware/web/mc/2012_10/";

/// A keep-alive connection, made anew when the server closes it.
#[derive(Debug)]
pub(crate) struct Client {
    address: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
    token: String,
    line: Vec<u8>,
    body: Vec<u8>,
}

/// What came back; the body stays in the client.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) etag: String,
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            stream: None,
            token: String::new(),
            line: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Takes a session.
    pub(crate) fn logon(&mut self, user: &str, password: &str) -> Result<()> {
        let body = format!(
            "<LogonRequest xmlns=\"{WEB}\" schemaVersion=\"V1_0\"><UserID>{user}</UserID>\
             <Password>{password}</Password></LogonRequest>"
        );
        self.token = String::new();
        let request = self.request(
            "PUT",
            "/rest/api/web/Logon",
            &[("Content-Type", LOGON)],
            &body,
        );
        let answer = self.exchange(&request)?;
        let token = element(self.text(), "X-API-Session");
        self.token = token
            .with_context(|| format!("the logon was answered with {}", answer.status))?
            .to_owned();
        Ok(())
    }

    /// The bytes of a request.
    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Vec<u8> {
        let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.address);
        if !self.token.is_empty() {
            text.push_str(&format!(
                "Accept: application/atom+xml\r\nX-API-Session: {}\r\n",
                self.token
            ));
        }
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if method != "GET" {
            text.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        text.push_str("\r\n");
        text.push_str(body);
        text.into_bytes()
    }

    /// Asks and expects a 200; gives the body's text.
    pub(crate) fn get(&mut self, path: &str) -> Result<(Answer, String)> {
        let request = self.request("GET", path, &[("Accept", "*/*")], "");
        let answer = self.exchange(&request)?;
        if answer.status != 200 {
            bail!(
                "GET {path} was answered with {}: {}",
                answer.status,
                self.text()
            );
        }
        Ok((answer, self.text().to_owned()))
    }

    /// The body of the last answer.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or_default()
    }

    /// Sends a request and reads the whole answer.
    pub(crate) fn exchange(&mut self, request: &[u8]) -> Result<Answer> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect(self.address)?;
                stream.set_nodelay(true)?;
                BufReader::with_capacity(64 * 1024, stream)
            }
        };
        stream.get_mut().write_all(request)?;
        let mut answer = Answer::default();
        let (mut length, mut closes) = (0, false);
        self.read_line(&mut stream)?;
        let status = std::str::from_utf8(&self.line)?;
        answer.status = status
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .with_context(|| format!("no status line: {status:?}"))?;
        loop {
            self.read_line(&mut stream)?;
            let line = std::str::from_utf8(&self.line)?.trim_end();
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                length = value.parse()?;
            } else if name.eq_ignore_ascii_case("etag") {
                value.clone_into(&mut answer.etag);
            } else if name.eq_ignore_ascii_case("connection") {
                closes = value.eq_ignore_ascii_case("close");
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                bail!("the answer is chunked, which no answer here should be");
            }
        }
        self.body.resize(length, 0);
        stream.read_exact(&mut self.body)?;
        if !closes {
            self.stream = Some(stream);
        }
        Ok(answer)
    }

    fn read_line(&mut self, stream: &mut BufReader<TcpStream>) -> Result<()> {
        self.line.clear();
        if stream.read_until(b'\n', &mut self.line)? == 0 {
            bail!("the server closed the connection");
        }
        Ok(())
    }
}

/// The text of the first element with this name.
pub(crate) fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let at = text.find(&format!("<{name}"))?;
    let (_, rest) = text.get(at..)?.split_once('>')?;
    rest.split_once('<').map(|(value, _)| value)
}

/// The resource's own element of an entry, as it is sent back.
pub(crate) fn own_element(entry: &str) -> &str {
    let content = entry
        .split_once("<content ")
        .map_or(entry, |(_, rest)| rest);
    let element = content.split_once('>').map_or(content, |(_, rest)| rest);
    element
        .rsplit_once("</content>")
        .map_or(element, |(element, _)| element)
}
