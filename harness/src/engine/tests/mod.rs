mod fake;

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use self::fake::{FakeTarget, Flaw};
use super::{NoObserver, Settings, run};
use crate::image::Image;
use crate::report::{CheckVerdict, RunReport, Verdict, table};
use crate::scenario::{Capability, Scenario, catalog};

fn scenario(body: &str) -> Scenario {
    let text = format!("format = 1\ntitle = \"t\"\ndisk = \"ssp\"\n{body}");
    Scenario::parse("s", "s.toml", &text).unwrap_or_else(|error| panic!("{error}"))
}

async fn play(scenario: Scenario, flaw: Flaw) -> RunReport {
    play_until(scenario, flaw, CancellationToken::new()).await
}

async fn play_until(scenario: Scenario, flaw: Flaw, cancel: CancellationToken) -> RunReport {
    let settings = Settings {
        seed: 7,
        image: Image::made(),
        excluded: Default::default(),
        cancel,
    };
    run(&[scenario], &FakeTarget::new(flaw), &settings, &NoObserver)
        .await
        .expect("a usable target")
}

fn embedded(name: &str) -> Scenario {
    catalog::select(&[name.to_owned()])
        .expect("an embedded scenario")
        .remove(0)
}

const CREATE: &str = "[[step]]\nname = \"create\"\ndo = \"create\"\nserver = \"vm\"\n";
const DELETE: &str = "[[step]]\nname = \"delete\"\ndo = \"delete\"\nserver = \"vm\"\n";

#[tokio::test(start_paused = true)]
async fn a_good_host_passes_and_operations_run_at_once() {
    let ten = format!(
        "{CREATE}parallel = 10\n{DELETE}parallel = 10\nexpect.absent = [\"vm-1\", \"vm-10\"]\n"
    );
    let report = play(scenario(&ten), Flaw::None).await;
    assert_eq!(
        report.verdict,
        Verdict::Passed,
        "{}",
        table::render(&report, None)
    );
    let create = &report.scenarios[0].steps[0];
    assert_eq!(
        (
            create.summary.count,
            create.summary.p50_ms,
            create.summary.makespan_ms
        ),
        (10, 10_000, 10_000)
    );
    assert_eq!(create.requests_per_operation, 1.0);
    assert_eq!(
        (create.phases[0].name.as_str(), create.phases[0].count),
        ("partition", 10)
    );
    assert!(
        report.scenarios[0]
            .audit
            .as_ref()
            .expect("an audit")
            .is_clean()
    );
    assert!(report.scenarios[0].cleanup.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_leak_fails_the_run_and_is_named() {
    let report = play(scenario(&format!("{CREATE}{DELETE}")), Flaw::LeaksMappings).await;
    assert_eq!(report.verdict, Verdict::Failed);
    assert_eq!(
        report.scenarios[0].steps[1].verdict,
        Verdict::Passed,
        "the step itself went well"
    );
    let text = table::render(&report, None);
    assert!(
        text.contains("LEAK: left behind: mapping vhost of vm"),
        "{text}"
    );
    assert!(text.contains("1 things not as they were"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_leaves_something_is_not_untouched() {
    let large = format!(
        "{CREATE}flavor = {{ memory_mb = \"free + 256\" }}\n\
         expect.refused = {{ kind = \"no-memory\", message = \"memory\" }}\nexpect.untouched = true\n"
    );
    let good = play(scenario(&large), Flaw::None).await;
    assert_eq!(
        good.verdict,
        Verdict::Passed,
        "{}",
        table::render(&good, None)
    );
    let bad = play(scenario(&large), Flaw::LeaksOnRefusal).await;
    let failed: Vec<_> = bad.scenarios[0].steps[0]
        .failures()
        .map(|check| check.what.clone())
        .collect();
    assert_eq!(failed, ["the host is as before the step"]);
}

#[tokio::test(start_paused = true)]
async fn refusals_are_counted_and_have_to_be_of_their_kind() {
    let two = |expect: &str| {
        scenario(&format!(
            "{CREATE}parallel = 2\nflavor = {{ memory_mb = \"60% of free\" }}\nexpect.refused = {expect}\n"
        ))
    };
    let report = play(two("{ kind = \"no-memory\", count = 1 }"), Flaw::None).await;
    assert_eq!(
        report.verdict,
        Verdict::Passed,
        "{}",
        table::render(&report, None)
    );
    assert_eq!(
        report.scenarios[0].cleanup.len(),
        1,
        "the one that was deployed is cleaned up"
    );
    let report = play(two("{ kind = \"no-memory\" }"), Flaw::None).await;
    assert_eq!(report.verdict, Verdict::Failed, "one of two is not all");
    let report = play(two("{ kind = \"no-space\", count = 1 }"), Flaw::None).await;
    assert_eq!(report.verdict, Verdict::Failed, "another kind is not it");
}

#[tokio::test(start_paused = true)]
async fn what_lies_on_the_disk_is_compared_and_never_passed_over_in_silence() {
    let report = play(scenario(CREATE), Flaw::WrongContent).await;
    assert_eq!(report.verdict, Verdict::Failed);
    let report = play(scenario(CREATE), Flaw::BlindContent).await;
    assert_eq!(report.verdict, Verdict::Passed);
    assert!(
        report.scenarios[0].steps[0]
            .checks
            .iter()
            .any(|check| check.verdict == CheckVerdict::NotCheckable)
    );
    let text = table::render(&report, None);
    assert!(
        text.contains("not checked: the disks hold the image"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn after_a_failed_step_the_rest_is_skipped_and_the_server_cleaned_up() {
    let body = format!(
        "{CREATE}[[step]]\nname = \"stop\"\ndo = \"stop\"\nserver = \"vm\"\nexpect.state = \"not activated\"\n{DELETE}"
    );
    let report = play(scenario(&body), Flaw::IgnoresStop).await;
    let verdicts: Vec<_> = report.scenarios[0]
        .steps
        .iter()
        .map(|step| step.verdict)
        .collect();
    assert_eq!(
        verdicts,
        [Verdict::Passed, Verdict::Failed, Verdict::Skipped]
    );
    assert_eq!(report.scenarios[0].cleanup, ["deleted vm"]);
    assert!(
        report.scenarios[0]
            .audit
            .as_ref()
            .expect("an audit")
            .is_clean()
    );
}

#[tokio::test(start_paused = true)]
async fn cancelling_undoes_cleans_up_and_still_reports() {
    let body =
        format!("{CREATE}[[step]]\nname = \"more\"\ndo = \"create\"\nserver = \"other\"\n{DELETE}");
    let cancel = CancellationToken::new();
    let trigger = cancel.clone();
    let (report, ()) = tokio::join!(
        play_until(scenario(&body), Flaw::None, cancel),
        async move {
            tokio::time::sleep(Duration::from_secs(15)).await;
            trigger.cancel();
        }
    );
    assert_eq!(report.verdict, Verdict::Cancelled);
    let verdicts: Vec<_> = report.scenarios[0]
        .steps
        .iter()
        .map(|step| step.verdict)
        .collect();
    assert_eq!(
        verdicts,
        [Verdict::Passed, Verdict::Cancelled, Verdict::Skipped]
    );
    assert_eq!(report.scenarios[0].cleanup, ["deleted vm"]);
    assert!(
        report.scenarios[0]
            .audit
            .as_ref()
            .expect("an audit")
            .is_clean()
    );
}

#[tokio::test(start_paused = true)]
async fn a_target_without_what_is_needed_skips_and_says_so() {
    let mut target = FakeTarget::new(Flaw::None);
    target.capabilities.remove(&Capability::Ssp);
    let settings = Settings {
        seed: 7,
        image: Image::made(),
        excluded: Default::default(),
        cancel: CancellationToken::new(),
    };
    let report = run(&[scenario(CREATE)], &target, &settings, &NoObserver)
        .await
        .expect("a usable target");
    assert_eq!(
        report.scenarios[0].reason.as_deref(),
        Some("the target lacks ssp")
    );
    assert_eq!(
        (report.verdict, report.count(Verdict::Skipped)),
        (Verdict::Passed, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn the_basic_operations_pass_on_the_fake_except_for_its_missing_image_upload() {
    let report = play(embedded("test_server_basic_ops"), Flaw::None).await;
    let failed: Vec<_> = report.scenarios[0].steps[0]
        .failures()
        .map(|check| check.what.clone())
        .collect();
    assert_eq!(
        failed,
        ["1 image uploads in all"],
        "the fake uploads nothing"
    );
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_report_and_another_seed_other_names() {
    let body = format!("{CREATE}parallel = 3\n{DELETE}parallel = 3\n");
    let text = |report: &RunReport| serde_json::to_string(report).expect("a report");
    let one = play(scenario(&body), Flaw::None).await;
    let two = play(scenario(&body), Flaw::None).await;
    assert_eq!(text(&one), text(&two));
    let settings = Settings {
        seed: 8,
        image: Image::made(),
        excluded: Default::default(),
        cancel: CancellationToken::new(),
    };
    let other = run(
        &[scenario(&body)],
        &FakeTarget::new(Flaw::None),
        &settings,
        &NoObserver,
    )
    .await
    .expect("a target");
    assert_ne!(text(&one), text(&other));
}

#[tokio::test(start_paused = true)]
async fn a_server_is_compared_with_what_it_was_changed_to() {
    let resize =
        "[[step]]\nname = \"resize\"\ndo = \"resize\"\nserver = \"vm\"\nflavor = { vcpus = 2 }\n";
    let revert = "[[step]]\nname = \"revert\"\ndo = \"revert\"\nserver = \"vm\"\n";
    let body = format!("{CREATE}{resize}{DELETE}");
    let report = play(scenario(&body), Flaw::None).await;
    assert_eq!(report.verdict, Verdict::Passed);
    let report = play(scenario(&body), Flaw::IgnoresResize).await;
    let failed: Vec<_> = report.scenarios[0].steps[1]
        .checks
        .iter()
        .filter(|check| check.verdict == CheckVerdict::Failed)
        .collect();
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(failed[0].what, "vm is as ordered");
    // The fake host does not take it back.
    let report = play(scenario(&format!("{CREATE}{resize}{revert}")), Flaw::None).await;
    assert_eq!(report.verdict, Verdict::Failed);
}

#[tokio::test(start_paused = true)]
async fn a_deploy_can_be_broken_off_in_a_phase() {
    let body = |phase: &str| {
        format!(
            "{CREATE}cancel_in = \"{phase}\"\nexpect.refused = {{ kind = \"cancelled\" }}\n\
            expect.untouched = true\nexpect.within_s = 3.0\n{DELETE}"
        )
    };
    let report = play(scenario(&body("partition")), Flaw::None).await;
    assert_eq!(
        report.verdict,
        Verdict::Passed,
        "{}",
        table::render(&report, None)
    );
    // One that never comes is told, not waited for.
    let report = play(scenario(&body("no such phase")), Flaw::None).await;
    assert_eq!(report.verdict, Verdict::Failed);
}

#[tokio::test(start_paused = true)]
async fn what_is_left_out_says_why() {
    let settings = Settings {
        seed: 7,
        image: Image::made(),
        excluded: [("s".to_owned(), "takes long (list.txt:3)".to_owned())].into(),
        cancel: CancellationToken::new(),
    };
    let target = FakeTarget::new(Flaw::None);
    let report = run(&[scenario(CREATE)], &target, &settings, &NoObserver)
        .await
        .expect("a usable target");
    assert_eq!(report.scenarios[0].verdict, Verdict::Skipped);
    let reason = report.scenarios[0].reason.as_deref();
    assert_eq!(reason, Some("takes long (list.txt:3)"));
}
