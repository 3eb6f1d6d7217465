use proptest::prelude::*;
use serde_json::json;

use super::*;

fn fibre_channel() -> Value {
    json!({
        "driver_volume_type": "fibre_channel",
        "serial": "6b6b2e4f-0000-4000-8000-000000000001",
        "data": {
            "target_lun": 3,
            "initiator_target_map": {
                "10:00:00:90:FA:1B:6A:3C": ["500507680282861d", "500507680282861E"],
            },
            "pg83NAA": "60050768028286180000000000000021",
            "target_UDID": "01M0lCTTIxNDU",
        },
    })
}

#[test]
fn fibre_channel_is_read() {
    let read = Connection::parse(&fibre_channel()).unwrap();
    assert_eq!(read.volume, "6b6b2e4f-0000-4000-8000-000000000001");
    assert_eq!(read.target_udid.as_deref(), Some("01M0lCTTIxNDU"));
    let Transport::FibreChannel(found) = read.transport else {
        panic!()
    };
    let (initiator, targets) = found.targets.first_key_value().unwrap();
    assert_eq!(initiator.to_string(), "10000090fa1b6a3c");
    assert_eq!((targets.len(), found.lun), (2, 3));
    assert!(Connection::parse(&json!({ "connection_info": fibre_channel() })).is_ok());
}

#[test]
fn the_volumes_identifier_may_stand_in_the_data() {
    let mut info = fibre_channel();
    info["serial"] = Value::Null;
    info["data"]["volume_id"] = json!("v-1");
    assert_eq!(Connection::parse(&info).unwrap().volume, "v-1");
}

#[test]
fn iscsi_is_read_with_one_way_and_with_all() {
    let mut info = json!({
        "driver_volume_type": "iscsi",
        "serial": "v",
        "data": {
            "target_iqn": "iqn.2010-10.org.openstack:volume-v",
            "target_portal": "192.0.2.40:3260",
            "target_lun": "1",
            "auth_method": "CHAP", "auth_username": "u", "auth_password": "very secret indeed",
        },
    });
    let ways = |info: &Value| match Connection::parse(info).unwrap().transport {
        Transport::Iscsi(found) => found.ways,
        other => panic!("{other:?}"),
    };
    assert_eq!(ways(&info).len(), 1);
    info["data"]["target_iqns"] = json!(["iqn.a", "iqn.a"]);
    info["data"]["target_portals"] = json!(["192.0.2.40:3260", "[2001:db8::1]:3260"]);
    info["data"]["target_luns"] = json!([1, 2]);
    let all = ways(&info);
    assert_eq!((all.len(), all[1].lun), (2, 2));
    let shown = format!("{:?}", Connection::parse(&info).unwrap());
    assert!(!shown.contains("very secret"), "{shown}");
}

#[test]
fn files_and_images_are_read() {
    for (kind, data, path) in [
        (
            "nfs",
            json!({"export": "/mnt/nfs", "name": "volume-1"}),
            "/mnt/nfs/volume-1",
        ),
        (
            "gpfs",
            json!({"device_path": "/gpfs/volume-1"}),
            "/gpfs/volume-1",
        ),
        ("local", json!({"device_path": "/dev/x"}), "/dev/x"),
    ] {
        let info = json!({"driver_volume_type": kind, "serial": "v", "data": data});
        match Connection::parse(&info).unwrap().transport {
            Transport::File(file) => assert_eq!(file.path, path),
            other => panic!("{other:?}"),
        }
    }
    let info =
        json!({"driver_volume_type": "rbd", "serial": "v", "data": {"name": "volumes/volume-1"}});
    assert!(matches!(
        Connection::parse(&info).unwrap().transport,
        Transport::Rbd(_)
    ));
}

#[test]
fn what_is_wrong_is_named_and_not_repeated() {
    for (path, value, part) in [
        ("/driver_volume_type", json!("drbd"), "drbd are not known"),
        (
            "/driver_volume_type",
            json!(7),
            "driver_volume_type is no text",
        ),
        ("/serial", json!("a b"), "serial"),
        ("/serial", json!("x".repeat(2000)), "more than"),
        ("/data", json!([]), "data is no JSON object"),
        ("/data/target_lun", json!(-1), "target_lun"),
        ("/data/target_lun", json!({}), "target_lun"),
        (
            "/data/initiator_target_map",
            json!({"x": []}),
            "initiator_target_map",
        ),
        (
            "/data/initiator_target_map",
            json!([]),
            "initiator_target_map is no JSON object",
        ),
        ("/data/pg83NAA", json!("a\u{0}b"), "control"),
    ] {
        let mut info = fibre_channel();
        *info.pointer_mut(path).unwrap() = value;
        let message = Connection::parse(&info).unwrap_err().to_string();
        assert!(message.contains(part), "{path}: {message}");
    }
    let half = json!({"driver_volume_type": "iscsi", "serial": "v", "data": {
        "target_iqn": "iqn.a", "target_portal": "p:1", "target_lun": 0, "auth_password": "hush"}});
    let message = Connection::parse(&half).unwrap_err().to_string();
    assert!(
        message.contains("auth_username") && !message.contains("hush"),
        "{message}"
    );
    let up =
        json!({"driver_volume_type": "local", "serial": "v", "data": {"device_path": "/a/../b"}});
    assert!(Connection::parse(&up).is_err());
    assert!(Connection::parse_text("{").is_err());
}

proptest! {
    /// Whatever a storage driver sends, it is read or refused.
    #[test]
    fn nothing_makes_it_panic(kind in "fibre_channel|iscsi|nfs|rbd|local", data in any_json(3)) {
        let _ = Connection::parse(&json!({"driver_volume_type": kind, "serial": "v", "data": data}));
    }
}

fn any_json(depth: u32) -> impl Strategy<Value = Value> {
    let keys = "target_lun|target_iqn|target_portal|target_iqns|target_portals|target_luns|initiator_target_map|name|export|device_path|[a-f0-9]{16}";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(depth, 32, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(keys, inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

#[test]
fn what_is_kept_has_no_credentials() {
    let info = json!({
        "driver_volume_type": "iscsi",
        "serial": "v-1",
        "data": {
            "target_iqn": "iqn.2026-01.example:v-1",
            "target_portal": "192.0.2.1:3260",
            "target_lun": 1,
            "auth_method": "CHAP",
            "auth_username": "somebody",
            "auth_password": "something",
        },
    });
    let kept = serde_json::to_value(Connection::parse(&info).unwrap()).unwrap();
    let text = kept.to_string();
    assert!(!text.contains("some"), "{text}");
    let again: Connection = serde_json::from_value(kept).unwrap();
    let Transport::Iscsi(target) = again.transport else {
        panic!()
    };
    assert_eq!(target.ways[0].iqn, "iqn.2026-01.example:v-1");
    assert!(target.chap.is_none());
}

#[test]
fn fibre_channel_is_kept_whole() {
    let read = Connection::parse(&fibre_channel()).unwrap();
    let kept = serde_json::to_string(&read).unwrap();
    let again: Connection = serde_json::from_str(&kept).unwrap();
    assert_eq!(format!("{read:?}"), format!("{again:?}"));
}
