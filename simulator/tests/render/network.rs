//! Network bridges, SR-IOV ports and virtual NICs as clients read and write them.

use super::support::{Bench, FLAVORS, uom};
use powervm_schema::network::{NetworkBridge, SharedEthernetAdapter, TrunkAdapter};
use powervm_schema::sriov::{BackingDeviceStatus, SriovEthernetLogicalPort, VirtualNicDedicated};
use powervm_schema::system::ManagedSystem;
use powervm_schema::vios::VirtualIoServer;
use powervm_schema::xml::Element;
use powervm_simulator::model::Flavor;

/// The one bridge and its path.
fn bridge(bench: &Bench) -> (String, NetworkBridge) {
    let url = format!(
        "uom/ManagedSystem/{}/NetworkBridge?group=None",
        bench.system()
    );
    let feed = bench.feed(&url);
    let [entry] = feed.entries.as_slice() else {
        panic!("{} bridges", feed.entries.len());
    };
    let href = entry.self_href().unwrap();
    let url = href.split_once("/rest/api/").unwrap().1.to_owned();
    (url, NetworkBridge(entry.content.clone()))
}

/// Changes the trunk adapters of every shared Ethernet adapter.
fn edit(bridge: &mut NetworkBridge, change: impl Fn(&mut Element)) {
    let list = bridge
        .element_mut()
        .child_mut("SharedEthernetAdapters")
        .unwrap();
    for adapter in list.children_mut() {
        if let Some(trunks) = adapter.child_mut("TrunkAdapters") {
            change(trunks);
        }
    }
}

/// A trunk adapter as pypowervm builds one.
fn new_trunk(system: &str, switch: &str, vlan: u16, tagged: &str) -> Element {
    let xml = format!(
        r#"<uom:TrunkAdapter xmlns:uom="http://www.ibm.com/xmlns/systems/power/firmware/uom/mc/2012_10/" schemaVersion="V1_0"><uom:RequiredAdapter>true</uom:RequiredAdapter><uom:UseNextAvailableHighSlotID>true</uom:UseNextAvailableHighSlotID><uom:PortVLANID>{vlan}</uom:PortVLANID><uom:TaggedVLANIDs>{tagged}</uom:TaggedVLANIDs><uom:TaggedVLANSupported>true</uom:TaggedVLANSupported><uom:AssociatedVirtualSwitch><uom:link href="http://localhost:12080/rest/api/uom/ManagedSystem/{system}/VirtualSwitch/{switch}" rel="related"/></uom:AssociatedVirtualSwitch><uom:VirtualSwitchID>0</uom:VirtualSwitchID></uom:TrunkAdapter>"#
    );
    Element::parse(xml.as_bytes()).unwrap()
}

fn trunks(adapter: &SharedEthernetAdapter<&Element>) -> Vec<(u16, Vec<u16>)> {
    let trunks = adapter.trunk_adapters();
    trunks
        .map(|trunk| {
            (
                trunk.port_vlan().unwrap().unwrap(),
                trunk.tagged_vlan_ids().unwrap(),
            )
        })
        .collect()
}

#[test]
fn a_bridge_shows_its_vlans_twice() {
    for flavor in FLAVORS {
        let bench = Bench::new(flavor, 7, 0);
        let (_, bridge) = bridge(&bench);
        let groups: Vec<_> = bridge.load_groups().collect();
        assert_eq!(groups.len(), 2);
        let ports: Vec<u16> = groups
            .iter()
            .map(|group| group.port_vlan().unwrap().unwrap())
            .collect();
        assert_eq!(ports, [1, 4094]);
        assert_eq!(groups[0].virtual_networks().count(), 1);
        assert_eq!(groups[1].virtual_networks().count(), 10);
        assert_eq!(bridge.virtual_networks().count(), 11);
        assert!(
            groups
                .iter()
                .all(|group| group.trunk_adapters().count() == 2)
        );
        let members: Vec<_> = bridge.shared_ethernet_adapters().collect();
        assert_eq!(members.len(), 2);
        assert_eq!(trunks(&members[0]), trunks(&members[1]));
        let primary: Vec<_> = members
            .iter()
            .map(|member| member.is_primary().unwrap())
            .collect();
        assert_eq!(primary, [Some(true), Some(false)]);
        assert_eq!(bridge.udid(), Some("0"));
        // A trunk adapter has the same text in a load group and in its shared Ethernet adapter.
        let listed = members[0].trunk_adapters().next().unwrap();
        let grouped = groups[0].trunk_adapters().next().unwrap();
        assert_eq!(listed.element().to_xml(), grouped.element().to_xml());
        // And the shared Ethernet adapter the same in the list of its server.
        let vios = members[0].virtual_io_server().unwrap();
        let vios = vios.rsplit('/').next().unwrap();
        let entry = bench.entry(&format!("uom/VirtualIOServer/{vios}?group=ViosNetwork"));
        let server = VirtualIoServer(&entry.content);
        let own = server.shared_ethernet_adapters().next().unwrap();
        assert_eq!(own.element().to_xml(), members[0].element().to_xml());
        assert_eq!(server.free_backing_devices().count(), 3);
    }
}

#[test]
fn a_novalink_takes_the_trunk_adapters_of_a_client() {
    let mut bench = Bench::new(Flavor::NovaLink, 7, 0);
    let (url, mut read) = bridge(&bench);
    let system = bench.system();
    let switches = bench.feed(&format!(
        "uom/ManagedSystem/{system}/VirtualSwitch?group=None"
    ));
    let switch = switches.entries[0].id.clone();
    edit(&mut read, |trunks| {
        trunks.push(new_trunk(&system, &switch, 4093, "200 201"))
    });
    bench.post(&url, &read.element().to_xml()).unwrap();
    let (_, after) = bridge(&bench);
    let group = after.load_groups().nth(2).unwrap();
    assert_eq!(group.port_vlan().unwrap(), Some(4093));
    assert_eq!(group.virtual_networks().count(), 2);
    for trunk in group.trunk_adapters() {
        assert!(trunk.slot().unwrap() > Some(3));
        assert!(trunk.device_name().unwrap().starts_with("ent"));
    }
    // A blank in between is as good as several.
    let (_, mut read) = bridge(&bench);
    edit(&mut read, |trunks| {
        let last = trunks.children_mut().last().unwrap();
        TrunkAdapter(last).set_tagged_vlans("  200   202 ");
    });
    bench.post(&url, &read.element().to_xml()).unwrap();
    let (_, after) = bridge(&bench);
    let member = after.shared_ethernet_adapters().next().unwrap();
    assert_eq!(trunks(&member)[2], (4093, vec![200, 202]));
}

#[test]
fn hostile_bridges_are_refused() {
    let mut bench = Bench::new(Flavor::NovaLink, 7, 0);
    let (url, _) = bridge(&bench);
    let system = bench.system();
    let create = format!("uom/ManagedSystem/{system}/NetworkBridge");
    let before = bench.world.clone();
    let sea = |inside: &str| {
        format!(
            "<SharedEthernetAdapters><SharedEthernetAdapter>{inside}</SharedEthernetAdapter></SharedEthernetAdapters>"
        )
    };
    let many = "<TrunkAdapter><PortVLANID>7</PortVLANID></TrunkAdapter>".repeat(200);
    for (inside, status) in [
        (String::new(), 400),
        ("<PortVLANID>x</PortVLANID>".to_owned(), 400),
        (
            "<PortVLANID>9</PortVLANID><SharedEthernetAdapters/>".to_owned(),
            500,
        ),
        (format!("<PortVLANID>0</PortVLANID>{}", sea("")), 500),
        (
            format!(
                "<PortVLANID>9</PortVLANID>{}",
                sea("<AssignedVirtualIOServer href='x'/>")
            ),
            400,
        ),
        (
            format!(
                "<PortVLANID>9</PortVLANID>{}",
                sea("<TrunkAdapters><TrunkAdapter/></TrunkAdapters>")
            ),
            400,
        ),
        (
            format!(
                "<PortVLANID>9</PortVLANID>{}",
                sea(&format!("<TrunkAdapters>{many}</TrunkAdapters>"))
            ),
            500,
        ),
    ] {
        let problem = bench
            .put(&create, &uom("NetworkBridge", &inside))
            .unwrap_err();
        assert_eq!(problem.status, status, "{inside}: {problem}");
        assert!(bench.world == before);
    }
    for (inside, status) in [
        ("<SharedEthernetAdapters/>".to_owned(), 500),
        (sea("<TrunkAdapters/>"), 400),
        (
            sea(
                "<TrunkAdapters><TrunkAdapter><PortVLANID>-1</PortVLANID></TrunkAdapter></TrunkAdapters>",
            ),
            400,
        ),
        ("<ControlChannelID>1</ControlChannelID>".to_owned(), 500),
    ] {
        let problem = bench
            .post(&url, &uom("NetworkBridge", &inside))
            .unwrap_err();
        assert_eq!(problem.status, status, "{inside}: {problem}");
        assert!(bench.world == before);
    }
}

#[test]
fn a_client_makes_and_reads_a_logical_port() {
    for flavor in FLAVORS {
        let mut bench = Bench::new(flavor, 7, 0);
        let partition = bench.create_partition("one");
        let url = format!("uom/LogicalPartition/{partition}/SRIOVEthernetLogicalPort");
        let body = uom(
            "SRIOVEthernetLogicalPort",
            "<AdapterID>1</AdapterID><IsPromiscous>false</IsPromiscous><ConfiguredCapacity>4.00%</ConfiguredCapacity><PhysicalPortID>2</PhysicalPortID><PortVLANID>5</PortVLANID><AllowedMACAddresses>NONE</AllowedMACAddresses><MACAddress>AABBCCDDEE00</MACAddress><AllowedVLANs>7 8</AllowedVLANs>",
        );
        bench.put(&url, &body).unwrap();
        let feed = bench.feed(&format!("{url}?group=None"));
        let port = SriovEthernetLogicalPort(&feed.entries[0].content);
        assert_eq!(port.id().unwrap(), Some(654_327_809));
        assert_eq!(port.capacity(), Some("4.0%"));
        assert_eq!(port.maximum_capacity(), Some("100.0%"));
        assert_eq!(port.number_of_allowed_vlans().unwrap(), Some(2));
        let lower = flavor == Flavor::Hmc;
        let mac = if lower {
            "aabbccddee00"
        } else {
            "AABBCCDDEE00"
        };
        assert_eq!(
            (port.mac_address(), port.current_mac_address()),
            (Some(mac), Some(mac))
        );
        assert!(port.location_code().unwrap().ends_with("-P1-C8-T3-S1"));

        let own = bench.entry(&format!("uom/LogicalPartition/{partition}?group=None"));
        assert!(own.content.child("SRIOVEthernetLogicalPorts").is_some());
        let system = bench.entry(&format!("uom/ManagedSystem/{}?group=None", bench.system()));
        let io = ManagedSystem(&system.content).io().unwrap();
        let adapter = io.sriov_adapters().next().unwrap().sriov().unwrap();
        assert_eq!(adapter.logical_ports().count(), 1);
        let physical = adapter.ethernet_ports().next().unwrap();
        assert_eq!(physical.allocated_capacity(), Some("4.0%"));
        assert_eq!(physical.configured_logical_ports().unwrap(), Some(1));

        let problem = bench.put(&url, &body.replace("4.00%", "97")).unwrap_err();
        assert!(problem.message.contains("HSCL1294"), "{problem}");
        let problem = bench.put(&url, &body.replace("4.00%", "lots")).unwrap_err();
        assert_eq!(problem.status, 400);
        let id = feed.entries[0].id.clone();
        bench.delete(&format!("{url}/{id}")).unwrap();
        assert!(bench.feed(&url).entries.is_empty());
    }
}

#[test]
fn a_client_makes_and_reads_a_virtual_nic() {
    for flavor in FLAVORS {
        let mut bench = Bench::new(flavor, 7, 0);
        let (partition, vios) = (bench.create_partition("one"), bench.vios(0));
        let url = format!("uom/LogicalPartition/{partition}/VirtualNICDedicated");
        let device = |port: u16| {
            format!(
                "<VirtualNICBackingDeviceChoice><VirtualNICSRIOVBackingDevice><AssociatedVirtualIOServer href='http://localhost:12080/rest/api/uom/VirtualIOServer/{vios}' rel='related'/><RelatedSRIOVAdapterID>1</RelatedSRIOVAdapterID><CurrentCapacityPercentage>2.00%</CurrentCapacityPercentage><RelatedSRIOVPhysicalPortID>{port}</RelatedSRIOVPhysicalPortID></VirtualNICSRIOVBackingDevice></VirtualNICBackingDeviceChoice>"
            )
        };
        let body = uom(
            "VirtualNICDedicated",
            &format!(
                "<UseNextAvailableSlotID>true</UseNextAvailableSlotID><Details><PortVLANID>7</PortVLANID><AllowedVLANIDs>NONE</AllowedVLANIDs><MACAddress>AABBCCDDEE01</MACAddress><AllowedOperatingSystemMACAddresses>ALL</AllowedOperatingSystemMACAddresses></Details><AssociatedBackingDevices>{}{}</AssociatedBackingDevices>",
                device(0),
                device(3)
            ),
        );
        bench.put(&url, &body).unwrap();
        let feed = bench.feed(&format!("{url}?group=Advanced,VNIC"));
        let nic = VirtualNicDedicated(&feed.entries[0].content);
        let devices: Vec<_> = nic
            .backing_devices()
            .map(|choice| choice.sriov().unwrap())
            .collect();
        let statuses: Vec<_> = devices
            .iter()
            .map(|device| device.status().unwrap().unwrap())
            .collect();
        assert_eq!(
            statuses,
            [
                BackingDeviceStatus::Operational,
                BackingDeviceStatus::LinkDown
            ]
        );
        assert_eq!(devices[0].active().unwrap(), Some(true));
        let details = nic.details().unwrap();
        assert_eq!(details.device_name(), Some("unavailable"));
        assert_eq!(details.desired_capacity(), Some("2.0%"));
        let port = devices[0].logical_port().unwrap();
        let port = port.split_once("/rest/api/").unwrap().1;
        assert!(port.starts_with(&format!(
            "uom/VirtualIOServer/{vios}/SRIOVEthernetLogicalPort/"
        )));
        let entry = bench.entry(port);
        let port = SriovEthernetLogicalPort(&entry.content);
        assert_eq!(port.partitions().count(), 1);

        let server = bench.entry(&format!("uom/VirtualIOServer/{vios}?group=VNIC"));
        let server = VirtualIoServer(&server.content);
        let served: Vec<_> = server.virtual_nic_backing_devices().collect();
        assert_eq!(served.len(), 2);
        let link = served[0].sriov().unwrap();
        assert!(link.virtual_nic().unwrap().contains(&feed.entries[0].id));
        let plain = bench.entry(&format!("uom/VirtualIOServer/{vios}?group=None"));
        assert!(plain.content.child("VirtualNICBackingDevices").is_none());

        for (from, to, status) in [
            ("<Details>", "<Other>", 400),
            ("AABBCCDDEE01", "AABBCCDDEE02x", 500),
            ("2.00%", "200", 500),
            ("RelatedSRIOVAdapterID>1<", "RelatedSRIOVAdapterID>9<", 500),
            ("<PortVLANID>7<", "<PortVLANID>9999<", 500),
        ] {
            let bad = body.replace(from, to).replace(&to.replace('<', "</"), to);
            let before = bench.world.clone();
            let refused = bench.put(&url, &bad).unwrap_err();
            assert!(
                refused.status == status || refused.status == 400,
                "{to}: {refused}"
            );
            assert!(bench.world == before);
        }
    }
}

#[test]
fn a_client_labels_a_port_by_posting_the_system() {
    let mut bench = Bench::new(Flavor::NovaLink, 7, 0);
    let url = format!("uom/ManagedSystem/{}?group=None", bench.system());
    let own = bench.own_text(&url);
    let (first, rest) = own.split_once("<Label kb=\"CUR\" kxe=\"false\"/>").unwrap();
    let labelled = format!(
        "{first}<uom:Label xmlns:uom=\"http://www.ibm.com/xmlns/systems/power/firmware/uom/mc/2012_10/\">blue</uom:Label>{rest}"
    );
    bench.post(&url, &labelled).unwrap();
    let entry = bench.entry(&url);
    let io = ManagedSystem(&entry.content).io().unwrap();
    let adapter = io.sriov_adapters().next().unwrap().sriov().unwrap();
    let labels: Vec<_> = adapter
        .converged_ports()
        .map(|port| port.label().map(str::to_owned))
        .collect();
    assert_eq!(labels, [Some("blue".to_owned()), None]);
}
