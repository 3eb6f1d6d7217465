//! A small client: enough HTTP to ask, nothing that hides what was answered.

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use powervm_simulator::builder::Builder;
use powervm_simulator::weather::Weather;
use powervm_simulator::{Flavor, Simulator};
use secrecy::ExposeSecret as _;
use tower::ServiceExt as _;

pub(crate) const UOM: &str = "http://www.ibm.com/xmlns/systems/power/firmware/uom/mc/2012_10/";
pub(crate) const WEB: &str = "http://www.ibm.com/xmlns/systems/power/firmware/web/mc/2012_10/";

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The text of the first element with this local name, whatever its prefix and attributes.
    pub(crate) fn text(&self, element: &str) -> String {
        let start = self
            .body
            .find(&format!("<{element}>"))
            .or_else(|| self.body.find(&format!("<{element} ")));
        let start = start.unwrap_or_else(|| panic!("no {element} in {}", self.body));
        let rest = &self.body[start..];
        let rest = &rest[rest.find('>').unwrap() + 1..];
        rest[..rest.find('<').unwrap()].to_owned()
    }
}

/// A client in process, logged on.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) simulator: Simulator,
    pub(crate) router: Router,
    pub(crate) token: String,
}

/// A NovaLink in the given weather.
pub(crate) fn novalink(weather: Weather) -> Builder {
    Simulator::builder()
        .flavor(Flavor::NovaLink)
        .seed(7)
        .weather(weather)
        .check_invariants(true)
}

impl Client {
    /// Logs on to a calm NovaLink.
    pub(crate) async fn new() -> Self {
        Self::of(&novalink(Weather::Calm).build().unwrap()).await
    }

    pub(crate) async fn of(simulator: &Simulator) -> Self {
        let mut client = Self {
            simulator: simulator.clone(),
            router: simulator.router(),
            token: String::new(),
        };
        let credentials = simulator.credentials();
        let answer = client
            .logon(&credentials.user, credentials.password.expose_secret())
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        client.token = answer.text("X-API-Session");
        client
    }

    pub(crate) async fn logon(&self, user: &str, password: &str) -> Answer {
        let secret = format!("<Password>{password}</Password>");
        self.send(
            Method::PUT,
            "/rest/api/web/Logon",
            &[],
            logon_body(user, &secret),
        )
        .await
    }

    /// Sends a request with the token, if there is one.
    pub(crate) async fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        self.try_send(method, url, headers, body).await.unwrap()
    }

    /// The same, where the answer may break off.
    pub(crate) async fn try_send(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Result<Answer, axum::Error> {
        let mut request = Request::builder()
            .method(method)
            .uri(url)
            .header("Host", "sim.test:12080");
        if !self.token.is_empty() {
            request = request.header("X-API-Session", &self.token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.into()).unwrap();
        let (parts, body) = self
            .router
            .clone()
            .oneshot(request)
            .await
            .unwrap()
            .into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.into()).unwrap(),
        })
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(
            Method::GET,
            &format!("/rest/api/uom/{path}"),
            &[],
            Body::empty(),
        )
        .await
    }

    pub(crate) async fn put(&self, path: &str, body: impl Into<Body>) -> Answer {
        self.send(Method::PUT, &format!("/rest/api/uom/{path}"), &[], body)
            .await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(
            Method::DELETE,
            &format!("/rest/api/uom/{path}"),
            &[],
            Body::empty(),
        )
        .await
    }

    /// The UUID of the first Virtual I/O Server, as URLs spell it.
    pub(crate) fn vios(&self) -> String {
        self.simulator
            .world()
            .vioses
            .keys()
            .next()
            .unwrap()
            .to_string()
            .to_uppercase()
    }

    /// The UUID of the only managed system.
    pub(crate) fn system(&self) -> String {
        self.simulator
            .world()
            .systems
            .keys()
            .next()
            .unwrap()
            .to_string()
    }

    /// The UUID of the only tier.
    pub(crate) fn tier(&self) -> String {
        self.simulator
            .world()
            .tiers
            .keys()
            .next()
            .unwrap()
            .to_string()
    }

    /// Creates a partition and returns its UUID.
    pub(crate) async fn partition(&self, name: &str) -> String {
        let answer = self
            .put(
                &format!("ManagedSystem/{}/LogicalPartition", self.system()),
                partition_body(name),
            )
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.text("PartitionUUID")
    }

    /// Creates a logical unit of a whole number of gigabytes and returns its UDID.
    pub(crate) async fn logical_unit(&self, name: &str, gigabytes: u64) -> String {
        let body = format!(
            r#"<LogicalUnit:LogicalUnit xmlns:LogicalUnit="{UOM}" xmlns="{UOM}" schemaVersion="V1_0"><Metadata><Atom/></Metadata><ThinDevice>true</ThinDevice><UnitCapacity>{gigabytes}</UnitCapacity><LogicalUnitType>VirtualIO_Image</LogicalUnitType><UnitName>{name}</UnitName></LogicalUnit:LogicalUnit>"#
        );
        let answer = self
            .put(&format!("Tier/{}/LogicalUnit", self.tier()), body)
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.text("UniqueDeviceID")
    }

    /// Creates a File for an ISO, or for the disk with this UDID, and returns its UUID.
    pub(crate) async fn file(
        &self,
        name: &str,
        device: Option<&str>,
        expected: Option<u64>,
    ) -> String {
        let kind = if device.is_some() {
            "BROKERED_DISK_IMAGE"
        } else {
            "BROKERED_MEDIA_ISO"
        };
        let expected = expected.map_or_else(String::new, |bytes| {
            format!("<ExpectedFileSizeInBytes>{bytes}</ExpectedFileSizeInBytes>")
        });
        let device = device.map_or_else(String::new, |udid| {
            format!("<TargetDeviceUniqueDeviceID>{udid}</TargetDeviceUniqueDeviceID>")
        });
        let body = format!(
            r#"<File:File xmlns:File="{WEB}" xmlns="{WEB}" schemaVersion="V1_0"><Metadata><Atom/></Metadata><Filename>{name}</Filename><InternetMediaType>application/octet-stream</InternetMediaType>{expected}<FileEnumType>{kind}</FileEnumType><TargetVirtualIOServerUUID>{}</TargetVirtualIOServerUUID>{device}</File:File>"#,
            self.vios()
        );
        let answer = self
            .send(Method::PUT, "/rest/api/web/File", &[], body)
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.text("FileUUID")
    }

    pub(crate) async fn upload(&self, file: &str, body: impl Into<Body>) -> Answer {
        self.send(
            Method::PUT,
            &format!("/rest/api/web/File/contents/{file}"),
            &[("Content-Type", "application/octet-stream")],
            body,
        )
        .await
    }
}

pub(crate) fn logon_body(user: &str, secret: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><LogonRequest xmlns="{WEB}" schemaVersion="V1_0"><UserID>{user}</UserID>{secret}</LogonRequest>"#
    )
}

pub(crate) fn partition_body(name: &str) -> String {
    format!(
        r#"<LogicalPartition:LogicalPartition xmlns:LogicalPartition="{UOM}" xmlns="{UOM}" schemaVersion="V1_0"><Metadata><Atom/></Metadata><PartitionMemoryConfiguration schemaVersion="V1_0"><Metadata><Atom/></Metadata><DesiredMemory>1024</DesiredMemory><MaximumMemory>2048</MaximumMemory><MinimumMemory>512</MinimumMemory></PartitionMemoryConfiguration><PartitionName>{name}</PartitionName><PartitionProcessorConfiguration schemaVersion="V1_0"><Metadata><Atom/></Metadata><HasDedicatedProcessors>false</HasDedicatedProcessors><SharedProcessorConfiguration schemaVersion="V1_0"><Metadata><Atom/></Metadata><DesiredProcessingUnits>0.1</DesiredProcessingUnits><DesiredVirtualProcessors>1</DesiredVirtualProcessors><MaximumProcessingUnits>0.1</MaximumProcessingUnits><MaximumVirtualProcessors>1</MaximumVirtualProcessors><MinimumProcessingUnits>0.1</MinimumProcessingUnits><MinimumVirtualProcessors>1</MinimumVirtualProcessors></SharedProcessorConfiguration><SharingMode>uncapped</SharingMode></PartitionProcessorConfiguration><PartitionType>AIX/Linux</PartitionType></LogicalPartition:LogicalPartition>"#
    )
}

pub(crate) fn job_body(operation: &str, group: &str, parameters: &[(&str, &str)]) -> String {
    let parameters: String = parameters
        .iter()
        .map(|(name, value)| {
            format!(r#"<web:JobParameter schemaVersion="V1_0"><web:ParameterName>{name}</web:ParameterName><web:ParameterValue>{value}</web:ParameterValue></web:JobParameter>"#)
        })
        .collect();
    format!(
        r#"<JobRequest:JobRequest xmlns:JobRequest="{WEB}" xmlns="{WEB}" xmlns:web="{WEB}" schemaVersion="V1_0"><Metadata><Atom/></Metadata><RequestedOperation schemaVersion="V1_0"><Metadata><Atom/></Metadata><OperationName>{operation}</OperationName><GroupName>{group}</GroupName></RequestedOperation><JobParameters schemaVersion="V1_0"><Metadata><Atom/></Metadata>{parameters}</JobParameters></JobRequest:JobRequest>"#
    )
}
