//! Meters in the text form that Prometheus reads (OpenMetrics 1.0).
//!
//! `docs/meters.md` lists the metrics. Base units: seconds, bytes, ratios. How many series there are is bounded, whatever
//! a console tells.

use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _, text::encode};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use super::InstanceMeters;
use crate::error::{Error, Result, printable};
use crate::operations::Metered;
use crate::partition::PowerState;

/// The media type of the text.
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// The most servers that are told of; a host has room for fewer.
pub const MOST_SERVERS: usize = 2000;
/// The most interfaces, and the most storage adapters, of one server.
pub const MOST_DEVICES: usize = 64;
/// The most pools, and the most Virtual I/O Servers.
const MOST_PARTS: usize = 256;
/// The longest value of a label, in letters.
const LONGEST_LABEL: usize = 128;
const MIB: f64 = 1_048_576.0;

/// What is to be told: the newest meters, or that there are none.
#[derive(Debug, Clone, Default)]
pub struct Exposition {
    /// The newest meters; none when they could not be read.
    pub metered: Option<Arc<Metered>>,
    /// How often meters were read.
    pub reads: u64,
    /// How often they could not be.
    pub failures: u64,
}

impl Exposition {
    /// The text.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn text(&self) -> Result<String> {
        let mut registry = Registry::with_prefix("powervm");
        registry.register_collector(Box::new(self.clone()));
        let mut text = String::new();
        encode(&mut text, &registry)
            .map_err(|error| Error::internal(format!("the metrics are no text: {error}")))?;
        Ok(text)
    }
}

/// A metric: its name, its help, and what it is of a device.
type Metric<D, V> = (&'static str, &'static str, fn(&D) -> V);
/// Labels with their values.
type Labels = Vec<(&'static str, String)>;
/// The values of one metric.
type Family = Vec<(Labels, f64)>;

fn label(name: &'static str, value: &str) -> (&'static str, String) {
    (name, printable(value).chars().take(LONGEST_LABEL).collect())
}

impl Collector for Exposition {
    fn encode(
        &self,
        mut encoder: DescriptorEncoder<'_>,
    ) -> std::result::Result<(), std::fmt::Error> {
        let mut tell = Tell(&mut encoder);
        let up = f64::from(u8::from(self.metered.is_some()));
        tell.gauge(
            "up",
            "Whether the meters could be read at the last try",
            &single(up),
        )?;
        let count = |number: u64| single(float(number));
        tell.counter("reads", "Reads of the meters", &count(self.reads))?;
        tell.counter(
            "read_failures",
            "Reads of the meters that failed",
            &count(self.failures),
        )?;
        let Some(metered) = &self.metered else {
            return Ok(());
        };
        host(&mut tell, metered)?;
        let told = metered
            .servers
            .get(..MOST_SERVERS)
            .unwrap_or(&metered.servers);
        let omitted = metered.servers.len() - told.len();
        let help = "Servers that are not told of, since there are too many";
        tell.gauge(
            "servers_omitted",
            help,
            &count(u64::try_from(omitted).unwrap_or(u64::MAX)),
        )?;
        servers(&mut tell, told)?;
        interfaces(&mut tell, told)?;
        disks(&mut tell, told)
    }
}

fn host(tell: &mut Tell<'_, '_>, metered: &Metered) -> std::fmt::Result {
    let host = &metered.host;
    let info = vec![
        label("system", &metered.system),
        label("machine", &metered.machine),
    ];
    tell.gauge(
        "host_info",
        "The system that is metered",
        &vec![(info, 1.0)],
    )?;
    let at = host.sampled_at.as_millisecond();
    // Milliseconds since 1970 are far below what a float holds exactly.
    #[allow(clippy::cast_precision_loss)]
    let at = single(at as f64 / 1000.0);
    tell.gauge(
        "sample_timestamp_seconds",
        "When the newest sample was taken",
        &at,
    )?;
    let cpu = &metered.cpu_since_start;
    let modes = [
        ("kernel", cpu.kernel_ns),
        ("user", cpu.user_ns),
        ("idle", cpu.idle_ns),
        ("iowait", cpu.iowait_ns),
    ];
    let modes = modes.map(|(mode, time)| (vec![label("mode", mode)], seconds(time)));
    tell.counter(
        "host_cpu_seconds",
        "Time of the host's processors since this program began",
        &modes.to_vec(),
    )?;
    let units = &host.processors;
    let kinds = [
        ("total", units.total_units),
        ("configurable", units.configurable_units),
        ("available", units.available_units),
    ];
    let kinds = kinds.map(|(kind, units)| (vec![label("kind", kind)], units));
    tell.gauge(
        "host_processing_units",
        "Processing units of the host",
        &kinds.to_vec(),
    )?;
    let memory = &host.memory;
    let kinds = [
        ("total", memory.total_mb),
        ("configurable", memory.configurable_mb),
        ("available", memory.available_mb),
        ("firmware", memory.firmware_mb),
    ];
    let kinds = kinds.map(|(kind, mb)| (vec![label("kind", kind)], float(mb) * MIB));
    tell.gauge("host_memory_bytes", "Memory of the host", &kinds.to_vec())?;
    let (mut assigned, mut used) = (Family::new(), Family::new());
    for pool in host.pools.iter().take(MOST_PARTS) {
        let labels = vec![
            label("pool", &pool.id.to_string()),
            label("name", &pool.name),
        ];
        assigned.push((labels.clone(), seconds(pool.assigned_ns)));
        used.push((labels, seconds(pool.used_ns)));
    }
    tell.counter(
        "processor_pool_assigned_seconds",
        "Time of processors that a pool had",
        &assigned,
    )?;
    tell.counter(
        "processor_pool_used_seconds",
        "Time of processors that a pool's partitions used",
        &used,
    )?;
    let (mut time, mut memory, mut memory_used) = (Family::new(), Family::new(), Family::new());
    for vios in host.virtual_io_servers.iter().take(MOST_PARTS) {
        let labels = vec![label("vios", &vios.name), label("id", &vios.id.to_string())];
        time.push((labels.clone(), seconds(vios.time_ns)));
        memory.push((labels.clone(), float(vios.memory_mb) * MIB));
        memory_used.extend(vios.memory_used_mb.map(|mb| (labels, float(mb) * MIB)));
    }
    tell.counter(
        "vios_cpu_seconds",
        "Time of processors that a Virtual I/O Server used",
        &time,
    )?;
    tell.gauge(
        "vios_memory_bytes",
        "Memory of a Virtual I/O Server",
        &memory,
    )?;
    tell.gauge(
        "vios_memory_used_bytes",
        "Memory that a Virtual I/O Server uses",
        &memory_used,
    )
}

/// The label that tells servers apart. Their names stand in one metric alone, so that a renamed one stays the same.
fn of(server: &InstanceMeters) -> Labels {
    vec![label("server", &server.id.as_uuid().to_string())]
}

fn servers(tell: &mut Tell<'_, '_>, servers: &[InstanceMeters]) -> std::fmt::Result {
    let family = |value: &dyn Fn(&InstanceMeters) -> Option<f64>| -> Family {
        servers
            .iter()
            .filter_map(|server| Some((of(server), value(server)?)))
            .collect()
    };
    let named = |server: &InstanceMeters| {
        let mut labels = of(server);
        labels.push(label("name", &server.name));
        (labels, 1.0)
    };
    tell.gauge(
        "server_info",
        "A server, with its name",
        &servers.iter().map(named).collect(),
    )?;
    let is_running = |status| f64::from(u8::from(status == PowerState::Running));
    tell.gauge(
        "server_running",
        "Whether a server runs",
        &family(&|it| Some(is_running(it.status))),
    )?;
    tell.gauge(
        "server_cpus",
        "Processors of a server",
        &family(&|it| Some(f64::from(it.cpu.number))),
    )?;
    let help = "Time of processors that a server used";
    tell.counter(
        "server_cpu_seconds",
        help,
        &family(&|it| Some(seconds(it.cpu.time_ns))),
    )?;
    let help = "Processors used, as a share of the entitlement, between the two newest samples";
    let ratio = family(&|it| it.cpu.utilisation_percent.map(|percent| percent / 100.0));
    tell.gauge("server_cpu_utilisation_ratio", help, &ratio)?;
    let total = family(&|it| Some(float(it.memory.total_mb) * MIB));
    tell.gauge("server_memory_bytes", "Memory of a server", &total)?;
    let used = family(&|it| it.memory.used_mb.map(|mb| float(mb) * MIB));
    tell.gauge(
        "server_memory_used_bytes",
        "Memory that a server's operating system uses",
        &used,
    )
}

fn interfaces(tell: &mut Tell<'_, '_>, servers: &[InstanceMeters]) -> std::fmt::Result {
    use super::InterfaceMeters as It;
    let metrics: [Metric<It, Option<u64>>; 7] = [
        ("receive_bytes", "Bytes received", |it| Some(it.rx_bytes)),
        ("transmit_bytes", "Bytes sent", |it| Some(it.tx_bytes)),
        ("receive_packets", "Packets received", |it| {
            Some(it.rx_packets)
        }),
        ("transmit_packets", "Packets sent", |it| Some(it.tx_packets)),
        ("dropped_packets", "Packets dropped, on either way", |it| {
            Some(it.dropped_packets)
        }),
        (
            "receive_errors",
            "Receptions that failed, of SR-IOV ports",
            |it| it.rx_errors,
        ),
        (
            "transmit_errors",
            "Packets that could not be sent, of SR-IOV ports",
            |it| it.tx_errors,
        ),
    ];
    for (name, help, value) in metrics {
        let mut family = Family::new();
        for server in servers {
            for interface in server.interfaces.iter().take(MOST_DEVICES) {
                let mut labels = of(server);
                labels.push(label("device", &interface.name));
                let mac = interface.mac.map(|mac| mac.to_string()).unwrap_or_default();
                labels.push(label("mac", &mac));
                family.extend(value(interface).map(|value| (labels, float(value))));
            }
        }
        tell.counter(&format!("server_network_{name}"), help, &family)?;
    }
    Ok(())
}

fn disks(tell: &mut Tell<'_, '_>, servers: &[InstanceMeters]) -> std::fmt::Result {
    use super::DiskMeters as It;
    let metrics: [Metric<It, u64>; 4] = [
        ("read_bytes", "Bytes read", |it| it.read_bytes),
        ("written_bytes", "Bytes written", |it| it.write_bytes),
        ("reads_completed", "Reads", |it| it.read_requests),
        ("writes_completed", "Writes", |it| it.write_requests),
    ];
    for (name, help, value) in metrics {
        let mut family = Family::new();
        for server in servers {
            for disk in server.disks.iter().take(MOST_DEVICES) {
                let mut labels = of(server);
                labels.push(label("vios", &disk.served_by));
                labels.push(label("device", &disk.device));
                family.push((labels, float(value(disk))));
            }
        }
        tell.counter(&format!("server_disk_{name}"), help, &family)?;
    }
    Ok(())
}

/// Writes metrics; one without values is left out.
struct Tell<'t, 'e>(&'t mut DescriptorEncoder<'e>);

impl Tell<'_, '_> {
    fn gauge(&mut self, name: &str, help: &str, family: &Family) -> std::fmt::Result {
        if family.is_empty() {
            return Ok(());
        }
        let mut metric = self
            .0
            .encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, value) in family {
            let value = ConstGauge::new(*value);
            if labels.is_empty() {
                return value.encode(metric);
            }
            value.encode(metric.encode_family(labels)?)?;
        }
        Ok(())
    }

    /// The encoder adds `_total` to the name.
    fn counter(&mut self, name: &str, help: &str, family: &Family) -> std::fmt::Result {
        if family.is_empty() {
            return Ok(());
        }
        let mut metric = self
            .0
            .encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in family {
            let value = ConstCounter::new(*value);
            if labels.is_empty() {
                return value.encode(metric);
            }
            value.encode(metric.encode_family(labels)?)?;
        }
        Ok(())
    }
}

fn single(value: f64) -> Family {
    vec![(Labels::new(), value)]
}

/// Counters are floats in this form anyway.
#[allow(clippy::cast_precision_loss)]
fn float(number: u64) -> f64 {
    number as f64
}

fn seconds(nanoseconds: u64) -> f64 {
    float(nanoseconds) / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_meters_it_says_so_and_nothing_else() {
        let exposition = Exposition {
            metered: None,
            reads: 3,
            failures: 2,
        };
        let text = exposition.text().unwrap();
        for line in [
            "powervm_up 0.0",
            "powervm_reads_total 3.0",
            "powervm_read_failures_total 2.0",
            "# EOF",
        ] {
            assert!(text.lines().any(|it| it == line), "{line}: {text}");
        }
        assert!(!text.contains("powervm_host"), "{text}");
    }

    #[test]
    fn labels_are_short_and_of_one_line() {
        let (_, value) = label("name", &format!("a\nb{}", "x".repeat(1000)));
        assert_eq!(value.chars().count(), LONGEST_LABEL);
        assert!(value.starts_with("a b"));
    }
}
