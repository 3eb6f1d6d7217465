//! What can become of a request, and what a failure says that it left.

use powervm_driver::Error;
use powervm_simulator::weather::Rule;

/// What can become of a request: in words, and as a rule.
pub(crate) type Fate = (&'static str, fn(Rule) -> Rule);

/// Everything that can.
pub(crate) const FATES: [Fate; 5] = [
    ("refused", |rule| {
        rule.answer(500, "Unknown internal error.", "HSCL9999 out of sorts")
    }),
    ("done, but refused", |rule| {
        rule.after()
            .answer(500, "Unknown internal error.", "HSCL9999 out of sorts")
    }),
    ("lost on the way", |rule| rule.reset()),
    ("done, but the answer lost", |rule| rule.after().reset()),
    ("done, but half an answer", |rule| rule.cut(100)),
];

/// How much could not be undone.
pub(crate) fn left_behind(error: &Error) -> usize {
    error.left_behind().len()
}
