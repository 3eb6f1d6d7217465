//! A world of numbered things, one a step, and sagas that make them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use powervm_driver::saga::{RunOptions, Saga, SagaFailure, Step};
use powervm_driver::{Error, ErrorKind};

/// For each step, the steps it comes after, all of them earlier in the list.
pub(crate) type Shape = Vec<Vec<usize>>;

/// Where to go wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    None,
    /// The step does nothing and fails.
    Before(usize),
    /// The step does its work and fails.
    After(usize),
    /// The step does its work and panics.
    Panic(usize),
}

#[derive(Default)]
pub(crate) struct World {
    pub(crate) things: Mutex<BTreeSet<usize>>,
    /// What a correct saga never does.
    pub(crate) violations: Mutex<Vec<String>>,
    /// How many undo calls of a step still fail.
    pub(crate) stubborn: Mutex<BTreeMap<usize, u32>>,
    pub(crate) log: Mutex<Vec<String>>,
}

impl World {
    pub(crate) fn things(&self) -> BTreeSet<usize> {
        self.things.lock().unwrap().clone()
    }

    pub(crate) fn violated(&self, text: String) {
        self.violations.lock().unwrap().push(text);
    }

    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

pub(crate) fn name(step: usize) -> String {
    format!("step {step}")
}

pub(crate) fn broken(step: usize) -> Error {
    Error::operation(ErrorKind::Refused, format!("{} broke", name(step)), "none")
}

/// Steps take 1 to 3 seconds, so branches overlap in many ways.
pub(crate) fn pause(step: usize) -> Duration {
    Duration::from_secs(1 + (step as u64 * 7) % 3)
}

pub(crate) fn saga(shape: &Shape, fault: Fault) -> Saga<World> {
    let mut saga = Saga::new("toy");
    for (step, after) in shape.iter().enumerate() {
        let needs = after.clone();
        let dependents: Vec<usize> = (0..shape.len())
            .filter(|later| shape[*later].contains(&step))
            .collect();
        let action = move |world: Arc<World>| {
            let needs = needs.clone();
            async move {
                for need in needs {
                    if !world.things().contains(&need) {
                        world.violated(format!("{step} ran without {need}"));
                    }
                }
                tokio::time::sleep(pause(step)).await;
                if fault == Fault::Before(step) {
                    return Err(broken(step));
                }
                world.things.lock().unwrap().insert(step);
                world.log.lock().unwrap().push(format!("do {step}"));
                match fault {
                    Fault::After(at) if at == step => Err(broken(step)),
                    Fault::Panic(at) if at == step => panic!("a defect"),
                    _ => Ok(()),
                }
            }
        };
        let undo = move |world: Arc<World>| {
            let dependents = dependents.clone();
            async move {
                for dependent in dependents {
                    let stuck = world.stubborn.lock().unwrap().contains_key(&dependent);
                    if world.things().contains(&dependent) && !stuck {
                        world.violated(format!("{step} was undone before {dependent}"));
                    }
                }
                tokio::time::sleep(pause(step)).await;
                if let Some(left) = world.stubborn.lock().unwrap().get_mut(&step)
                    && *left > 0
                {
                    *left -= 1;
                    return Err(broken(step));
                }
                world.things.lock().unwrap().remove(&step);
                world.log.lock().unwrap().push(format!("undo {step}"));
                Ok(())
            }
        };
        let names: Vec<String> = after.iter().map(|step| name(*step)).collect();
        saga.push(Step::new(name(step), action).undo(undo).after(names));
    }
    saga
}

pub(crate) async fn run(
    shape: &Shape,
    fault: Fault,
    options: RunOptions,
) -> (Arc<World>, Result<(), Error>) {
    let world = Arc::new(World::default());
    let result = saga(shape, fault).run(Arc::clone(&world), options).await;
    assert_eq!(
        *world.violations.lock().unwrap(),
        Vec::<String>::new(),
        "{shape:?} {fault:?}"
    );
    (world, result)
}

pub(crate) fn failure(result: Result<(), Error>) -> Arc<SagaFailure> {
    match result {
        Err(Error::Saga(failure)) => failure,
        other => panic!("a saga's failure, not {other:?}"),
    }
}

/// disk and network side by side, then mapping, then power.
pub(crate) fn diamond() -> Shape {
    vec![vec![], vec![0], vec![0], vec![1, 2], vec![3]]
}
