//! What a step does, and to whom.

use std::ops::Range;

use toml::Spanned;

use super::super::error::Source;
use super::super::raw::{RawAmount, RawFlavor, RawStep, RawWork};
use super::super::{Action, Amount, FlavorSpec, MAX_PARALLEL, RebootKind, ScenarioError, Work};
use super::{StepReader, first_set, span_of};

/// The highest VLAN id of IEEE 802.1Q that a network may have.
const MAX_VLAN: i64 = 4094;

/// The longest name of a server or an image: with a number and the mark of the run it has to fit into the 31
/// characters of a partition's name.
const LONGEST_WORD: usize = 12;

/// The verbs that act on a server; `list` and `together` stand beside them.
const VERBS: &str = "create, show, list, stop, start, reboot, delete, together";

/// The keys of one piece of work, wherever it stands.
struct Keys<'r> {
    verb: &'r Spanned<String>,
    server: &'r Option<Spanned<String>>,
    parallel: &'r Option<Spanned<i64>>,
    kind: &'r Option<Spanned<String>>,
    image: &'r Option<Spanned<String>>,
    named_like: &'r Option<Spanned<String>>,
    flavor: &'r Option<Spanned<RawFlavor>>,
    networks: &'r Option<Spanned<Vec<Spanned<i64>>>>,
    config_drive: &'r Option<Spanned<bool>>,
    power_on: &'r Option<Spanned<bool>>,
}

macro_rules! keys {
    ($raw:expr) => {
        Keys {
            verb: &$raw.verb,
            server: &$raw.server,
            parallel: &$raw.parallel,
            kind: &$raw.kind,
            image: &$raw.image,
            named_like: &$raw.named_like,
            flavor: &$raw.flavor,
            networks: &$raw.networks,
            config_drive: &$raw.config_drive,
            power_on: &$raw.power_on,
        }
    };
}

impl Keys<'_> {
    fn of_server(&self) -> [(&'static str, Option<Range<usize>>); 2] {
        [
            ("server", span_of(self.server)),
            ("parallel", span_of(self.parallel)),
        ]
    }

    fn of_create(&self) -> [(&'static str, Option<Range<usize>>); 6] {
        [
            ("image", span_of(self.image)),
            ("named_like", span_of(self.named_like)),
            ("flavor", span_of(self.flavor)),
            ("networks", span_of(self.networks)),
            ("config_drive", span_of(self.config_drive)),
            ("power_on", span_of(self.power_on)),
        ]
    }

    fn of_reboot(&self) -> [(&'static str, Option<Range<usize>>); 1] {
        [("kind", span_of(self.kind))]
    }
}

impl StepReader<'_> {
    /// Everything that the step begins at the same time.
    pub(super) fn work(&self, raw: &RawStep) -> Result<Vec<Work>, ScenarioError> {
        let keys = keys!(raw);
        match raw.verb.get_ref().as_str() {
            "together" => {
                self.refuse(&keys.of_server(), "together")?;
                self.refuse(&keys.of_create(), "together")?;
                self.refuse(&keys.of_reboot(), "together")?;
                let Some(pieces) = &raw.work else {
                    return Err(self.error(
                        &raw.verb.span(),
                        "do",
                        "\"together\" needs [[step.work]] tables",
                    ));
                };
                let mut work = Vec::new();
                for piece in pieces.get_ref() {
                    work.push(self.piece(piece.get_ref())?);
                }
                self.no_server_twice(&work, &pieces.span())?;
                Ok(work)
            }
            verb => {
                self.refuse(&[("work", span_of(&raw.work))], verb)?;
                if verb == "list" {
                    self.refuse(&keys.of_server(), verb)?;
                    self.refuse(&keys.of_create(), verb)?;
                    self.refuse(&keys.of_reboot(), verb)?;
                    return Ok(Vec::new());
                }
                Ok(vec![self.one(&keys)?])
            }
        }
    }

    fn piece(&self, raw: &RawWork) -> Result<Work, ScenarioError> {
        self.one(&keys!(raw))
    }

    fn one(&self, keys: &Keys<'_>) -> Result<Work, ScenarioError> {
        let verb = keys.verb.get_ref().as_str();
        let action = match verb {
            "create" => {
                self.refuse(&keys.of_reboot(), verb)?;
                Action::Create(Box::new(self.create(keys)?))
            }
            "show" => Action::Show,
            "stop" => Action::Stop,
            "start" => Action::Start,
            "reboot" => Action::Reboot(self.reboot(keys)?),
            "delete" => Action::Delete,
            other => {
                let message = format!("unknown verb {other:?}; known are {VERBS}");
                return Err(self.error(&keys.verb.span(), "do", message));
            }
        };
        if verb != "create" {
            self.refuse(&keys.of_create(), verb)?;
        }
        if verb != "reboot" {
            self.refuse(&keys.of_reboot(), verb)?;
        }
        let Some(server) = keys.server else {
            return Err(self.error(
                &keys.verb.span(),
                "server",
                format!("{verb:?} needs a server"),
            ));
        };
        let name = self.word("server", server)?;
        let parallel = match keys.parallel {
            None => 1,
            Some(parallel) => usize::try_from(*parallel.get_ref())
                .ok()
                .filter(|parallel| (1..=MAX_PARALLEL).contains(parallel))
                .ok_or_else(|| {
                    self.error(
                        &parallel.span(),
                        "parallel",
                        format!("has to be 1 to {MAX_PARALLEL}"),
                    )
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

    fn create(&self, keys: &Keys<'_>) -> Result<super::super::ServerSpec, ScenarioError> {
        let mut spec = self.default.clone();
        if let Some(raw) = keys.flavor {
            if raw.get_ref().is_empty() {
                return Err(self.error(&raw.span(), "flavor", "is empty"));
            }
            flavor(
                &self.source,
                &format!("{}.flavor", self.key),
                raw.get_ref(),
                &mut spec.flavor,
            )?;
        }
        if let Some(raw) = keys.networks {
            spec.networks = networks(
                &self.source,
                &format!("{}.networks", self.key),
                raw.get_ref(),
            )?;
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
        if let Some(other) = keys.named_like {
            if !self.known_servers().contains(other.get_ref()) {
                let message = format!("no earlier step creates a server {:?}", other.get_ref());
                return Err(self.error(&other.span(), "named_like", message));
            }
            spec.named_like = Some(other.get_ref().clone());
        }
        Ok(spec)
    }

    fn reboot(&self, keys: &Keys<'_>) -> Result<RebootKind, ScenarioError> {
        match keys.kind {
            None => Err(self.error(
                &keys.verb.span(),
                "kind",
                "\"reboot\" needs kind = \"soft\" or \"hard\"",
            )),
            Some(kind) => match kind.get_ref().as_str() {
                "soft" => Ok(RebootKind::Soft),
                "hard" => Ok(RebootKind::Hard),
                other => Err(self.error(
                    &kind.span(),
                    "kind",
                    format!("{other:?} is neither \"soft\" nor \"hard\""),
                )),
            },
        }
    }

    /// Names of servers and images become part of partition and disk names, which are short and take few characters.
    fn word(&self, key: &str, word: &Spanned<String>) -> Result<String, ScenarioError> {
        let text = word.get_ref();
        let fits = (1..=LONGEST_WORD).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if fits {
            return Ok(text.clone());
        }
        Err(self.error(
            &word.span(),
            key,
            format!("has to be 1 to {LONGEST_WORD} characters of a-z, 0-9 and -"),
        ))
    }

    fn servers_make_sense(&self, work: &Work, at: &Range<usize>) -> Result<(), ScenarioError> {
        let known = self.known_servers();
        for server in work.servers() {
            match work.action {
                Action::Create(_) if known.contains(&server) => {
                    return Err(self.error(
                        at,
                        "server",
                        format!("an earlier step creates {server:?} already"),
                    ));
                }
                Action::Create(_) => {}
                _ if !known.contains(&server) => {
                    return Err(self.error(
                        at,
                        "server",
                        format!("no earlier step creates {server:?}"),
                    ));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn no_server_twice(&self, work: &[Work], at: &Range<usize>) -> Result<(), ScenarioError> {
        let mut seen = std::collections::BTreeSet::new();
        for server in work.iter().flat_map(Work::servers) {
            if !seen.insert(server.clone()) {
                return Err(self.error(
                    at,
                    "work",
                    format!("does two things to {server:?} at the same time"),
                ));
            }
        }
        Ok(())
    }

    fn refuse(
        &self,
        keys: &[(&str, Option<Range<usize>>)],
        verb: &str,
    ) -> Result<(), ScenarioError> {
        match first_set(keys) {
            None => Ok(()),
            Some((key, span)) => {
                Err(self.error(&span, key, format!("does not belong to {verb:?}")))
            }
        }
    }
}

/// Lays the keys that are set over `spec`.
pub(super) fn flavor(
    source: &Source<'_>,
    key: &str,
    raw: &RawFlavor,
    spec: &mut FlavorSpec,
) -> Result<(), ScenarioError> {
    if let Some(vcpus) = &raw.vcpus {
        spec.vcpus = u32::try_from(*vcpus.get_ref()).map_err(|_| {
            source.error(
                &vcpus.span(),
                format!("{key}.vcpus"),
                "has to be 0 to 4294967295",
            )
        })?;
    }
    if let Some(memory) = &raw.memory_mb {
        spec.memory_mb = amount(source, &format!("{key}.memory_mb"), memory)?;
    }
    if let Some(root) = &raw.root_gb {
        spec.root_gb = amount(source, &format!("{key}.root_gb"), root)?;
    }
    spec.extra_specs.extend(raw.extra_specs.clone());
    Ok(())
}

fn amount(
    source: &Source<'_>,
    key: &str,
    raw: &Spanned<RawAmount>,
) -> Result<Amount, ScenarioError> {
    let amount = match raw.get_ref() {
        RawAmount::Number(number) => u64::try_from(*number).ok().map(Amount::Exactly),
        RawAmount::Text(text) => Amount::parse(text),
    };
    amount.ok_or_else(|| {
        source.error(
            &raw.span(),
            key,
            "has to be a number from 0, \"free\", \"free + 256\" or \"60% of free\"",
        )
    })
}

/// Reads VLAN ids.
pub(super) fn networks(
    source: &Source<'_>,
    key: &str,
    raw: &[Spanned<i64>],
) -> Result<Vec<u16>, ScenarioError> {
    raw.iter()
        .map(|vlan| {
            u16::try_from(*vlan.get_ref())
                .ok()
                .filter(|_| (1..=MAX_VLAN).contains(vlan.get_ref()))
                .ok_or_else(|| {
                    source.error(&vlan.span(), key, format!("a VLAN is 1 to {MAX_VLAN}"))
                })
        })
        .collect()
}
