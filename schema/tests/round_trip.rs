//! Generated trees come back as they were written, and generated edits through views read back.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

use powervm_schema::atom::{Entry, Feed, Link};
use powervm_schema::partition::{
    BasePartition, LogicalPartition, PartitionState, RmcState, SharingMode,
};
use powervm_schema::storage::{LogicalUnit, LogicalUnitType, VirtualDisk, VolumeGroup};
use powervm_schema::units::{Gigabytes, Percent, ProcessingUnits};
use powervm_schema::view::FieldValue;
use powervm_schema::vios::{ClientAdapter, VirtualIoServer, VirtualScsiMapping};
use powervm_schema::xml::{Element, Namespace, Node};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

fn namespace() -> impl Strategy<Value = Namespace> {
    prop_oneof![
        4 => Just(Namespace::Uom),
        2 => Just(Namespace::Web),
        1 => Just(Namespace::Atom),
        1 => Just(Namespace::None),
        1 => "urn:[a-z]{1,3}".prop_map(|uri| Namespace::Other(uri.into())),
    ]
}

/// Text that XML can hold, rich in what has to be escaped.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{1,40}",
        "[<>&'\"\\]\r\n\t -]{1,12}",
        "[a-zA-Zé漢😀\u{85}\u{2028}]{1,30}",
        Just("\n        ".to_owned()),
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z_][A-Za-z0-9_.-]{0,8}",
        "[A-Z][a-z]{5,30}",
        "[é漢][é0-9]{0,3}"
    ]
    .prop_filter("reserved", |name| !name.eq_ignore_ascii_case("xmlns"))
}

fn leaf() -> BoxedStrategy<Element> {
    (
        namespace(),
        name(),
        vec((name(), text()), 0..4),
        any::<bool>(),
    )
        .prop_map(|(namespace, name, attributes, root)| {
            let mut element = if root && namespace != Namespace::None {
                Element::resource_root(namespace, name, "V1_0")
            } else {
                Element::new(namespace, name)
            };
            for (name, value) in attributes {
                element.set_attribute(&name, value);
            }
            element
        })
        .boxed()
}

fn node(element: impl Strategy<Value = Element> + 'static) -> impl Strategy<Value = Node> {
    prop_oneof![
        4 => element.prop_map(Node::Element),
        3 => text().prop_map(|text| Node::Text(text.into())),
        1 => text().prop_map(|text| Node::CData(text.replace("]]>", "").replace('\r', "").into())),
        1 => "[ a-z]{0,9}".prop_map(|text| Node::Comment(text.into())),
        1 => "[a-w]{1,5} [a-z ]{0,9}".prop_map(|text| Node::Instruction(text.into())),
    ]
}

fn element() -> impl Strategy<Value = Element> {
    leaf().prop_recursive(5, 60, 6, |inner| {
        (leaf(), vec(node(inner), 0..6)).prop_map(|(mut element, nodes)| {
            nodes.into_iter().for_each(|node| element.push_node(node));
            element
        })
    })
}

/// What a tree says: declarations are not part of it, and neighbouring texts are one.
fn meaning(element: &Element) -> String {
    let mut said = format!(
        "<{{{}}}{}:{}",
        element.namespace(),
        element.prefix().unwrap_or_default(),
        element.local_name()
    );
    for attribute in element
        .attributes()
        .iter()
        .filter(|attribute| !attribute.is_declaration())
    {
        said += &format!(" {}={:?}", attribute.local_name(), attribute.value());
    }
    let mut run = String::new();
    for node in element.nodes() {
        if let Node::Text(text) = node {
            run += text;
            continue;
        }
        said += &format!("{:?}", std::mem::take(&mut run));
        said += &match node {
            Node::Element(child) => meaning(child),
            Node::CData(text) => format!("[{text:?}]"),
            Node::Comment(text) => format!("!{text:?}"),
            Node::Instruction(text) => format!("?{text:?}"),
            Node::Text(_) => unreachable!(),
        };
    }
    said + &format!("{run:?}>")
}

proptest! {
    #[test]
    fn a_tree_comes_back_as_written(element in element()) {
        let written = element.to_xml();
        let parsed = Element::parse(written.as_bytes()).map_err(|error| TestCaseError::fail(format!("{error}: {written}")))?;
        prop_assert_eq!(meaning(&parsed), meaning(&element), "{}", written);
        prop_assert_eq!(parsed.to_xml(), written);
        let document = roxmltree::Document::parse(&parsed.to_xml()).map(|document| document.descendants().filter(|n| n.is_element()).count());
        prop_assert_eq!(document.ok(), Some(parsed.descendants().count()));
    }

    #[test]
    fn every_detached_subtree_means_the_same(element in element()) {
        let parsed = Element::parse(element.to_xml().as_bytes()).unwrap();
        for part in parsed.descendants() {
            let again = Element::parse(part.to_xml().as_bytes()).unwrap();
            prop_assert_eq!(meaning(&again), meaning(part));
        }
    }

    #[test]
    fn an_envelope_comes_back_as_written(
        contents in vec(element(), 1..4),
        etag in proptest::option::of("-?[0-9]{1,9}"),
        id in "[A-F0-9-]{1,36}",
        rels in vec(select(vec!["SELF", "MANAGEMENT_CONSOLE", "self"]), 0..3),
    ) {
        let links: Vec<Link> = rels
            .iter()
            .map(|rel| Link { rel: (*rel).to_owned(), ..Link::to_self("https://h:12443/rest?group=None&x=1") })
            .collect();
        let entries: Vec<Entry> = contents
            .into_iter()
            .map(|content| Element::parse(content.to_xml().as_bytes()).unwrap())
            .map(|content| Entry { links: links.clone(), etag: etag.clone(), ..Entry::new(&id, content) })
            .collect();
        let feed = Feed { id, updated: "2026-01-01T00:00:00.000Z".to_owned(), links, entries };
        let again = Feed::parse(feed.to_xml().as_bytes()).unwrap();
        for (read, sent) in again.entries.iter().zip(&feed.entries) {
            prop_assert_eq!(meaning(&read.content), meaning(&sent.content));
            prop_assert_eq!((&read.links, &read.etag, &read.id), (&sent.links, &sent.etag, &sent.id));
        }
        prop_assert_eq!(again.to_xml(), feed.to_xml());
    }
}

/// An edit of a partition through its views, and a check that it reads back.
#[derive(Clone, Debug)]
enum Edit {
    Name(String),
    Id(u32),
    State(PartitionState),
    Rmc(RmcState),
    Memory(u64),
    Units(ProcessingUnits),
    Sharing(SharingMode),
    Suspend(bool),
    Restart(bool),
    System(String),
    Adapters(Vec<String>),
    Uptime(u64),
}

fn edit() -> impl Strategy<Value = Edit> {
    let href = || "https://h/[A-Za-z0-9/?&=]{1,30}";
    prop_oneof![
        "[!-~]{1,31}".prop_map(Edit::Name),
        any::<u32>().prop_map(Edit::Id),
        select(PartitionState::ALL).prop_map(Edit::State),
        select(RmcState::ALL).prop_map(Edit::Rmc),
        any::<u64>().prop_map(Edit::Memory),
        (0_u64..10_000).prop_map(|hundredths| Edit::Units(ProcessingUnits::hundredths(hundredths))),
        select(SharingMode::ALL).prop_map(Edit::Sharing),
        any::<bool>().prop_map(Edit::Suspend),
        any::<bool>().prop_map(Edit::Restart),
        href().prop_map(Edit::System),
        vec(href(), 0..4).prop_map(Edit::Adapters),
        any::<u64>().prop_map(Edit::Uptime),
    ]
}

impl Edit {
    fn apply(&self, partition: &mut LogicalPartition<&mut Element>) {
        match self {
            Self::Name(name) => {
                partition.partition_mut().set_name(name.as_str());
            }
            Self::Id(id) => {
                partition.partition_mut().set_id(*id);
            }
            Self::State(state) => {
                partition.partition_mut().set_state(state.clone());
            }
            Self::Rmc(state) => {
                partition.partition_mut().set_rmc_state(state.clone());
            }
            Self::Memory(mb) => {
                partition
                    .partition_mut()
                    .memory_mut()
                    .set_desired_memory(*mb);
            }
            Self::Units(units) => {
                partition
                    .partition_mut()
                    .processors_mut()
                    .shared_mut()
                    .set_desired_processing_units(*units);
            }
            Self::Sharing(mode) => {
                partition
                    .partition_mut()
                    .processors_mut()
                    .set_sharing_mode(mode.clone());
            }
            Self::Suspend(capable) => {
                partition.set_suspend_capable(*capable);
            }
            Self::Restart(capable) => {
                partition.set_simplified_remote_restart_capable(*capable);
            }
            Self::System(href) => {
                partition
                    .partition_mut()
                    .set_associated_managed_system(href);
            }
            Self::Adapters(hrefs) => {
                partition
                    .partition_mut()
                    .set_client_network_adapters(hrefs.iter().map(String::as_str));
            }
            Self::Uptime(seconds) => {
                partition.partition_mut().set_uptime(*seconds);
            }
        }
    }

    fn reads_back(&self, partition: &LogicalPartition<&Element>) -> bool {
        let base: BasePartition<&Element> = partition.partition();
        match self {
            Self::Name(name) => base.name() == Some(name),
            Self::Id(id) => base.id() == Ok(Some(*id)),
            Self::State(state) => base.state() == Ok(Some(state.clone())),
            Self::Rmc(state) => base.rmc_state() == Ok(Some(state.clone())),
            Self::Memory(mb) => base.memory().unwrap().desired_memory() == Ok(Some(*mb)),
            Self::Units(units) => {
                let shared = base.processors().unwrap().shared().unwrap();
                shared.desired_processing_units() == Ok(Some(*units))
            }
            Self::Sharing(mode) => {
                base.processors().unwrap().sharing_mode() == Ok(Some(mode.clone()))
            }
            Self::Suspend(capable) => partition.suspend_capable() == Ok(Some(*capable)),
            Self::Restart(capable) => {
                partition.simplified_remote_restart_capable() == Ok(Some(*capable))
            }
            Self::System(href) => base.associated_managed_system() == Some(href),
            Self::Adapters(hrefs) => base.client_network_adapters().eq(hrefs),
            Self::Uptime(seconds) => base.uptime() == Ok(Some(*seconds)),
        }
    }
}

/// A partition as some other release may send it: some known children in order, unknown ones between.
fn starting_point() -> impl Strategy<Value = Element> {
    let names = proptest::sample::subsequence(LogicalPartition::ORDER.to_vec(), 0..20);
    (
        names,
        vec((any::<prop::sample::Index>(), "Unheard[A-Z]"), 0..4),
        any::<bool>(),
    )
        .prop_map(|(names, unknown, metadata)| {
            let mut names: Vec<String> = names.into_iter().map(str::to_owned).collect();
            for (at, name) in unknown {
                names.insert(at.index(names.len() + 1), name);
            }
            let mut root = Element::resource_root(Namespace::Uom, "LogicalPartition", "V1_3_0");
            if metadata {
                root.push(Element::new(Namespace::Uom, "Metadata"));
            }
            for name in names {
                root.push(Element::new(Namespace::Uom, name));
            }
            root
        })
}

proptest! {
    #[test]
    fn edits_read_back_and_keep_the_order(start in starting_point(), edits in vec(edit(), 1..12)) {
        let unknown = |root: &Element| -> Vec<String> {
            root.children().map(|c| c.local_name().to_owned()).filter(|n| n.starts_with("Unheard")).collect()
        };
        let mut root = start.clone();
        for edit in &edits {
            edit.apply(&mut LogicalPartition(&mut root));
            prop_assert!(edit.reads_back(&LogicalPartition(&root)), "{:?}: {:?}", edit, root);
            let sent = Element::parse(root.to_xml().as_bytes()).unwrap();
            prop_assert!(edit.reads_back(&LogicalPartition(&sent)), "{:?}: {:?}", edit, sent);
        }
        let found = LogicalPartition(&root).inspect();
        prop_assert_eq!(&found.misplaced, &Vec::<String>::new());
        prop_assert_eq!(&found.errors, &Vec::new());
        prop_assert_eq!(unknown(&root), unknown(&start));
        if start.child("Metadata").is_some() {
            prop_assert_eq!(root.children().next().unwrap().local_name(), "Metadata");
        }
        let twice = root.children().filter(|c| !c.local_name().starts_with("Unheard")).map(Element::local_name);
        let mut names: Vec<&str> = twice.collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        prop_assert_eq!(names.len(), count, "an element was added that was there");
    }

    #[test]
    fn members_are_added_and_removed(disks in vec(("[a-z]{1,15}", 1_u64..10_000), 1..6), keep in any::<u8>()) {
        let mut group = VolumeGroup::new();
        group.set_name("rootvg").set_udid("04");
        for (name, gigabytes) in &disks {
            let mut disk = VirtualDisk::new();
            disk.set_capacity(Gigabytes::whole(*gigabytes)).set_name(name.as_str());
            group.push_virtual_disk(disk);
        }
        let read: Vec<_> = group.virtual_disks().map(|disk| (disk.name().unwrap(), disk.capacity().unwrap().unwrap())).collect();
        let sent: Vec<_> = disks.iter().map(|(name, gigabytes)| (name.as_str(), Gigabytes::whole(*gigabytes))).collect();
        prop_assert_eq!(read, sent);
        let mut at = 0;
        group.retain_virtual_disks(|_| { at += 1; keep >> at & 1 == 1 });
        let kept = (1..=disks.len()).filter(|at| keep >> at & 1 == 1).count();
        prop_assert_eq!(group.virtual_disks().count(), kept);
        prop_assert!(group.inspect().is_clean(), "{:?}", group.inspect());
    }

    #[test]
    fn values_read_back(gigabytes in any::<u64>(), hundredths in any::<u64>(), number in any::<f64>(), flag in any::<bool>()) {
        let gigabytes = Gigabytes::ZERO + Gigabytes::from_wire(&format!("{}.{:06}", gigabytes / 1_000_000, gigabytes % 1_000_000)).unwrap();
        prop_assert_eq!(Gigabytes::from_wire(&gigabytes.to_wire()), Some(gigabytes));
        let units = ProcessingUnits::hundredths(hundredths);
        prop_assert_eq!(ProcessingUnits::from_wire(&units.to_wire()), Some(units));
        let percent = Percent::hundredths(hundredths);
        prop_assert_eq!(Percent::from_wire(&percent.to_wire()), Some(percent));
        prop_assert_eq!(bool::from_wire(&flag.to_wire()), Some(flag));
        prop_assert_eq!(f64::from_wire(&number.to_wire()), number.is_finite().then_some(number));
    }
}

#[test]
fn a_mapping_is_built_in_the_order_of_the_schema() {
    let mut mapping = VirtualScsiMapping::new();
    mapping
        .target_device_mut()
        .logical_unit_mut()
        .set_lua("0x8100000000000000");
    let mut unit = LogicalUnit::new();
    unit.set_name("boot_x")
        .set_udid("27ab")
        .set_unit_type(LogicalUnitType::Disk);
    mapping.storage_mut().element_mut().push(unit.0);
    mapping
        .server_adapter_mut()
        .adapter_mut()
        .set_use_next_available_slot(true);
    mapping
        .client_adapter_mut()
        .adapter_mut()
        .set_use_next_available_slot(true);
    mapping.set_partition_href("http://h/rest/api/uom/LogicalPartition/0A");
    let names: Vec<&str> = mapping
        .element()
        .children()
        .map(Element::local_name)
        .collect();
    assert_eq!(
        names,
        [
            "Metadata",
            "AssociatedLogicalPartition",
            "ClientAdapter",
            "ServerAdapter",
            "Storage",
            "TargetDevice"
        ]
    );
    let mut server = VirtualIoServer::new();
    server.push_scsi_mapping(mapping);
    server.partition_mut().set_name("vios1");
    assert!(server.inspect().is_clean(), "{:?}", server.inspect());

    // What a borrowed view gives outlives the view.
    let document = server.0;
    let names: Vec<&str> = VirtualIoServer(&document)
        .scsi_mappings()
        .filter_map(|mapping| mapping.storage()?.mapped()?.name())
        .collect();
    assert_eq!(names, ["boot_x"]);
    assert_eq!(
        (VirtualIoServer::TYPE, ClientAdapter::TYPE),
        ("VirtualIOServer", "ClientAdapter")
    );
}
