//! Secrets out of recordings: tokens, passwords and cookies become names, the same secret always the same name.

use std::collections::BTreeMap;

/// Headers whose values are secret.
const HEADERS: [&str; 6] = [
    "x-api-session",
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "x-auth-token",
];
/// Parts of the names of elements and job parameters whose values are secret.
const WORDS: [&str; 10] = [
    "authorizedkey",
    "sshkey",
    "chap",
    "password",
    "passwd",
    "passphrase",
    "secret",
    "privatekey",
    "api-session",
    "token",
];
/// Options of commands whose next word is secret.
const OPTIONS: [&str; 5] = ["--passwd", "--password", "--oldpasswd", "--newpasswd", "-p"];
/// What a public key begins with: who holds the other half is somebody's name.
const KEYS: [&str; 4] = ["ssh-rsa", "ssh-dss", "ssh-ed25519", "ecdsa-sha2-"];
/// Secrets of this many bytes and more are looked for everywhere, not just where they are expected.
const TELLING: usize = 8;
/// How many secrets are remembered.
const MOST: usize = 10_000;

/// What is known to be secret so far.
#[derive(Default)]
pub struct Mask {
    known: BTreeMap<String, String>,
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mask")
            .field("known", &self.known.len())
            .finish()
    }
}

impl Mask {
    /// Masks the values of secret headers.
    pub fn headers(&mut self, headers: &mut super::Headers) {
        for (name, value) in headers.iter_mut() {
            if HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
                *value = self.name_of(value.trim());
            }
        }
        for (_, value) in headers {
            *value = self.everywhere(value);
        }
    }

    /// Masks a document: the text of secret elements, the values of secret job parameters, and what is known to be
    /// secret anywhere. It need not be well-formed.
    pub fn document(&mut self, text: &str) -> String {
        let mut masked = String::with_capacity(text.len());
        let mut rest = text;
        let mut parameter = String::new();
        while let Some(at) = rest.find('<') {
            let (before, tag) = rest.split_at(at);
            masked.push_str(before);
            let Some(end) = tag.find('>') else {
                rest = tag;
                break;
            };
            let (head, body) = tag.split_at(end + 1);
            masked.push_str(head);
            rest = body;
            let Some(name) = opened(head) else {
                continue;
            };
            // Up to the end of the element, so that CDATA sections are covered.
            let content = body
                .get(..body.find("</").unwrap_or(body.len()))
                .unwrap_or_default();
            if name == "ParameterName" {
                parameter = content.trim().to_owned();
            } else if is_secret(name) || name == "ParameterValue" && is_secret(&parameter) {
                if !content.trim().is_empty() && !content.trim_start().starts_with('<')
                    || content.contains("CDATA")
                {
                    masked.push_str(&self.name_of(content.trim()));
                    rest = body.get(content.len()..).unwrap_or_default();
                }
            } else if name == "ParameterValue" && parameter == "cmd" {
                masked.push_str(&self.command(content));
                rest = body.get(content.len()..).unwrap_or_default();
            }
        }
        masked.push_str(rest);
        self.everywhere(&masked)
    }

    /// Masks what is known to be secret wherever it stands.
    #[must_use]
    pub fn everywhere(&self, text: &str) -> String {
        let mut masked = text.to_owned();
        for (secret, name) in self
            .known
            .iter()
            .filter(|(secret, _)| secret.len() >= TELLING)
        {
            if masked.contains(secret.as_str()) {
                masked = masked.replace(secret.as_str(), name);
            }
        }
        masked
    }

    fn command(&mut self, text: &str) -> String {
        let mut secret_next = false;
        let words = text.split(' ').map(|word| {
            let bare = word.trim_matches(['"', '\'']);
            let next = OPTIONS.contains(&word) || KEYS.iter().any(|key| bare.starts_with(key));
            let secret = std::mem::replace(&mut secret_next, next);
            if secret && !bare.is_empty() {
                return word.replace(bare, &self.name_of(bare));
            }
            match word.split_once('=') {
                Some((key, value)) if is_secret(key) && !value.is_empty() => {
                    format!("{key}={}", self.name_of(value))
                }
                _ => word.to_owned(),
            }
        });
        words.collect::<Vec<String>>().join(" ")
    }

    /// The name that stands for a secret.
    fn name_of(&mut self, secret: &str) -> String {
        if let Some(known) = self.known.get(secret) {
            return known.clone();
        }
        // One that is masked already, as in a recording of a replay.
        if secret.starts_with("masked-") {
            return secret.to_owned();
        }
        if self.known.len() >= MOST {
            return "masked-more".to_owned();
        }
        let name = format!("masked-{}", self.known.len() + 1);
        self.known.insert(secret.to_owned(), name.clone());
        name
    }
}

/// The local name of a start tag.
fn opened(tag: &str) -> Option<&str> {
    let inner = tag.strip_prefix('<')?.strip_suffix('>')?;
    if inner.starts_with(['/', '!', '?']) || inner.ends_with('/') {
        return None;
    }
    let name = inner.split_ascii_whitespace().next()?;
    Some(name.rsplit(':').next().unwrap_or(name))
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    WORDS.iter().any(|word| name.contains(word)) && !name.ends_with("capable")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_passwords_become_names() {
        let mut mask = Mask::default();
        let logon = "<LogonRequest xmlns='w'><UserID kb=\"CUR\">neo</UserID><w:Password kb='x'>p&amp;w</w:Password></LogonRequest>";
        assert_eq!(
            mask.document(logon),
            "<LogonRequest xmlns='w'><UserID kb=\"CUR\">neo</UserID><w:Password kb='x'>masked-1</w:Password></LogonRequest>"
        );
        let answer = "<LogonResponse><X-API-Session kxe=\"false\">\n  TOKEN-0123 \n</X-API-Session></LogonResponse>";
        assert!(
            mask.document(answer)
                .contains("<X-API-Session kxe=\"false\">masked-2</X-API-Session>")
        );
        let mut headers = vec![
            ("X-API-Session".to_owned(), "TOKEN-0123".to_owned()),
            ("Accept".to_owned(), "*/*".to_owned()),
        ];
        mask.headers(&mut headers);
        assert_eq!((&*headers[0].1, &*headers[1].1), ("masked-2", "*/*"));
        // An error document repeats the request's headers.
        assert_eq!(
            mask.document("{X-API-Session=TOKEN-0123}"),
            "{X-API-Session=masked-2}"
        );
        assert!(!format!("{mask:?}").contains("TOKEN"));
    }

    #[test]
    fn job_parameters_and_commands_are_masked() {
        let mut mask = Mask::default();
        let parameter = |name: &str, value: &str| {
            format!(
                "<JobParameter><ParameterName>{name}</ParameterName><ParameterValue>{value}</ParameterValue></JobParameter>"
            )
        };
        assert!(
            mask.document(&parameter("password", "hunter22"))
                .contains(">masked-1<")
        );
        let command = mask.document(&parameter(
            "cmd",
            "chhmcusr -u x -t passwd -v hunter22 --passwd abc password=def",
        ));
        assert!(
            command.contains("-v masked-1 --passwd masked-2 password=masked-3"),
            "{command}"
        );
        assert!(
            mask.document(&parameter("operation", "shutdown"))
                .contains(">shutdown<")
        );
    }

    #[test]
    fn keys_and_chap_secrets_are_masked() {
        let mut mask = Mask::default();
        let text = mask.document(
            "<AuthorizedKeys><AuthorizedKey>ssh-rsa AAAAB3Nza one@host</AuthorizedKey>\
             <AuthorizedKey>ssh-rsa AAAAC4Nza two@host</AuthorizedKey></AuthorizedKeys>\
             <PublicSSHKeyValue>ssh-rsa AAAAD5Nza wlp@neo</PublicSSHKeyValue>\
             <ParameterName>chapSecret</ParameterName><ParameterValue>hunter2hunter2</ParameterValue>\
             <ParameterName>cmd</ParameterName><ParameterValue>mkauthkeys -a \"ssh-rsa AAAAE6Nza x@y\"</ParameterValue>",
        );
        for secret in [
            "AAAAB3Nza",
            "AAAAC4Nza",
            "AAAAD5Nza",
            "AAAAE6Nza",
            "hunter2",
        ] {
            assert!(!text.contains(secret), "{text}");
        }
        assert!(
            text.contains("<AuthorizedKey>masked-1</AuthorizedKey><AuthorizedKey>masked-2<"),
            "{text}"
        );
    }

    #[test]
    fn broken_documents_are_masked_as_far_as_they_go() {
        let mut mask = Mask::default();
        assert_eq!(mask.document("<Password>abc"), "<Password>masked-1");
        assert_eq!(mask.document("<Password"), "<Password");
        assert_eq!(
            mask.document("<Password><![CDATA[x<y]]></Password>"),
            "<Password>masked-2</Password>"
        );
        assert_eq!(
            mask.document("<Password></Password><a/><>"),
            "<Password></Password><a/><>"
        );
        assert_eq!(mask.document("a < b > c"), "a < b > c");
    }

    #[test]
    fn capabilities_are_no_secrets() {
        let mut mask = Mask::default();
        let text = "<TokenCapable>true</TokenCapable><Name>x</Name>";
        assert_eq!(mask.document(text), text);
    }
}
