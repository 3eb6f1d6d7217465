//! What a saga would do, told without doing it.

use serde::Serialize;

use super::graph::Graph;
use super::step::Saga;
use crate::error::Result;

/// A saga that was not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outline {
    /// The saga's name: `create web`.
    pub saga: String,
    /// Its steps, each behind those that it comes after.
    pub steps: Vec<OutlinedStep>,
}

/// A step of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutlinedStep {
    /// Its name.
    pub name: String,
    /// The steps that have to be done before; the others may run at the same time.
    pub after: Vec<String>,
    /// Whether what it makes is removed when a later step fails.
    pub has_undo: bool,
}

impl<C: Send + Sync + 'static> Saga<C> {
    /// The steps in an order in which they could run one after the other.
    ///
    /// # Errors
    /// As [`Saga::run`] for a graph that cannot be run.
    pub fn outline(&self) -> Result<Outline> {
        let graph = Graph::of(self.name(), &self.steps)?;
        let steps = graph.sorted().into_iter().filter_map(|position| {
            let step = self.steps.get(position)?;
            Some(OutlinedStep {
                name: step.name().to_owned(),
                after: step.after.clone(),
                has_undo: step.undo.is_some(),
            })
        });
        Ok(Outline {
            saga: self.name().to_owned(),
            steps: steps.collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::saga::Step;

    fn step(name: &str) -> Step<()> {
        Step::new(name, |_: Arc<()>| async { Ok(()) })
    }

    #[test]
    fn steps_stand_behind_what_they_wait_for() {
        let saga = Saga::new("deploy")
            .step(step("start").after(["map", "network"]))
            .step(step("map").after(["disk"]))
            .step(step("disk").undo(|_| async { Ok(()) }))
            .step(step("network"));
        let outline = saga.outline().unwrap();
        let names: Vec<&str> = outline.steps.iter().map(|step| &*step.name).collect();
        assert_eq!(names, ["disk", "network", "map", "start"]);
        let undone = outline.steps.iter().filter(|step| step.has_undo);
        assert_eq!(undone.count(), 1);
        assert!(saga.step(step("disk")).outline().is_err());
    }
}
