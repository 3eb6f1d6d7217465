//! A config drive whose files OpenStack has written: what only the driver knows is written into them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Subject, management, text};
use crate::error::Error;
use crate::storage::media::iso;

/// The folder of the files that OpenStack's own format has, one folder a version of it.
const FOLDER: &str = "openstack/";

/// The files with the partition's UUID, which a guest sees in its firmware, and with the management interface.
pub(super) fn complete(
    files: &BTreeMap<String, Vec<u8>>,
    subject: &Subject<'_>,
) -> Result<iso::Files, Error> {
    let mut whole = iso::Files::new();
    for (path, content) in files {
        let path = path.trim_start_matches('/');
        let is = |name: &str| {
            path.starts_with(FOLDER) && path.rsplit('/').next().is_some_and(|last| last == name)
        };
        let content = if is("meta_data.json") {
            changed(path, content, |all| identify(all, subject))?
        } else if is("network_data.json") {
            changed(path, content, |all| connect(all, subject))?
        } else {
            content.clone()
        };
        whole.insert(path.to_owned(), content);
    }
    Ok(whole)
}

fn changed(
    path: &str,
    content: &[u8],
    change: impl FnOnce(&mut Map<String, Value>),
) -> Result<Vec<u8>, Error> {
    let Ok(Value::Object(mut object)) = serde_json::from_slice(content) else {
        return Err(Error::invalid(
            format!("{path} of the config drive is no JSON object"),
            "look at what wrote it",
        ));
    };
    change(&mut object);
    text(&Value::Object(object))
}

fn identify(metadata: &mut Map<String, Value>, subject: &Subject<'_>) {
    let uuid = subject.partition.as_uuid().to_string();
    metadata.insert("uuid".to_owned(), json!(uuid));
}

fn connect(network: &mut Map<String, Value>, subject: &Subject<'_>) {
    let Some(mac) = subject.management else {
        return;
    };
    let number = network.get("networks").and_then(Value::as_array);
    let (link, address) = management(mac, number.map_or(0, Vec::len));
    for (key, value) in [("links", link), ("networks", address)] {
        let list = network.entry(key).or_insert_with(|| json!([]));
        if let Some(list) = list.as_array_mut() {
            list.push(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Mac;
    use crate::partition::PartitionUuid;
    use uuid::Uuid;

    fn files(metadata: &str, network: &str) -> BTreeMap<String, Vec<u8>> {
        let file = |path: &str, text: &str| (path.to_owned(), text.as_bytes().to_vec());
        [
            file("openstack/latest/meta_data.json", metadata),
            file("openstack/latest/network_data.json", network),
            file("/openstack/content/meta_data.txt", "as it is"),
        ]
        .into()
    }

    fn subject(mac: Option<&str>) -> Subject<'static> {
        let instance = Uuid::from_u128(0xfedc_ba98_7654_4210_8edc_ba98_7654_3210);
        Subject {
            partition: PartitionUuid::of_instance(instance),
            name: "web",
            interfaces: &[],
            management: mac.map(|mac| mac.parse::<Mac>().unwrap()),
        }
    }

    #[test]
    fn the_guest_is_told_its_partition_and_its_management_interface() {
        let files = files(
            r#"{"uuid": "fedcba98", "random_seed": "x"}"#,
            r#"{"links": [{"id": "tap"}], "networks": [{"id": "network0"}], "services": []}"#,
        );
        let whole = complete(&files, &subject(Some("fa:16:3e:00:00:01"))).unwrap();
        let read = |path: &str| serde_json::from_slice::<Value>(&whole[path]).unwrap();
        let metadata = read("openstack/latest/meta_data.json");
        assert_eq!(metadata["uuid"], "7edcba98-7654-4210-8edc-ba9876543210");
        assert_eq!(metadata["random_seed"], "x");
        let network = read("openstack/latest/network_data.json");
        assert_eq!(network["links"][1]["id"], "mgmt_vif");
        assert_eq!(network["networks"][1]["id"], "network1");
        assert_eq!(whole["openstack/content/meta_data.txt"], b"as it is");
    }

    #[test]
    fn without_a_management_interface_the_network_stays() {
        let files = files("{}", r#"{"links": []}"#);
        let whole = complete(&files, &subject(None)).unwrap();
        assert_eq!(
            whole["openstack/latest/network_data.json"],
            br#"{"links":[]}"#
        );
    }

    #[test]
    fn what_is_no_json_is_refused_by_its_path() {
        let refused = complete(&files("[", "{}"), &subject(None)).unwrap_err();
        assert!(refused.to_string().contains("meta_data.json"), "{refused}");
    }
}
