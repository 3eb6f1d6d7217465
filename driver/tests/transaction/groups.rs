//! Many edits at once.

use std::collections::BTreeSet;
use std::time::Duration;

use powervm_driver::transaction::Group;
use powervm_driver::{Error, ErrorKind};
use powervm_schema::xml::{Element, Namespace};
use tokio::time::{Instant, sleep, timeout};

use crate::shelf::{HREF, MAPPINGS, Reply, Shelf, ensure, has, submit};

#[tokio::test(start_paused = true)]
async fn edits_that_wait_share_an_update() {
    let shelf = Shelf::new();
    let group = Group::new(shelf.session().await);
    let start = Instant::now();
    let first = submit(&group, "a");
    // The read takes a second: these two are in time for it.
    let mut tasks = vec![submit(&group, "b"), submit(&group, "c")];
    sleep(Duration::from_millis(1500)).await;
    // The first update is on its way: these seven go together in the second, without another read.
    tasks.extend(
        "defghij"
            .chars()
            .map(|thing| submit(&group, &thing.to_string())),
    );
    assert!(first.await.unwrap().unwrap().changed);
    for task in tasks {
        let edited = task.await.unwrap().unwrap();
        assert!(edited.changed && has(&edited.entry.content, "a"));
    }
    assert_eq!((shelf.traffic(), shelf.things().len()), ((1, 2), 10));
    assert_eq!(start.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_known_document_is_not_trusted_for_doing_nothing() {
    let shelf = Shelf::new();
    let group = Group::new(shelf.session().await);
    let first = submit(&group, "a");
    sleep(Duration::from_millis(1500)).await;
    // The answer to the update on its way will have "a"; that it still is there is looked up.
    let second = submit(&group, "a");
    assert!(!second.await.unwrap().unwrap().changed);
    first.await.unwrap().unwrap();
    assert_eq!(shelf.traffic(), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_failing_edit_harms_no_other() {
    let shelf = Shelf::new();
    let group = Group::new(shelf.session().await);
    let good = submit(&group, "a");
    let bad = group.edit(HREF, MAPPINGS, |document| {
        document.push(Element::leaf(Namespace::Uom, "Thing", "half"));
        Err(Error::operation(
            ErrorKind::NoSpace,
            "no slot is free",
            "remove something",
        ))
    });
    let worse = group.edit(HREF, MAPPINGS, |_| panic!("a defect"));
    let (bad, worse) = tokio::join!(bad, worse);
    assert_eq!(
        (bad.unwrap_err().kind(), worse.unwrap_err().kind()),
        (ErrorKind::NoSpace, ErrorKind::Internal)
    );
    good.await.unwrap().unwrap();
    assert_eq!(
        (shelf.things(), shelf.traffic()),
        (vec!["a".to_owned()], (1, 1))
    );
}

#[tokio::test(start_paused = true)]
async fn a_joint_update_that_is_refused_fails_the_guilty_only() {
    let shelf = Shelf::ruled(|_, things| {
        if things.iter().any(|thing| thing == "bad") {
            Reply::Refuse(500, "HSCL0001 no such disk")
        } else {
            Reply::Accept
        }
    });
    let group = Group::new(shelf.session().await);
    let tasks: Vec<_> = ["a", "bad", "c"].map(|thing| submit(&group, thing)).into();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    assert!(results[0].is_ok() && results[2].is_ok());
    assert!(results[1].as_ref().unwrap_err().mentions("HSCL0001"));
    assert_eq!(shelf.things(), ["a", "c"]);
}

#[tokio::test(start_paused = true)]
async fn a_busy_server_is_no_reason_to_split() {
    let shelf = Shelf::ruled(|state, _| {
        if state.updates.len() == 1 {
            Reply::Refuse(500, "VIOS0014 busy")
        } else {
            Reply::Accept
        }
    });
    let group = Group::new(shelf.session().await);
    for task in ["a", "b", "c"].map(|thing| submit(&group, thing)) {
        task.await.unwrap().unwrap();
    }
    assert_eq!(shelf.traffic(), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn one_who_goes_away_takes_no_other_along() {
    let shelf = Shelf::new();
    let group = Group::new(shelf.session().await);
    // The one who began it, while its document is read: it is taken back.
    let began = timeout(
        Duration::from_millis(500),
        group.edit(HREF, MAPPINGS, ensure("gone")),
    );
    let waits = submit(&group, "a");
    began.await.unwrap_err();
    waits.await.unwrap().unwrap();
    assert_eq!(shelf.things(), ["a"]);
    // The one who began it, while its update is on its way: it is made.
    let began = timeout(
        Duration::from_millis(1500),
        group.edit(HREF, MAPPINGS, ensure("late")),
    );
    began.await.unwrap_err();
    submit(&group, "b").await.unwrap().unwrap();
    assert_eq!(shelf.things(), ["a", "b", "late"]);
    // Nobody is left: the queue ends, and the next one starts anew.
    timeout(
        Duration::from_millis(1),
        group.edit(HREF, MAPPINGS, ensure("x")),
    )
    .await
    .unwrap_err();
    sleep(Duration::from_secs(60)).await;
    submit(&group, "c").await.unwrap().unwrap();
    assert_eq!(shelf.things(), ["a", "b", "c", "late"]);
}

#[tokio::test(start_paused = true)]
async fn conflicts_with_others_redo_the_whole_group() {
    let shelf = Shelf::new();
    let group = Group::new(shelf.session().await);
    let tasks = ["a", "b"].map(|thing| submit(&group, thing));
    sleep(Duration::from_millis(1500)).await;
    shelf.put("other");
    for task in tasks {
        assert!(has(&task.await.unwrap().unwrap().entry.content, "other"));
    }
    assert_eq!(
        (shelf.things(), shelf.traffic()),
        (
            vec!["a".to_owned(), "b".to_owned(), "other".to_owned()],
            (2, 2)
        )
    );
}

#[tokio::test(start_paused = true)]
async fn other_groups_and_other_resources_have_updates_of_their_own() {
    let shelf = Shelf::new();
    let group = Group::new(shelf.session().await);
    let storage = {
        let group = group.clone();
        tokio::spawn(async move {
            group
                .edit(HREF, &["ViosStorage", "ViosNetwork"], ensure("s"))
                .await
        })
    };
    let tasks = [submit(&group, "a"), submit(&group, "b"), storage];
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(shelf.traffic(), (2, 2));
    let groups = BTreeSet::from([
        "group=ViosSCSIMapping".to_owned(),
        "group=ViosNetwork,ViosStorage".to_owned(),
    ]);
    assert_eq!(shelf.look(|state| state.groups.clone()), groups);
}

#[tokio::test(start_paused = true)]
async fn a_defective_transport_leaves_no_queue_stuck() {
    let shelf = Shelf::ruled(|state, _| {
        if state.updates.len() == 1 {
            Reply::Panic
        } else {
            Reply::Accept
        }
    });
    let group = Group::new(shelf.session().await);
    let tasks = ["a", "b"].map(|thing| submit(&group, thing));
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap_err().kind(), ErrorKind::Internal);
    }
    submit(&group, "c").await.unwrap().unwrap();
    assert_eq!(shelf.things(), ["c"]);
}
