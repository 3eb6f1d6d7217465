//! How well an element fits its table.

use smol_str::{SmolStr, format_smolstr};

use super::{FieldError, FieldValue, get_value};
use crate::xml::Element;

/// What [`inspect`](crate::partition::LogicalPartition::inspect) found in an element and the views below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inspection {
    /// Values that their getters cannot read.
    pub errors: Vec<FieldError>,
    /// Children that the table does not name, as `Parent/Child`.
    pub unknown: Vec<SmolStr>,
    /// Children that stand before one that the table puts before them, as `Parent/Child`.
    pub misplaced: Vec<SmolStr>,
}

impl Inspection {
    /// Whether nothing was found.
    pub fn is_clean(&self) -> bool {
        self.errors.is_empty() && self.unknown.is_empty() && self.misplaced.is_empty()
    }

    pub(crate) fn check_value<T: FieldValue>(&mut self, element: &Element, name: &str) {
        if let Err(error) = get_value::<T>(element, name) {
            self.errors.push(error);
        }
    }

    pub(crate) fn check_children(&mut self, element: &Element, order: &[&str]) {
        let path =
            |child: &Element| format_smolstr!("{}/{}", element.local_name(), child.local_name());
        let mut known = Vec::new();
        for child in element
            .children()
            .filter(|child| child.local_name() != "Metadata")
        {
            match order.iter().position(|name| *name == child.local_name()) {
                Some(rank) => known.push((rank, child)),
                None => self.unknown.push(path(child)),
            }
        }
        let ranks: Vec<usize> = known.iter().map(|(rank, _)| *rank).collect();
        let placed = longest_ordered(&ranks);
        for (at, (_, child)) in known.iter().enumerate() {
            if placed.binary_search(&at).is_err() {
                self.misplaced.push(path(child));
            }
        }
    }
}

/// Indices of the most numbers that stand in order, smallest first; the others are out of place.
fn longest_ordered(numbers: &[usize]) -> Vec<usize> {
    // For each length, the smallest number that a run of that length can end with, and its index.
    let mut ends: Vec<(usize, usize)> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(numbers.len());
    for (at, &number) in numbers.iter().enumerate() {
        let length = ends.partition_point(|&(end, _)| end <= number);
        before.push(
            length
                .checked_sub(1)
                .and_then(|run| ends.get(run))
                .map(|&(_, index)| index),
        );
        match ends.get_mut(length) {
            Some(end) => *end = (number, at),
            None => ends.push((number, at)),
        }
    }
    let last = ends.last().map(|&(_, index)| index);
    let mut run: Vec<usize> =
        std::iter::successors(last, |&at| before.get(at).copied().flatten()).collect();
    run.reverse();
    run
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewest_children_are_called_misplaced() {
        assert!(longest_ordered(&[]).is_empty());
        assert_eq!(longest_ordered(&[0, 9, 1, 2, 2, 3]), [0, 2, 3, 4, 5]);
        assert_eq!(longest_ordered(&[5, 1, 2]), [1, 2]);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let element = Element::parse(b"<R><Metadata/><C/><A/><B>x</B><B>1</B><New/></R>").unwrap();
        let mut found = Inspection::default();
        found.check_children(&element, &["A", "B", "C"]);
        found.check_value::<u32>(&element, "B");
        assert_eq!(found.unknown, ["R/New"]);
        assert_eq!(found.misplaced, ["R/C"]);
        assert_eq!(found.errors.len(), 1);
        assert!(!found.is_clean());
    }
}
