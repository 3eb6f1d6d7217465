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

impl Outline {
    /// Of parts that are done one after the other: each is a step, named with whether it has an undo, and steps of its own
    /// behind that one.
    pub(crate) fn of_parts<'n>(
        saga: impl Into<String>,
        parts: impl IntoIterator<Item = (&'n str, bool, Vec<OutlinedStep>)>,
    ) -> Self {
        let mut steps = Vec::<OutlinedStep>::new();
        for (name, has_undo, own) in parts {
            let last = steps.last().map(|last| last.name.clone());
            steps.push(OutlinedStep {
                name: name.to_owned(),
                after: last.into_iter().collect(),
                has_undo,
            });
            steps.extend(own.into_iter().map(|mut step| {
                if step.after.is_empty() {
                    step.after.push(name.to_owned());
                }
                step
            }));
        }
        Self {
            saga: saga.into(),
            steps,
        }
    }
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

    #[test]
    fn parts_stand_behind_each_other_with_their_steps_behind_them() {
        let own = Saga::new("move").step(step("look")).outline().unwrap();
        let whole = Outline::of_parts(
            "all",
            [
                ("off", true, Vec::new()),
                ("move", false, own.steps),
                ("on", false, Vec::new()),
            ],
        );
        let told = whole
            .steps
            .iter()
            .map(|step| (&*step.name, step.after.join(",")));
        let told: Vec<(&str, String)> = told.collect();
        let after = |name: &str| name.to_owned();
        assert_eq!(
            told,
            [
                ("off", after("")),
                ("move", after("off")),
                ("look", after("move")),
                ("on", after("look"))
            ]
        );
    }

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
