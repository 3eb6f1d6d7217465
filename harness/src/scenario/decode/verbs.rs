//! The verbs: which keys belong to each, and what it makes of them.

use toml::Spanned;

use super::super::raw::{Keys, RawStep};
use super::super::{Action, Capability, Deed, FlavorSpec, RebootKind, ScenarioError};
use super::{StepReader, amounts};

/// The word of an image that nobody names.
const MAIN_IMAGE: &str = "main";
/// The word of a shelved server's image that nobody names.
const SHELVED_IMAGE: &str = "shelved";

/// Keys of every verb that acts on servers.
const COMMON: [&str; 2] = ["server", "parallel"];

/// Each verb that acts on servers, with the keys that belong to it beside the common ones.
const VERBS: [(&str, &[&str]); 23] = [
    (
        "create",
        &[
            "image",
            "named_like",
            "flavor",
            "networks",
            "config_drive",
            "power_on",
            "boot_volume",
            "volumes",
            "host",
            "cancel_in",
        ],
    ),
    ("show", &[]),
    ("stop", &[]),
    ("start", &[]),
    ("reboot", &["kind"]),
    ("resize", &["flavor"]),
    ("confirm", &[]),
    ("revert", &[]),
    ("rebuild", &["image"]),
    ("rescue", &["image"]),
    ("unrescue", &[]),
    ("snapshot", &["image"]),
    ("shelve", &["image"]),
    ("unshelve", &["host"]),
    ("attach-volume", &["volume"]),
    ("detach-volume", &["volume"]),
    ("attach-interface", &["network"]),
    ("detach-interface", &["network"]),
    ("console", &[]),
    ("migrate", &[]),
    ("live-migrate", &[]),
    ("evacuate", &[]),
    ("delete", &[]),
];

/// The names of all verbs, for messages.
pub(super) fn known() -> String {
    let names: Vec<&str> = VERBS.iter().map(|(name, _)| *name).collect();
    format!("{}, list, together", names.join(", "))
}

/// What a target must have for a step, whatever else the file says.
pub(super) fn needs(step: &RawStep) -> Vec<Capability> {
    let pieces = step.work.iter().flat_map(|pieces| pieces.get_ref());
    let mut all: Vec<Keys<'_>> = pieces.map(|piece| piece.get_ref().keys()).collect();
    all.push(step.keys());
    all.iter().flat_map(need).collect()
}

fn need(keys: &Keys<'_>) -> Vec<Capability> {
    let mut needs = Vec::new();
    match keys.verb.get_ref().as_str() {
        "snapshot" => needs.push(Capability::Capture),
        "migrate" | "live-migrate" | "evacuate" => needs.push(Capability::TwoHosts),
        _ => {}
    }
    if keys.volume.is_some() || keys.boot_volume.is_some() || keys.volumes.is_some() {
        needs.push(Capability::Volumes);
    }
    if keys.host.as_ref().is_some_and(|host| *host.get_ref() > 1) {
        needs.push(Capability::TwoHosts);
    }
    needs
}

impl StepReader<'_> {
    /// What the verb does, its keys checked.
    pub(super) fn action(&self, keys: &Keys<'_>) -> Result<Action, ScenarioError> {
        let verb = keys.verb.get_ref().as_str();
        let Some((_, own)) = VERBS.iter().find(|(name, _)| *name == verb) else {
            let message = format!("unknown verb {verb:?}; known are {}", known());
            return Err(self.error(&keys.verb.span(), "do", message));
        };
        self.refuse(keys, verb, |key| {
            COMMON.contains(&key) || own.contains(&key)
        })?;
        Ok(Action::Do(match verb {
            "create" => return Ok(Action::Create(Box::new(self.create(keys)?))),
            "show" => return Ok(Action::Show),
            "delete" => return Ok(Action::Delete),
            "stop" => Deed::Stop,
            "start" => Deed::Start,
            "reboot" => Deed::Reboot(self.reboot(keys)?),
            "resize" => Deed::Resize(self.new_flavor(keys)?),
            "confirm" => Deed::Confirm,
            "revert" => Deed::Revert,
            "rebuild" => Deed::Rebuild(self.image(keys, MAIN_IMAGE)?),
            "rescue" => Deed::Rescue(self.image(keys, MAIN_IMAGE)?),
            "unrescue" => Deed::Unrescue,
            "snapshot" => Deed::Snapshot(self.wanted(keys, "image", keys.image)?),
            "shelve" => Deed::Shelve(self.image(keys, SHELVED_IMAGE)?),
            "unshelve" => Deed::Unshelve(self.host("host", keys.host)?),
            "attach-volume" => Deed::AttachVolume(self.wanted(keys, "volume", keys.volume)?),
            "detach-volume" => Deed::DetachVolume(self.wanted(keys, "volume", keys.volume)?),
            "attach-interface" => Deed::AttachInterface(self.network(keys)?),
            "detach-interface" => Deed::DetachInterface(self.network(keys)?),
            "console" => Deed::Console,
            "migrate" => Deed::Migrate,
            "live-migrate" => Deed::LiveMigrate,
            _ => Deed::Evacuate,
        }))
    }

    /// Refuses the first key that does not belong to the verb.
    pub(super) fn refuse(
        &self,
        keys: &Keys<'_>,
        verb: &str,
        belongs: impl Fn(&str) -> bool,
    ) -> Result<(), ScenarioError> {
        match keys.set().into_iter().find(|(key, _)| !belongs(key)) {
            None => Ok(()),
            Some((key, span)) => {
                Err(self.error(&span, key, format!("does not belong to {verb:?}")))
            }
        }
    }

    fn reboot(&self, keys: &Keys<'_>) -> Result<RebootKind, ScenarioError> {
        let Some(kind) = keys.kind else {
            let message = "\"reboot\" needs kind = \"soft\" or \"hard\"";
            return Err(self.error(&keys.verb.span(), "kind", message));
        };
        match kind.get_ref().as_str() {
            "soft" => Ok(RebootKind::Soft),
            "hard" => Ok(RebootKind::Hard),
            other => {
                let message = format!("{other:?} is neither \"soft\" nor \"hard\"");
                Err(self.error(&kind.span(), "kind", message))
            }
        }
    }

    /// The size that a resize gives: the default flavor with the keys that are set.
    fn new_flavor(&self, keys: &Keys<'_>) -> Result<FlavorSpec, ScenarioError> {
        let Some(raw) = keys.flavor else {
            return Err(self.error(&keys.verb.span(), "flavor", "\"resize\" needs a flavor"));
        };
        let mut flavor = self.default.flavor.clone();
        self.lay_over(raw, &mut flavor)?;
        Ok(flavor)
    }

    /// Lays the keys of a flavor that are set over another.
    pub(super) fn lay_over(
        &self,
        raw: &Spanned<super::RawFlavor>,
        flavor: &mut FlavorSpec,
    ) -> Result<(), ScenarioError> {
        if raw.get_ref().is_empty() {
            return Err(self.error(&raw.span(), "flavor", "is empty"));
        }
        let key = format!("{}.flavor", self.key);
        amounts::flavor(&self.source, &key, raw.get_ref(), flavor)
    }

    fn image(&self, keys: &Keys<'_>, default: &str) -> Result<String, ScenarioError> {
        match keys.image {
            None => Ok(default.to_owned()),
            Some(image) => self.word("image", image),
        }
    }

    fn wanted(
        &self,
        keys: &Keys<'_>,
        key: &str,
        word: &Option<Spanned<String>>,
    ) -> Result<String, ScenarioError> {
        match word {
            Some(word) => self.word(key, word),
            None => {
                let message = format!("{:?} needs one", keys.verb.get_ref());
                Err(self.error(&keys.verb.span(), key, message))
            }
        }
    }

    fn network(&self, keys: &Keys<'_>) -> Result<u16, ScenarioError> {
        let Some(network) = keys.network else {
            let message = format!("{:?} needs a VLAN", keys.verb.get_ref());
            return Err(self.error(&keys.verb.span(), "network", message));
        };
        amounts::network(&self.source, &format!("{}.network", self.key), network)
    }

    /// The number of a host: 1 or 2.
    pub(super) fn host(
        &self,
        key: &str,
        host: &Option<Spanned<i64>>,
    ) -> Result<Option<usize>, ScenarioError> {
        match host {
            None => Ok(None),
            Some(host) => match host.get_ref() {
                1 => Ok(Some(1)),
                2 => Ok(Some(2)),
                _ => Err(self.error(&host.span(), key, "has to be 1 or 2")),
            },
        }
    }
}
