//! What went over the wire, counted where the driver hands its requests over, so that it works on any target.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use powervm_driver::rest::CallObserver;
use serde::Serialize;

/// Requests, counted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Traffic {
    /// All HTTP requests.
    pub requests: u64,
    /// Changes of Virtual I/O Servers and what hangs below them (mappings, volume groups), by the server's UUID.
    pub vios_writes: BTreeMap<String, u64>,
    /// Those of them that write the SCSI mappings.
    pub mapping_writes: BTreeMap<String, u64>,
    /// Uploads of disk images; config drives are not among them.
    pub image_uploads: u64,
    /// Requests by method and path, identifiers left out.
    pub calls: BTreeMap<String, u64>,
}

impl Traffic {
    /// What came on top of an earlier count.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let less = |now: &BTreeMap<String, u64>, then: &BTreeMap<String, u64>| {
            now.iter()
                .map(|(key, count)| {
                    (
                        key.clone(),
                        count.saturating_sub(then.get(key).copied().unwrap_or_default()),
                    )
                })
                .filter(|(_, count)| *count > 0)
                .collect()
        };
        Self {
            requests: self.requests.saturating_sub(earlier.requests),
            vios_writes: less(&self.vios_writes, &earlier.vios_writes),
            mapping_writes: less(&self.mapping_writes, &earlier.mapping_writes),
            image_uploads: self.image_uploads.saturating_sub(earlier.image_uploads),
            calls: less(&self.calls, &earlier.calls),
        }
    }

    /// All changes of Virtual I/O Servers.
    #[must_use]
    pub fn all_vios_writes(&self) -> u64 {
        self.vios_writes.values().sum()
    }

    /// The most mapping writes that any one Virtual I/O Server got.
    #[must_use]
    pub fn most_mapping_writes(&self) -> u64 {
        self.mapping_writes
            .values()
            .copied()
            .max()
            .unwrap_or_default()
    }
}

/// Counts requests; shared between a transport and whoever reads the count.
#[derive(Default)]
pub struct Meter {
    traffic: Mutex<Traffic>,
    watch: Option<Arc<dyn CallObserver>>,
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meter")
            .field("traffic", &self.traffic)
            .finish_non_exhaustive()
    }
}

impl Meter {
    /// Counts nothing yet; `watch` sees every request as well.
    #[must_use]
    pub fn watched_by(watch: Option<Arc<dyn CallObserver>>) -> Self {
        Self {
            traffic: Mutex::default(),
            watch,
        }
    }

    /// Whoever sees every request as well.
    pub(super) fn watch(&self) -> Option<&Arc<dyn CallObserver>> {
        self.watch.as_ref()
    }

    /// Counts one request by its method and path with query.
    pub fn request(&self, method: &str, path_and_query: &str) {
        let (path, query) = path_and_query
            .split_once('?')
            .unwrap_or((path_and_query, ""));
        let mut traffic = self.traffic.lock().unwrap_or_else(PoisonError::into_inner);
        traffic.requests += 1;
        *traffic
            .calls
            .entry(format!("{method} {}", template(path)))
            .or_default() += 1;
        if !matches!(method, "POST" | "PUT" | "DELETE") {
            return;
        }
        if let Some((vios, below)) = vios_of(path) {
            *traffic.vios_writes.entry(vios.to_owned()).or_default() += 1;
            if method == "POST" && below.is_empty() && writes_mappings(query) {
                *traffic.mapping_writes.entry(vios.to_owned()).or_default() += 1;
            }
        }
    }

    /// Counts the upload of a disk image.
    pub fn image_upload(&self) {
        self.traffic
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .image_uploads += 1;
    }

    /// The count so far.
    #[must_use]
    pub fn read(&self) -> Traffic {
        self.traffic
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// The UUID of the Virtual I/O Server that a path names, and the path below it.
fn vios_of(path: &str) -> Option<(&str, &str)> {
    let (_, rest) = path.split_once("/VirtualIOServer/")?;
    let (vios, below) = rest.split_once('/').unwrap_or((rest, ""));
    // Jobs change nothing in the server's document, and reads of feeds name no server.
    (!below.starts_with("do/") && looks_like_id(vios)).then_some((vios, below))
}

/// A write of a Virtual I/O Server writes the mappings when it says so, or when it does not say what it writes.
fn writes_mappings(query: &str) -> bool {
    match query
        .split('&')
        .find_map(|pair| pair.strip_prefix("group="))
    {
        None => true,
        Some(groups) => groups.contains("ViosSCSIMapping"),
    }
}

/// A path with its identifiers replaced by `{id}`.
pub(crate) fn template(path: &str) -> String {
    let segments: Vec<&str> = path
        .split('/')
        .map(|segment| {
            if looks_like_id(segment) {
                "{id}"
            } else {
                segment
            }
        })
        .collect();
    segments.join("/")
}

fn looks_like_id(segment: &str) -> bool {
    let uuid_like = segment.len() >= 32
        && segment
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let number = !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
    let search = segment.starts_with('(');
    uuid_like || number || search || segment.starts_with("%28")
}

#[cfg(test)]
mod tests {
    use super::Meter;

    const VIOS: &str = "3443DB77-AED1-47ED-9AA5-3DB9C6CF7089";

    #[test]
    fn counts_requests_and_writes_per_vios() {
        let meter = Meter::default();
        let system = "/rest/api/uom/ManagedSystem/6dcb8a1a-2cc0-4a54-8b4e-b2d0ac5f0d4b";
        meter.request(
            "GET",
            &format!("{system}/VirtualIOServer?group=ViosSCSIMapping"),
        );
        meter.request(
            "POST",
            &format!("{system}/VirtualIOServer/{VIOS}?group=ViosSCSIMapping"),
        );
        let before = meter.read();
        meter.request(
            "POST",
            &format!("{system}/VirtualIOServer/{VIOS}?group=ViosSCSIMapping"),
        );
        meter.request(
            "POST",
            &format!("/rest/api/uom/VirtualIOServer/{VIOS}/VolumeGroup/{VIOS}?group=None"),
        );
        meter.request(
            "PUT",
            &format!("/rest/api/uom/VirtualIOServer/{VIOS}/do/LUARecovery"),
        );
        meter.request("PUT", "/rest/api/web/File");
        let traffic = meter.read().since(&before);
        assert_eq!(traffic.requests, 4);
        assert_eq!(traffic.vios_writes.get(VIOS), Some(&2));
        assert_eq!(
            (traffic.all_vios_writes(), traffic.most_mapping_writes()),
            (2, 1)
        );
        assert_eq!(
            traffic.calls.keys().map(String::as_str).collect::<Vec<_>>(),
            [
                "POST /rest/api/uom/ManagedSystem/{id}/VirtualIOServer/{id}",
                "POST /rest/api/uom/VirtualIOServer/{id}/VolumeGroup/{id}",
                "PUT /rest/api/uom/VirtualIOServer/{id}/do/LUARecovery",
                "PUT /rest/api/web/File",
            ]
        );
    }

    #[test]
    fn identifiers_leave_no_trace_in_call_names() {
        let meter = Meter::default();
        meter.request(
            "GET",
            "/rest/api/uom/LogicalPartition/search/(PartitionName=='x')?group=None",
        );
        meter.request("GET", "/rest/api/uom/jobs/1667313217");
        let calls = meter.read().calls;
        assert!(
            calls.contains_key("GET /rest/api/uom/LogicalPartition/search/{id}"),
            "{calls:?}"
        );
        assert!(
            calls.contains_key("GET /rest/api/uom/jobs/{id}"),
            "{calls:?}"
        );
    }
}
