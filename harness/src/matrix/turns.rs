//! The kinds of what may befall a request, dealt out to the requests one by one.

/// Gives each place one of the kinds that can befall it: the one that was given least often so far, in turn from
/// `start`. Kinds that none has then are given to a place of their own choice, so that each that can occur does.
///
/// Returns places, from 1, and the numbers of their kinds.
pub(super) fn deal(
    places: usize,
    kinds: usize,
    start: usize,
    can: impl Fn(usize, usize) -> bool,
) -> Vec<(usize, usize)> {
    let mut given = vec![0_usize; kinds];
    let mut dealt = Vec::new();
    for place in 1..=places {
        let in_turn = (0..kinds).map(|step| (start + place + step) % kinds);
        let chosen = in_turn
            .filter(|kind| can(place, *kind))
            .min_by_key(|kind| given.get(*kind).copied());
        if let Some(kind) = chosen {
            dealt.push((place, kind));
            if let Some(count) = given.get_mut(kind) {
                *count += 1;
            }
        }
    }
    for (kind, _) in given.iter().enumerate().filter(|(_, count)| **count == 0) {
        let mut in_turn = (0..places).map(|step| (start + kind + step) % places + 1);
        dealt.extend(
            in_turn
                .find(|place| can(*place, kind))
                .map(|place| (place, kind)),
        );
    }
    dealt
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::deal;

    #[test]
    fn every_place_and_every_kind_has_its_turn() {
        for (places, start) in [(1, 0), (5, 3), (31, 1), (40, 12)] {
            // The last two kinds befall only every fifth place.
            let can = |place: usize, kind: usize| kind < 10 || place.is_multiple_of(5);
            let dealt = deal(places, 12, start, can);
            let reached: BTreeSet<usize> = dealt.iter().map(|(place, _)| *place).collect();
            assert_eq!(reached, (1..=places).collect());
            let kinds: BTreeSet<usize> = dealt.iter().map(|(_, kind)| *kind).collect();
            assert_eq!(kinds.len(), if places < 5 { 10 } else { 12 });
            assert!(dealt.iter().all(|(place, kind)| can(*place, *kind)));
            assert!(
                dealt.len() <= places.max(12) + 2,
                "no more than needed: {dealt:?}"
            );
        }
    }

    #[test]
    fn another_start_gives_others() {
        let from = |start| deal(10, 12, start, |_, _| true);
        assert_ne!(from(1), from(2));
        assert!(deal(0, 12, 1, |_, _| true).is_empty());
    }
}
