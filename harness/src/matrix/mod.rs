//! Every operation, with something going wrong at every request that it makes.
//!
//! [`sagas`]: the four loops over the steps and records of each operation. [`faults`]: a request, or two, meets what
//! real servers and networks do. [`crashes`]: the driver is gone at a request, and another one is started on its
//! journal. After each case the host is compared with what it was, or with what it should have become: everything in
//! the simulator's world, partitions' states and the contents of boot disks. An error has to say where it failed, why,
//! and what to do.
//! Cases run in simulated time, each in a world and a runtime of its own, so a seed and a case's name repeat it.

pub mod crashes;
pub mod faults;
mod furniture;
pub(crate) mod pool;
mod report;
mod run;
pub mod sagas;
mod stage;
mod subjects;
mod telling;
mod turns;
mod wire;

pub use self::report::{CaseFailure, MatrixReport, SubjectReport};
pub use self::run::{News, Watch};
pub use self::subjects::{Subject, all};

/// How much befalls each request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reach {
    /// Everything that can, each in a case of its own.
    #[default]
    Whole,
    /// One thing, the kinds in turn, beginning at one that the seed and the operation choose; and as many more that
    /// every kind befalls every operation.
    InTurn,
}

/// Which cases are run.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Names of operations, or parts of them; all without any.
    pub subjects: Vec<String>,
    /// Only every so many of the requests, beginning at one that the seed chooses; 1 is all.
    pub stride: usize,
    /// What befalls a request that is struck.
    pub reach: Reach,
    /// Seeded pairs of faults for each operation.
    pub pairs: usize,
    /// Decides identifiers, and what is drawn.
    pub seed: u64,
    /// How many cases run at the same time, each on a thread.
    pub threads: usize,
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            subjects: Vec::new(),
            stride: 1,
            reach: Reach::Whole,
            pairs: 0,
            seed: 1,
            threads: 2,
        }
    }
}

impl Selection {
    /// The operations that are meant.
    #[must_use]
    pub fn chosen(&self) -> Vec<Subject> {
        self.numbered()
            .into_iter()
            .map(|(_, subject)| subject)
            .collect()
    }

    /// The same, with their numbers among all.
    fn numbered(&self) -> Vec<(usize, Subject)> {
        let mut subjects: Vec<(usize, Subject)> = all().into_iter().enumerate().collect();
        subjects.retain(|(_, subject)| {
            let name = subject.full_name();
            self.subjects.is_empty() || self.subjects.iter().any(|part| name.contains(&**part))
        });
        subjects
    }

    /// Requests or records, from 1 to `last`, each with the numbers of what befalls it: of `kinds` things, those that
    /// `can`.
    fn strikes(
        &self,
        subject: usize,
        last: usize,
        kinds: usize,
        can: impl Fn(usize, usize) -> bool,
    ) -> Vec<(usize, usize)> {
        let shift = usize::try_from(self.seed).unwrap_or_default() + subject;
        let mut struck = match self.reach {
            Reach::InTurn => turns::deal(last, kinds, shift, can),
            Reach::Whole => (1..=last)
                .flat_map(|place| (0..kinds).map(move |kind| (place, kind)))
                .filter(|(place, kind)| can(*place, *kind))
                .collect(),
        };
        struck.retain(|(place, _)| self.is_struck(shift, *place, last));
        struck
    }

    /// Whether the stride does not leave this one out. It never does the first and the last.
    fn is_struck(&self, shift: usize, place: usize, last: usize) -> bool {
        let stride = self.stride.max(1);
        place == 1 || place == last || (place + shift).is_multiple_of(stride)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_choose_operations() {
        let of = |parts: &[&str]| {
            let subjects = parts.iter().map(|part| (*part).to_owned()).collect();
            Selection {
                subjects,
                ..Selection::default()
            }
            .chosen()
            .len()
        };
        assert!(of(&[]) > of(&["spawn"]) && of(&["spawn"]) > of(&["spawn, ssp, novalink"]));
        assert_eq!((of(&["spawn, ssp, novalink"]), of(&["no such"])), (1, 0));
    }

    #[test]
    fn a_stride_leaves_some_out_but_neither_end() {
        let selection = Selection {
            stride: 5,
            ..Selection::default()
        };
        let struck = selection.strikes(0, 20, 2, |_, kind| kind == 1);
        let places: Vec<usize> = struck.iter().map(|(place, _)| *place).collect();
        assert_eq!(places, [1, 4, 9, 14, 19, 20]);
        assert!(struck.iter().all(|(_, kind)| *kind == 1));
    }

    #[test]
    fn whole_is_each_kind_at_each_request_and_in_turn_is_one() {
        let count = |reach| {
            let selection = Selection {
                reach,
                ..Selection::default()
            };
            selection.strikes(0, 20, 12, |_, _| true).len()
        };
        assert_eq!((count(Reach::Whole), count(Reach::InTurn)), (240, 20));
    }
}
