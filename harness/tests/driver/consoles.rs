//! The VNC repeater with the driver behind it, over sockets.

use std::os::unix::fs::PermissionsExt;

use powervm_driver::config::{Config, DiskDriver};
use powervm_driver::operations::Control;
use powervm_driver::partition::PartitionUuid;
use powervm_driver::vnc::Repeater;
use powervm_simulator::model::command::Command;
use powervm_simulator::{Flavor, weather::Weather};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::support::{Bench, config, instance, request, simulator};

#[tokio::test]
async fn the_console_of_a_server_that_is_off_is_served_by_its_uuid() {
    let screen = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = screen.local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let command = folder.path().join("mkvterm");
    std::fs::write(&command, format!("#!/bin/sh\necho {port}\n")).unwrap();
    std::fs::set_permissions(&command, std::fs::Permissions::from_mode(0o755)).unwrap();
    let config = Config {
        mkvterm: command,
        ..config(DiskDriver::Ssp)
    };
    let bench = Bench::with(simulator(Flavor::NovaLink, Weather::Calm), config).await;
    let mut order = request(1);
    order.power_on = false;
    bench
        .driver
        .spawn(order, &Control::default())
        .await
        .unwrap();
    let partition = PartitionUuid::of_instance(instance(1)).as_uuid();
    bench
        .simulator
        .apply(Command::OpenConsole(partition))
        .unwrap();

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let cancel = CancellationToken::new();
    let repeater = Repeater::of(bench.driver.clone(), None);
    let serving = repeater.serve(listener, &cancel);
    let looking = async {
        // The instance's UUID and the partition's mean the same server.
        for uuid in [instance(1), partition] {
            let mut client = TcpStream::connect(address).await.unwrap();
            let ask = format!("CONNECT {uuid} HTTP/1.1\r\n\r\n");
            client.write_all(ask.as_bytes()).await.unwrap();
            let (mut server, _) = screen.accept().await.unwrap();
            server.write_all(b"RFB 003.008\n").await.unwrap();
            let mut told = [0; 31];
            client.read_exact(&mut told).await.unwrap();
            assert_eq!(&told, b"HTTP/1.1 200 OK\r\n\r\nRFB 003.008\n");
            client.write_all(b"RFB 003.008\n").await.unwrap();
            let mut version = [0; 12];
            server.read_exact(&mut version).await.unwrap();
        }
        let mut client = TcpStream::connect(address).await.unwrap();
        let ask = format!("CONNECT {} HTTP/1.1\r\n\r\n", instance(9));
        client.write_all(ask.as_bytes()).await.unwrap();
        let mut told = String::new();
        client.read_to_string(&mut told).await.unwrap();
        assert!(told.starts_with("HTTP/1.1 400 "), "{told}");
        bench.calls.take();
        cancel.cancel();
    };
    let (served, ()) = tokio::join!(serving, looking);
    served.unwrap();
    let closed = bench.calls.take();
    assert!(
        closed
            .iter()
            .any(|(_, path)| path.ends_with("/do/CloseVterm")),
        "{closed:?}"
    );
}
