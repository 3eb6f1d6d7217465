//! Virtual Fibre Channel, buses and client adapters as documents, and the storage's administration over HTTP.

use axum::Router;
use axum::body::Body;
use http::{Method, Request};
use http_body_util::BodyExt as _;
use powervm_schema::atom::{Entry, Feed};
use powervm_schema::vios::{
    VirtualFibreChannelClientAdapter, VirtualIoServer, VirtualScsiBus, VirtualScsiClientAdapter,
};
use powervm_schema::xml::Element;
use powervm_simulator::weather::Weather;
use powervm_simulator::{Flavor, Simulator, admin};
use secrecy::SecretString;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::client::{Client, UOM, job_body, novalink};

/// A new mapping as pypowervm sends it.
fn mapping(system: &str, partition: &str, port: &str, wwpns: &str) -> String {
    let wwpns = match wwpns {
        "" => String::new(),
        names => format!("<uom:WWPNs>{names}</uom:WWPNs>"),
    };
    format!(
        r#"<uom:VirtualFibreChannelMapping xmlns:uom="{UOM}" schemaVersion="V1_0"><uom:Metadata><uom:Atom/></uom:Metadata><uom:AssociatedLogicalPartition href="http://sim.test:12080/rest/api/uom/ManagedSystem/{system}/LogicalPartition/{partition}" rel="related"/><uom:ClientAdapter schemaVersion="V1_0"><uom:AdapterType>Client</uom:AdapterType><uom:UseNextAvailableSlotID>true</uom:UseNextAvailableSlotID>{wwpns}</uom:ClientAdapter><uom:Port schemaVersion="V1_0"><uom:PortName>{port}</uom:PortName></uom:Port><uom:ServerAdapter schemaVersion="V1_0"><uom:AdapterType>Server</uom:AdapterType><uom:UseNextAvailableSlotID>true</uom:UseNextAvailableSlotID></uom:ServerAdapter></uom:VirtualFibreChannelMapping>"#
    )
}

/// Reads the server, adds this to its container and posts all of it back.
async fn add(client: &Client, group: &str, container: &str, member: &str) -> crate::client::Answer {
    let url = format!(
        "/rest/api/uom/VirtualIOServer/{}?group={group}",
        client.vios()
    );
    let answer = client.send(Method::GET, &url, &[], Body::empty()).await;
    let mut entry = Entry::parse(answer.body.as_bytes()).unwrap();
    let list = entry.content.child_mut(container).unwrap();
    if !member.is_empty() {
        list.push(Element::parse(member.as_bytes()).unwrap());
    }
    let etag = answer.header("etag").to_owned();
    let body = entry.content.to_xml();
    client
        .send(Method::POST, &url, &[("If-Match", &etag)], body)
        .await
}

#[tokio::test]
async fn a_posted_mapping_comes_back_filled_in() {
    let client = Client::new().await;
    let partition = client.partition("npiv").await;
    let given = "c050760012340001 c050760012340002";
    let member = mapping(&client.system(), &partition, "fcs1", given);
    let answer = add(
        &client,
        "ViosFCMapping",
        "VirtualFibreChannelMappings",
        &member,
    )
    .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let entry = Entry::parse(answer.body.as_bytes()).unwrap();
    let view = VirtualIoServer(&entry.content);
    let made = view.fibre_channel_mappings().next().unwrap();
    let (client_end, server) = (
        made.client_adapter().unwrap(),
        made.server_adapter().unwrap(),
    );
    assert_eq!(client_end.wwpns(), Some(given));
    assert_eq!(server.map_port(), Some("fcs1"));
    assert_eq!(server.adapter().name(), Some("vfchost0"));
    assert_eq!(
        server.adapter().connecting_slot().unwrap(),
        client_end.adapter().slot().unwrap()
    );
    let port = made.port().unwrap();
    assert_eq!(
        (port.available_ports().unwrap(), port.total_ports().unwrap()),
        (Some(63), Some(64))
    );
    assert!(made.partition_href().unwrap().ends_with(&partition));
    // What was read goes back and changes nothing; the same names again are the same mapping.
    let again = add(&client, "ViosFCMapping", "VirtualFibreChannelMappings", "").await;
    assert_eq!(again.header("etag"), answer.header("etag"));
    // An empty container of a group that the URL does not name deletes nothing.
    let url = format!("/rest/api/uom/VirtualIOServer/{}?group=None", client.vios());
    let bare = format!(
        r#"<VirtualIOServer:VirtualIOServer xmlns:VirtualIOServer="{UOM}" xmlns="{UOM}" schemaVersion="V1_0"><VirtualFibreChannelMappings schemaVersion="V1_0" group="ViosFCMapping"/></VirtualIOServer:VirtualIOServer>"#
    );
    client.send(Method::POST, &url, &[], bare).await;
    let vios = client
        .simulator
        .world()
        .vioses
        .values()
        .next()
        .unwrap()
        .clone();
    assert_eq!(vios.fc_mappings.len(), 1);
    // The client lists its adapter, and the server's port has one less to lend in every group.
    let feed = client
        .get(&format!(
            "LogicalPartition/{partition}/VirtualFibreChannelClientAdapter"
        ))
        .await;
    let feed = Feed::parse(feed.body.as_bytes()).unwrap();
    let adapter = VirtualFibreChannelClientAdapter(&feed.entries[0].content);
    assert_eq!(adapter.client().wwpns(), Some(given));
    assert_eq!(adapter.client().logins().count(), 2);
    let href = feed.entries[0].self_href().unwrap();
    let path = href.split("/uom/").nth(1).unwrap();
    assert_eq!(client.get(path).await.status, 200);
    let own = client
        .get(&format!("LogicalPartition/{partition}?group=None"))
        .await;
    assert!(own.body.contains(&format!(
        "VirtualFibreChannelClientAdapter/{}",
        feed.entries[0].id
    )));
    let base = client
        .get(&format!("VirtualIOServer/{}?group=None", client.vios()))
        .await;
    assert!(base.body.contains(">63</AvailablePorts>"), "{}", base.body);
}

#[tokio::test]
async fn wwpns_have_two_names_of_sixteen_digits() {
    let client = Client::new().await;
    let partition = client.partition("npiv").await;
    for wwpns in [
        "c050",
        "c050760012340001",
        "c050760012340001 xyz",
        "1 2",
        "c050760012340001 c050760012340002 c050760012340003",
    ] {
        let member = mapping(&client.system(), &partition, "fcs0", wwpns);
        let answer = add(
            &client,
            "ViosFCMapping",
            "VirtualFibreChannelMappings",
            &member,
        )
        .await;
        assert_eq!(answer.status, 400, "{wwpns}: {}", answer.body);
    }
    let member = mapping(&client.system(), &partition, "fcs0", "-1 -1");
    let answer = add(
        &client,
        "ViosFCMapping",
        "VirtualFibreChannelMappings",
        &member,
    )
    .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(
        answer.text("WWPNs").starts_with("c05076"),
        "{}",
        answer.body
    );
}

#[tokio::test]
async fn buses_are_made_changed_and_deleted() {
    let client = Client::new().await;
    let partition = client.partition("bus").await;
    let path = format!("VirtualIOServer/{}/VirtualSCSIBus", client.vios());
    let device = |name: &str| {
        format!(
            "<VirtualSCSIStorageAndTargetDevice><Storage><PhysicalVolume><VolumeName>{name}</VolumeName></PhysicalVolume></Storage></VirtualSCSIStorageAndTargetDevice>"
        )
    };
    let bus = |devices: &str| {
        format!(
            r#"<VirtualSCSIBus:VirtualSCSIBus xmlns:VirtualSCSIBus="{UOM}" xmlns="{UOM}" schemaVersion="V1_0"><AssociatedLogicalPartition href="http://sim.test:12080/rest/api/uom/LogicalPartition/{partition}" rel="related"/><ClientAdapter><UseNextAvailableSlotID>true</UseNextAvailableSlotID></ClientAdapter><ServerAdapter/><AssociatedMappings>{devices}</AssociatedMappings></VirtualSCSIBus:VirtualSCSIBus>"#
        )
    };
    let answer = client.put(&path, bus(&device("hdisk7"))).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let entry = Entry::parse(answer.body.as_bytes()).unwrap();
    let view = VirtualScsiBus(&entry.content);
    assert_eq!(view.mappings().count(), 1);
    let own = format!("/rest/api/uom/{path}/{}?group=None", entry.id);
    let etag = answer.header("etag").to_owned();
    let both = bus(&(device("hdisk7") + &device("hdisk8")));
    let updated = client
        .send(Method::POST, &own, &[("If-Match", &etag)], both.clone())
        .await;
    assert_eq!(updated.status, 200, "{}", updated.body);
    assert_eq!(
        updated
            .body
            .matches("<VirtualSCSIStorageAndTargetDevice")
            .count(),
        2
    );
    let stale = client
        .send(Method::POST, &own, &[("If-Match", &etag)], both)
        .await;
    assert_eq!(stale.status, 412);
    let feed = client
        .get(&format!(
            "LogicalPartition/{partition}/VirtualSCSIClientAdapter"
        ))
        .await;
    let feed = Feed::parse(feed.body.as_bytes()).unwrap();
    let adapter = VirtualScsiClientAdapter(&feed.entries[0].content);
    assert_eq!(
        adapter
            .client()
            .server_adapter()
            .unwrap()
            .adapter()
            .backing_device_name(),
        Some("hdisk8")
    );
    let gone = client.delete(&format!("{path}/{}", entry.id)).await;
    assert_eq!(gone.status, 204);
    assert_eq!(
        client.get(&format!("{path}/{}", entry.id)).await.status,
        404
    );
    let none = client
        .get(&format!(
            "LogicalPartition/{partition}/VirtualSCSIClientAdapter"
        ))
        .await;
    assert_eq!(none.status, 204);
}

#[tokio::test]
async fn an_hmc_has_no_buses_of_their_own() {
    let simulator = Simulator::builder().flavor(Flavor::Hmc).build().unwrap();
    let client = Client::of(&simulator).await;
    let answer = client
        .get(&format!("VirtualIOServer/{}/VirtualSCSIBus", client.vios()))
        .await;
    assert_eq!(answer.status, 400, "{}", answer.body);
}

/// The admin API in process.
struct Admin(Router);

impl Admin {
    fn of(client: &Client) -> Self {
        Self(admin::router(&client.simulator, SecretString::from("t")))
    }

    async fn call(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let body = if body.is_null() {
            Body::empty()
        } else {
            Body::from(body.to_string())
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("Authorization", "Bearer t")
            .body(body)
            .unwrap();
        let answer = self.0.clone().oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        (
            status,
            serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        )
    }
}

fn ports(client: &Client) -> Vec<String> {
    let world = client.simulator.world();
    let ports = world.vioses.values().flat_map(|vios| vios.fc_ports());
    ports.map(|port| format!("{:016X}", port.wwpn)).collect()
}

#[tokio::test]
async fn a_volume_goes_the_way_that_cinder_leads_it() {
    let client = Client::of(&novalink(Weather::Calm).build().unwrap()).await;
    let admin = Admin::of(&client);
    let (status, volume) = admin
        .call(
            Method::POST,
            "/volumes",
            json!({ "name": "volume-1", "gigabytes": 5 }),
        )
        .await;
    assert_eq!(status, 200, "{volume}");
    let id = volume["id"].as_str().unwrap().to_owned();
    let path = |rest: &str| format!("/volumes/{id}{rest}");
    let wwpns = ports(&client);
    let connector = json!({ "connector": { "wwpns": wwpns, "host": "neo", "multipath": false } });
    let (status, answer) = admin
        .call(Method::POST, &path("/map"), connector.clone())
        .await;
    assert_eq!(status, 200, "{answer}");
    let info = &answer["connection_info"];
    assert_eq!(info["driver_volume_type"], "fibre_channel");
    assert_eq!(info["serial"].as_str(), Some(id.as_str()));
    let data = &info["data"];
    assert_eq!(data["target_lun"], 33);
    assert_eq!(data["target_wwn"], json!(["500507680282861d"]));
    for wwpn in &wwpns {
        assert_eq!(
            data["initiator_target_map"][wwpn],
            json!(["500507680282861d"]),
            "{data}"
        );
    }
    let (_, again) = admin
        .call(Method::POST, &path("/map"), connector.clone())
        .await;
    assert_eq!(again, answer, "mapping again changes nothing");
    // The first server finds it by what the connection says.
    let itl = format!(
        "&lt;XML_LIST&gt;&lt;deviceList&gt;&lt;device&gt;&lt;vendor&gt;OTHER&lt;/vendor&gt;&lt;itlList&gt;&lt;itl&gt;&lt;Iwwpn&gt;{}&lt;/Iwwpn&gt;&lt;Twwpn&gt;500507680282861d&lt;/Twwpn&gt;&lt;lua&gt;21000000000000&lt;/lua&gt;&lt;/itl&gt;&lt;/itlList&gt;&lt;/device&gt;&lt;/deviceList&gt;&lt;/XML_LIST&gt;",
        wwpns[0]
    );
    let job = job_body("LUARecovery", "VirtualIOServer", &[("inputXML", &itl)]);
    let answer = client
        .put(
            &format!("VirtualIOServer/{}/do/LUARecovery", client.vios()),
            job,
        )
        .await;
    assert!(
        answer.body.contains("&lt;status&gt;3&lt;/status&gt;"),
        "{}",
        answer.body
    );
    let (_, volume) = admin.call(Method::GET, &path(""), Value::Null).await;
    assert_eq!(volume["disks"].as_array().unwrap().len(), 1, "{volume}");
    let (status, volume) = admin
        .call(Method::POST, &path("/extend"), json!({ "gigabytes": 6 }))
        .await;
    assert_eq!((status, &volume["gigabytes"]), (200, &json!(6)));
    let (status, _) = admin.call(Method::DELETE, &path(""), Value::Null).await;
    assert_eq!(status, 409);
    let (status, _) = admin.call(Method::POST, &path("/unmap"), connector).await;
    assert_eq!(status, 204);
    let (status, _) = admin.call(Method::DELETE, &path(""), Value::Null).await;
    assert_eq!(status, 204);
    let (status, _) = admin.call(Method::GET, &path(""), Value::Null).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn an_iscsi_connection_has_credentials_if_asked_for() {
    let client = Client::new().await;
    let admin = Admin::of(&client);
    let (_, volume) = admin
        .call(
            Method::POST,
            "/volumes",
            json!({ "name": "v", "gigabytes": 5, "protocol": "iscsi" }),
        )
        .await;
    let id = volume["id"].as_str().unwrap();
    let initiator = "iqn.1994-05.com.ibm:vios1";
    let body = json!({ "connector": { "initiator": initiator, "multipath": true }, "chap": true });
    let (status, answer) = admin
        .call(Method::POST, &format!("/volumes/{id}/map"), body)
        .await;
    assert_eq!(status, 200, "{answer}");
    let data = &answer["connection_info"]["data"];
    assert_eq!(data["target_portals"].as_array().unwrap().len(), 2);
    assert_eq!(data["target_iqns"][0], data["target_iqn"]);
    assert_eq!(data["auth_method"], "CHAP");
    assert!(data["auth_password"].as_str().unwrap().len() >= 12);
    let (_, shown) = admin
        .call(Method::GET, &format!("/volumes/{id}"), Value::Null)
        .await;
    let password = data["auth_password"].as_str().unwrap();
    assert!(!shown.to_string().contains(password));
    assert!(!format!("{:?}", client.simulator.world().san).contains(password));
}

#[tokio::test]
async fn a_password_of_a_job_is_not_repeated() {
    let client = Client::new().await;
    let job = job_body(
        "ISCSIDiscovery",
        "VirtualIOServer",
        &[
            ("targetIQN", "iqn.x"),
            ("hostIP", "192.0.2.40:3260"),
            ("user", "who"),
            ("password", "very-secret"),
            ("discoveryPassword", "very-secret"),
        ],
    );
    let answer = client
        .put(
            &format!("VirtualIOServer/{}/do/ISCSIDiscovery", client.vios()),
            job,
        )
        .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(
        !answer.body.contains("very-secret") && answer.body.contains(">who<"),
        "{}",
        answer.body
    );
    let world = client.simulator.world();
    assert!(!format!("{:?}", world.jobs).contains("very-secret"));
}

#[tokio::test]
async fn nonsense_gets_an_answer() {
    let client = Client::new().await;
    let admin = Admin::of(&client);
    for (method, path, body, status) in [
        (Method::POST, "/volumes", json!({ "name": "v" }), 400),
        (
            Method::POST,
            "/volumes",
            json!({ "name": "v", "gigabytes": 0 }),
            400,
        ),
        (
            Method::POST,
            "/volumes",
            json!({ "name": "v", "gigabytes": u64::MAX }),
            400,
        ),
        (
            Method::POST,
            "/volumes",
            json!({ "name": "v", "gigabytes": 1, "protocol": "floppy" }),
            400,
        ),
        (
            Method::POST,
            "/volumes",
            json!({ "name": "v", "gigabytes": 1, "content": { "bytes": 1, "sha256": "xyz" } }),
            400,
        ),
        (Method::GET, "/volumes/nothing", Value::Null, 404),
        (
            Method::DELETE,
            "/volumes/00000000-0000-0000-0000-000000000009",
            Value::Null,
            404,
        ),
        (
            Method::POST,
            "/volumes/00000000-0000-0000-0000-000000000009/map",
            json!({ "connector": { "wwpns": ["5005"] } }),
            400,
        ),
        (
            Method::POST,
            "/volumes/00000000-0000-0000-0000-000000000009/map",
            json!({ "connector": { "initiator": "a b" } }),
            400,
        ),
        (
            Method::POST,
            "/volumes/00000000-0000-0000-0000-000000000009/map",
            json!({}),
            404,
        ),
        (
            Method::POST,
            "/adapters/strand",
            json!({ "vios": "00000000-0000-0000-0000-000000000009", "slot": 2 }),
            404,
        ),
        (Method::POST, "/adapters/strand", json!("?"), 400),
    ] {
        let (got, answer) = admin.call(method.clone(), path, body.clone()).await;
        assert_eq!(got, status, "{method} {path} {body}: {answer}");
    }
    let (status, san) = admin.call(Method::GET, "/san", Value::Null).await;
    assert_eq!(status, 200);
    assert_eq!(san["fabrics"].as_array().unwrap().len(), 2);
    let (_, all) = admin.call(Method::GET, "/volumes", Value::Null).await;
    let free = all["volumes"].as_array().unwrap().iter();
    assert_eq!(
        free.filter(|volume| volume["name"].as_str().unwrap().starts_with("free"))
            .count(),
        32
    );
}
