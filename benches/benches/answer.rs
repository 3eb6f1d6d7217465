//! What the simulator needs to answer, in process: from a request to the last byte of the body.
//!
//! `hello` is the same router refusing a call without a token: the least that any answer costs.

use std::error::Error;
use std::hint::black_box;

use axum::body::Body;
use bytes::Bytes;
use criterion::{Criterion, Throughput};
use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use powervm_schema::atom::Feed;
use powervm_simulator::inventory::{Inventory, Sizes};
use powervm_simulator::{Flavor, Simulator};
use secrecy::ExposeSecret as _;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

const PARTITIONS: u16 = 100;
const LOGON: &str = "application/vnd.ibm.powervm.web+xml; type=LogonRequest";

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let client = runtime.block_on(Client::logon())?;
    let partition = runtime.block_on(client.first("/rest/api/uom/LogicalPartition"))?;
    let vios = runtime.block_on(client.first("/rest/api/uom/VirtualIOServer"))?;
    let entry = format!("/rest/api/uom/LogicalPartition/{partition}?group=None");
    let etag = runtime.block_on(client.etag(&entry))?;

    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("answer");
    let cases = [
        ("partition", entry.clone(), None),
        ("partition unchanged (304)", entry, Some(etag)),
        (
            "quick property",
            format!("/rest/api/uom/LogicalPartition/{partition}/quick/PartitionState"),
            None,
        ),
        (
            "server with mappings",
            format!("/rest/api/uom/VirtualIOServer/{vios}?group=ViosFCMapping,ViosSCSIMapping"),
            None,
        ),
        (
            "feed of 100 partitions",
            "/rest/api/uom/LogicalPartition?group=None".to_owned(),
            None,
        ),
    ];
    for (name, path, etag) in cases {
        let (_, bytes) = runtime.block_on(client.get(&path, etag.as_deref()))?;
        println!("{name}: {} bytes", bytes.len());
        group.throughput(Throughput::Bytes(bytes.len().max(1) as u64));
        group.bench_function(name, |b| {
            b.iter(|| served(&runtime, &client, &path, etag.as_deref()));
        });
    }
    let stranger = Client {
        token: String::new(),
        ..client.clone()
    };
    let path = "/rest/api/uom/ManagedSystem";
    let (_, bytes) = runtime.block_on(stranger.get(path, None))?;
    group.throughput(Throughput::Bytes(bytes.len().max(1) as u64));
    group.bench_function("hello", |b| {
        b.iter(|| served(&runtime, &stranger, path, None));
    });
    group.finish();
    criterion.final_summary();
    Ok(())
}

fn served(runtime: &Runtime, client: &Client, path: &str, etag: Option<&str>) -> usize {
    let answer = runtime.block_on(client.get(black_box(path), etag));
    answer.map_or(0, |(_, bytes)| bytes.len())
}

#[derive(Clone)]
struct Client {
    simulator: Simulator,
    token: String,
}

impl Client {
    async fn logon() -> Result<Self, Box<dyn Error>> {
        let sizes = Sizes {
            partitions: PARTITIONS,
            ..Sizes::default()
        };
        let simulator = Simulator::builder()
            .inventory(Inventory::sized(Flavor::NovaLink, sizes))
            .build()?;
        let credentials = simulator.credentials();
        let body = format!(
            "<LogonRequest xmlns=\"http://www.ibm.com/xmlns/systems/power/firmware/web/mc/2012_10/\" \
             schemaVersion=\"V1_0\"><UserID>{}</UserID><Password>{}</Password></LogonRequest>",
            credentials.user,
            credentials.password.expose_secret()
        );
        let request = Request::builder()
            .method(Method::PUT)
            .uri("/rest/api/web/Logon")
            .header(header::HOST, "localhost:12080")
            .header(header::CONTENT_TYPE, LOGON)
            .body(Body::from(body))?;
        let answer = simulator.router().oneshot(request).await?;
        let bytes = answer.into_body().collect().await?.to_bytes();
        let document = powervm_schema::xml::Element::parse(&bytes)?;
        let token = document
            .child("X-API-Session")
            .ok_or("the logon gave no token")?;
        Ok(Self {
            token: token.text().into_owned(),
            simulator,
        })
    }

    async fn call(
        &self,
        path: &str,
        etag: Option<&str>,
    ) -> Result<http::Response<Body>, Box<dyn Error>> {
        let mut request = Request::builder()
            .uri(path)
            .header(header::HOST, "localhost:12080")
            .header(header::ACCEPT, "application/atom+xml")
            .header("X-API-Session", &self.token);
        if let Some(etag) = etag {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        Ok(self
            .simulator
            .router()
            .oneshot(request.body(Body::empty())?)
            .await?)
    }

    async fn get(
        &self,
        path: &str,
        etag: Option<&str>,
    ) -> Result<(StatusCode, Bytes), Box<dyn Error>> {
        let answer = self.call(path, etag).await?;
        let status = answer.status();
        Ok((status, answer.into_body().collect().await?.to_bytes()))
    }

    async fn etag(&self, path: &str) -> Result<String, Box<dyn Error>> {
        let answer = self.call(path, None).await?;
        let etag = answer.headers().get(header::ETAG);
        Ok(etag.ok_or("there is no etag")?.to_str()?.to_owned())
    }

    /// The id of the first entry of a feed.
    async fn first(&self, path: &str) -> Result<String, Box<dyn Error>> {
        let (_, bytes) = self.get(path, None).await?;
        let feed = Feed::parse(&bytes)?;
        let entry = feed.entries.first().ok_or("the feed is empty")?;
        Ok(entry.id.to_string())
    }
}
