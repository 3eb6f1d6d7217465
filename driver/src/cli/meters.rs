//! `powervm server meters|diagnostics`, `powervm host stats|uptime` and `powervm metrics`.

use serde::Serialize;

use super::arguments::Metrics;
use super::dry_run;
use super::output::{Output, Table, put};
use crate::devices::Machine;
use crate::error::{Error, ErrorKind, Result};
use crate::metering::{Exporter, HostMeters, InstanceMeters};
use crate::operations::{Control, Diagnostics, Driver, Meter, ServerRef};

pub(super) async fn server(driver: &Driver, server: &str, output: &Output) -> Result<()> {
    let meters = driver.server_meters(ServerRef::parse(server)).await?;
    output.print(&meters, metered)
}

pub(super) async fn diagnostics(driver: &Driver, server: &str, output: &Output) -> Result<()> {
    let diagnostics = driver.diagnostics(ServerRef::parse(server)).await?;
    output.print(&diagnostics, diagnosed)
}

pub(super) async fn host(driver: &Driver, output: &Output) -> Result<()> {
    let meters = driver.host_meters().await?;
    let frequency_mhz = driver.clock_mhz_beside(&Machine::default()).await?;
    let stats = Stats {
        meters,
        frequency_mhz,
    };
    output.print(&stats, host_metered)
}

pub(super) async fn monitor(
    driver: &Driver,
    on: bool,
    off: bool,
    output: &Output,
    control: &Control,
) -> Result<()> {
    if on || off {
        driver.monitor(on, control).await?;
    }
    let is_on = driver.is_monitored().await?;
    output.print(&serde_json::json!({"long_term_monitor": is_on}), |_| {
        let mut table = Table::of_fields();
        table.field("long_term_monitor", if is_on { "on" } else { "off" });
        table
    })
}

pub(super) async fn uptime(driver: &Driver, output: &Output) -> Result<()> {
    output.print(&driver.uptime().await?, |uptime| {
        let mut table = Table::of_fields();
        table
            .field("uptime", &uptime.text)
            .field("seconds", uptime.seconds)
            .field("of", &uptime.of);
        table
    })
}

/// Prints the metrics, as text for Prometheus or as what they are made of, or serves them until it is interrupted.
pub(super) async fn metrics(
    driver: &Driver,
    given: &Metrics,
    output: &Output,
    control: &Control,
) -> Result<()> {
    let exporter = Exporter::of(driver);
    let Some(address) = given.listen else {
        if output.is_json() {
            let metered = Meter::of(driver).read().await?;
            return output.print(&*metered, |_| Table::of_fields());
        }
        let text = exporter.once().await?;
        return put(text.trim_end());
    };
    dry_run::instead(control, &format!("serve the meters at {address}"))?;
    let unusable = |error| {
        let what = format!("nothing can be served at {address}");
        Error::caused(
            ErrorKind::Local,
            what,
            "choose another address or port",
            error,
        )
    };
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .map_err(unusable)?;
    let address = listener.local_addr().map_err(unusable)?;
    eprintln!("metrics at http://{address}/metrics");
    exporter.serve(listener, control.token()).await
}

/// The host's meters, with what this machine knows of it.
#[derive(Serialize)]
struct Stats {
    #[serde(flatten)]
    meters: HostMeters,
    /// None elsewhere than on the management partition of a NovaLink.
    frequency_mhz: Option<u32>,
}

fn host_metered(stats: &Stats) -> Table {
    let host = &stats.meters;
    let mut table = Table::of_fields();
    table.field("sampled_at", host.sampled_at);
    if let (Some(cpu), Some(seconds)) = (&host.cpu, host.interval_seconds) {
        table
            .field("interval", format!("{seconds} s"))
            .field("cpu", format!("{:.1} %", cpu.percent()))
            .field("cpu_kernel", in_seconds(cpu.kernel_ns))
            .field("cpu_user", in_seconds(cpu.user_ns))
            .field("cpu_idle", in_seconds(cpu.idle_ns));
    }
    if let Some(mhz) = stats.frequency_mhz {
        table.field("frequency", format!("{mhz} MHz"));
    }
    let (units, memory) = (&host.processors, &host.memory);
    table
        .field(
            "proc_units",
            format!(
                "{} of {} free",
                units.available_units, units.configurable_units
            ),
        )
        .field(
            "memory_mb",
            format!("{} of {} free", memory.available_mb, memory.configurable_mb),
        )
        .field("memory_firmware_mb", memory.firmware_mb);
    for pool in &host.pools {
        let used = in_seconds(pool.used_ns);
        table.field("processor_pool", format!("{}: {used} used", pool.name));
    }
    for vios in &host.virtual_io_servers {
        let memory = match vios.memory_used_mb {
            Some(used) => format!("{used} of {} MB used", vios.memory_mb),
            None => format!("{} MB", vios.memory_mb),
        };
        table.field("virtual_io_server", format!("{}: {memory}", vios.name));
    }
    table
}

fn metered(meters: &InstanceMeters) -> Table {
    let mut table = Table::of_fields();
    table
        .field("id", meters.id.as_uuid())
        .field("name", &meters.name)
        .field("status", meters.status)
        .field("sampled_at", meters.sampled_at)
        .field("cpus", meters.cpu.number)
        .field("cpu_time", in_seconds(meters.cpu.time_ns));
    if let Some(percent) = meters.cpu.utilisation_percent {
        table.field(
            "cpu_utilisation",
            format!("{percent:.1} % of the entitlement"),
        );
    }
    let memory = meters.memory;
    match memory.used_mb {
        Some(used) => table.field("memory_mb", format!("{used} of {} used", memory.total_mb)),
        None => table.field("memory_mb", memory.total_mb),
    };
    for it in &meters.interfaces {
        let name = it
            .mac
            .map_or_else(|| it.name.clone(), |mac| mac.to_string());
        let counted = format!(
            "{name}: received {} B in {} packets, sent {} B in {}, dropped {}{}",
            it.rx_bytes,
            it.rx_packets,
            it.tx_bytes,
            it.tx_packets,
            it.dropped_packets,
            speed(it.rx_bytes_per_second, it.tx_bytes_per_second),
        );
        table.field("interface", counted);
    }
    for it in &meters.disks {
        let counted = format!(
            "{} of {}: {} reads of {} B, {} writes of {} B{}",
            it.device,
            it.served_by,
            it.read_requests,
            it.read_bytes,
            it.write_requests,
            it.write_bytes,
            it.iops
                .map_or_else(String::new, |iops| format!("; {iops:.1} a second")),
        );
        table.field("disk", counted);
    }
    for untold in &meters.untold {
        table.field("untold", untold);
    }
    table
}

fn speed(received: Option<f64>, sent: Option<f64>) -> String {
    match (received, sent) {
        (Some(received), Some(sent)) => {
            format!("; {received:.0} and {sent:.0} B/s")
        }
        _ => String::new(),
    }
}

fn diagnosed(diagnostics: &Diagnostics) -> Table {
    let or_dash = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |it| it.to_string());
    let mut table = Table::of_fields();
    table
        .field("state", diagnostics.state)
        .field("driver", diagnostics.driver)
        .field("hypervisor", diagnostics.hypervisor)
        .field("hypervisor_os", diagnostics.hypervisor_os)
        .field("uptime", or_dash(diagnostics.uptime))
        .field("config_drive", diagnostics.config_drive)
        .field("num_cpus", diagnostics.num_cpus)
        .field("num_nics", diagnostics.num_nics)
        .field("num_disks", diagnostics.num_disks);
    let memory = diagnostics.memory_details;
    table.field(
        "memory_details",
        format!("{} MB, used {}", memory.maximum, or_dash(memory.used)),
    );
    for cpu in &diagnostics.cpu_details {
        let used = or_dash(cpu.utilisation);
        table.field("cpu_details", format!("{}, {used} %", in_seconds(cpu.time)));
    }
    for nic in &diagnostics.nic_details {
        let mac = nic
            .mac_address
            .map(|mac| mac.to_string())
            .unwrap_or_default();
        let (received, sent) = (or_dash(nic.rx_octets), or_dash(nic.tx_octets));
        table.field(
            "nic_details",
            format!("{mac}: received {received} B, sent {sent} B"),
        );
    }
    for disk in &diagnostics.disk_details {
        let (read, written) = (disk.read_bytes, disk.write_bytes);
        table.field("disk_details", format!("read {read} B, wrote {written} B"));
    }
    for untold in &diagnostics.untold {
        table.field("untold", untold);
    }
    table
}

fn in_seconds(nanoseconds: u64) -> String {
    let (whole, rest) = (nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000);
    format!("{whole}.{:03} s", rest / 1_000_000)
}
