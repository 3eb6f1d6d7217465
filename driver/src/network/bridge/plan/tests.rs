use super::*;

fn group(port_vlan: u16, tagged: impl IntoIterator<Item = u16>) -> Group {
    Group {
        port_vlan,
        tagged: tagged.into_iter().collect(),
    }
}

fn bridge(uuid: &str, port_vlan: u16, groups: Vec<Group>) -> Bridge {
    Bridge {
        uuid: uuid.to_owned(),
        switch: Some(0),
        port_vlan,
        control_channel: None,
        load_balancing: false,
        failover: true,
        groups,
        members: Vec::new(),
    }
}

struct Around {
    bridges: Vec<Bridge>,
    orphans: BTreeSet<u16>,
    used: BTreeSet<u16>,
    flavor: Flavor,
    spread: bool,
}

impl Around {
    fn of(bridges: Vec<Bridge>) -> Self {
        Self {
            bridges,
            orphans: BTreeSet::new(),
            used: BTreeSet::new(),
            flavor: Flavor::NovaLink,
            spread: false,
        }
    }

    fn ensure(&self, vlans: impl IntoIterator<Item = u16>) -> Result<Vec<Edit>, Refused> {
        let around = Surroundings {
            bridges: &self.bridges,
            orphans: &self.orphans,
            used: &self.used,
            flavor: self.flavor,
            spread: self.spread,
        };
        ensure(&self.bridges[0], &vlans.into_iter().collect(), around)
    }
}

fn only(edits: Vec<Edit>) -> Vec<Move> {
    let [edit] = <[Edit; 1]>::try_from(edits).unwrap();
    edit.moves
}

#[test]
fn what_is_carried_already_needs_nothing() {
    let around = Around::of(vec![bridge("a", 1, vec![group(1, [7]), group(4094, [8])])]);
    assert_eq!(around.ensure([1, 7, 8]), Ok(Vec::new()));
}

#[test]
fn the_least_filled_group_beside_the_primary_one_takes_a_vlan() {
    let groups = vec![group(1, []), group(4094, 10..29), group(4093, [50])];
    let around = Around::of(vec![bridge("a", 1, groups)]);
    let adds = [60, 61].map(|vlan| Move::Add { vlan, group: 4093 });
    assert_eq!(only(around.ensure([60, 61]).unwrap()), adds);
}

#[test]
fn twenty_vlans_fill_a_group_and_the_next_one_gets_an_unused_number() {
    let around = Around {
        orphans: [4093].into(),
        used: [4092].into(),
        ..Around::of(vec![
            bridge("a", 1, vec![group(1, []), group(4094, 10..30)]),
            bridge("b", 2, vec![group(2, []), group(4091, [500])]),
        ])
    };
    let moves = only(around.ensure(100..121).unwrap());
    let of = |number| {
        let of_group = |one: &&Move| matches!(one, Move::Add { group, .. } if *group == number);
        moves.iter().filter(of_group).count()
    };
    assert_eq!((of(4090), of(4089)), (20, 1));
}

#[test]
fn new_groups_come_first_where_the_load_is_to_be_spread() {
    let around = Around {
        spread: true,
        ..Around::of(vec![bridge("a", 1, vec![group(1, []), group(4094, [10])])])
    };
    let moves = only(around.ensure([20, 21]).unwrap());
    let expected = [
        Move::Add {
            vlan: 20,
            group: 4093,
        },
        Move::Add {
            vlan: 21,
            group: 4092,
        },
    ];
    assert_eq!(moves, expected);
}

#[test]
fn a_vlan_of_a_peer_moves_and_the_peer_is_told_first() {
    let around = Around::of(vec![
        bridge("a", 1, vec![group(1, []), group(4094, [10])]),
        bridge("b", 2, vec![group(2, []), group(4093, [20])]),
    ]);
    let edits = around.ensure([20]).unwrap();
    let [peer, target] = <[Edit; 2]>::try_from(edits).unwrap();
    assert_eq!((peer.bridge.as_str(), target.bridge.as_str()), ("b", "a"));
    assert_eq!(
        peer.moves,
        [Move::Remove {
            vlan: 20,
            group: 4093
        }]
    );
    assert_eq!(
        target.moves,
        [Move::Add {
            vlan: 20,
            group: 4094
        }]
    );
    let mut elsewhere = around;
    elsewhere.bridges[1].switch = Some(1);
    assert_eq!(
        elsewhere.ensure([20]).unwrap().len(),
        1,
        "another switch is no peer"
    );
}

#[test]
fn a_placeholder_that_becomes_a_vlan_gets_another_number() {
    let groups = || vec![group(1, []), group(4094, [10])];
    let mut around = Around::of(vec![bridge("a", 1, groups())]);
    let expected = [
        Move::Renumber {
            from: 4094,
            to: 4093,
        },
        Move::Add {
            vlan: 4094,
            group: 4093,
        },
    ];
    assert_eq!(only(around.ensure([4094]).unwrap()), expected);
    around.flavor = Flavor::Hmc;
    let [first, second] = <[Edit; 2]>::try_from(around.ensure([4094]).unwrap()).unwrap();
    assert_eq!(
        first.moves,
        [Move::Remove {
            vlan: 10,
            group: 4094
        }]
    );
    let again = [
        Move::Add {
            vlan: 10,
            group: 4093,
        },
        Move::Add {
            vlan: 4094,
            group: 4092,
        },
    ];
    assert!(
        second.moves == again
            || second.moves[1]
                == Move::Add {
                    vlan: 4094,
                    group: 4093
                }
    );
}

#[test]
fn what_cannot_be_is_refused() {
    let mut around = Around {
        orphans: [300].into(),
        ..Around::of(vec![
            bridge("a", 1, vec![group(1, [])]),
            bridge("b", 2, vec![group(2, [99]), group(4093, [20])]),
        ])
    };
    around.bridges[1].control_channel = Some(98);
    assert_eq!(around.ensure([2]), Err(Refused::PrimaryOfPeer(2)));
    assert_eq!(around.ensure([99]), Err(Refused::PrimaryOfPeer(99)));
    assert_eq!(around.ensure([98]), Err(Refused::ControlChannel(98)));
    assert_eq!(around.ensure([300]), Err(Refused::Orphan(300)));
    let full = (0..15u16).map(|n| group(4094 - n, n * 20 + 10..n * 20 + 30));
    let full = std::iter::once(group(1, [])).chain(full).collect();
    let around = Around::of(vec![bridge("a", 1, full)]);
    assert_eq!(around.ensure([1000]), Err(Refused::Full(1000)));
}

#[test]
fn only_what_nobody_needs_is_pruned_and_never_from_the_primary_group() {
    let target = bridge(
        "a",
        1,
        vec![group(1, [5]), group(4094, [10, 12]), group(4093, [11, 13])],
    );
    let (vlans, edit) = prune(&target, &[12].into(), 2);
    assert_eq!(vlans, [10, 11].into());
    let expected = [
        Move::Remove {
            vlan: 10,
            group: 4094,
        },
        Move::Remove {
            vlan: 11,
            group: 4093,
        },
    ];
    assert_eq!(edit.unwrap().moves, expected);
    assert_eq!(prune(&target, &[10, 11, 12, 13].into(), 3).1, None);
}
