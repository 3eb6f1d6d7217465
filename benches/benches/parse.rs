//! Parsing and writing a feed of Virtual I/O Servers with all their mappings, 695 KB, beside a bare scan of the same
//! bytes for XML events, which is the least that any reader could do.
//!
//! The feed is the recording `fake_vios_feed.txt` of the folder that `POWERVM_RECORDINGS` names (`cargo xtask bench`
//! sets it), or a made one of the same size and shape.

use std::error::Error;
use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::{Measurement, WallTime};
use criterion::{Criterion, Throughput};
use powervm_schema::atom::Feed;
use powervm_schema::xml::Element;
use quick_xml::Reader;
use quick_xml::events::Event;

const SIZE: usize = 695_000;

fn main() -> Result<(), Box<dyn Error>> {
    let feed = recorded()?.unwrap_or_else(made);
    let tree = Element::parse(feed.as_bytes())?;
    let events = scan(&feed)?;
    println!(
        "{} bytes, {} elements, {events} events",
        feed.len(),
        tree.descendants().count()
    );

    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("vios feed");
    group.throughput(Throughput::Bytes(feed.len() as u64));
    group.bench_function("scan for events", |b| b.iter(|| scan(black_box(&feed))));
    group.bench_function("parse to a tree", |b| {
        b.iter(|| Element::parse(black_box(feed.as_bytes())))
    });
    group.bench_function("parse to entries", |b| {
        b.iter(|| Feed::parse(black_box(feed.as_bytes())))
    });
    group.bench_function("write", |b| b.iter(|| black_box(&tree).to_xml()));
    group.bench_function("copy", |b| b.iter(|| black_box(&tree).clone()));
    group.finish();
    criterion.final_summary();

    let scanned = fastest(|| scan(black_box(&feed)));
    let parsed = fastest(|| Element::parse(black_box(feed.as_bytes())));
    let speed = |time: Duration| feed.len() as f64 / 1e6 / time.as_secs_f64();
    println!(
        "bare scan {:.0} MB/s, tree {:.0} MB/s: a lossless tree takes {:.2} times a bare scan",
        speed(scanned),
        speed(parsed),
        parsed.as_secs_f64() / scanned.as_secs_f64()
    );
    Ok(())
}

/// The least time of a number of runs, which other work on the machine disturbs least.
fn fastest<T>(mut work: impl FnMut() -> T) -> Duration {
    let times = (0..50).map(|_| {
        let start = WallTime.start();
        black_box(work());
        WallTime.end(start)
    });
    times.min().unwrap_or_default()
}

/// Every event of the document, counted and dropped.
fn scan(document: &str) -> Result<usize, quick_xml::Error> {
    let mut reader = Reader::from_str(document);
    let mut events = 0;
    loop {
        match reader.read_event()? {
            Event::Eof => return Ok(events),
            event => {
                black_box(event);
                events += 1;
            }
        }
    }
}

fn recorded() -> Result<Option<String>, Box<dyn Error>> {
    let Some(folder) = std::env::var_os("POWERVM_RECORDINGS") else {
        println!("POWERVM_RECORDINGS is not set: measuring a made feed");
        return Ok(None);
    };
    let text = std::fs::read_to_string(std::path::Path::new(&folder).join("fake_vios_feed.txt"))?;
    let (_, body) = text
        .split_once("BODY{")
        .ok_or("no BODY in fake_vios_feed.txt")?;
    let (body, _) = body
        .rsplit_once("END OF SECTION}")
        .ok_or("no end of the BODY")?;
    Ok(Some(body.trim().to_owned()))
}

/// A feed of the same size and shape: indented leaves with two attributes, five levels deep.
fn made() -> String {
    let mut feed = String::with_capacity(SIZE + 4096);
    feed.push_str(
        "<feed xmlns=\"http://www.w3.org/2005/Atom\" xmlns:ns2=\"http://a9.com/-/spec/opensearch/1.1/\">\n<entry>\n<id>1</id>\n\
         <content type=\"application/vnd.ibm.powervm.uom+xml; type=VirtualIOServer\">\n<VirtualIOServer:VirtualIOServer \
         xmlns:VirtualIOServer=\"http://www.ibm.com/xmlns/systems/power/firmware/uom/mc/2012_10/\" \
         xmlns=\"http://www.ibm.com/xmlns/systems/power/firmware/uom/mc/2012_10/\" schemaVersion=\"V1_1_0\">\n\
         <VirtualSCSIMappings kb=\"CUR\" kxe=\"false\" schemaVersion=\"V1_0\">\n",
    );
    for slot in 2.. {
        if feed.len() >= SIZE {
            break;
        }
        mapping(&mut feed, slot);
    }
    feed.push_str(
        "</VirtualSCSIMappings>\n</VirtualIOServer:VirtualIOServer>\n</content>\n</entry>\n</feed>",
    );
    feed
}

fn mapping(feed: &mut String, slot: usize) {
    let location = format!("U8247.22L.2125D4A-V1-C{slot}");
    feed.push_str("    <VirtualSCSIMapping schemaVersion=\"V1_0\">\n");
    for adapter in ["ClientAdapter", "ServerAdapter"] {
        // Writing to a string cannot fail.
        let _ = writeln!(
            feed,
            "        <{adapter} kb=\"CUR\" kxe=\"false\" schemaVersion=\"V1_0\">"
        );
        feed.push_str("            <Metadata>\n                <Atom/>\n            </Metadata>\n");
        for (name, text) in [
            ("AdapterType", "Client"),
            ("DynamicReconfigurationConnectorName", &location),
            ("LocationCode", &location),
            ("LocalPartitionID", "2"),
            ("RequiredAdapter", "false"),
            ("VariedOn", "true"),
            ("VirtualSlotNumber", &slot.to_string()),
            ("RemoteLogicalPartitionID", "1"),
            ("RemoteSlotNumber", "3"),
            ("ServerLocationCode", &location),
        ] {
            let _ = writeln!(
                feed,
                "            <{name} kb=\"ROR\" kxe=\"false\">{text}</{name}>"
            );
        }
        let _ = writeln!(feed, "        </{adapter}>");
    }
    feed.push_str("    </VirtualSCSIMapping>\n");
}
