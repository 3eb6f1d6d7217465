//! Every recorded response parses, and is written back with nothing lost.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

mod recordings;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use powervm_schema::atom::{Body as Envelope, Entry, Link, LinkFeed, media_type};
use powervm_schema::error::HttpErrorResponse;
use powervm_schema::event::Event;
use powervm_schema::file::File;
use powervm_schema::job::{JobRequest, JobResponse};
use powervm_schema::logon::{LogonRequest, LogonResponse};
use powervm_schema::network::{ClientNetworkAdapter, NetworkBridge, VirtualNetwork, VirtualSwitch};
use powervm_schema::partition::LogicalPartition;
use powervm_schema::sriov::{SriovEthernetLogicalPort, VirtualNicDedicated};
use powervm_schema::storage::{Cluster, LogicalUnit, SharedStoragePool, Tier, VolumeGroup};
use powervm_schema::system::{ManagedSystem, ManagementConsole};
use powervm_schema::view::Inspection;
use powervm_schema::vios::{VirtualFibreChannelClientAdapter, VirtualIoServer, VirtualScsiBus};
use powervm_schema::xml::{Element, ParseError};
use quick_xml::Reader;
use quick_xml::events::Event as Token;
use recordings::{Body, Recording};

/// The one file that is not XML as it should be: `fake_managedsystem.txt` in some copies of the folder has an end
/// tag `</kart>`.
const MALFORMED: &str = "fake_managedsystem.txt";

/// Elements that stand out of order in files that were edited by hand, as the comments in the files
/// and the other recordings of the same type show.
const MISPLACED: [(&str, &str); 10] = [
    (
        "fake_vios_feed.txt",
        "VirtualIOServer/IsManagementPartition",
    ),
    (
        "fake_vios_feed_multi.txt",
        "VirtualIOServer/IsManagementPartition",
    ),
    (
        "fake_vios_hosting_vios_feed.txt",
        "VirtualFibreChannelMapping/Port",
    ),
    (
        "fake_vios_ssp_npiv.txt",
        "VirtualIOServer/ManagerPassthroughCapable",
    ),
    ("lpar.txt", "LogicalPartition/KeyStoreSize"),
    ("lpar.txt", "LogicalPartition/PartitionNVRAM"),
    ("lpar.txt", "LogicalPartition/RemoteRestartCapable"),
    ("lpar.txt", "LogicalPartition/SuspendCapable"),
    ("lpar.txt", "LogicalPartition/Uptime"),
    ("lpar.txt", "LogicalPartition/VirtualSerialNumber"),
];

/// Feeds of links to files, whose entries have no content.
const LINK_FEEDS: [&str; 4] = [
    "ltm_feed.txt",
    "ltm_feed2.txt",
    "ltm_feed_lpars.txt",
    "stm_feed.txt",
];

fn documents(recordings: &[Recording]) -> impl Iterator<Item = (&str, &str)> {
    recordings
        .iter()
        .filter_map(|recording| match &recording.body {
            Body::Document(text) | Body::Fragments(text) => {
                Some((recording.name.as_str(), text.as_str()))
            }
            Body::Other => None,
        })
}

/// Without the one that is not XML.
fn readable(recordings: &[Recording]) -> impl Iterator<Item = (&str, &str)> {
    documents(recordings).filter(|(_, text)| Element::parse(text.as_bytes()).is_ok())
}

#[test]
fn nothing_is_lost_on_the_way_through() {
    let Some(recordings) = recordings::read_all() else {
        return;
    };
    let mut refused = Vec::new();
    let mut seen = 0;
    for (name, text) in documents(&recordings) {
        let element = match Element::parse(text.as_bytes()) {
            Ok(element) => element,
            Err(error) => {
                refused.push((name, error));
                continue;
            }
        };
        let written = element.to_xml();
        let again =
            Element::parse(written.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(
            again == element,
            "{name}: parsing what was written gives another tree"
        );
        assert_eq!(again.to_xml(), written, "{name}");
        assert_eq!(
            oracle(name, text),
            oracle(name, &written),
            "{name}: an independent reader sees a difference"
        );
        assert_eq!(
            markup(text),
            markup(&written),
            "{name}: prefixes, declarations or CDATA differ"
        );
        seen += 1;
    }
    println!("{seen} documents written back without loss");
    assert!(seen >= 60, "only {seen} documents in the folder");
    for (name, error) in refused {
        println!("refused: {name}: {error}");
        assert_eq!(name, MALFORMED);
    }
}

#[test]
fn the_malformed_file_is_refused_with_line_and_names() {
    let Some(recordings) = recordings::read_all() else {
        return;
    };
    let (_, text) = documents(&recordings)
        .find(|(name, _)| *name == MALFORMED)
        .unwrap();
    // The copy in the Python package is well formed: it gets the slip that the other copy has.
    let damaged = text.replace("false</IsPowerVMManagementMaster>", "false</kart>");
    let refusal = Element::parse(damaged.as_bytes()).unwrap_err();
    assert!(
        matches!(refusal, ParseError::Malformed { at, .. } if at.line > 200),
        "{refusal:?}"
    );
    let message = refusal.to_string();
    assert!(
        message.ends_with("expected the end of IsPowerVMManagementMaster, found the end of kart"),
        "{message}"
    );
}

/// What an independent reader finds, a line for each element, attribute and text, namespaces resolved.
fn oracle(name: &str, text: &str) -> String {
    let document =
        roxmltree::Document::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut lines = String::new();
    for node in document.root_element().descendants() {
        if node.is_element() {
            let tag = node.tag_name();
            writeln!(
                lines,
                "<{{{}}}{}",
                tag.namespace().unwrap_or_default(),
                tag.name()
            )
            .unwrap();
            for attribute in node.attributes() {
                let namespace = attribute.namespace().unwrap_or_default();
                writeln!(
                    lines,
                    "@{{{namespace}}}{}={:?}",
                    attribute.name(),
                    attribute.value()
                )
                .unwrap();
            }
        } else {
            writeln!(lines, "{:?} {:?}", node.node_type(), node.text()).unwrap();
        }
    }
    lines
}

/// The markup as written: names with prefixes, declarations in place, CDATA, comments; `<X></X>` as
/// `<X/>`. Text is left to the other reader: entities may be written in several ways.
fn markup(text: &str) -> Vec<String> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut tokens = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Token::Start(start) | Token::Empty(start) => {
                tokens.push(format!("<{}", start.name().0));
                for attribute in start.attributes() {
                    let attribute = attribute.unwrap();
                    let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0);
                    tokens.push(format!("@{}={}", attribute.key.0, value.unwrap()));
                }
            }
            Token::End(_) => tokens.push(">".to_owned()),
            Token::CData(data) => tokens.push(format!("[{}", &*data)),
            Token::Comment(comment) => tokens.push(format!("!{}", &*comment)),
            Token::PI(instruction) => tokens.push(format!("?{}", &*instruction)),
            Token::Text(_) | Token::GeneralRef(_) | Token::Decl(_) | Token::DocType(_) => {}
            Token::Eof => return tokens,
        }
    }
}

#[test]
fn envelopes_are_understood() {
    let Some(recordings) = recordings::read_all() else {
        return;
    };
    let mut entries = 0;
    for (name, text) in readable(&recordings) {
        let document = roxmltree::Document::parse(text).unwrap();
        let root = document.root_element();
        let expected: Vec<_> = children(root, "entry").collect();
        if LINK_FEEDS.contains(&name) {
            let feed = LinkFeed::parse(text.as_bytes()).unwrap();
            assert_eq!(feed.entries.len(), expected.len(), "{name}");
            assert_eq!(feed.id, text_of(root, "id"), "{name}");
            for (entry, node) in feed.entries.iter().zip(expected) {
                assert_eq!(entry.title, text_of(node, "title"), "{name}");
                let link = children(node, "link").next().unwrap();
                assert_eq!(Some(entry.href.as_str()), link.attribute("href"), "{name}");
            }
            continue;
        }
        let envelope =
            Envelope::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
        match &envelope {
            Envelope::Feed(feed) => {
                assert_eq!(feed.id, text_of(root, "id"), "{name}");
                assert_eq!(feed.updated, text_of(root, "updated"), "{name}");
                assert_eq!(links(&feed.links), links_of(root), "{name}");
                assert_eq!(feed.entries.len(), expected.len(), "{name}");
                for (entry, node) in feed.entries.iter().zip(expected) {
                    check_entry(name, entry, node);
                    entries += 1;
                }
                let again = Envelope::parse(feed.to_xml().as_bytes());
                assert!(
                    again.as_ref() == Ok(&envelope),
                    "{name}: the feed changes when written"
                );
            }
            Envelope::Entry(entry) => {
                check_entry(name, entry, root);
                entries += 1;
                let again = Entry::parse(entry.to_xml().as_bytes());
                assert!(
                    again.as_ref() == Ok(entry),
                    "{name}: the entry changes when written"
                );
            }
            Envelope::Bare(element) => assert_eq!(element.local_name(), root.tag_name().name()),
        }
    }
    println!("{entries} entries");
    assert!(entries > 250, "only {entries} entries");
}

fn check_entry(name: &str, entry: &Entry, node: roxmltree::Node<'_, '_>) {
    assert_eq!(entry.id, text_of(node, "id"), "{name}");
    assert_eq!(entry.title, text_of(node, "title"), "{name}");
    assert_eq!(entry.published, text_of(node, "published"), "{name}");
    assert_eq!(links(&entry.links), links_of(node), "{name}");
    assert_eq!(
        entry.etag.clone().unwrap_or_default(),
        text_of(node, "etag"),
        "{name}"
    );
    let content = children(node, "content").next().unwrap();
    let object = content.first_element_child().unwrap().tag_name();
    assert_eq!(entry.content.local_name(), object.name(), "{name}");
    assert_eq!(
        Some(entry.content.namespace().uri()),
        object.namespace(),
        "{name}"
    );
    // Metric preferences come as plain `application/xml`, with or without a type.
    let declared = content.attribute("type").unwrap();
    assert!(media_type(&entry.content) == declared, "{name}: {declared}");
}

fn children<'a, 'i: 'a>(
    node: roxmltree::Node<'a, 'i>,
    name: &'static str,
) -> impl Iterator<Item = roxmltree::Node<'a, 'i>> {
    node.children()
        .filter(move |child| child.tag_name().name() == name)
}

fn text_of(node: roxmltree::Node<'_, '_>, name: &'static str) -> String {
    let text = children(node, name).next().and_then(|child| child.text());
    text.unwrap_or_default().trim().to_owned()
}

fn links_of(node: roxmltree::Node<'_, '_>) -> Vec<(String, String)> {
    let attribute =
        |link: roxmltree::Node<'_, '_>, name| link.attribute(name).unwrap_or_default().to_owned();
    children(node, "link")
        .map(|link| (attribute(link, "rel"), attribute(link, "href")))
        .collect()
}

fn links(links: &[Link]) -> Vec<(String, String)> {
    links
        .iter()
        .map(|link| (link.rel.clone(), link.href.clone()))
        .collect()
}

/// The inspection of an element by the view for its name; `None` when there is none.
fn inspect(element: &Element) -> Option<Inspection> {
    Some(match element.local_name() {
        "LogicalPartition" => LogicalPartition(element).inspect(),
        "VirtualIOServer" => VirtualIoServer(element).inspect(),
        "VolumeGroup" => VolumeGroup(element).inspect(),
        "Cluster" => Cluster(element).inspect(),
        "SharedStoragePool" => SharedStoragePool(element).inspect(),
        "Tier" => Tier(element).inspect(),
        "LogicalUnit" => LogicalUnit(element).inspect(),
        "ManagedSystem" => ManagedSystem(element).inspect(),
        "ManagementConsole" => ManagementConsole(element).inspect(),
        "ClientNetworkAdapter" => ClientNetworkAdapter(element).inspect(),
        "VirtualSwitch" => VirtualSwitch(element).inspect(),
        "VirtualNetwork" => VirtualNetwork(element).inspect(),
        "NetworkBridge" => NetworkBridge(element).inspect(),
        "SRIOVEthernetLogicalPort" => SriovEthernetLogicalPort(element).inspect(),
        "VirtualFibreChannelClientAdapter" => VirtualFibreChannelClientAdapter(element).inspect(),
        "VirtualSCSIBus" => VirtualScsiBus(element).inspect(),
        "VirtualNICDedicated" => VirtualNicDedicated(element).inspect(),
        "JobRequest" => JobRequest(element).inspect(),
        "JobResponse" => JobResponse(element).inspect(),
        "Event" => Event(element).inspect(),
        "File" => File(element).inspect(),
        "HttpErrorResponse" => HttpErrorResponse(element).inspect(),
        "LogonRequest" => LogonRequest(element).inspect(),
        "LogonResponse" => LogonResponse(element).inspect(),
        _ => return None,
    })
}

#[test]
fn every_value_reads_and_every_child_stands_in_its_table() {
    let Some(recordings) = recordings::read_all() else {
        return;
    };
    let mut viewed: BTreeMap<String, usize> = BTreeMap::new();
    let mut problems: BTreeMap<String, String> = BTreeMap::new();
    for (name, text) in readable(&recordings).filter(|(name, _)| !LINK_FEEDS.contains(name)) {
        let contents = match Envelope::parse(text.as_bytes()).unwrap() {
            Envelope::Feed(feed) => feed
                .entries
                .into_iter()
                .map(|entry| entry.content)
                .collect(),
            Envelope::Entry(entry) => vec![entry.content],
            Envelope::Bare(element) => vec![element],
        };
        for content in contents {
            let Some(found) = inspect(&content) else {
                continue;
            };
            *viewed.entry(content.local_name().to_owned()).or_default() += 1;
            for error in found.errors {
                problems.insert(format!("error: {error}"), name.to_owned());
            }
            for path in found.unknown {
                problems.insert(format!("unknown: {path}"), name.to_owned());
            }
            for path in found.misplaced {
                if MISPLACED.contains(&(name, &*path)) {
                    continue;
                }
                problems.insert(format!("misplaced: {path}"), name.to_owned());
            }
        }
    }
    println!("{viewed:#?}");
    assert!(problems.is_empty(), "{problems:#?}");
    assert!(viewed.len() >= 17, "{viewed:?}");
}
