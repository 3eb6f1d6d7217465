//! `LUARecovery`: asking a Virtual I/O Server to look for volumes (`docs/protocol/san.md`).

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use powervm_schema::xml::{Element, Limits, Namespace};

use super::connection::FibreChannel;
use super::wwpn::Wwpn;

/// The parameter of the job.
pub(crate) const INPUT: &str = "inputXML";
/// Results that may hold the answer.
const OUTPUTS: [&str; 2] = ["OutputXML", "StdOut"];

/// A volume to be looked for: the ways to it from one Virtual I/O Server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sought {
    ways: BTreeSet<(Wwpn, Wwpn)>,
    lun: u64,
    naa: Option<String>,
}

/// A disk as a Virtual I/O Server found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// `status`: see [`Found::is_good`].
    pub(crate) status: u32,
    /// What the server says of it.
    pub(crate) message: String,
    /// `hdisk7` …
    pub(crate) name: Option<String>,
    /// Its unique device identifier.
    pub(crate) udid: Option<String>,
}

impl Sought {
    /// The volume as these ports of a Virtual I/O Server can reach it; none if they cannot.
    pub(crate) fn through(
        ports: impl Iterator<Item = Wwpn>,
        volume: &FibreChannel,
    ) -> Option<Self> {
        let ways: BTreeSet<(Wwpn, Wwpn)> = ports
            .filter_map(|port| Some((port, volume.targets.get(&port)?)))
            .flat_map(|(port, targets)| targets.iter().map(move |target| (port, *target)))
            .collect();
        (!ways.is_empty()).then(|| Self {
            ways,
            lun: volume.lun,
            naa: volume.naa.clone(),
        })
    }
}

impl Found {
    /// In use (1), available (3) and found on some ways only (8) will do. The others tell that the
    /// disk is not to be trusted, is another one, or is not there.
    pub(crate) fn is_good(&self) -> bool {
        self.name.is_some() && matches!(self.status, 1 | 3 | 8)
    }
}

impl Found {
    /// Whether the server itself or a client uses it.
    pub(crate) fn is_in_use(&self) -> bool {
        self.status == 1
    }
}

fn element(name: &str) -> Element {
    Element::new(Namespace::None, name)
}

/// The document that asks for all of these at once; their tags are their places in the list.
pub(crate) fn request(sought: &[&Sought]) -> String {
    let mut list = element("deviceList");
    for (tag, sought) in sought.iter().enumerate() {
        let mut device = element("device").with_leaf("vendor", "OTHER");
        if let Some(naa) = &sought.naa {
            device.push(Element::leaf(
                Namespace::None,
                "deviceID",
                STANDARD.encode(naa),
            ));
        }
        let mut ways = element("itlList").with_leaf("number", sought.ways.len().to_string());
        for (initiator, target) in &sought.ways {
            ways.push(
                element("itl")
                    .with_leaf("Iwwpn", initiator.to_string())
                    .with_leaf("Twwpn", target.to_string())
                    .with_leaf("lua", address(sought.lun)),
            );
        }
        list.push(
            device
                .with_leaf("deviceTag", (tag + 1).to_string())
                .with(ways),
        );
    }
    let general = element("general")
        .with_leaf("cmd_version", "3")
        .with_leaf("version", "2.0");
    element("XML_LIST")
        .with(general)
        .with_leaf("reliableITL", "false")
        .with(list)
        .to_xml()
}

/// Whether a request asks for this volume, or for the disk with its identifier.
pub(crate) fn asks_for(request: &str, volume: &FibreChannel) -> bool {
    let mut targets = volume.targets.values().flatten();
    request.contains(&address(volume.lun))
        && targets.any(|target| request.contains(&target.to_string()))
}

/// The number in hexadecimal digits and twelve zeros; numbers of eight digits get eight.
fn address(lun: u64) -> String {
    let digits = format!("{lun:x}");
    let zeros = if digits.len() == 8 { 8 } else { 12 };
    format!("{digits}{}", "0".repeat(zeros))
}

/// What was found, by place in the request's list. What the answer does not speak of is missing.
pub(crate) fn answer(results: &BTreeMap<String, String>) -> BTreeMap<usize, Found> {
    let Some(root) = OUTPUTS.iter().find_map(|name| parsed(results.get(*name)?)) else {
        return BTreeMap::new();
    };
    let mut found = BTreeMap::new();
    for list in root
        .descendants()
        .filter(|element| element.local_name() == "deviceList")
    {
        for (place, device) in list.children_named("device").enumerate() {
            let text = |name: &str| {
                let text = device.child_value(name).map(str::trim).unwrap_or_default();
                (!text.is_empty()).then(|| text.to_owned())
            };
            let tag = text("deviceTag").and_then(|tag| tag.parse::<usize>().ok());
            let message = device.descend(&["msg", "msgText"]).map(Element::text);
            let one = Found {
                status: text("status")
                    .and_then(|status| status.parse().ok())
                    .unwrap_or(0),
                message: crate::error::printable(&message.unwrap_or_default()),
                name: text("pvName").filter(|name| is_device_name(name)),
                udid: text("udid"),
            };
            found.insert(tag.map_or(place, |tag| tag.saturating_sub(1)), one);
        }
    }
    found
}

fn parsed(text: &str) -> Option<Element> {
    let text = text.trim();
    Element::parse_with(text.as_bytes(), &Limits::REQUEST).ok()
}

/// A device's name goes into commands.
pub(crate) fn is_device_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The document that asks which disks have this identifier.
pub(crate) fn inventory_request(udid: &str) -> String {
    let mut filter = element("VioUdidFilter");
    filter.set_attribute("udid", udid);
    let mut request = element("Request");
    for (name, value) in [("action", "4"), ("action_str", "QUERY_INVENTORY")] {
        request.set_attribute(name, value);
    }
    element("VIO")
        .with(request.with(element("InventoryRequest").with(filter)))
        .to_xml()
}

/// The names of the disks in the answer: one document for each, after another.
pub(crate) fn inventory_answer(results: &BTreeMap<String, String>, udid: &str) -> Vec<String> {
    const DECLARATION: &str = "<?xml";
    let text = OUTPUTS
        .iter()
        .find_map(|name| results.get(*name))
        .map(String::as_str);
    let documents =
        text.unwrap_or_default()
            .split(DECLARATION)
            .map(|part| match part.split_once("?>") {
                Some((_, document)) => document,
                None => part,
            });
    let mut names = Vec::new();
    for root in documents.filter_map(parsed) {
        let disks = root
            .descendants()
            .filter(|element| element.local_name() == "PhysicalVolume");
        let ours = disks.filter(|disk| disk.attribute("udid") == Some(udid));
        names.extend(
            ours.filter_map(|disk| disk.attribute("name"))
                .filter(|name| is_device_name(name))
                .map(str::to_owned),
        );
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume() -> FibreChannel {
        let targets = ["500507680282861d", "500507680282861e"];
        FibreChannel {
            targets: BTreeMap::from([(
                "10000090fa1b6a3c".parse().unwrap(),
                targets.iter().map(|name| name.parse().unwrap()).collect(),
            )]),
            lun: 0x2b,
            naa: Some("600507".to_owned()),
        }
    }

    #[test]
    fn a_server_is_asked_only_for_what_it_can_reach() {
        let own: Wwpn = "10000090fa1b6a3c".parse().unwrap();
        let other: Wwpn = "10000090fa1b6a3d".parse().unwrap();
        assert_eq!(Sought::through([other].into_iter(), &volume()), None);
        let sought = Sought::through([own, other].into_iter(), &volume()).unwrap();
        let text = request(&[&sought]);
        assert_eq!(text.matches("<itl>").count(), 2);
        for part in [
            "<number>2</number>",
            "<lua>2b000000000000</lua>",
            "<deviceTag>1</deviceTag>",
            "<deviceID>NjAwNTA3</deviceID>",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn addresses_have_twelve_zeros_or_eight() {
        assert_eq!(address(0), "0000000000000");
        assert_eq!(address(0x4010_4001), "4010400100000000");
    }

    #[test]
    fn answers_are_read_by_their_tags() {
        let output = "<luaResult><deviceList>\
            <device><deviceTag>2</deviceTag><status>3</status><pvName>hdisk4</pvName><udid>01X</udid></device>\
            <device><deviceTag>1</deviceTag><status>2</status><msg><msgText>no</msgText></msg></device>\
            <device><deviceTag>3</deviceTag><status>3</status><pvName>hdisk4; rm</pvName></device>\
            </deviceList></luaResult>";
        let results = BTreeMap::from([("OutputXML".to_owned(), output.to_owned())]);
        let found = answer(&results);
        assert!(found[&1].is_good());
        assert_eq!(found[&1].udid.as_deref(), Some("01X"));
        assert_eq!(
            (found[&0].is_good(), found[&0].message.as_str()),
            (false, "no")
        );
        assert!(!found[&2].is_good(), "a name that is no device's");
        assert!(answer(&BTreeMap::from([("StdOut".to_owned(), "<x".to_owned())])).is_empty());
    }

    #[test]
    fn an_inventory_is_a_row_of_documents() {
        let one = |name: &str, udid: &str| {
            format!(
                "<?xml version=\"1.0\"?><VIO><Response><PhysicalVolume udid=\"{udid}\" name=\"{name}\"/></Response></VIO>"
            )
        };
        let output = format!("{}{}", one("hdisk1", "01X"), one("hdisk2", "01Y"));
        let results = BTreeMap::from([("OutputXML".to_owned(), output)]);
        assert_eq!(inventory_answer(&results, "01X"), ["hdisk1"]);
        assert!(inventory_answer(&BTreeMap::new(), "01X").is_empty());
        assert!(inventory_request("01X").contains("action_str=\"QUERY_INVENTORY\""));
    }
}
