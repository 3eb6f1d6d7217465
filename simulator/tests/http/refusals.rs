//! Each refusal whose code and text documents and recordings tell, as it arrives at a client.

use http::Method;
use powervm_simulator::{Flavor, Simulator};

use crate::client::{Client, job_body};

/// Method, URL, headers, body, status, reason, the beginning of the message.
type Row<'a> = (
    Method,
    String,
    &'a [(&'a str, &'a str)],
    String,
    u16,
    &'a str,
    &'a str,
);

const UOM: &str = "http://www.ibm.com/xmlns/systems/power/firmware/uom/mc/2012_10/";
const UNKNOWN: &str = "The supplied URI does not identify a known resource.";
const INTERNAL: &str = "Unknown internal error.";
const INVALID: &str = "INVALID_URL";
const BODY: &str = "The request body is not valid.";

async fn client(flavor: Flavor) -> Client {
    let simulator = Simulator::builder().flavor(flavor).seed(7).build().unwrap();
    Client::of(&simulator).await
}

fn uom(kind: &str, inside: &str) -> String {
    format!("<{kind} xmlns=\"{UOM}\" schemaVersion=\"V1_0\">{inside}</{kind}>")
}

fn memory(minimum: u32, desired: u32, maximum: u32) -> String {
    format!(
        "<PartitionMemoryConfiguration><DesiredMemory>{desired}</DesiredMemory><MaximumMemory>{maximum}</MaximumMemory><MinimumMemory>{minimum}</MinimumMemory></PartitionMemoryConfiguration>"
    )
}

#[tokio::test(start_paused = true)]
async fn requests_are_refused_in_the_recorded_words() {
    let mut wrong = Vec::new();
    for flavor in [Flavor::Hmc, Flavor::NovaLink] {
        let client = client(flavor).await;
        let system = client.get("ManagedSystem").await.text("AtomID");
        let partition = client.partition("lpar1").await;
        let vios = client.get("VirtualIOServer").await.text("AtomID");
        // An HMC of the recorded level has another text than later ones.
        let absent = match flavor {
            Flavor::Hmc => {
                "REST000B The URL presented to the Management Console REST Web Services is not valid."
            }
            Flavor::NovaLink => "REST029B",
        };
        let none = "11111111-2222-4333-8444-555555555555";
        let create = format!("ManagedSystem/{system}/LogicalPartition");
        let named = |name: &str, more: &str| {
            uom(
                "LogicalPartition",
                &format!(
                    "{}<PartitionName>{name}</PartitionName>{more}",
                    memory(1024, 1024, 2048)
                ),
            )
        };
        let get = |path: String, status, reason, message| -> Row<'_> {
            (
                Method::GET,
                path,
                &[],
                String::new(),
                status,
                reason,
                message,
            )
        };
        let put = |path: &str, body: String, status, reason, message| -> Row<'_> {
            (
                Method::PUT,
                path.to_owned(),
                &[],
                body,
                status,
                reason,
                message,
            )
        };
        let rows: Vec<Row<'_>> = vec![
            get(
                "Nonsense".into(),
                400,
                INVALID,
                "REST000B The URL presented to the Management Console REST Web Services is not valid. REST000E Unrecognized root REST type of Nonsense.",
            ),
            get("Job".into(), 400, INVALID, "REST000B"),
            get(format!("LogicalPartition/{vios}"), 404, UNKNOWN, absent),
            get(format!("VirtualIOServer/{partition}"), 404, UNKNOWN, absent),
            get(
                format!("LogicalPartition/{vios}/quick/PartitionState"),
                404,
                UNKNOWN,
                absent,
            ),
            get(
                format!("ManagementConsole/{none}"),
                404,
                UNKNOWN,
                "REST020F Unable to find a ROOT ManagementConsole with a UUID equal to 11111111-2222-4333-8444-555555555555.",
            ),
            get(
                format!("LogicalPartition/{partition}/quick/All"),
                404,
                INVALID,
                "REST0003 Type LogicalPartition does not support Quick Property All.",
            ),
            (
                Method::DELETE,
                format!("LogicalPartition/{none}"),
                &[],
                String::new(),
                404,
                UNKNOWN,
                absent,
            ),
            get(
                "jobs/1234567890123".into(),
                404,
                UNKNOWN,
                "REST0005 No such Job",
            ),
            (
                Method::DELETE,
                "jobs/1234567890123".into(),
                &[],
                String::new(),
                404,
                UNKNOWN,
                "REST0005 No such Job",
            ),
            get(
                format!("LogicalPartition/{partition}/do/InstallLPAR"),
                400,
                "The request body contains an unrecognized field.",
                "REST0006 No such Operation",
            ),
            put(
                &format!("LogicalPartition/{partition}/do/InstallLPAR"),
                job_body("InstallLPAR", "LogicalPartition", &[]),
                400,
                "The request body contains an unrecognized field.",
                "REST0006 No such Operation",
            ),
            get(
                "VirtualIOServer?group=ViosStorageDetail".into(),
                400,
                INVALID,
                "REST0026 Unknown extended attribute group ViosStorageDetail",
            ),
            get(
                "LogicalPartition?limit=3".into(),
                400,
                INVALID,
                "REST0123 Incorrect query parameter",
            ),
            get(
                "LogicalPartition/search/(PartitionState==not%20activated)".into(),
                500,
                INTERNAL,
                "Unable to parse expression.",
            ),
            get(
                "LogicalPartition/search/(Colour=='blue')".into(),
                500,
                INTERNAL,
                "",
            ),
            get(
                format!("ManagedSystem/{system}/LogicalPartition/search/(PartitionName=='x')"),
                400,
                INVALID,
                "REST000B",
            ),
            put(
                &create,
                "<x/>".into(),
                400,
                BODY,
                "REST0001 cvc-elt.1: Cannot find the declaration of element",
            ),
            put(
                &create,
                named("x", "<PartitionType>Virtual IO Server</PartitionType>"),
                500,
                INTERNAL,
                " REST0140 Invalid Partition Type associated with LogicalPartition",
            ),
            put(
                &create,
                named("lpar1", ""),
                500,
                INTERNAL,
                "REST0126 HSCL05DE",
            ),
            put(
                &create,
                named(&"x".repeat(32), ""),
                500,
                INTERNAL,
                "REST0126 HSCL0617",
            ),
            put(
                &create,
                named("x", "<Description>\u{e9}</Description>"),
                500,
                INTERNAL,
                "REST0126 HSCLC63B",
            ),
            put(
                &create,
                uom(
                    "LogicalPartition",
                    &format!(
                        "{}<PartitionName>x</PartitionName>",
                        memory(1024, 4096, 2048)
                    ),
                ),
                500,
                INTERNAL,
                "REST0264",
            ),
            put(
                &create,
                named(
                    "x",
                    "<PartitionProcessorConfiguration><SharingMode>uncapped</SharingMode></PartitionProcessorConfiguration>",
                ),
                500,
                INTERNAL,
                "REST0126",
            ),
            (
                Method::POST,
                format!("LogicalPartition/{partition}?group=None"),
                &[("If-Match", "1")],
                uom("LogicalPartition", ""),
                412,
                "",
                "",
            ),
            (
                Method::POST,
                format!("LogicalPartition/{partition}?group=None"),
                &[],
                uom(
                    "LogicalPartition",
                    "<BootListInformation><PendingBootString/></BootListInformation>",
                ),
                500,
                INTERNAL,
                "REST0126",
            ),
            (
                Method::GET,
                format!("LogicalPartition/{partition}/quick/PartitionState"),
                &[(
                    "Accept",
                    "application/vnd.ibm.powervm.uom+xml; type=LogicalPartition",
                )],
                String::new(),
                406,
                "",
                "",
            ),
        ];
        for (method, path, headers, body, status, reason, message) in rows {
            let url = format!("/rest/api/uom/{path}");
            let answer = client.send(method.clone(), &url, headers, body).await;
            let told = [
                answer.status == status,
                answer.text("HTTPStatus") == status.to_string(),
                reason.is_empty() || answer.text("ReasonCode") == reason,
                answer.text("Message").starts_with(message),
                answer.header("connection").to_lowercase() == "close",
            ];
            if told.contains(&false) {
                wrong.push(format!(
                    "{flavor:?} {method} {path}: {told:?}, {}, {}, {}",
                    answer.status,
                    answer.text("ReasonCode"),
                    answer.text("Message")
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Product, job, parameters, whether the partition runs, the code of the refusal.
type JobRow = (
    Flavor,
    &'static str,
    &'static [(&'static str, &'static str)],
    bool,
    &'static str,
);

const JOBS: &[JobRow] = &[
    (Flavor::Hmc, "PowerOn", &[], true, "HSCL3681"),
    (Flavor::NovaLink, "PowerOn", &[], true, "PVME01042026"),
    (
        Flavor::Hmc,
        "PowerOff",
        &[("operation", "shutdown")],
        false,
        "HSCL1558",
    ),
    (
        Flavor::NovaLink,
        "PowerOff",
        &[("operation", "shutdown"), ("immediate", "true")],
        false,
        "PVME04000005",
    ),
    (
        Flavor::Hmc,
        "PowerOff",
        &[("operation", "osshutdown")],
        true,
        "HSCL0DB4",
    ),
    (
        Flavor::NovaLink,
        "PowerOff",
        &[("operation", "osshutdown")],
        true,
        "PVME01050905",
    ),
    (Flavor::Hmc, "ActivateCurrentProfile", &[], true, "HSCL05DF"),
];

#[tokio::test(start_paused = true)]
async fn jobs_fail_with_the_recorded_codes() {
    for (flavor, operation, parameters, running, code) in JOBS {
        let client = client(*flavor).await;
        let partition = client.partition("lpar1").await;
        let submit = async |operation: &str, parameters: &[(&str, &str)]| {
            let path = format!("LogicalPartition/{partition}/do/{operation}");
            let body = job_body(operation, "LogicalPartition", parameters);
            client.put(&path, body).await
        };
        let state = |path: &str| format!("LogicalPartition/{partition}/quick/{path}");
        let there = client.get(&state("PartitionState")).await.body;
        if *running && there == "\"not activated\"" {
            submit("PowerOn", &[("bootmode", "sms")]).await;
        } else if !running && there != "\"not activated\"" {
            submit(
                "PowerOff",
                &[("operation", "shutdown"), ("immediate", "true")],
            )
            .await;
        }
        let answer = submit(operation, parameters).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.text("Status"), "COMPLETED_WITH_ERROR", "{operation}");
        assert!(
            answer.body.contains(&format!(">{code} ")),
            "{operation}: {}",
            answer.body
        );
    }
}
