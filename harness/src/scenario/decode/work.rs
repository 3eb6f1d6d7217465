//! What a step does, and to whom.

use std::ops::Range;

use toml::Spanned;

use super::super::raw::{Keys, RawStep};
use super::super::{Action, MAX_PARALLEL, ScenarioError, ServerSpec, Work};
use super::{StepReader, amounts};

/// The longest name of a server, an image or a volume: with a number and the mark of the run it has to fit into the 31
/// characters of a partition's name.
const LONGEST_WORD: usize = 12;

impl StepReader<'_> {
    /// Everything that the step begins at the same time.
    pub(super) fn work(&self, raw: &RawStep) -> Result<Vec<Work>, ScenarioError> {
        let keys = raw.keys();
        match (raw.verb.get_ref().as_str(), &raw.work) {
            ("together", None) => {
                let message = "\"together\" needs [[step.work]] tables";
                Err(self.error(&raw.verb.span(), "do", message))
            }
            ("together", Some(pieces)) => {
                self.refuse(&keys, "together", |_| false)?;
                let mut work = Vec::new();
                for piece in pieces.get_ref() {
                    work.push(self.one(&piece.get_ref().keys())?);
                }
                self.no_server_twice(&work, &pieces.span())?;
                Ok(work)
            }
            (verb, Some(pieces)) => {
                let message = format!("does not belong to {verb:?}");
                Err(self.error(&pieces.span(), "work", message))
            }
            ("list", None) => {
                self.refuse(&keys, "list", |_| false)?;
                Ok(Vec::new())
            }
            _ => Ok(vec![self.one(&keys)?]),
        }
    }

    fn one(&self, keys: &Keys<'_>) -> Result<Work, ScenarioError> {
        let action = self.action(keys)?;
        let Some(server) = keys.server else {
            let message = format!("{:?} needs a server", action.verb());
            return Err(self.error(&keys.verb.span(), "server", message));
        };
        let name = self.word("server", server)?;
        let parallel = match keys.parallel {
            None => 1,
            Some(parallel) => usize::try_from(*parallel.get_ref())
                .ok()
                .filter(|parallel| (1..=MAX_PARALLEL).contains(parallel))
                .ok_or_else(|| {
                    let message = format!("has to be 1 to {MAX_PARALLEL}");
                    self.error(&parallel.span(), "parallel", message)
                })?,
        };
        let work = Work {
            server: name,
            parallel,
            action,
        };
        self.servers_make_sense(&work, &server.span())?;
        Ok(work)
    }

    /// What a deployed server is made of.
    pub(super) fn create(&self, keys: &Keys<'_>) -> Result<ServerSpec, ScenarioError> {
        let mut spec = self.default.clone();
        if let Some(raw) = keys.flavor {
            self.lay_over(raw, &mut spec.flavor)?;
        }
        if let Some(raw) = keys.networks {
            let key = format!("{}.networks", self.key);
            spec.networks = amounts::networks(&self.source, &key, raw.get_ref())?;
        }
        if let Some(config_drive) = keys.config_drive {
            spec.config_drive = *config_drive.get_ref();
        }
        if let Some(power_on) = keys.power_on {
            spec.power_on = *power_on.get_ref();
        }
        if let Some(image) = keys.image {
            spec.image = self.word("image", image)?;
        }
        if let Some(volume) = keys.boot_volume {
            spec.boot_volume = Some(self.word("boot_volume", volume)?);
        }
        if let Some(volumes) = keys.volumes {
            let words = volumes.get_ref().iter();
            spec.volumes = words
                .map(|volume| self.word("volumes", volume))
                .collect::<Result<_, _>>()?;
        }
        if let Some(other) = keys.named_like {
            if !self.known_servers().contains(other.get_ref()) {
                let message = format!("no earlier step creates a server {:?}", other.get_ref());
                return Err(self.error(&other.span(), "named_like", message));
            }
            spec.named_like = Some(other.get_ref().clone());
        }
        spec.host = self.host("host", keys.host)?.unwrap_or(spec.host);
        if let Some(phase) = keys.cancel_in {
            if phase.get_ref().trim().is_empty() {
                let message = "has to be the name of a phase, as `--phases` shows it";
                return Err(self.error(&phase.span(), "cancel_in", message));
            }
            spec.cancel_in = Some(phase.get_ref().clone());
        }
        Ok(spec)
    }

    /// Names of servers, images and volumes become part of partition and disk names, which are short and take few
    /// characters.
    pub(super) fn word(&self, key: &str, word: &Spanned<String>) -> Result<String, ScenarioError> {
        let text = word.get_ref();
        let fits = (1..=LONGEST_WORD).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if fits {
            return Ok(text.clone());
        }
        let message = format!("has to be 1 to {LONGEST_WORD} characters of a-z, 0-9 and -");
        Err(self.error(&word.span(), key, message))
    }

    fn servers_make_sense(&self, work: &Work, at: &Range<usize>) -> Result<(), ScenarioError> {
        let known = self.known_servers();
        for server in work.servers() {
            let is_new = matches!(work.action, Action::Create(_));
            let message = match (is_new, known.contains(&server)) {
                (true, true) => format!("an earlier step creates {server:?} already"),
                (false, false) => format!("no earlier step creates {server:?}"),
                _ => continue,
            };
            return Err(self.error(at, "server", message));
        }
        Ok(())
    }

    fn no_server_twice(&self, work: &[Work], at: &Range<usize>) -> Result<(), ScenarioError> {
        let mut seen = std::collections::BTreeSet::new();
        for server in work.iter().flat_map(Work::servers) {
            if !seen.insert(server.clone()) {
                let message = format!("does two things to {server:?} at the same time");
                return Err(self.error(at, "work", message));
            }
        }
        Ok(())
    }
}
