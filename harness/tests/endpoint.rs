//! Scenarios over sockets: the same scenario, the same engine, an endpoint by its URL.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

use powervm_driver::config::Config;
use powervm_driver::rest::{Credentials, Endpoint};
use powervm_harness::engine::{NoObserver, Settings, run};
use powervm_harness::image::Image;
use powervm_harness::report::{CheckVerdict, RunReport, Verdict, table};
use powervm_harness::scenario::catalog;
use powervm_harness::target::remote::admin::Admin;
use powervm_harness::target::remote::{Remote, RemoteOptions};
use powervm_harness::target::{Target, VolumeSource};
use powervm_simulator::Simulator;
use powervm_simulator::serve::{AdminOptions, ServeOptions, Serving, serve};
use powervm_simulator::weather::Weather;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

const CLASH: &str = "test_create_with_existing_server_name";
const BROKEN_OFF: &str = "test_delete_server_while_in_building_state";

async fn served(simulator: &Simulator) -> Serving {
    let options = ServeOptions {
        http: Some(([127, 0, 0, 1], 0).into()),
        admin: Some(AdminOptions {
            address: ([127, 0, 0, 1], 0).into(),
            token: SecretString::from("open sesame"),
        }),
        ..ServeOptions::default()
    };
    serve(simulator, &options)
        .await
        .expect("a served simulator")
}

async fn play(simulator: &Simulator, serving: &Serving, admin: bool, scenario: &str) -> RunReport {
    let url = format!("http://{}", serving.http.expect("an address"));
    let credentials = simulator.credentials();
    let endpoint = Endpoint::new(&url)
        .expect("an endpoint")
        .credentials(Credentials::Password {
            user: credentials.user.clone(),
            password: credentials.password.clone(),
        });
    let admin = admin.then(|| {
        let url = format!("http://{}", serving.admin.expect("an address"));
        Admin::new(&url, SecretString::from("open sesame")).expect("an admin API")
    });
    let config = Config {
        volume_group_name: "datavg".to_owned(),
        ..Config::default()
    };
    let options = RemoteOptions {
        endpoint,
        config: Some(config),
        admin,
        volumes: VolumeSource::None,
        second: None,
        captures: false,
        seed: 5,
    };
    let target = Remote::connect(options).await.expect("a usable endpoint");
    assert!(!target.describe().virtual_clock);
    let scenarios = catalog::select(&[scenario.to_owned()]).expect("a scenario");
    let settings = Settings {
        seed: 5,
        image: Image::made(),
        excluded: Default::default(),
        cancel: CancellationToken::new(),
    };
    run(&scenarios, &target, &settings, &NoObserver)
        .await
        .expect("a usable target")
}

#[tokio::test]
async fn an_endpoint_passes_and_its_disks_are_read_through_the_admin_api() {
    let simulator = Simulator::builder()
        .seed(5)
        .check_invariants(true)
        .build()
        .expect("a simulator");
    let serving = served(&simulator).await;
    let report = play(&simulator, &serving, true, CLASH).await;
    assert_eq!(
        report.verdict,
        Verdict::Passed,
        "{}",
        table::render(&report, None)
    );
    let image = report.scenarios[0].steps[0]
        .checks
        .iter()
        .find(|check| check.what.contains("SHA-256"));
    assert_eq!(image.map(|check| check.verdict), Some(CheckVerdict::Passed));
    let audit = report.scenarios[0].audit.as_ref().expect("an audit");
    assert_eq!(audit.compared.len(), 2, "both views: {:?}", audit.compared);

    let report = play(&simulator, &serving, false, CLASH).await;
    assert_eq!(
        report.verdict,
        Verdict::Passed,
        "{}",
        table::render(&report, None)
    );
    let text = table::render(&report, None);
    assert!(
        text.contains("not checkable on this target: the REST API does not read disks"),
        "{text}"
    );
    serving.stop().await;
}

#[tokio::test]
async fn a_deploy_is_broken_off_at_the_same_point_on_a_fast_host_and_on_one_without_latency() {
    for (weather, time_scale) in [(Weather::Typical, 60.0), (Weather::Calm, 1.0)] {
        let simulator = Simulator::builder()
            .seed(5)
            .weather(weather)
            .time_scale(time_scale)
            .check_invariants(true)
            .build()
            .expect("a simulator");
        let serving = served(&simulator).await;
        let report = play(&simulator, &serving, false, BROKEN_OFF).await;
        let text = table::render(&report, None);
        assert_eq!(report.verdict, Verdict::Passed, "{text}");
        serving.stop().await;
    }
}
