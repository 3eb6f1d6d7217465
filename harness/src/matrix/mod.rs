//! Every operation, with something going wrong at every request that it makes.
//!
//! [`sagas`]: the four loops over the steps and records of each operation. [`faults`]: a request, or two, meets what real servers and networks do. [`crashes`]: the driver is gone at a
//! request, and another one is started on its journal. After each case the host is compared with what it was, or with
//! what it should have become: everything in the simulator's world, partitions' states and the contents of boot disks.
//! Cases run in simulated time, each in a world and a runtime of its own, so a seed and a case's name repeat it.

pub mod crashes;
pub mod faults;
mod pool;
mod report;
pub mod sagas;
mod stage;
mod subjects;
mod wire;

pub use self::report::{CaseFailure, MatrixReport, SubjectReport};
pub use self::subjects::{Subject, all};

/// Which cases are run.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Names of operations, or parts of them; all without any.
    pub subjects: Vec<String>,
    /// Only every so many of the requests, beginning at one that the seed chooses; 1 is all.
    pub stride: usize,
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
        let mut subjects = all();
        subjects.retain(|subject| {
            let name = subject.full_name();
            self.subjects.is_empty() || self.subjects.iter().any(|part| name.contains(&**part))
        });
        subjects
    }

    /// Whether the request of this number, from 1, is one of those that are struck. The first and the last always are.
    fn strikes(&self, subject: usize, number: usize, last: usize) -> bool {
        let stride = self.stride.max(1);
        let shift = usize::try_from(self.seed).unwrap_or_default() + subject;
        number == 1 || number == last || (number + shift).is_multiple_of(stride)
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
        let struck: Vec<usize> = (1..=20)
            .filter(|number| selection.strikes(0, *number, 20))
            .collect();
        assert_eq!(struck, [1, 4, 9, 14, 19, 20]);
    }
}
