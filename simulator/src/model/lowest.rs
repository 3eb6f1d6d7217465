//! The lowest number that nobody has: how consoles number partitions, slots and devices.

/// The lowest number from `first` on that is not among these, which may come in any order.
pub(in crate::model) fn lowest_free(first: u32, used: impl Iterator<Item = u32>) -> u32 {
    let used: Vec<u32> = used.collect();
    // So many numbers cannot take more than so many places.
    let mut taken = vec![false; used.len()];
    for number in used {
        let place = number
            .checked_sub(first)
            .and_then(|place| usize::try_from(place).ok());
        if let Some(taken) = place.and_then(|place| taken.get_mut(place)) {
            *taken = true;
        }
    }
    let free = taken.iter().position(|taken| !taken);
    let free = u32::try_from(free.unwrap_or(taken.len())).unwrap_or(u32::MAX);
    first.saturating_add(free)
}

#[cfg(test)]
mod tests {
    use super::lowest_free;

    #[test]
    fn the_lowest_hole_is_found_wherever_it_is() {
        assert_eq!(lowest_free(0, [].into_iter()), 0);
        assert_eq!(lowest_free(0, [2, 0, 1].into_iter()), 3);
        assert_eq!(lowest_free(0, [0, 9, 1, 1, u32::MAX].into_iter()), 2);
        assert_eq!(lowest_free(2, [3, 0, 1].into_iter()), 2);
        assert_eq!(lowest_free(2, [2, 3, 0, 1].into_iter()), 4);
    }
}
