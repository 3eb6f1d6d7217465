//! Which known name somebody may have meant.

/// The name nearest to this one, unless none is near: a third of its letters may differ.
pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // What is much longer than any name is nobody's slip, and would take long to compare.
    if name.len() > 80 {
        return None;
    }
    let all = known
        .into_iter()
        .map(|other| (distance(name, other), other));
    let (far, nearest) = all.min_by_key(|(far, _)| *far)?;
    (far <= name.chars().count().div_ceil(3)).then_some(nearest)
}

/// How many letters have to be put in, taken out or replaced.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (number, letter) in from.to_lowercase().chars().enumerate() {
        let mut next = vec![number + 1];
        for (there, (above, left_above)) in to.iter().zip(row.iter().skip(1).zip(&row)) {
            let replaced = left_above + usize::from(*there != letter);
            let put_in = next.last().copied().unwrap_or_default() + 1;
            next.push(replaced.min(put_in).min(above + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_near_and_other_words_are_not() {
        let known = ["disk_driver", "cluster_name", "max_uploads"];
        assert_eq!(nearest("disk_drivers", known), Some("disk_driver"));
        assert_eq!(nearest("Max_Upload", known), Some("max_uploads"));
        assert_eq!(nearest("clustername", known), Some("cluster_name"));
        assert_eq!(nearest("password", known), None);
        assert_eq!(nearest(&"x".repeat(10_000), known), None);
        assert_eq!((distance("", "abc"), distance("abc", "abd")), (3, 1));
    }
}
