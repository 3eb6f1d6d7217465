//! What is told of a saga that did not succeed.

use std::fmt;

use crate::error::Error;

/// A step and what went wrong with it or with its undo.
#[derive(Debug, Clone)]
pub struct StepFailure {
    /// The step's name.
    pub step: String,
    /// What went wrong.
    pub error: Error,
}

/// Why a saga failed, and whether its undo left anything behind.
#[derive(Debug, Clone)]
pub struct SagaFailure {
    /// The saga's name.
    pub saga: String,
    /// The step that failed first; none when the caller cancelled between steps.
    pub step: Option<String>,
    /// The first error. Later ones never hide it.
    pub error: Error,
    /// Steps of parallel branches that failed while they were awaited.
    pub others: Vec<StepFailure>,
    /// Undos that failed on every try: what these steps made may still be there.
    pub left_behind: Vec<StepFailure>,
}

impl fmt::Display for SagaFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.step {
            Some(step) => write!(f, "{} failed at {step}: {}", self.saga, self.error)?,
            None => write!(f, "{}: {}", self.saga, self.error)?,
        }
        for other in &self.others {
            write!(f, "; {} failed too: {}", other.step, other.error)?;
        }
        let left_behind = self.all_left_behind();
        if left_behind.is_empty() {
            return write!(f, "; everything it had made was removed again");
        }
        // What an operation within this one left, its own error tells.
        for undo in &self.left_behind {
            write!(
                f,
                "; could not undo {}, remove what it made by hand: {}",
                undo.step, undo.error
            )?;
        }
        Ok(())
    }
}

impl std::error::Error for SagaFailure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}
