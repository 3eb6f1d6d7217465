use std::time::Duration;

use super::*;
use crate::inventory::{Inventory, Sizes};
use crate::model::Command;
use crate::model::command::SubmitJob;
use crate::model::job::JobTarget;
use crate::stepping::Bounds;
use crate::weather::Weather;

fn simulator() -> Simulator {
    let sizes = Sizes {
        partitions: 3,
        ..Sizes::default()
    };
    let builder = Simulator::builder()
        .inventory(Inventory::sized(Flavor::NovaLink, sizes))
        .seed(7)
        .check_invariants(true)
        .weather(Weather::Typical);
    builder.build().unwrap()
}

/// Powers a partition of the inventory on that is off.
fn power_on(simulator: &Simulator) -> u64 {
    let world = simulator.world();
    let off = |name: &str| {
        world
            .partitions
            .values()
            .find(|p| p.name == name)
            .unwrap()
            .uuid
    };
    let submit = SubmitJob {
        target: JobTarget::LogicalPartition(off("existing-0002")),
        operation: "PowerOn".to_owned(),
        parameters: Vec::new(),
    };
    simulator.apply(Command::SubmitJob(submit)).unwrap();
    simulator.world().jobs.get_max().unwrap().0
}

#[tokio::test(start_paused = true)]
async fn a_state_comes_back_from_its_text() {
    let simulator = simulator();
    power_on(&simulator);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let saved = simulator.save();
    let read = Saved::from_json(&saved.to_json().unwrap()).unwrap();
    assert_eq!(read, saved);
    assert!(!read.world.agenda.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_fork_goes_its_own_way_and_the_same_way() {
    let simulator = simulator();
    let saved = simulator.save();
    let (one, two) = (simulator.fork(&saved), simulator.fork(&saved));
    assert_eq!(power_on(&one), power_on(&two));
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert_eq!(one.world(), two.world());
    assert_eq!(one.now(), two.now());
    assert!(simulator.world().jobs.is_empty());
    let names = diff(&saved, &one.save()).unwrap();
    assert!(
        names
            .differences
            .iter()
            .any(|found| found.path.ends_with("/state")
                && found.name.as_deref() == Some("existing-0002")
                && found.before == Some("not activated".into())),
        "{names:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn going_back_undoes_all_but_the_count_of_versions() {
    let simulator = simulator();
    let saved = simulator.save();
    power_on(&simulator);
    tokio::time::sleep(Duration::from_secs(300)).await;
    let later = simulator.world().generation;
    simulator.restore(&saved).unwrap();
    assert_eq!(simulator.now(), saved.now);
    assert!(
        diff(&saved, &simulator.save())
            .unwrap()
            .differences
            .is_empty()
    );
    assert!(simulator.world().generation > later);
    // The same again: nothing of the undone future is left.
    let job = power_on(&simulator);
    assert_eq!(simulator.world().jobs.len(), 1);
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert!(simulator.world().jobs[&job].status.is_final());
}

#[tokio::test(start_paused = true)]
async fn the_other_product_is_refused() {
    let saved = simulator().save();
    let hmc = Simulator::builder().flavor(Flavor::Hmc).build().unwrap();
    assert!(matches!(
        hmc.restore(&saved),
        Err(StateError::Flavor(Flavor::NovaLink))
    ));
}

#[tokio::test(start_paused = true)]
async fn damaged_states_are_refused() {
    let text = String::from_utf8(simulator().save().to_json().unwrap()).unwrap();
    let refused = |text: &str| Saved::from_json(text.as_bytes()).unwrap_err();
    assert!(matches!(refused("{}"), StateError::Syntax(_)));
    assert!(matches!(
        refused(&text[..text.len() / 2]),
        StateError::Syntax(_)
    ));
    let newer = text.replacen("\"version\":1", "\"version\":99", 1);
    assert!(matches!(refused(&newer), StateError::Version(99)));
    let foreign = text.replacen(FORMAT, "something", 1);
    assert!(refused(&foreign).to_string().contains("something"));
    // Two partitions with one number cannot be.
    let twice = text.replace("\"name\":\"existing-0002\"", "\"name\":\"existing-0001\"");
    assert!(matches!(refused(&twice), StateError::Inconsistent(_)));
    let odd = text.replacen("\"not activated\"", "\"on holiday\"", 1);
    assert!(refused(&odd).to_string().contains("on holiday"));
}

#[tokio::test(start_paused = true)]
async fn files_hold_the_old_state_or_the_new_one() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    assert!(read(&path).unwrap().is_none());
    let simulator = simulator();
    let first = simulator.save();
    write(&path, &first).unwrap();
    power_on(&simulator);
    write(&path, &simulator.save()).unwrap();
    assert_eq!(read(&path).unwrap().unwrap().world.jobs.len(), 1);
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // A folder that has gone: nothing is lost of what was there, and nothing is left behind.
    assert!(write(&folder.path().join("gone/state.json"), &first).is_err());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn one_process_writes_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let lock = Lock::take(&path).unwrap();
    assert!(matches!(Lock::take(&path), Err(StateError::InUse(_))));
    drop(lock);
    Lock::take(&path).unwrap();
}

#[tokio::test(start_paused = true)]
async fn jobs_go_one_by_one() {
    let simulator = simulator();
    simulator.clock().set_scale(0.0);
    simulator.hold_jobs(true).unwrap();
    let job = power_on(&simulator);
    let run = simulator.run_until_idle(Bounds::default()).await;
    assert!(run.reached);
    assert!(!simulator.world().jobs[&job].status.is_final());
    let (done, run) = simulator.run_job(Bounds::default()).await.unwrap();
    assert_eq!((done, run.reached), (job, true));
    let world = simulator.world();
    assert!(world.jobs[&job].status.is_final());
    // The job has ended; the operating system is still to come up.
    assert!(simulator.next_due().is_some());
    assert!(simulator.run_until_idle(Bounds::default()).await.moments >= 2);
    assert_eq!(simulator.run_job(Bounds::default()).await, None);
    let bounds = Bounds {
        moments: 0,
        ..Bounds::default()
    };
    simulator.hold_jobs(false).unwrap();
    assert!(simulator.run_until_idle(bounds).await.reached);
}

#[tokio::test(start_paused = true)]
async fn snapshots_are_kept_within_bounds() {
    let simulator = simulator();
    let shelf = simulator.snapshots();
    for number in 0..MOST_SNAPSHOTS {
        shelf.keep(&format!("s{number}"), simulator.save()).unwrap();
    }
    assert_eq!(shelf.keep("more", simulator.save()), Err(ShelfError::Full));
    shelf.keep("s1", simulator.save()).unwrap();
    for name in ["", "now", "a/b", "..%", &"x".repeat(65)] {
        assert_eq!(shelf.keep(name, simulator.save()), Err(ShelfError::Name));
    }
    assert!(shelf.remove("s1") && !shelf.remove("s1"));
}
