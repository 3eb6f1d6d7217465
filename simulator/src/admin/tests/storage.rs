//! The storage behind the ports, as Cinder would lead it.

use super::*;

/// The names of the first and the last Fibre Channel port of the Virtual I/O Servers.
pub(super) fn ports(api: &Api) -> (String, String) {
    let world = api.simulator.world();
    let ports = world.vioses.values().flat_map(|vios| vios.fc_ports());
    let names: Vec<String> = ports.map(|port| format!("{:016x}", port.wwpn)).collect();
    (
        names.first().unwrap().clone(),
        names.last().unwrap().clone(),
    )
}

async fn made(api: &Api, protocol: &str) -> String {
    let order =
        json!({"name": format!("volume-{protocol}"), "gigabytes": 20, "protocol": protocol});
    let volume = api.post("/volumes", order).await;
    assert_eq!(
        (&volume["gigabytes"], &volume["protocol"]),
        (&json!(20), &json!(protocol))
    );
    format!("/volumes/{}", volume["id"].as_str().unwrap())
}

async fn status(api: &Api, method: Method, path: &str, body: Option<Value>) -> u16 {
    api.send(&method, path, body, TOKEN).await.0
}

#[tokio::test(start_paused = true)]
async fn a_fibre_channel_volume_is_reached_by_servers_and_by_clients_to_be() {
    let api = Api::new();
    let path = made(&api, "fibre_channel").await;
    let (first, last) = ports(&api);
    let server = json!({"connector": {"wwpns": [first, last], "host": "web-1", "ip": "192.0.2.1"}});
    let info = api.post(&format!("{path}/map"), server.clone()).await;
    let info = &info["connection_info"];
    assert_eq!(info["driver_volume_type"], "fibre_channel");
    let data = &info["data"];
    assert_eq!(data["target_wwn"][0], "500507680282861d");
    assert_eq!(data["initiator_target_map"][&first], data["target_wwn"]);
    let lun = data["target_lun"].as_u64().unwrap();
    // NPIV: a port that no fabric knows yet, with colons as some write it.
    let client = json!({"connector": {"wwpns": ["c0:50:76:06:fa:cb:00:00"]}});
    let npiv = api.post(&format!("{path}/map"), client.clone()).await;
    let data = &npiv["connection_info"]["data"];
    assert_eq!(data["target_lun"], lun);
    assert_eq!(
        data["initiator_target_map"]["c0:50:76:06:fa:cb:00:00"],
        data["target_wwn"]
    );
    // Still mapped to one of the two.
    api.post(&format!("{path}/unmap"), server).await;
    assert_eq!(api.get(&path).await["hosts"], json!(["c0507606facb0000"]));
    assert_eq!(status(&api, Method::DELETE, &path, None).await, 409);
    api.post(&format!("{path}/unmap"), json!({})).await;
    api.call(Method::DELETE, &path, None).await;
    assert_eq!(status(&api, Method::GET, &path, None).await, 404);
}

#[tokio::test(start_paused = true)]
async fn an_iscsi_volume_tells_portals_and_credentials() {
    let api = Api::new();
    let path = made(&api, "iscsi").await;
    let host = json!({"initiator": "iqn.1994-05.com.example:one", "multipath": true});
    let mapping = json!({"connector": host, "chap": true});
    let info = api.post(&format!("{path}/map"), mapping).await;
    let data = &info["connection_info"]["data"];
    assert_eq!(data["auth_method"], "CHAP");
    assert_eq!(data["target_portals"].as_array().unwrap().len(), 2);
    let password = data["auth_password"].as_str().unwrap();
    // Told once, where it is asked for, and nowhere else.
    for path in [path.as_str(), "/volumes", "/san", "/inventory", "/requests"] {
        let (_, text) = api.send(&Method::GET, path, None, TOKEN).await;
        assert!(!text.contains(password), "{path}");
    }
    let wrong = json!({"connector": {"initiator": "no name"}});
    assert_eq!(
        status(&api, Method::POST, &format!("{path}/map"), Some(wrong)).await,
        400
    );
}

#[tokio::test(start_paused = true)]
async fn volumes_grow_and_do_not_shrink() {
    let api = Api::new();
    let path = made(&api, "rbd").await;
    let extend = format!("{path}/extend");
    assert_eq!(
        api.post(&extend, json!({"gigabytes": 30})).await["gigabytes"],
        30
    );
    assert_eq!(
        status(&api, Method::POST, &extend, Some(json!({"gigabytes": 3}))).await,
        409
    );
    for order in [
        json!({"name": "none", "gigabytes": 0}),
        json!({"name": "huge", "gigabytes": u64::MAX}),
        json!({"name": "odd", "gigabytes": 1, "protocol": "telepathy"}),
        json!({"name": "x".repeat(300), "gigabytes": 1}),
    ] {
        assert_eq!(
            status(&api, Method::POST, "/volumes", Some(order.clone())).await,
            400,
            "{order}"
        );
    }
    let ports = json!({"connector": {"wwpns": vec!["c0507606facb0000"; 1025]}});
    assert_eq!(
        status(&api, Method::POST, &format!("{path}/map"), Some(ports)).await,
        400
    );
}
