//! The client of the object store against a small Keystone and Swift, well and ill.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod cloud;

use std::sync::Arc;

use bytes::Bytes;
use cloud::{Cloud, Ill};
use powervm_driver::config::StoreOptions;
use powervm_driver::rest::ServiceTransport;
use powervm_driver::store::{Store, SwiftOptions, SwiftStore};
use powervm_driver::{Error, ErrorKind};
use secrecy::SecretString;

fn options() -> StoreOptions {
    StoreOptions {
        swift_auth_url: "http://keystone:5000/v3".to_owned(),
        ..StoreOptions::default()
    }
}

fn store_with(cloud: &Cloud, options: &StoreOptions, password: &str) -> SwiftStore {
    let options = SwiftOptions::with_password(options, SecretString::from(password)).unwrap();
    let transport = ServiceTransport::new(cloud.router());
    SwiftStore::through(options, Arc::new(transport))
}

fn store(cloud: &Cloud) -> SwiftStore {
    store_with(cloud, &options(), cloud::PASSWORD)
}

const CONTENT: Bytes = Bytes::from_static(b"what is kept");

#[tokio::test(start_paused = true)]
async fn what_is_put_is_got_until_it_is_deleted() {
    let cloud = Cloud::default();
    let store = store(&cloud);
    assert_eq!(store.get("one").await.unwrap(), None);
    store.delete("one").await.unwrap();
    store.put("one", CONTENT).await.unwrap();
    assert_eq!(cloud.object("powervm_nvram", "one").unwrap(), CONTENT);
    assert_eq!(store.get("one").await.unwrap().unwrap(), CONTENT);
    store.put("one", Bytes::new()).await.unwrap();
    assert_eq!(store.get("one").await.unwrap().unwrap(), "");
    store.delete("one").await.unwrap();
    assert_eq!(store.get("one").await.unwrap(), None);
    assert_eq!(cloud.logons(), 1, "one token serves for all");
}

#[tokio::test(start_paused = true)]
async fn an_expired_token_is_replaced_once() {
    let cloud = Cloud::default();
    let store = store(&cloud);
    store.put("one", CONTENT).await.unwrap();
    cloud.expire();
    assert_eq!(store.get("one").await.unwrap().unwrap(), CONTENT);
    assert_eq!(cloud.logons(), 2);
    cloud.befall([Ill::Refuse(401), Ill::Refuse(401), Ill::Refuse(401)]);
    let error = store.get("one").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!(cloud.logons(), 3, "not for ever");
}

#[tokio::test(start_paused = true)]
async fn what_passes_is_tried_again_and_what_stays_is_told() {
    for ill in [Ill::Refuse(503), Ill::Slow, Ill::Cut, Ill::Mixed] {
        let cloud = Cloud::default();
        let store = store(&cloud);
        store.put("one", CONTENT).await.unwrap();
        cloud.befall([ill]);
        assert_eq!(store.get("one").await.unwrap().unwrap(), CONTENT, "{ill:?}");
        cloud.befall([ill; 4]);
        let error = store.get("one").await.unwrap_err();
        let kinds = [ErrorKind::Busy, ErrorKind::TimedOut, ErrorKind::Interrupted];
        assert!(kinds.contains(&error.kind()), "{ill:?}: {error}");
        assert_told(&error);
    }
    let cloud = Cloud::default();
    let store = store(&cloud);
    cloud.befall([Ill::Refuse(503)]);
    store.put("one", CONTENT).await.unwrap();
    cloud.befall([Ill::Refuse(503), Ill::Slow]);
    let error = store.put("one", CONTENT).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    cloud.befall([Ill::Refuse(403)]);
    let error = store.delete("one").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert_told(&error);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_and_a_catalogue_without_swift_are_told() {
    let cloud = Cloud::default();
    let error = store_with(&cloud, &options(), "guess")
        .get("one")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(!error.to_string().contains("guess"), "{error}");
    let admin = StoreOptions {
        swift_endpoint_type: "adminURL".to_owned(),
        ..options()
    };
    let error = store_with(&cloud, &admin, cloud::PASSWORD)
        .get("one")
        .await
        .unwrap_err();
    assert!(error.to_string().contains("swift_storage_url"), "{error}");
    let given = StoreOptions {
        swift_storage_url: "http://swift:8080/v1/AUTH_powervm/".to_owned(),
        swift_auth_url: "http://keystone:5000".to_owned(),
        swift_container: "a name/with\u{e4}".replace('/', "-"),
        ..admin
    };
    let store = store_with(&cloud, &given, cloud::PASSWORD);
    store.put("one", CONTENT).await.unwrap();
    assert_eq!(
        cloud.object(&given.swift_container, "one").unwrap(),
        CONTENT
    );
    assert!(!format!("{store:?}").contains(cloud::PASSWORD));
}

#[tokio::test(start_paused = true)]
async fn what_is_too_large_or_no_name_is_refused() {
    let cloud = Cloud::default();
    let store = store(&cloud);
    cloud.keep("powervm_nvram", "large", Bytes::from(vec![7; 2 << 20]));
    let error = store.get("large").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(store.get("../other/one").await.is_err());
    let here = StoreOptions {
        swift_auth_url: "http://user:secret@keystone:5000".to_owned(),
        ..options()
    };
    let refused = SwiftOptions::with_password(&here, SecretString::from("x"))
        .err()
        .unwrap();
    assert!(!refused.to_string().contains("secret"), "{refused}");
}

/// It says what to do, and no secret.
fn assert_told(error: &Error) {
    let text = error.to_string();
    assert!(text.contains("; "), "{text}");
    assert!(
        !text.contains(cloud::PASSWORD) && !text.contains("token-"),
        "{text}"
    );
}
