//! Logon, expiry, logoff.

use std::time::Duration;

use axum::body::Body;
use http::Method;
use powervm_simulator::weather::Weather;
use powervm_simulator::{Flavor, Simulator};
use secrecy::ExposeSecret as _;

use crate::client::{Client, logon_body, novalink};

const CONSOLE: &str = "/rest/api/uom/ManagementConsole";

#[tokio::test]
async fn a_password_opens_a_session_and_logoff_ends_it() {
    let client = Client::new().await;
    let answer = client.get("ManagementConsole?group=None").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-mc-type"), "PVM");
    assert_eq!(
        answer.header("content-type"),
        "application/atom+xml; charset=UTF-8"
    );
    let answer = client
        .send(Method::DELETE, "/rest/api/web/Logon", &[], Body::empty())
        .await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (204, ""));
    assert_eq!(client.get("ManagementConsole").await.status, 401);
}

#[tokio::test]
async fn a_logon_answer_is_no_atom_and_has_the_token_in_the_web_namespace() {
    let client = Client::new().await;
    let credentials = client.simulator.credentials();
    let answer = client
        .logon(&credentials.user, credentials.password.expose_secret())
        .await;
    assert!(
        answer
            .header("content-type")
            .starts_with("application/vnd.ibm.powervm.web+xml; type=LogonResponse")
    );
    let root = powervm_schema::xml::Element::parse(answer.body.as_bytes()).unwrap();
    assert!(root.is(&powervm_schema::xml::Namespace::Web, "LogonResponse"));
    assert_eq!(root.child_value("X-API-Session").unwrap().len(), 240);
}

#[tokio::test]
async fn a_token_file_opens_a_session_on_a_novalink() {
    let client = Client::new().await;
    let body = logon_body(
        "pypowervm_1",
        "<GenerateX-API-SessionFile>true</GenerateX-API-SessionFile>",
    );
    let answer = client
        .send(Method::PUT, "/rest/api/web/Logon", &[], body.clone())
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("x-mc-type")),
        (200, "PVM")
    );
    let path = answer.text("X-API-SessionFile");
    let local = Client {
        token: std::fs::read_to_string(&path).unwrap(),
        ..client
    };
    assert_eq!(local.get("ManagedSystem").await.status, 200);
    local
        .send(Method::DELETE, "/rest/api/web/Logon", &[], Body::empty())
        .await;
    assert!(!std::path::Path::new(&path).exists());

    let hmc = Client::of(&Simulator::builder().flavor(Flavor::Hmc).build().unwrap()).await;
    let answer = hmc
        .send(Method::PUT, "/rest/api/web/Logon", &[], body)
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("x-mc-type")),
        (400, "")
    );
}

#[tokio::test(start_paused = true)]
async fn an_idle_session_expires_and_a_used_one_does_not() {
    let simulator = novalink(Weather::Calm)
        .session_idle(Duration::from_secs(60))
        .build()
        .unwrap();
    let client = Client::of(&simulator).await;
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_secs(50)).await;
        assert_eq!(client.get("ManagedSystem").await.status, 200);
    }
    tokio::time::sleep(Duration::from_secs(61)).await;
    let answer = client.get("ManagedSystem").await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.text("HTTPStatus"), "401");
    assert!(!answer.body.contains(&client.token));
}

#[tokio::test(start_paused = true)]
async fn wrong_passwords_lock_an_hmc_for_a_while() {
    let simulator = Simulator::builder().flavor(Flavor::Hmc).build().unwrap();
    let client = Client::of(&simulator).await;
    let credentials = simulator.credentials();
    for _ in 0..3 {
        assert_eq!(client.logon(&credentials.user, "wrong").await.status, 401);
    }
    let answer = client
        .logon(&credentials.user, credentials.password.expose_secret())
        .await;
    assert_eq!(answer.status, 401);
    assert!(answer.text("Message").contains("locked"));
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert_eq!(
        client
            .logon(&credentials.user, credentials.password.expose_secret())
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn without_a_session_every_path_is_401() {
    let client = Client {
        token: String::new(),
        ..Client::new().await
    };
    for path in [
        CONSOLE,
        "/rest/api/uom/Nonsense",
        "/rest/api/web/File",
        "/rest/api/uom/Event",
        "/nowhere",
    ] {
        let answer = client.send(Method::GET, path, &[], Body::empty()).await;
        assert_eq!(answer.status, 401, "{path}");
        assert_eq!(answer.header("connection"), "Close");
    }
    let answer = client
        .send(
            Method::GET,
            CONSOLE,
            &[("X-API-Session", "made up")],
            Body::empty(),
        )
        .await;
    assert_eq!(answer.status, 401);
}
