//! The counters in the text form that Prometheus reads (OpenMetrics 1.0).

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _, text::encode};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use super::{Admin, refusal};
use crate::counters::BOUNDS;
use crate::simulator::Simulator;

/// The media type of the text.
pub(super) const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(super) async fn show(State(admin): State<Admin>) -> Response {
    let mut registry = Registry::with_prefix("powervm_sim");
    registry.register_collector(Box::new(Numbers(admin.simulator.clone())));
    let mut text = String::new();
    if let Err(error) = encode(&mut text, &registry) {
        return refusal(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string());
    }
    let mut response = Response::new(Body::from(text));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    response
}

/// The numbers of a simulator, taken when they are asked for.
#[derive(Debug)]
struct Numbers(Simulator);

impl Collector for Numbers {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let counters = self.0.counters();
        let by = |label: &'static str, value: &str| vec![(label, value.to_owned())];
        let of = |numbers: Vec<(String, u64)>, label: &'static str| -> Vec<_> {
            numbers
                .into_iter()
                .map(|(value, number)| (by(label, &value), number))
                .collect()
        };
        let methods = counters.by_method.into_iter().collect();
        let status = |(status, number): (u16, u64)| (status.to_string(), number);
        let statuses = counters.by_status.into_iter().map(status).collect();
        let server = |(server, number): (uuid::Uuid, u64)| (server.to_string(), number);
        let vios_writes = counters.vios_writes.into_iter().map(server).collect();
        let mapping_writes = counters.mapping_writes.into_iter().map(server).collect();
        for (name, help, family) in [
            ("requests", "Requests by method", of(methods, "method")),
            (
                "answers",
                "Answers by HTTP status, 0 for none",
                of(statuses, "status"),
            ),
            (
                "vios_writes",
                "Configuration changes of Virtual I/O Servers",
                of(vios_writes, "vios"),
            ),
            (
                "mapping_writes",
                "Those among them that were updates of the server itself",
                of(mapping_writes, "vios"),
            ),
            (
                "uploads",
                "File contents received completely",
                single(counters.uploads),
            ),
            (
                "upload_bytes",
                "Bytes of file contents received",
                single(counters.upload_bytes),
            ),
            (
                "preconditions_failed",
                "Changes refused because their If-Match was stale",
                single(counters.preconditions_failed),
            ),
            ("logons", "Successful logons", single(counters.logons)),
            ("faults", "Faults that struck", single(counters.faults)),
        ] {
            count(&mut encoder, name, help, &family)?;
        }
        let world = self.0.world();
        let now = self
            .0
            .now()
            .since(crate::clock::Millis::EPOCH)
            .as_secs_f64();
        for (name, help, value) in [
            ("sessions", "Sessions", self.0.sessions().len() as f64),
            (
                "partitions",
                "Logical partitions",
                world.partitions.len() as f64,
            ),
            ("jobs", "Jobs that are kept", world.jobs.len() as f64),
            (
                "simulated_seconds",
                "Simulated time since the simulated start",
                now,
            ),
        ] {
            let metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            ConstGauge::new(value).encode(metric)?;
        }
        self.durations(&mut encoder)
    }
}

impl Numbers {
    fn durations(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let mut family = encoder.encode_descriptor(
            "request_duration_seconds",
            "How long requests took in real time, by latency class",
            None,
            MetricType::Histogram,
        )?;
        for (class, durations) in self.0.shared().tally.durations() {
            let labels = vec![("class", class)];
            let metric = family.encode_family(&labels)?;
            let bounds = BOUNDS.iter().copied().chain([f64::INFINITY]);
            let buckets: Vec<(f64, u64)> = bounds.zip(durations.counts).collect();
            let all = durations.counts.iter().sum();
            let mut metric = metric;
            metric.encode_histogram::<prometheus_client::encoding::NoLabelSet>(
                durations.sum,
                all,
                &buckets,
                None,
            )?;
        }
        Ok(())
    }
}

type Family = [(Vec<(&'static str, String)>, u64)];

fn single(number: u64) -> Vec<(Vec<(&'static str, String)>, u64)> {
    vec![(Vec::new(), number)]
}

fn count(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    family: &Family,
) -> Result<(), std::fmt::Error> {
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    for (labels, number) in family {
        let counter = ConstCounter::new(*number);
        if labels.is_empty() {
            counter.encode(metric)?;
            return Ok(());
        }
        let one = metric.encode_family(labels)?;
        counter.encode(one)?;
    }
    Ok(())
}
