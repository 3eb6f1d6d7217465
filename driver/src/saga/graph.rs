//! The order of the steps, checked before any of them runs.

use std::collections::{BTreeMap, BTreeSet};

use super::step::Step;
use crate::error::{Error, Result};

/// Indices of the steps that each step waits for, and of those that wait for it.
#[derive(Debug)]
pub(super) struct Graph {
    pub(super) before: Vec<Vec<usize>>,
    pub(super) after: Vec<Vec<usize>>,
}

impl Graph {
    /// Refuses duplicate names, unknown names and cycles, each by name.
    pub(super) fn of<C>(saga: &str, steps: &[Step<C>]) -> Result<Graph> {
        let edges: Vec<_> = steps
            .iter()
            .map(|step| (&*step.name, step.after.as_slice()))
            .collect();
        Graph::from_edges(saga, &edges)
    }

    fn from_edges(saga: &str, steps: &[(&str, &[String])]) -> Result<Graph> {
        let mut index = BTreeMap::new();
        for (position, (name, _)) in steps.iter().enumerate() {
            if index.insert(*name, position).is_some() {
                return Err(broken(saga, format!("two steps are called {name:?}")));
            }
        }
        let mut graph = Graph {
            before: vec![Vec::new(); steps.len()],
            after: vec![Vec::new(); steps.len()],
        };
        for (position, (name, after)) in steps.iter().enumerate() {
            for wanted in *after {
                let Some(&earlier) = index.get(wanted.as_str()) else {
                    return Err(broken(
                        saga,
                        format!("step {name:?} comes after {wanted:?}, which is not a step"),
                    ));
                };
                if let Some(list) = graph.before.get_mut(position)
                    && !list.contains(&earlier)
                {
                    list.push(earlier);
                    if let Some(list) = graph.after.get_mut(earlier) {
                        list.push(position);
                    }
                }
            }
        }
        graph.refuse_cycles(saga, steps)?;
        Ok(graph)
    }

    /// Positions of the steps, those first that come first when nothing else decides.
    pub(super) fn sorted(&self) -> Vec<usize> {
        let mut waiting: Vec<usize> = self.before.iter().map(Vec::len).collect();
        let mut ready: BTreeSet<usize> = (0..waiting.len())
            .filter(|&step| waiting.get(step) == Some(&0))
            .collect();
        let mut order = Vec::with_capacity(waiting.len());
        let mut next = BTreeSet::new();
        while !ready.is_empty() {
            for step in std::mem::take(&mut ready) {
                order.push(step);
                for &later in self.after.get(step).into_iter().flatten() {
                    if let Some(count) = waiting.get_mut(later) {
                        *count -= 1;
                        if *count == 0 {
                            next.insert(later);
                        }
                    }
                }
            }
            std::mem::swap(&mut ready, &mut next);
        }
        order
    }

    fn refuse_cycles(&self, saga: &str, steps: &[(&str, &[String])]) -> Result<()> {
        let sorted: BTreeSet<usize> = self.sorted().into_iter().collect();
        let stuck: Vec<&str> = steps
            .iter()
            .enumerate()
            .filter(|(position, _)| !sorted.contains(position))
            .map(|(_, (name, _))| *name)
            .collect();
        if stuck.is_empty() {
            Ok(())
        } else {
            Err(broken(
                saga,
                format!("these steps wait for each other: {}", stuck.join(", ")),
            ))
        }
    }
}

fn broken(saga: &str, what: String) -> Error {
    Error::invalid(
        format!("saga {saga:?}: {what}"),
        "correct the saga's steps; nothing was run",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(steps: &[(&str, &[&str])]) -> Result<Graph> {
        let owned: Vec<(&str, Vec<String>)> = steps
            .iter()
            .map(|(name, after)| (*name, after.iter().map(|a| (*a).to_owned()).collect()))
            .collect();
        let edges: Vec<(&str, &[String])> = owned
            .iter()
            .map(|(name, after)| (*name, after.as_slice()))
            .collect();
        Graph::from_edges("test", &edges)
    }

    #[test]
    fn order_of_adding_means_nothing() {
        let graph = graph(&[("b", &["a"]), ("a", &[]), ("c", &["b", "a", "a"])]).unwrap();
        assert_eq!(graph.before, [vec![1], vec![], vec![0, 1]]);
        assert_eq!(graph.after, [vec![2], vec![0, 2], vec![]]);
    }

    #[test]
    fn broken_graphs_are_named() {
        let text = |result: Result<Graph>| result.unwrap_err().to_string();
        assert!(text(graph(&[("a", &[]), ("a", &[])])).contains("two steps are called \"a\""));
        assert!(text(graph(&[("a", &["x"])])).contains("\"x\", which is not a step"));
        assert!(
            text(graph(&[("a", &["b"]), ("b", &["a"]), ("c", &[])])).contains("each other: a, b")
        );
        assert!(text(graph(&[("a", &["a"])])).contains("each other: a"));
    }
}
