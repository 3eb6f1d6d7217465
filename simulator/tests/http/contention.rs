//! Many clients that edit one resource at once: optimistic updates lose nothing.

use futures_util::future::join_all;
use http::Method;

use crate::client::Client;

const CLIENTS: usize = 64;

/// Reads the server, puts a mapping of its own in, and writes it back until nobody came in between; how often somebody
/// did.
async fn add_mapping(client: &Client, path: &str, partition: &str, slot: usize) -> u64 {
    let mapping = format!(
        "<VirtualSCSIMapping schemaVersion=\"V1_0\"><AssociatedLogicalPartition \
         href=\"http://h/rest/api/uom/LogicalPartition/{partition}\" rel=\"related\"/>\
         <ServerAdapter schemaVersion=\"V1_0\"><VirtualSlotNumber>{slot}</VirtualSlotNumber></ServerAdapter>\
         </VirtualSCSIMapping></VirtualSCSIMappings>"
    );
    let mut stale = 0;
    loop {
        let read = client.get(path).await;
        let etag = read.header("etag").to_owned();
        // Everybody has read before the first one writes.
        tokio::task::yield_now().await;
        let begin = read.body.find("<VirtualIOServer:").unwrap();
        let own = read.body[begin..]
            .strip_suffix("</content></entry>")
            .unwrap();
        let body = own.replace("</VirtualSCSIMappings>", &mapping);
        let headers = [("if-match", etag.as_str())];
        let url = format!("/rest/api/uom/{path}");
        let written = client.send(Method::POST, &url, &headers, body).await;
        match written.status.as_u16() {
            200 => return stale,
            412 => stale += 1,
            status => panic!("{status}: {}", written.body),
        }
    }
}

#[tokio::test]
async fn no_update_of_many_clients_is_lost() {
    let client = Client::new().await;
    let world = client.simulator.world();
    let vios = world.vioses.keys().next().copied().unwrap();
    let before = world.vioses[&vios].buses.len();
    // A partition has 64 slots: several share the adapters.
    let mut partitions = Vec::new();
    for number in 0..4 {
        partitions.push(client.partition(&format!("many-{number}")).await);
    }
    let path = format!("VirtualIOServer/{vios}?group=ViosSCSIMapping");

    let edit = |number: usize| {
        let partition: &String = &partitions[number % partitions.len()];
        add_mapping(&client, &path, partition, 1000 + number)
    };
    let edits = (0..CLIENTS).map(edit);
    let stale: u64 = join_all(edits).await.into_iter().sum();

    let world = client.simulator.world();
    let buses = &world.vioses[&vios].buses;
    assert_eq!(buses.len(), before + CLIENTS);
    for number in 0..CLIENTS {
        let slot = u16::try_from(1000 + number).unwrap();
        assert!(
            buses.contains_key(&slot),
            "the mapping in slot {slot} is lost"
        );
    }
    assert!(stale >= CLIENTS as u64 - 1, "{stale}");
    assert_eq!(client.simulator.counters().preconditions_failed, stale);
    assert!(client.simulator.violations().is_empty());
}
