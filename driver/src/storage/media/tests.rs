use std::io::Cursor;

use hadris_iso::read::IsoImage;
use secrecy::SecretString;
use serde_json::Value;
use uuid::Uuid;

use super::config_drive::{ConfigDrive, LABEL, PluggedInterface, Subject};
use super::iso;
use crate::network::{FixedAddress, Mac, NetworkInterface};
use crate::partition::PartitionUuid;

const SECTOR: usize = 2048;

/// Reads a file of an image by its full path, as a guest finds it.
fn read(image: &[u8], path: &str) -> Option<Vec<u8>> {
    let image = IsoImage::open(Cursor::new(image.to_vec())).unwrap();
    let entry = image.find_path(path).unwrap()?;
    Some(image.read_file(&entry).unwrap())
}

fn json(image: &[u8], path: &str) -> Value {
    serde_json::from_slice(&read(image, path).unwrap_or_else(|| panic!("{path} is missing")))
        .unwrap()
}

fn image_of(
    drive: &ConfigDrive,
    interfaces: &[PluggedInterface],
    management: Option<Mac>,
) -> Vec<u8> {
    let partition = PartitionUuid::of_instance(Uuid::from_u128(u128::MAX));
    drive
        .image(&Subject {
            partition,
            name: "web",
            interfaces,
            management,
        })
        .unwrap()
}

fn files(pairs: &[(&str, &str)]) -> iso::Files {
    pairs
        .iter()
        .map(|(path, content)| ((*path).to_owned(), content.as_bytes().to_vec()))
        .collect()
}

#[test]
fn the_image_has_its_label_in_both_name_spaces() {
    let image = image_of(&ConfigDrive::default(), &[], None);
    assert_eq!(&image[16 * SECTOR + 1..16 * SECTOR + 6], b"CD001");
    assert_eq!(&image[16 * SECTOR + 40..16 * SECTOR + 48], LABEL.as_bytes());
    let joliet: Vec<u8> = LABEL.bytes().flat_map(|byte| [0, byte]).collect();
    assert_eq!(&image[17 * SECTOR + 40..17 * SECTOR + 56], joliet);
    assert_eq!(&image[17 * SECTOR + 88..17 * SECTOR + 91], b"%/E");
}

#[test]
fn the_same_content_gives_the_same_bytes_and_the_date_is_all_that_differs() {
    let drive = |dated| ConfigDrive {
        user_data: Some(b"#!/bin/sh\n".to_vec()),
        dated,
        ..ConfigDrive::default()
    };
    let (one, same, other) = (
        image_of(&drive(1), &[], None),
        image_of(&drive(1), &[], None),
        image_of(&drive(100_000_000), &[], None),
    );
    assert_eq!(one, same);
    let differing = one.iter().zip(&other).filter(|(a, b)| a != b).count();
    assert!(
        one.len() == other.len() && differing > 0 && differing < 500,
        "{differing}"
    );
    let year = |image: &[u8], from: usize| image[from..from + 4].to_vec();
    assert_eq!(year(&one, 16 * SECTOR + 813), b"1970");
    assert_eq!(year(&other, 17 * SECTOR + 830), b"1973");
}

#[test]
fn long_and_many_names_survive() {
    let long = "a_name_of_more_than_thirty_one_characters.json";
    let mut all = files(&[("a/b/c/deep", "d"), ("empty", ""), ("Grüße", "u")]);
    all.insert(format!("a/{long}"), b"long".to_vec());
    for number in 0..200 {
        all.insert(format!("many/{number:04}"), vec![b'x'; number * 31]);
    }
    let image = iso::write("label", &all, 0).unwrap();
    for (path, content) in &all {
        assert_eq!(read(&image, path).as_ref(), Some(content), "{path}");
    }
}

#[test]
fn what_the_format_cannot_hold_is_refused() {
    for path in ["", "/a", "a//b", "a/../b", "a*b", &"x".repeat(65)] {
        assert!(
            iso::write("label", &files(&[(path, "x")]), 0).is_err(),
            "{path}"
        );
    }
    assert!(iso::write("label", &files(&[("a", "file"), ("a/b", "in a file")]), 0).is_err());
    assert!(iso::write("label", &files(&[("a", "x")]), i64::MAX).is_err());
    let huge = [("a".to_owned(), vec![0; iso::MAX_CONTENT as usize + 1])].into();
    assert!(iso::write("label", &huge, 0).is_err());
}

#[test]
fn the_guest_is_told_who_it_is() {
    let drive = ConfigDrive {
        public_keys: [("mine".to_owned(), "ssh-ed25519 AAAA".to_owned())].into(),
        user_data: Some(vec![0, 159, 146, 150]),
        metadata: [("role".to_owned(), "db".to_owned())].into(),
        admin_password: Some(SecretString::from("hush")),
        files: [("/etc/motd".to_owned(), b"hello".to_vec())].into(),
        ..ConfigDrive::default()
    };
    let image = image_of(&drive, &[], None);
    let metadata = json(&image, "openstack/latest/meta_data.json");
    assert_eq!(metadata["uuid"], "7fffffff-ffff-ffff-ffff-ffffffffffff");
    assert_eq!(
        (&metadata["name"], &metadata["hostname"]),
        (&Value::from("web"), &Value::from("web"))
    );
    assert_eq!(metadata["public_keys"]["mine"], "ssh-ed25519 AAAA");
    assert_eq!(metadata["keys"][0]["type"], "ssh");
    assert_eq!(metadata["meta"]["role"], "db");
    assert_eq!(metadata["admin_pass"], "hush");
    assert_eq!(metadata["files"][0]["path"], "/etc/motd");
    assert_eq!(metadata["files"][0]["content_path"], "/content/0000");
    assert_eq!(read(&image, "openstack/content/0000").unwrap(), b"hello");
    assert_eq!(
        read(&image, "openstack/latest/user_data").unwrap(),
        [0, 159, 146, 150]
    );
    assert_eq!(
        json(&image, "openstack/latest/vendor_data.json"),
        serde_json::json!({})
    );
    assert!(!format!("{drive:?}").contains("hush"));
}

#[test]
fn the_guest_is_told_its_networks() {
    let mac = |text: &str| text.parse::<Mac>().unwrap();
    let address = FixedAddress {
        address: "192.0.2.10".parse().unwrap(),
        prefix: 23,
        gateway: Some("192.0.2.1".parse().unwrap()),
        name_servers: vec!["192.0.2.53".parse().unwrap()],
    };
    let fixed = NetworkInterface {
        addresses: vec![address],
        mtu: Some(9000),
        ..NetworkInterface::on_vlan(7)
    };
    let interfaces = [
        PluggedInterface {
            interface: fixed,
            mac: mac("fa:16:3e:00:00:01"),
        },
        PluggedInterface {
            interface: NetworkInterface::on_vlan(8),
            mac: mac("fa:16:3e:00:00:02"),
        },
    ];
    let image = image_of(
        &ConfigDrive::default(),
        &interfaces,
        Some(mac("02:00:00:00:00:01")),
    );
    let network = json(&image, "openstack/latest/network_data.json");
    let links: Vec<&str> = network["links"]
        .as_array()
        .unwrap()
        .iter()
        .map(|link| link["ethernet_mac_address"].as_str().unwrap())
        .collect();
    assert_eq!(
        links,
        [
            "fa:16:3e:00:00:01",
            "fa:16:3e:00:00:02",
            "02:00:00:00:00:01"
        ]
    );
    let networks = network["networks"].as_array().unwrap();
    assert_eq!(
        (&networks[0]["ip_address"], &networks[0]["netmask"]),
        (&"192.0.2.10".into(), &"255.255.254.0".into())
    );
    assert_eq!(networks[0]["routes"][0]["gateway"], "192.0.2.1");
    assert_eq!(
        (&networks[1]["type"], &networks[1]["link"]),
        (&"ipv4_dhcp".into(), &"interface1".into())
    );
    assert_eq!(networks[2]["ip_address"], "fe80::ff:fe00:1");
    assert_eq!(
        (&networks[2]["network_id"], &networks[2]["netmask"]),
        (&"mgmt".into(), &"ffff:ffff:ffff:ffff::".into())
    );
    assert_eq!(
        network["services"],
        serde_json::json!([{"type": "dns", "address": "192.0.2.53"}])
    );
}
