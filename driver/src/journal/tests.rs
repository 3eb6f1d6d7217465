//! What a journal keeps, and what it refuses.

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::ErrorKind;

fn beginning(title: &str) -> Beginning {
    Beginning {
        kind: "spawn".to_owned(),
        title: title.to_owned(),
        asked: json!({"name": title}),
    }
}

fn event(step: &str, phase: Phase) -> Event {
    Event {
        saga: "create web".to_owned(),
        step: step.to_owned(),
        index: 0,
        steps: 2,
        phase,
        context: Some(json!({"seen": step})),
    }
}

fn ended() -> Phase {
    Phase::End {
        took: Duration::from_millis(3),
    }
}

#[tokio::test]
async fn what_was_begun_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j");
    let journal = JournalFile::open(&path, Some(|| 42)).await.unwrap();
    let first = journal.begin(&beginning("one")).await.unwrap();
    let second = journal.begin(&beginning("two")).await.unwrap();
    for (step, phase) in [("a", Phase::Begin), ("a", ended()), ("b", Phase::Begin)] {
        journal.note(second, &event(step, phase)).await.unwrap();
    }
    journal.end(first, &Outcome::Done).await.unwrap();
    drop(journal);

    let journal = JournalFile::open(&path, None).await.unwrap();
    let pending = journal.pending().await.unwrap();
    assert_eq!(pending.len(), 1);
    assert_eq!((pending[0].id, pending[0].begun_at), (second, Some(42)));
    assert_eq!(pending[0].begun(), ["a", "b"]);
    assert!(pending[0].is_open());
    assert_eq!(pending[0].notes(), Some(&json!({"seen": "b"})));
    let history = journal.history(5).await.unwrap();
    assert_eq!(
        (history.len(), &history[0].ended),
        (1, &Some(Outcome::Done))
    );
    assert!(journal.begin(&beginning("three")).await.unwrap() > second);
}

#[test]
fn undone_steps_are_not_undone_again() {
    let undone = Phase::UndoEnd {
        took: Duration::ZERO,
    };
    let record = |events| Record {
        id: 1,
        begun_at: None,
        beginning: beginning("x"),
        ended: None,
        events,
    };
    let told = record(vec![
        event("a", Phase::Begin),
        event("a", ended()),
        event("b", Phase::Begin),
        event("b", Phase::UndoBegin),
        event("b", undone),
    ]);
    assert_eq!(told.begun(), ["a"]);
    assert!(!told.is_open());
    assert!(record(vec![event("a", Phase::Begin), event("a", Phase::Noted)]).is_open());
}

#[tokio::test]
async fn one_process_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j");
    let journal = JournalFile::open(&path, None).await.unwrap();
    let error = JournalFile::open(&path, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Precondition);
    assert!(
        error.to_string().contains("another powervm driver"),
        "{error}"
    );
    drop(journal);
    JournalFile::open(&path, None).await.unwrap();
}

#[tokio::test]
async fn damaged_files_are_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j");
    let journal = JournalFile::open(&path, None).await.unwrap();
    for number in 0..20 {
        let id = journal
            .begin(&beginning(&number.to_string()))
            .await
            .unwrap();
        journal.note(id, &event("a", Phase::Begin)).await.unwrap();
    }
    drop(journal);
    let whole = std::fs::read(&path).unwrap();
    let mut hurt: Vec<Vec<u8>> = vec![b"no journal at all".to_vec(), vec![0; 8192]];
    hurt.push(whole[..whole.len() / 2].to_vec());
    for at in (0..whole.len()).step_by(whole.len() / 40) {
        let mut one = whole.clone();
        for byte in one.iter_mut().skip(at).take(64) {
            *byte ^= 0x5a;
        }
        hurt.push(one);
    }
    let mut refused = 0;
    for (number, bytes) in hurt.into_iter().enumerate() {
        std::fs::write(&path, &bytes).unwrap();
        match JournalFile::open(&path, None).await {
            // Bytes that nothing refers to hurt nobody.
            Ok(journal) => assert!(number > 2 && journal.pending().await.unwrap().len() == 20),
            Err(error) => {
                refused += 1;
                let text = error.to_string();
                assert!(
                    text.contains("damaged") || text.contains("format"),
                    "{text}"
                );
            }
        }
    }
    assert!(refused > 3, "{refused}");
}

#[tokio::test]
async fn another_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j");
    let journal = JournalFile::open(&path, None).await.unwrap();
    store::set_format(journal.database(), FORMAT + 1);
    drop(journal);
    let error = JournalFile::open(&path, None).await.unwrap_err();
    assert!(error.to_string().contains("format 2"), "{error}");
}

#[tokio::test]
async fn it_does_not_grow_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j");
    let journal = JournalFile::open(&path, None).await.unwrap();
    let pending = journal.begin(&beginning("stays")).await.unwrap();
    let mut sizes = Vec::new();
    for round in 0..6 {
        for _ in 0..KEPT / 2 {
            let id = journal.begin(&beginning("x")).await.unwrap();
            journal.note(id, &event("a", Phase::Begin)).await.unwrap();
            journal.end(id, &Outcome::Done).await.unwrap();
        }
        if round > 2 {
            sizes.push(std::fs::metadata(&path).unwrap().len());
        }
    }
    assert_eq!(journal.history(usize::MAX).await.unwrap().len(), KEPT);
    assert_eq!(journal.pending().await.unwrap()[0].id, pending);
    assert!(sizes.iter().all(|size| *size <= sizes[0]), "{sizes:?}");
}

#[tokio::test]
async fn what_is_too_large_fails_alone() {
    let journal = JournalFile::in_memory().unwrap();
    let large = Beginning {
        asked: json!("x".repeat(1 << 20)),
        ..beginning("large")
    };
    let small = beginning("small");
    let (one, other, third) = tokio::join!(
        journal.begin(&large),
        journal.begin(&small),
        journal.begin(&small)
    );
    assert!(one.unwrap_err().to_string().contains("too large"));
    assert!(other.is_ok() && third.is_ok());
    assert_eq!(journal.pending().await.unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_paused_clock_stands_still_while_a_write_is_on_its_way() {
    let folder = tempfile::tempdir().unwrap();
    let journal = JournalFile::open(&folder.path().join("j"), None)
        .await
        .unwrap();
    let start = tokio::time::Instant::now();
    let timer = tokio::spawn(tokio::time::sleep(Duration::from_secs(3600)));
    for _ in 0..20 {
        let id = journal.begin(&beginning("x")).await.unwrap();
        journal.end(id, &Outcome::Done).await.unwrap();
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
    timer.abort();
}
