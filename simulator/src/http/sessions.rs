//! Who is logged on: tokens, their expiry, token files, and the lock after wrong passwords.
//!
//! The rules are `docs/protocol/sessions.md`. Tokens are kept as SHA-256 digests only: what is looked up is a digest,
//! so the time of a look-up tells nothing about a token, and nothing that prints this structure prints one.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::token_files::TokenFiles;
use crate::clock::Millis;

/// How many wrong passwords in a row lock an HMC's account.
const FAILURES_TO_LOCK: u32 = 3;
/// How long an HMC's account stays locked.
const LOCK: Duration = Duration::from_secs(300);
/// Bytes of randomness in a token: 240 characters of base64, the last one `=`, as recorded.
const TOKEN_BYTES: usize = 179;

type Digest = [u8; 32];

/// The user that may log on with a password.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The user's name.
    pub user: String,
    /// The password.
    pub password: SecretString,
}

/// How sessions live.
#[derive(Clone, Debug)]
pub struct SessionRules {
    /// After how much simulated time without a request a session ends.
    pub idle: Duration,
    /// How many sessions there may be; the longest idle one makes room for a new one.
    pub most: usize,
    /// Whether wrong passwords lock the account for a while, as on an HMC.
    pub locks: bool,
    /// Where token files are put; a private temporary folder if absent.
    pub token_folder: Option<PathBuf>,
}

impl Default for SessionRules {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(2 * 3600),
            most: 10_000,
            locks: false,
            token_folder: None,
        }
    }
}

/// Why a logon is refused.
#[derive(Debug, thiserror::Error)]
pub enum LogonError {
    /// User or password are wrong.
    #[error("The user ID or the password is not valid.")]
    Wrong,
    /// Too many wrong passwords.
    #[error(
        "The account is locked due to {FAILURES_TO_LOCK} failed logins. Try again in 5 minutes."
    )]
    Locked,
    /// The token file could not be written.
    #[error("The session file cannot be written: {0}")]
    File(#[from] std::io::Error),
}

#[derive(Debug)]
struct Session {
    /// The system whose NovaLink was logged on to, where there are several.
    realm: Option<Uuid>,
    seen: Millis,
    file: Option<PathBuf>,
}

#[derive(Default)]
struct Inner {
    sessions: BTreeMap<Digest, Session>,
    failures: u32,
    locked_until: Option<Millis>,
    files: TokenFiles,
}

/// The sessions of one simulator.
pub struct Sessions {
    credentials: Credentials,
    rules: SessionRules,
    random: Mutex<ChaCha8Rng>,
    inner: Mutex<Inner>,
}

impl Sessions {
    /// No sessions yet. Tokens come from the stream of `seed`.
    #[must_use]
    pub fn new(credentials: Credentials, rules: SessionRules, seed: u64) -> Self {
        let inner = Inner {
            files: TokenFiles::new(rules.token_folder.clone()),
            ..Inner::default()
        };
        Self {
            credentials,
            rules,
            random: Mutex::new(ChaCha8Rng::seed_from_u64(seed)),
            inner: Mutex::new(inner),
        }
    }

    /// The user that may log on.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Begins a session for a user with a password.
    ///
    /// # Errors
    /// [`LogonError::Wrong`], or [`LogonError::Locked`] where accounts lock. While the account is locked the right
    /// password does not help either.
    pub fn logon(
        &self,
        user: &str,
        password: &SecretString,
        now: Millis,
    ) -> Result<SecretString, LogonError> {
        self.logon_to(None, user, password, now)
    }

    /// The same with the NovaLink of one system of several.
    ///
    /// # Errors
    /// As [`Self::logon`].
    pub(crate) fn logon_to(
        &self,
        realm: Option<Uuid>,
        user: &str,
        password: &SecretString,
        now: Millis,
    ) -> Result<SecretString, LogonError> {
        let right_user = same(user, &self.credentials.user);
        let right = same(
            password.expose_secret(),
            self.credentials.password.expose_secret(),
        ) && right_user;
        let mut inner = self.lock();
        if inner.locked_until.is_some_and(|until| until > now) && right_user {
            return Err(LogonError::Locked);
        }
        if !right {
            if self.rules.locks && right_user {
                inner.failures += 1;
                if inner.failures >= FAILURES_TO_LOCK {
                    inner.failures = 0;
                    inner.locked_until = Some(now.after(LOCK));
                }
            }
            return Err(LogonError::Wrong);
        }
        inner.failures = 0;
        inner.locked_until = None;
        let token = self.token();
        let session = Session {
            realm,
            seen: now,
            file: None,
        };
        self.begin(&mut inner, &token, session);
        Ok(token)
    }

    /// Begins a session whose token is put into a file that only the server's own user can read; returns its path.
    ///
    /// # Errors
    /// [`LogonError::File`] if it cannot be written.
    pub fn logon_with_file(&self, now: Millis) -> Result<PathBuf, LogonError> {
        self.logon_to_with_file(None, now)
    }

    /// The same with the NovaLink of one system of several.
    ///
    /// # Errors
    /// As [`Self::logon_with_file`].
    pub(crate) fn logon_to_with_file(
        &self,
        realm: Option<Uuid>,
        now: Millis,
    ) -> Result<PathBuf, LogonError> {
        let token = self.token();
        let mut inner = self.lock();
        let path = inner
            .files
            .write(&hex(&digest(token.expose_secret())), &token)?;
        let session = Session {
            realm,
            seen: now,
            file: Some(path.clone()),
        };
        self.begin(&mut inner, &token, session);
        Ok(path)
    }

    /// Whether a token belongs to a session; if so, the session's idle time begins anew.
    pub fn check(&self, token: &str, now: Millis) -> bool {
        self.check_of(None, token, now)
    }

    /// The same for a session with the NovaLink of one system of several; no other one knows it.
    pub(crate) fn check_of(&self, realm: Option<Uuid>, token: &str, now: Millis) -> bool {
        let mut inner = self.lock();
        let key = digest(token);
        match inner.sessions.get_mut(&key) {
            Some(session) if session.realm != realm => false,
            Some(session) if now.since(session.seen) <= self.rules.idle => {
                session.seen = now;
                true
            }
            Some(_) => {
                inner.end(&key);
                false
            }
            None => false,
        }
    }

    /// Ends a session; false if there is none with this token.
    pub fn logoff(&self, token: &str) -> bool {
        self.lock().end(&digest(token))
    }

    /// A name for a session that gives its token away to nobody: the application id of sessions that choose none.
    #[must_use]
    pub fn fingerprint(&self, token: &str) -> String {
        hex(&digest(token))
    }

    /// Ends every session, as a restart of the server does.
    pub fn end_all(&self) {
        let mut inner = self.lock();
        let keys: Vec<Digest> = inner.sessions.keys().copied().collect();
        for key in keys {
            inner.end(&key);
        }
    }

    /// How many sessions there are, those that have expired unseen included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().sessions.len()
    }

    /// Whether there is no session.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same user and rules without any session, for a server of its own. Its tokens follow from none of these.
    #[must_use]
    pub fn fork(&self) -> Self {
        let seed = self
            .random
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .next_u64();
        let rules = SessionRules {
            token_folder: None,
            ..self.rules.clone()
        };
        Self::new(self.credentials.clone(), rules, seed)
    }

    fn begin(&self, inner: &mut Inner, token: &SecretString, session: Session) {
        let now = session.seen;
        if inner.sessions.len() >= self.rules.most {
            let expired: Vec<Digest> = inner
                .sessions
                .iter()
                .filter(|(_, session)| now.since(session.seen) > self.rules.idle)
                .map(|(key, _)| *key)
                .collect();
            for key in &expired {
                inner.end(key);
            }
            if expired.is_empty() {
                let idlest = inner
                    .sessions
                    .iter()
                    .min_by_key(|(_, session)| session.seen)
                    .map(|(key, _)| *key);
                if let Some(key) = idlest {
                    inner.end(&key);
                }
            }
        }
        inner
            .sessions
            .insert(digest(token.expose_secret()), session);
    }

    fn token(&self) -> SecretString {
        let mut bytes = [0; TOKEN_BYTES];
        self.random
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .fill_bytes(&mut bytes);
        SecretString::from(URL_SAFE.encode(bytes))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn end(&mut self, key: &Digest) -> bool {
        match self.sessions.remove(key) {
            Some(session) => {
                if let Some(file) = session.file {
                    self.files.remove(&file);
                }
                true
            }
            None => false,
        }
    }
}

impl Drop for Sessions {
    fn drop(&mut self) {
        self.end_all();
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions")
            .field("rules", &self.rules)
            .field("sessions", &self.len())
            .finish_non_exhaustive()
    }
}

fn digest(text: &str) -> Digest {
    Sha256::digest(text.as_bytes()).into()
}

fn hex(digest: &Digest) -> String {
    digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Compares two texts in a time that depends on neither: digests of equal length, byte by byte to the end.
pub(crate) fn same(one: &str, other: &str) -> bool {
    let difference = digest(one)
        .iter()
        .zip(digest(other))
        .fold(0, |sum, (a, b)| sum | (a ^ b));
    difference == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sessions(rules: SessionRules) -> Sessions {
        let credentials = Credentials {
            user: "hscroot".into(),
            password: SecretString::from("right"),
        };
        Sessions::new(credentials, rules, 7)
    }

    fn password(text: &str) -> SecretString {
        SecretString::from(text.to_owned())
    }

    #[test]
    fn a_token_lives_while_it_is_used() {
        let sessions = sessions(SessionRules {
            idle: Duration::from_secs(60),
            ..SessionRules::default()
        });
        let token = sessions
            .logon("hscroot", &password("right"), Millis(0))
            .unwrap();
        let token = token.expose_secret();
        assert_eq!(token.len(), 240);
        assert!(
            token.ends_with('=')
                && token
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_=".contains(&b))
        );
        assert!(sessions.check(token, Millis(60_000)) && sessions.check(token, Millis(120_000)));
        assert!(!sessions.check(token, Millis(180_001)));
        assert!(sessions.is_empty());
    }

    #[test]
    fn three_failures_lock_an_hmc_for_five_minutes() {
        let sessions = sessions(SessionRules {
            locks: true,
            ..SessionRules::default()
        });
        for _ in 0..10 {
            assert!(matches!(
                sessions.logon("somebody", &password("x"), Millis(0)),
                Err(LogonError::Wrong)
            ));
        }
        for _ in 0..3 {
            assert!(matches!(
                sessions.logon("hscroot", &password("x"), Millis(0)),
                Err(LogonError::Wrong)
            ));
        }
        assert!(matches!(
            sessions.logon("hscroot", &password("right"), Millis(299_999)),
            Err(LogonError::Locked)
        ));
        assert!(
            sessions
                .logon("hscroot", &password("right"), Millis(300_000))
                .is_ok()
        );
    }

    #[test]
    fn token_files_are_private_and_go_with_their_session() {
        use std::os::unix::fs::PermissionsExt as _;
        let sessions = sessions(SessionRules::default());
        let path = sessions.logon_with_file(Millis(0)).unwrap();
        let token = std::fs::read_to_string(&path).unwrap();
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(
            std::fs::metadata(path.parent().unwrap())
                .unwrap()
                .permissions()
                .mode()
                & 0o777,
            0o700
        );
        assert!(sessions.check(&token, Millis(1)));
        assert!(sessions.logoff(&token) && !sessions.logoff(&token));
        assert!(!path.exists());
        let other = sessions.logon_with_file(Millis(0)).unwrap();
        drop(sessions);
        assert!(!other.exists());
    }

    #[test]
    fn the_number_of_sessions_is_bounded() {
        let sessions = sessions(SessionRules {
            most: 2,
            ..SessionRules::default()
        });
        let tokens: Vec<SecretString> = (0..3)
            .map(|at| {
                sessions
                    .logon("hscroot", &password("right"), Millis(at))
                    .unwrap()
            })
            .collect();
        assert_eq!(sessions.len(), 2);
        assert!(!sessions.check(tokens[0].expose_secret(), Millis(3)));
        assert!(sessions.check(tokens[2].expose_secret(), Millis(3)));
    }

    #[test]
    fn nothing_prints_a_secret() {
        let sessions = sessions(SessionRules::default());
        let token = sessions
            .logon("hscroot", &password("right"), Millis(0))
            .unwrap();
        let printed = format!("{sessions:?} {:?}", sessions.credentials());
        assert!(!printed.contains("right") && !printed.contains(token.expose_secret()));
    }
}
