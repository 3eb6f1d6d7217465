//! How much anybody gets, and how what is too much is refused.

use std::time::Duration;

use http::Method;
use powervm_simulator::serve::{ServeOptions, Serving, serve};
use powervm_simulator::weather::Weather;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::client::{Client, UOM, novalink, partition_body};

async fn served(most_connections: usize) -> (Client, Serving) {
    let simulator = novalink(Weather::Calm).build().unwrap();
    let options = ServeOptions {
        http: Some("127.0.0.1:0".parse().unwrap()),
        most_connections: Some(most_connections),
        ..ServeOptions::default()
    };
    let serving = serve(&simulator, &options).await.unwrap();
    (Client::of(&simulator).await, serving)
}

async fn connect(serving: &Serving) -> TcpStream {
    TcpStream::connect(serving.http.unwrap()).await.unwrap()
}

/// What comes until the other side closes.
async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test]
async fn a_connection_too_many_is_told_so_and_the_others_go_on() {
    let (client, serving) = served(2).await;
    let (mut one, two) = (connect(&serving).await, connect(&serving).await);
    let head = format!(
        "GET /rest/api/uom/ManagedSystem HTTP/1.1\r\nHost: x\r\nX-API-Session: {}\r\nConnection: close\r\n\r\n",
        client.token
    );
    // Both are taken once the first has been spoken to.
    let refused = loop {
        let refused = rest(&mut connect(&serving).await).await;
        if !refused.is_empty() {
            break refused;
        }
    };
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    assert!(refused.contains("too many connections"), "{refused}");
    one.write_all(head.as_bytes()).await.unwrap();
    assert!(rest(&mut one).await.starts_with("HTTP/1.1 200 "));
    drop((one, two));
    let again = async {
        loop {
            let mut stream = connect(&serving).await;
            if stream.write_all(head.as_bytes()).await.is_ok()
                && rest(&mut stream).await.starts_with("HTTP/1.1 200 ")
            {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), again)
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn headers_that_drip_and_connections_that_idle_are_closed() {
    let (_client, serving) = served(10).await;
    for begin in [
        "",
        "GET /rest/api/uom/Managed",
        "GET / HTTP/1.1\r\nHost: x\r\nX-Drip: ",
    ] {
        let mut stream = connect(&serving).await;
        let began = Instant::now();
        stream.write_all(begin.as_bytes()).await.unwrap();
        rest(&mut stream).await;
        let took = began.elapsed();
        assert!((100..=130).contains(&took.as_secs()), "{begin:?}: {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stalls_is_answered_408() {
    let (client, serving) = served(10).await;
    let mut stream = connect(&serving).await;
    let head = format!(
        "PUT /rest/api/uom/ManagedSystem/{}/LogicalPartition HTTP/1.1\r\nHost: x\r\nX-API-Session: {}\r\nContent-Length: 100\r\nConnection: close\r\n\r\n<Logical",
        client.system(),
        client.token
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("stalled"), "{answer}");
}

#[tokio::test]
async fn a_head_too_large_is_431() {
    let (_client, serving) = served(10).await;
    let mut stream = connect(&serving).await;
    let head = format!(
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Long: {}\r\n\r\n",
        "x".repeat(70_000)
    );
    let _ = stream.write_all(head.as_bytes()).await;
    assert!(rest(&mut stream).await.starts_with("HTTP/1.1 431 "));
}

#[tokio::test]
async fn attributes_and_declarations_are_bounded() {
    let client = Client::new().await;
    let path = format!("ManagedSystem/{}/LogicalPartition", client.system());
    let many = |what: &dyn Fn(usize) -> String, number: usize| {
        let written: String = (0..number).map(what).collect();
        partition_body("x").replacen("schemaVersion=", &format!("{written} schemaVersion="), 1)
    };
    for body in [
        many(&|number| format!(" a{number}='1'"), 1000),
        many(&|number| format!(" xmlns:n{number}='{UOM}'"), 1000),
    ] {
        let answer = client.put(&path, body).await;
        assert_eq!(answer.status, 413, "{}", answer.body);
    }
}

#[tokio::test]
async fn files_are_bounded_and_their_names_lead_nowhere() {
    let client = Client::new().await;
    let file = async |name: &str| {
        let body = format!(
            r#"<File:File xmlns:File="{web}" xmlns="{web}" schemaVersion="V1_0"><Metadata><Atom/></Metadata><Filename>{name}</Filename><InternetMediaType>application/octet-stream</InternetMediaType><FileEnumType>BROKERED_MEDIA_ISO</FileEnumType><TargetVirtualIOServerUUID>{vios}</TargetVirtualIOServerUUID></File:File>"#,
            web = "http://www.ibm.com/xmlns/systems/power/firmware/web/mc/2012_10/",
            vios = client.vios()
        );
        client
            .send(Method::PUT, "/rest/api/web/File", &[], body)
            .await
    };
    for name in [
        "../../etc/passwd",
        "/etc/passwd",
        "a/b",
        "..",
        "a\\b",
        "",
        &"x".repeat(300),
    ] {
        let answer = file(name).await;
        assert!(
            matches!(answer.status.as_u16(), 400 | 409 | 500),
            "{name}: {}",
            answer.body
        );
    }
    let mut made = 0_usize;
    let last = loop {
        let answer = file(&format!("disk_{made}.iso")).await;
        if answer.status != 200 {
            break answer;
        }
        made += 1;
        assert!(made <= 1000, "there is no limit");
    };
    assert_eq!(made, powervm_simulator::model::file::LIMIT);
    assert!(last.text("Message").contains("100"), "{}", last.body);
}

#[tokio::test]
async fn sessions_are_bounded_the_longest_idle_goes() {
    let simulator = novalink(Weather::Calm).most_sessions(3).build().unwrap();
    let first = Client::of(&simulator).await;
    assert_eq!(first.get("ManagedSystem?group=None").await.status, 200);
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(2)).await;
        Client::of(&simulator).await;
    }
    assert_eq!(simulator.sessions().len(), 3);
    assert_eq!(first.get("ManagedSystem?group=None").await.status, 401);
}
