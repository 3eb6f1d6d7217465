//! `LUARecovery`: what a client wants found, and the inventory of what was (`docs/protocol/san.md`).
//!
//! The one place where the model reads XML: the documents are not the REST API's but of a command of the Virtual I/O Server,
//! to which they travel as the text of a job parameter.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use powervm_schema::xml::{Element, Limits, Namespace};
use uuid::Uuid;

use super::lifecycle::End;
use crate::clock::Millis;
use crate::model::san::Path;
use crate::model::san::discovery::{Discovered, Wanted};
use crate::model::storage::PhysicalVolume;
use crate::model::world::World;

/// The most ways to devices in one request.
const PATHS: usize = 4096;
/// What stands before each document of an inventory. It declares no encoding, since clients parse the text as text.
const DECLARATION: &str = r#"<?xml version="1.0"?>"#;

impl World {
    pub(super) fn recover(&mut self, now: Millis, vios: Option<Uuid>, input: Option<&str>) -> End {
        let exception = |text: &str| End::Exception(text.to_owned());
        let (Some(vios), Some(input)) = (vios, input) else {
            return exception("The parameter inputXML is missing.");
        };
        if let Err(refusal) = self.ready_vios(vios) {
            return End::Failed(refusal.message);
        }
        let Ok(root) = Element::parse_with(input.trim().as_bytes(), &Limits::REQUEST) else {
            return exception("The parameter inputXML is no XML document.");
        };
        let output = match root.local_name() {
            "XML_LIST" => match wanted(&root) {
                Ok(devices) => {
                    let found = devices
                        .iter()
                        .map(|device| self.discover(now, vios, device));
                    discovery_result(&found.collect::<Vec<_>>())
                }
                Err(why) => return exception(why),
            },
            "VIO" => match udid_filter(&root) {
                Some(udid) => self.inventory_of(vios, udid),
                None => return exception("The request of inputXML is not supported."),
            },
            _ => return exception("The document of inputXML is of an unknown type."),
        };
        let pair = |name: &str, value: String| (name.to_owned(), value);
        End::Ok(vec![
            pair("result", String::new()),
            pair("OutputXML", output),
        ])
    }

    /// One document for each disk with this UDID; an empty one if there is none, as clients parse what comes.
    fn inventory_of(&self, vios: Uuid, udid: &str) -> String {
        let server = self.vioses.get(&vios);
        let volumes = server
            .into_iter()
            .flat_map(|server| &server.physical_volumes);
        let documents: String = volumes
            .filter(|volume| volume.udid == udid)
            .map(|volume| format!("{DECLARATION}{}", inventory_entry(volume).to_xml()))
            .collect();
        if documents.is_empty() {
            let nothing = element("VIO").with(element("Response"));
            return format!("{DECLARATION}{}", nothing.to_xml());
        }
        documents
    }
}

/// The devices of a discovery request.
fn wanted(root: &Element) -> Result<Vec<Wanted>, &'static str> {
    let value =
        |element: &Element, name: &str| element.child_value(name).map(str::trim).map(str::to_owned);
    let reliable = value(root, "reliableITL").is_some_and(|text| text.eq_ignore_ascii_case("true"));
    let list = root
        .child("deviceList")
        .ok_or("inputXML has no deviceList.")?;
    let mut count = 0;
    let mut devices = Vec::new();
    for device in list.children_named("device") {
        let ways = device.child("itlList");
        let mut paths = Vec::new();
        for way in ways.into_iter().flat_map(|list| list.children_named("itl")) {
            let name = |name: &str| u64::from_str_radix(way.child_value(name)?.trim(), 16).ok();
            let unit = value(way, "lua").or_else(|| value(way, "Lua"));
            let unit = unit.as_deref().and_then(logical_unit);
            let (Some(initiator), Some(target), Some(lun)) = (name("Iwwpn"), name("Twwpn"), unit)
            else {
                return Err("An itl of inputXML needs Iwwpn, Twwpn and lua in hexadecimal digits.");
            };
            paths.push(Path {
                initiator,
                target,
                lun,
            });
        }
        count += paths.len();
        if count > PATHS {
            return Err("inputXML has too many ITLs.");
        }
        devices.push(Wanted {
            tag: value(device, "deviceTag").unwrap_or_default(),
            vendor: value(device, "vendor").unwrap_or_else(|| "OTHER".to_owned()),
            device_id: value(device, "deviceID"),
            paths,
            reliable,
        });
    }
    Ok(devices)
}

/// A logical unit address: the number in hexadecimal digits and twelve zeros, or eight after eight digits.
fn logical_unit(address: &str) -> Option<u32> {
    let digits = match address.strip_suffix("000000000000") {
        Some("") | None => address.strip_suffix("00000000")?,
        Some(digits) => digits,
    };
    u32::from_str_radix(digits, 16).ok()
}

fn element(name: &str) -> Element {
    Element::new(Namespace::None, name)
}

fn discovery_result(found: &[Discovered]) -> String {
    let mut list = element("deviceList");
    for device in found {
        let message = element("msg")
            .with_leaf("msgLen", device.message.len().to_string())
            .with_leaf("msgText", device.message.as_str());
        let mut entry = element("device")
            .with_leaf("deviceTag", device.tag.as_str())
            .with_leaf("status", (device.status as u8).to_string())
            .with(message);
        if let Some(disk) = &device.disk {
            entry = entry.with_leaf("pvName", disk.name.as_str());
            if !disk.udid.is_empty() {
                entry = entry
                    .with_leaf("uniqueID", disk.unique_id.as_str())
                    .with_leaf("udid", disk.udid.as_str());
            }
        }
        list.push(entry);
    }
    element("luaResult")
        .with_leaf("version", "2.0")
        .with(list)
        .to_xml()
}

/// The UDID that an inventory request filters by.
fn udid_filter(root: &Element) -> Option<&str> {
    let request = root.child("Request")?;
    if request.attribute("action_str") != Some("QUERY_INVENTORY") {
        return None;
    }
    request
        .descend(&["InventoryRequest", "VioUdidFilter"])?
        .attribute("udid")
}

fn inventory_entry(volume: &PhysicalVolume) -> Element {
    let capacity = volume.megabytes.to_string();
    let mut base = element("PhysicalVolume_base").with_attributes(&[
        ("description", volume.description.as_str()),
        ("locationCode", volume.location.as_str()),
        ("capacity", capacity.as_str()),
    ]);
    if let Some(naa) = &volume.naa {
        base.set_attribute("descriptor", STANDARD.encode(naa));
        base.set_attribute("desType", "NAA");
    }
    let disk = element("PhysicalVolume").with_attributes(&[
        ("udid", volume.udid.as_str()),
        ("name", volume.name.as_str()),
    ]);
    element("VIO").with(element("Response").with(disk.with(base)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_numbers_with_zeros() {
        assert_eq!(logical_unit("1000000000000"), Some(1));
        assert_eq!(logical_unit("ee000000000000"), Some(238));
        assert_eq!(logical_unit("0000000000000"), Some(0));
        assert_eq!(logical_unit("4010400100000000"), Some(0x4010_4001));
        for nonsense in ["", "1", "x000000000000", "fffffffff000000000000"] {
            assert_eq!(logical_unit(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn old_requests_are_read_as_well() {
        let root = Element::parse(
            b"<XML_LIST><general><version>1</version></general><reliableITL>true</reliableITL><deviceList><device><vendor>IBM</vendor><deviceID>6005076802810B0FD00000000000049F042145</deviceID><itlList><itl><Iwwpn>21000024FF409CD0</Iwwpn><Twwpn>500507680245CAC0</Twwpn><Lua>6000000000000</Lua></itl></itlList></device></deviceList></XML_LIST>",
        )
        .unwrap();
        let devices = wanted(&root).unwrap();
        let path = Path {
            initiator: 0x2100_0024_FF40_9CD0,
            target: 0x5005_0768_0245_CAC0,
            lun: 6,
        };
        assert_eq!(devices[0].paths, [path]);
        assert!(devices[0].reliable && devices[0].tag.is_empty());
    }
}
