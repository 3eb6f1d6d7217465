//! What the agent has to look at next, and when.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;
use uuid::Uuid;

use crate::operations::announce::PROVIDER;
use crate::rest::Occurrence;

/// Pause before a round that events ask for: they come in bursts.
const SOON: Duration = Duration::from_secs(2);
/// More partitions than this are all looked at.
const MOST: usize = 64;
/// What the server says of SR-IOV ports whose settings were changed.
const PORTS_CHANGED: &str = "SRIOVPhysicalPort.ConfigChange";

/// What a round looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scope {
    /// Everything, and VLANs that nobody needs go.
    Heal,
    /// The adapters of all partitions, or of these.
    Adapters(Option<BTreeSet<Uuid>>),
}

/// When what is looked at.
#[derive(Debug)]
pub(super) struct Due {
    heal: Instant,
    soon: Option<(Instant, Option<BTreeSet<Uuid>>)>,
}

impl Due {
    /// Everything at once.
    pub(super) fn at_once() -> Self {
        Self {
            heal: Instant::now(),
            soon: None,
        }
    }

    /// When the next round is.
    pub(super) fn at(&self) -> Instant {
        match &self.soon {
            Some((soon, _)) => self.heal.min(*soon),
            None => self.heal,
        }
    }

    /// The round that is due; the next one of its kind is an interval later.
    pub(super) fn take(&mut self, interval: Duration) -> Scope {
        let now = Instant::now();
        if self.heal <= now {
            self.heal = now + interval;
            self.soon = None;
            return Scope::Heal;
        }
        Scope::Adapters(self.soon.take().and_then(|(_, partitions)| partitions))
    }

    /// Everything again after a while: a round failed.
    pub(super) fn again(&mut self, scope: &Scope, pause: Duration) {
        let at = Instant::now() + pause;
        match scope {
            Scope::Heal => self.heal = self.heal.min(at),
            Scope::Adapters(partitions) => match &mut self.soon {
                Some((_, None)) => {}
                Some((_, Some(known))) => match partitions {
                    Some(more) => known.extend(more),
                    None => self.soon = Some((at, None)),
                },
                None => self.soon = Some((at, partitions.clone())),
            },
        }
    }

    /// All adapters soon.
    pub(super) fn all_soon(&mut self) {
        let at = self.soon.as_ref().map_or_else(soon, |(at, _)| *at);
        self.soon = Some((at, None));
    }

    /// Takes note of an event.
    pub(super) fn take_note(&mut self, event: &Occurrence) {
        if event.detail.contains(PORTS_CHANGED) {
            self.heal = self.heal.min(soon());
            return;
        }
        let Some(partition) = plugged_into(event) else {
            return;
        };
        match &mut self.soon {
            None => self.soon = Some((soon(), Some([partition].into()))),
            Some((_, None)) => {}
            Some((at, Some(partitions))) => {
                partitions.insert(partition);
                if partitions.len() > MOST {
                    self.soon = Some((*at, None));
                }
            }
        }
    }
}

fn soon() -> Instant {
    Instant::now() + SOON
}

/// What a compute driver tells of an interface.
#[derive(Deserialize)]
struct Told {
    provider: String,
    action: String,
}

/// The partition that an interface was plugged into.
fn plugged_into(event: &Occurrence) -> Option<Uuid> {
    let is_adapter = event.data.contains("/ClientNetworkAdapter/");
    let is_plug = match event.kind.as_str() {
        "CUSTOM_CLIENT_EVENT" => {
            let told: Told = serde_json::from_str(&event.detail).ok()?;
            told.provider == PROVIDER && told.action == "plug"
        }
        "ADD_URI" | "MODIFY_URI" => is_adapter,
        _ => false,
    };
    if !is_plug {
        return None;
    }
    let (_, rest) = event.data.split_once("/LogicalPartition/")?;
    Uuid::try_parse(rest.split(['/', '?']).next()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: &str, data: &str, detail: &str) -> Occurrence {
        Occurrence {
            kind: kind.to_owned(),
            id: "1".to_owned(),
            data: data.to_owned(),
            detail: detail.to_owned(),
        }
    }

    const ADAPTER: &str = "http://localhost/rest/api/uom/LogicalPartition/0a1b2c3d-0000-4000-8000-000000000001/ClientNetworkAdapter/x";

    #[test]
    fn what_is_plugged_is_looked_at() {
        let told = |action: &str, provider: &str| {
            format!(
                r#"{{"provider": "{provider}", "action": "{action}", "mac": "x", "type": "pvm_sea"}}"#
            )
        };
        let custom = |detail: String| plugged_into(&event("CUSTOM_CLIENT_EVENT", ADAPTER, &detail));
        let partition = Uuid::try_parse("0a1b2c3d-0000-4000-8000-000000000001").ok();
        assert_eq!(custom(told("plug", PROVIDER)), partition);
        assert_eq!(custom(told("unplug", PROVIDER)), None);
        assert_eq!(custom(told("plug", "OTHER")), None);
        assert_eq!(custom("{".to_owned()), None);
        assert_eq!(plugged_into(&event("ADD_URI", ADAPTER, "")), partition);
        assert_eq!(
            plugged_into(&event("ADD_URI", "http://localhost/x", "")),
            None
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_one_round_and_a_heal_is_all_of_them() {
        let interval = Duration::from_secs(1800);
        let mut due = Due::at_once();
        assert_eq!(due.take(interval), Scope::Heal);
        let began = Instant::now();
        for _ in 0..3 {
            due.take_note(&event("ADD_URI", ADAPTER, ""));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(due.at(), began + SOON);
        let Scope::Adapters(Some(partitions)) = due.take(interval) else {
            panic!("one partition");
        };
        assert_eq!(partitions.len(), 1);
        assert_eq!(due.at(), began + interval);
        due.all_soon();
        due.take_note(&event("ADD_URI", ADAPTER, ""));
        assert_eq!(due.take(interval), Scope::Adapters(None));
        due.take_note(&event("MODIFY_URI", "x", PORTS_CHANGED));
        tokio::time::sleep(SOON).await;
        assert_eq!(due.take(interval), Scope::Heal);
    }

    #[tokio::test(start_paused = true)]
    async fn what_failed_comes_again_after_a_pause() {
        let (interval, pause) = (Duration::from_secs(1800), Duration::from_secs(5));
        let mut due = Due::at_once();
        let scope = due.take(interval);
        due.again(&scope, pause);
        assert_eq!(due.at(), Instant::now() + pause);
        tokio::time::sleep(pause).await;
        assert_eq!(due.take(interval), Scope::Heal);
        let one = Scope::Adapters(Some([Uuid::nil()].into()));
        due.again(&one, pause);
        tokio::time::sleep(pause).await;
        assert_eq!(due.take(interval), one);
    }
}
