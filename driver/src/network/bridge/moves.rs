//! What is done to the VLANs of a bridge, and how it is taken back.

use serde::{Deserialize, Serialize};

use super::Group;

/// One thing that changes. Done a second time it changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Move {
    /// The VLAN gets into the group of this port VLAN, which is made if it is not there.
    Add { vlan: u16, group: u16 },
    /// The VLAN goes from the group, and the group with its last one.
    Remove { vlan: u16, group: u16 },
    /// A group gets another port VLAN: the number is needed for something else.
    Renumber { from: u16, to: u16 },
}

impl Move {
    fn inverse(self) -> Self {
        match self {
            Self::Add { vlan, group } => Self::Remove { vlan, group },
            Self::Remove { vlan, group } => Self::Add { vlan, group },
            Self::Renumber { from, to } => Self::Renumber { from: to, to: from },
        }
    }
}

/// What one update of a bridge does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Edit {
    /// UUID of the bridge.
    pub(crate) bridge: String,
    /// What is done, in this order.
    pub(crate) moves: Vec<Move>,
}

impl Edit {
    /// What takes it back.
    pub(crate) fn inverse(&self) -> Self {
        Self {
            bridge: self.bridge.clone(),
            moves: self.moves.iter().rev().map(|one| one.inverse()).collect(),
        }
    }
}

/// The groups when that is done. The primary group stays, and of a bridge that shares its load one beside it.
pub(crate) fn after(
    groups: &[Group],
    primary: u16,
    load_balancing: bool,
    moves: &[Move],
) -> Vec<Group> {
    let mut groups = groups.to_vec();
    for one in moves {
        match *one {
            Move::Add { vlan, group } => {
                // Where somebody else has put it, it is.
                if groups.iter().any(|there| there.tagged.contains(&vlan)) {
                    continue;
                }
                match groups.iter_mut().find(|there| there.port_vlan == group) {
                    Some(there) => {
                        there.tagged.insert(vlan);
                    }
                    None => groups.push(Group {
                        port_vlan: group,
                        tagged: [vlan].into(),
                    }),
                }
            }
            Move::Remove { vlan, group } => {
                let Some(place) = groups.iter().position(|there| there.port_vlan == group) else {
                    continue;
                };
                let is_last_other = load_balancing && groups.len() <= 2;
                if let Some(there) = groups.get_mut(place) {
                    let was_there = there.tagged.remove(&vlan);
                    let is_empty = there.tagged.is_empty();
                    if was_there && is_empty && group != primary && !is_last_other {
                        groups.remove(place);
                    }
                }
            }
            Move::Renumber { from, to } => {
                if let Some(there) = groups.iter_mut().find(|there| there.port_vlan == from) {
                    there.port_vlan = to;
                }
            }
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(port_vlan: u16, tagged: &[u16]) -> Group {
        Group {
            port_vlan,
            tagged: tagged.iter().copied().collect(),
        }
    }

    #[test]
    fn done_and_taken_back_it_is_as_it_was() {
        let before = vec![group(1, &[]), group(4094, &[10, 11]), group(4093, &[20])];
        let edit = Edit {
            bridge: String::new(),
            moves: vec![
                Move::Renumber {
                    from: 4093,
                    to: 4092,
                },
                Move::Remove {
                    vlan: 20,
                    group: 4092,
                },
                Move::Add {
                    vlan: 12,
                    group: 4094,
                },
                Move::Add {
                    vlan: 4093,
                    group: 4091,
                },
            ],
        };
        let done = after(&before, 1, false, &edit.moves);
        let expected = [
            group(1, &[]),
            group(4094, &[10, 11, 12]),
            group(4091, &[4093]),
        ];
        assert_eq!(done, expected);
        assert_eq!(after(&done, 1, false, &edit.moves), done, "again");
        let mut back = after(&done, 1, false, &edit.inverse().moves);
        assert_eq!(after(&back, 1, false, &edit.inverse().moves), back, "again");
        back.sort_by_key(|group| group.port_vlan);
        let mut wanted = before;
        wanted.sort_by_key(|group| group.port_vlan);
        assert_eq!(back, wanted);
    }

    #[test]
    fn a_bridge_that_shares_its_load_keeps_a_group_and_every_bridge_its_primary_one() {
        let groups = [group(1, &[5]), group(4094, &[10])];
        let moves = [
            Move::Remove {
                vlan: 10,
                group: 4094,
            },
            Move::Remove { vlan: 5, group: 1 },
        ];
        assert_eq!(
            after(&groups, 1, true, &moves),
            [group(1, &[]), group(4094, &[])]
        );
        assert_eq!(after(&groups, 1, false, &moves), [group(1, &[])]);
    }
}
