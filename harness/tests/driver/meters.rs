//! Meters, diagnostics and uptime, from the samples of the simulator.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use powervm_driver::ErrorKind;
use powervm_driver::config::DiskDriver;
use powervm_driver::devices::Machine;
use powervm_driver::metering::{Exporter, InterfaceKind};
use powervm_driver::operations::{Control, Meter, Stop};
use powervm_driver::partition::PowerState;
use powervm_simulator::weather::Rule;
use tower::ServiceExt;

use crate::support::{Bench, FLAVORS, instance};

/// A bench with a server that has run for some samples.
async fn metered(number: usize) -> Bench {
    let bench = Bench::new(FLAVORS[number], DiskDriver::Ssp).await;
    bench
        .driver
        .monitor(true, &Control::default())
        .await
        .unwrap();
    bench.spawn(1).await.unwrap();
    samples(4).await;
    bench
}

async fn samples(number: u64) {
    tokio::time::sleep(Duration::from_secs(30 * number)).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_is_metered_on_both() {
    for number in [0, 1] {
        let bench = metered(number).await;
        let meters = bench.driver.server_meters(instance(1)).await.unwrap();
        let shown = bench.driver.show(instance(1)).await.unwrap();
        assert_eq!(
            (meters.status, meters.interval_seconds),
            (PowerState::Running, Some(30.0))
        );
        assert_eq!((meters.cpu.number, meters.memory.total_mb), (1, 1024));
        assert!(meters.cpu.time_ns > 0);
        let percent = meters.cpu.utilisation_percent.unwrap();
        assert!(percent > 0.0 && percent < 200.0, "{percent}");
        let used = meters.memory.used_mb.unwrap();
        assert!(used > 0 && used < 1024, "{used}");
        let macs: Vec<_> = shown.interfaces.iter().map(|it| it.mac).collect();
        assert_eq!(meters.interfaces.len(), macs.len());
        for it in &meters.interfaces {
            assert!(it.mac.is_some() && macs.contains(&it.mac), "{it:?}");
            assert_eq!(
                (it.kind, it.rx_errors),
                (InterfaceKind::VirtualEthernet, None)
            );
            assert!(
                it.rx_bytes > 0 && it.rx_bytes_per_second.unwrap() > 0.0,
                "{it:?}"
            );
            assert!(
                it.tx_packets > 0 && it.tx_bytes_per_second.unwrap() > 0.0,
                "{it:?}"
            );
        }
        assert!(!meters.disks.is_empty());
        for it in &meters.disks {
            assert!(
                it.device.starts_with("vhost") && !it.served_by.is_empty(),
                "{it:?}"
            );
            assert!(
                it.read_bytes > 0 && it.write_requests > 0 && it.iops.unwrap() > 0.0,
                "{it:?}"
            );
        }
        assert_eq!(meters.untold, Vec::<String>::new());
        // Rates are those of counters that go on.
        samples(1).await;
        let later = bench.driver.server_meters(instance(1)).await.unwrap();
        let grown = later.interfaces[0].rx_bytes - meters.interfaces[0].rx_bytes;
        let rate = later.interfaces[0].rx_bytes_per_second.unwrap();
        assert!((grown as f64 / 30.0 - rate).abs() < 1.0, "{grown} {rate}");
    }
}

#[tokio::test(start_paused = true)]
async fn diagnostics_have_novas_fields_with_and_without_meters() {
    for number in [0, 1] {
        let bench = Bench::new(FLAVORS[number], DiskDriver::Ssp).await;
        bench.spawn(1).await.unwrap();
        let bare = bench.driver.diagnostics(instance(1)).await.unwrap();
        assert_eq!(
            (bare.state, bare.num_disks, bare.config_drive),
            ("running", 1, true)
        );
        assert!(bare.num_nics >= 1 && bare.nic_details[0].rx_octets.is_none());
        assert!(
            bare.untold[0].contains("powervm host monitor --on"),
            "{:?}",
            bare.untold
        );
        bench
            .driver
            .monitor(true, &Control::default())
            .await
            .unwrap();
        samples(3).await;
        let whole = bench.driver.diagnostics(instance(1)).await.unwrap();
        assert_eq!(whole.untold, Vec::<String>::new());
        assert!(whole.memory_details.used.is_some());
        assert!(whole.cpu_details[0].time > 0 && whole.cpu_details[0].id.is_none());
        assert!(
            whole.nic_details.iter().all(|nic| nic.rx_rate.is_some()),
            "{whole:?}"
        );
        assert!(whole.disk_details.iter().all(|disk| disk.read_bytes > 0));
        let value = serde_json::to_value(&whole).unwrap();
        for field in [
            "state",
            "driver",
            "hypervisor",
            "hypervisor_os",
            "uptime",
            "config_drive",
            "num_cpus",
            "num_nics",
            "num_disks",
            "memory_details",
            "cpu_details",
            "nic_details",
            "disk_details",
        ] {
            assert!(value.get(field).is_some(), "{field}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_off_tells_less_and_says_why() {
    let bench = metered(0).await;
    bench
        .driver
        .stop(instance(1), Stop::Hard, &Control::default())
        .await
        .unwrap();
    samples(2).await;
    let meters = bench.driver.server_meters(instance(1)).await.unwrap();
    assert_eq!(
        (meters.status, meters.memory.used_mb),
        (PowerState::Shutdown, None)
    );
    assert_eq!(meters.cpu.utilisation_percent, Some(0.0));
    assert!(
        meters.untold[0].contains("does not run"),
        "{:?}",
        meters.untold
    );
}

#[tokio::test(start_paused = true)]
async fn one_that_came_after_the_sample_is_told_to_wait() {
    let bench = metered(0).await;
    let unknown = bench.driver.server_meters(instance(9)).await.unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn without_samples_it_says_what_to_do() {
    for flavor in FLAVORS {
        let bench = Bench::new(flavor, DiskDriver::Ssp).await;
        let off = bench.driver.host_meters().await.unwrap_err();
        assert_eq!(off.kind(), ErrorKind::Precondition);
        assert!(off.to_string().contains("--on"), "{off}");
        bench
            .driver
            .monitor(true, &Control::default())
            .await
            .unwrap();
        // Samples lie on a grid: the first one may be there at once.
        if let Err(early) = bench.driver.host_meters().await {
            assert!(early.to_string().contains("within a minute"), "{early}");
        }
        samples(1).await;
        bench.driver.host_meters().await.unwrap();
        bench
            .driver
            .monitor(false, &Control::default())
            .await
            .unwrap();
        assert!(!bench.driver.is_monitored().await.unwrap());
        let forbidden =
            Rule::new("GET", "/rest/api/pcm/*").answer(403, "Forbidden", "HSCL350F no authority");
        bench.simulator.faults().add(forbidden).unwrap();
        let refused = bench.driver.host_meters().await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Forbidden);
    }
}

#[tokio::test(start_paused = true)]
async fn the_host_is_metered_and_its_time_adds_up() {
    for number in [0, 1] {
        let bench = metered(number).await;
        let host = bench.driver.host_meters().await.unwrap();
        let cpu = host.cpu.unwrap();
        let all = cpu.kernel_ns + cpu.user_ns + cpu.idle_ns;
        let wanted = host.processors.configurable_units * 30.0;
        assert!(
            (all as f64 / 1e9 - wanted).abs() < wanted / 100.0,
            "{all} {wanted}"
        );
        assert!(cpu.kernel_ns > 0 && cpu.user_ns > 0 && cpu.iowait_ns == 0);
        let capacity = bench.driver.capacity().await.unwrap();
        assert_eq!(host.memory.configurable_mb, capacity.memory_mb);
        assert!((host.processors.configurable_units - capacity.proc_units).abs() < 1e-9);
        assert!(
            host.virtual_io_servers
                .iter()
                .all(|vios| vios.memory_used_mb.is_some())
        );
        let meter = Meter::of(&bench.driver);
        let first = meter.read().await.unwrap();
        assert_eq!(first.cpu_since_start, cpu);
        samples(3).await;
        let second = meter.read().await.unwrap();
        // Time goes on from the last sample that was read, however many there were between.
        let since = second.cpu_since_start;
        let grown = since.kernel_ns + since.user_ns + since.idle_ns - all;
        assert!(
            (grown as f64 / 1e9 - 3.0 * wanted).abs() < wanted / 10.0,
            "{grown} {wanted}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_console_is_asked_once_for_each_sample() {
    let bench = metered(1).await;
    let meter = Meter::of(&bench.driver);
    let first = meter.read().await.unwrap();
    bench.calls.take();
    assert_eq!(*meter.read().await.unwrap(), *first);
    assert!(bench.calls.take().is_empty());
    samples(1).await;
    meter.read().await.unwrap();
    let asked = bench.calls.take();
    let adapters = asked
        .iter()
        .filter(|(_, path)| path.contains("ClientNetworkAdapter"));
    assert_eq!(adapters.count(), 0, "addresses are known: {asked:?}");
    let files = asked.iter().filter(|(_, path)| path.contains("_phyp_"));
    assert_eq!(files.count(), 1, "the sample before is known: {asked:?}");
}

#[tokio::test(start_paused = true)]
async fn prometheus_is_told() {
    for number in [0, 1] {
        let bench = metered(number).await;
        let exporter = Exporter::of(&bench.driver);
        let ask = || async {
            let request = http::Request::get("/metrics")
                .body(Empty::<Bytes>::new())
                .unwrap();
            let answer = exporter.router().oneshot(request).await.unwrap();
            assert_eq!(answer.status(), 200);
            let kind = answer.headers()["content-type"]
                .to_str()
                .unwrap()
                .to_owned();
            assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
            let bytes = answer.into_body().collect().await.unwrap().to_bytes();
            parse(std::str::from_utf8(&bytes).unwrap())
        };
        let metrics = ask().await;
        let id = instance(1).to_string().replace("f1c2", "71c2");
        let of = |name: &str| -> Vec<f64> {
            let series = metrics.iter().filter(|(series, _)| {
                series.starts_with(&format!("{name}{{")) && series.contains(&id)
            });
            series.map(|(_, value)| *value).collect()
        };
        assert_eq!(metrics["powervm_up"], 1.0);
        assert_eq!(of("powervm_server_running"), [1.0]);
        assert_eq!(of("powervm_server_memory_bytes"), [1_073_741_824.0]);
        for name in [
            "powervm_server_cpu_seconds_total",
            "powervm_server_cpu_utilisation_ratio",
            "powervm_server_memory_used_bytes",
            "powervm_server_network_receive_bytes_total",
            "powervm_server_network_transmit_packets_total",
            "powervm_server_disk_read_bytes_total",
            "powervm_server_disk_writes_completed_total",
        ] {
            let values = of(name);
            assert!(
                !values.is_empty() && values.iter().all(|value| *value > 0.0),
                "{name}: {values:?}"
            );
        }
        assert!(metrics["powervm_host_cpu_seconds_total{mode=\"idle\"}"] > 0.0);
        // A console that is away is a metric, not a missing one.
        let away = Rule::new("GET", "/rest/api/pcm/*").answer(503, "Unavailable", "starting");
        bench.simulator.faults().add(away).unwrap();
        samples(1).await;
        let metrics = ask().await;
        assert_eq!(
            (
                metrics["powervm_up"],
                metrics["powervm_read_failures_total"]
            ),
            (0.0, 1.0)
        );
    }
}

/// Series and their values. Lines that are none are comments, and the end is marked.
fn parse(text: &str) -> BTreeMap<String, f64> {
    assert!(text.ends_with("# EOF\n"), "{text}");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let series = lines.map(|line| {
        let (series, value) = line.rsplit_once(' ').unwrap();
        (series.to_owned(), value.parse().unwrap())
    });
    series.collect()
}

#[tokio::test(start_paused = true)]
async fn the_host_says_how_long_it_has_been_up() {
    for flavor in FLAVORS {
        let bench = Bench::new(flavor, DiskDriver::Ssp).await;
        samples(240).await;
        let machine = Machine::told_of_in("/nonexistent");
        let uptime = bench.driver.uptime_beside(&machine).await.unwrap();
        assert!(
            uptime.seconds >= 7200 && uptime.text.starts_with("up "),
            "{uptime:?}"
        );
        assert_eq!(bench.driver.clock_mhz_beside(&machine).await.unwrap(), None);
        // A machine that says it is some partition of some host is not therefore this host's.
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("ppc64")).unwrap();
        std::fs::write(folder.path().join("ppc64/lparcfg"), "partition_id=999\n").unwrap();
        std::fs::write(folder.path().join("uptime"), "5.0 1.0\n").unwrap();
        let other = Machine::told_of_in(folder.path());
        assert_ne!(
            bench.driver.uptime_beside(&other).await.unwrap().of,
            "this machine"
        );
    }
}
