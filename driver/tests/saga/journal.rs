//! What an observer is told, and what it can stop.

use std::sync::{Arc, Mutex};

use powervm_driver::Error;
use powervm_driver::saga::{Event, Observer, Phase, RunOptions, Saga, Step};

use crate::world::{broken, failure};

/// A journal that can refuse.
struct Journal {
    entries: Mutex<Vec<Event>>,
    refuse: fn(&Event) -> bool,
}

impl Observer for Journal {
    fn observe<'a>(
        &'a self,
        event: &'a Event,
    ) -> futures_util::future::BoxFuture<'a, Result<(), Error>> {
        self.entries.lock().unwrap().push(event.clone());
        let refused = (self.refuse)(event);
        Box::pin(async move { if refused { Err(broken(99)) } else { Ok(()) } })
    }
}

#[derive(serde::Serialize, Default)]
struct Deploy {
    disk: Mutex<Option<String>>,
}

fn deploy() -> Saga<Deploy> {
    let make = |deploy: Arc<Deploy>| async move {
        *deploy.disk.lock().unwrap() = Some("lu1".to_owned());
        Ok(())
    };
    let unmake = |deploy: Arc<Deploy>| async move {
        *deploy.disk.lock().unwrap() = None;
        Ok(())
    };
    let saga = Saga::new("deploy").step(Step::new("disk", make).undo(unmake));
    saga.step(Step::new("power", |_| async { Err(broken(0)) }).after(["disk"]))
        .journaled()
}

#[tokio::test]
async fn a_journal_sees_the_context_with_every_event_and_reads_it_back() {
    let journal = Arc::new(Journal {
        entries: Mutex::default(),
        refuse: |_| false,
    });
    let options = RunOptions::default().observer(Arc::clone(&journal) as Arc<dyn Observer>);
    deploy().run(Arc::default(), options).await.unwrap_err();
    let entries = journal.entries.lock().unwrap().clone();
    let story: Vec<String> = entries
        .iter()
        .map(|event| {
            let json = serde_json::to_value(event).unwrap();
            assert_eq!(
                &serde_json::from_value::<Event>(json.clone()).unwrap(),
                event
            );
            format!(
                "{} {} {}",
                json["step"], json["phase"], json["context"]["disk"]
            )
            .replace('"', "")
        })
        .collect();
    assert_eq!(
        story,
        [
            "disk begin null",
            "disk end lu1",
            "power begin lu1",
            "power failed lu1",
            "disk undo_begin lu1",
            "disk undo_end null"
        ]
    );
}

#[tokio::test]
async fn a_saga_never_runs_ahead_of_its_journal() {
    let refusals: [fn(&Event) -> bool; 2] = [
        |event| event.phase == Phase::Begin,
        |event| matches!(event.phase, Phase::End { .. }),
    ];
    for refuse in refusals {
        let journal = Arc::new(Journal {
            entries: Mutex::default(),
            refuse,
        });
        let context = Arc::new(Deploy::default());
        let options = RunOptions::default().observer(journal as Arc<dyn Observer>);
        let failure = failure(deploy().run(Arc::clone(&context), options).await);
        assert_eq!(failure.step.as_deref(), Some("disk"));
        assert_eq!(*context.disk.lock().unwrap(), None);
    }
}

#[tokio::test]
async fn a_journal_that_fails_while_undoing_stops_nothing() {
    let refuse = |event: &Event| {
        matches!(
            event.phase,
            Phase::UndoBegin | Phase::UndoEnd { .. } | Phase::Failed { .. }
        )
    };
    let journal = Arc::new(Journal {
        entries: Mutex::default(),
        refuse,
    });
    let context = Arc::new(Deploy::default());
    let options = RunOptions::default().observer(journal as Arc<dyn Observer>);
    let failure = failure(deploy().run(Arc::clone(&context), options).await);
    assert_eq!(
        (failure.step.as_deref(), failure.left_behind.len()),
        (Some("power"), 0)
    );
    assert_eq!(*context.disk.lock().unwrap(), None);
}
