//! One edit at a time.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use powervm_driver::ErrorKind;
use powervm_driver::rest::Groups;
use powervm_driver::transaction::{Group, edit};
use tokio::time::Instant;

use crate::shelf::{HREF, MAPPINGS, Reply, Shelf, ensure, has};

#[tokio::test(start_paused = true)]
async fn an_edit_is_applied_anew_to_what_others_left() {
    let others = Mutex::new(2);
    let shelf = Shelf::ruled(move |state, _| {
        let mut others = others.lock().unwrap();
        if *others > 0 {
            *others -= 1;
            state.things.insert(format!("other{others}"));
            state.version += 1;
        }
        Reply::Accept
    });
    let edited = edit(
        &shelf.session().await,
        HREF,
        Groups::Named(MAPPINGS),
        ensure("mine"),
    )
    .await
    .unwrap();
    assert!(edited.changed && has(&edited.entry.content, "other0"));
    assert_eq!(shelf.things(), ["mine", "other0", "other1"]);
    assert_eq!(shelf.traffic(), (3, 3));
    assert_eq!(
        shelf.look(|state| state.groups.clone()),
        BTreeSet::from(["group=ViosSCSIMapping".to_owned()])
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_when_nothing_changes() {
    let shelf = Shelf::new();
    shelf.put("mine");
    let session = shelf.session().await;
    assert!(
        !edit(&session, HREF, Groups::None, ensure("mine"))
            .await
            .unwrap()
            .changed
    );
    assert!(
        !Group::new(session)
            .edit(HREF, MAPPINGS, ensure("mine"))
            .await
            .unwrap()
            .changed
    );
    assert_eq!(shelf.traffic(), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_conflicts_ends_after_sixty_tries() {
    let shelf = Shelf::ruled(|_, _| Reply::Refuse(412, "etag"));
    let session = shelf.session().await;
    let start = Instant::now();
    let error = edit(&session, HREF, Groups::None, ensure("x"))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), shelf.traffic()),
        (ErrorKind::Conflict, (60, 60))
    );
    assert!(
        error
            .to_string()
            .contains("changed by others on each of 60 tries"),
        "{error}"
    );
    assert!(
        start.elapsed() > Duration::from_secs(300),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(
        Group::new(session)
            .edit(HREF, MAPPINGS, ensure("x"))
            .await
            .unwrap_err()
            .kind(),
        ErrorKind::Conflict
    );
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_looked_for_and_not_sent_twice() {
    for grouped in [false, true] {
        let shelf = Shelf::ruled(|state, _| {
            if state.updates.len() == 1 {
                Reply::Lose
            } else {
                Reply::Accept
            }
        });
        let session = shelf.session().await;
        let edited = match grouped {
            true => Group::new(session)
                .edit(HREF, MAPPINGS, ensure("x"))
                .await
                .unwrap(),
            false => edit(&session, HREF, Groups::None, ensure("x"))
                .await
                .unwrap(),
        };
        assert!(edited.changed);
        assert_eq!(
            (shelf.things(), shelf.traffic()),
            (vec!["x".to_owned()], (2, 1))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_always_lost_is_given_up() {
    let shelf = Shelf::ruled(|_, _| Reply::Drop);
    let error = edit(&shelf.session().await, HREF, Groups::None, ensure("x"))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), shelf.traffic()),
        (ErrorKind::UnknownOutcome, (3, 3))
    );
}
