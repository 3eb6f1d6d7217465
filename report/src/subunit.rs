//! A subunit v2 stream, as `subunit2html`, `stestr` and stackviz read it.
//!
//! A packet is `0xB3`, flags, its own length, the fields that the flags name, and a CRC-32 of all before it. Numbers
//! take one to four bytes, the first two bits telling how many. A packet has at most 4 MiB: long texts go in pieces.

use std::io::{self, Write};
use std::time::Duration;

use crate::event::Verdict;
use crate::moment::Wall;
use crate::results::{Results, TestResult};

const SIGNATURE: u8 = 0xb3;
const VERSION: u16 = 0x2000;
const TEST_ID: u16 = 0x0800;
const TIMESTAMP: u16 = 0x0200;
const RUNNABLE: u16 = 0x0100;
const TAGS: u16 = 0x0080;
const FILE: u16 = 0x0040;
const MIME: u16 = 0x0020;
const EOF: u16 = 0x0010;

const IN_PROGRESS: u16 = 0x2;
const SUCCESS: u16 = 0x3;
const SKIPPED: u16 = 0x5;
const FAIL: u16 = 0x6;

/// The most bytes of a text that go into one packet.
const PIECE: usize = 64 << 10;
/// The most bytes of a name.
const LONGEST_NAME: usize = 4 << 10;
const TEXT: &str = "text/plain;charset=utf8";

/// Writes the stream of all tests.
///
/// A test is told at its begin and at its end, with the tag `worker-N`. What went wrong is its `traceback`, why it was
/// skipped its `reason`; its calls and attachments follow as texts. Dates of a run on a virtual clock begin with 2026.
///
/// # Errors
/// Those of the output.
pub fn write<W: Write>(results: &Results, out: &mut W) -> io::Result<()> {
    let mut names = std::collections::HashMap::<&str, u32>::new();
    for test in &results.tests {
        // Names are unique in a stream: of two runs that share one, the second carries the run's name.
        let seen = names.entry(test.name.as_str()).or_default();
        *seen += 1;
        let mut id = test.name.clone();
        if *seen > 1 {
            id = match test.run.as_str() {
                "" => format!("{id} ({seen})"),
                run => format!("{run}.{id} ({seen})"),
            };
        }
        one(test, &id, out)?;
    }
    Ok(())
}

fn one<W: Write>(test: &TestResult, id: &str, out: &mut W) -> io::Result<()> {
    let began = test.began_on();
    let ended = began.after(Duration::from_micros(test.took_us));
    let mut tags = vec![format!("worker-{}", test.worker)];
    tags.extend(test.tags.iter().cloned());
    let packet = |status, at| Packet {
        status,
        at,
        id,
        tags: &tags,
        file: None,
    };
    if test.verdict != Verdict::Skipped {
        packet(IN_PROGRESS, began).write(out)?;
    }
    let texts = texts(test);
    for (name, text) in &texts {
        let mut pieces = pieces(text).peekable();
        while let Some(piece) = pieces.next() {
            let file = (name.as_str(), piece, pieces.peek().is_none());
            let piece = Packet {
                file: Some(file),
                ..packet(0, ended)
            };
            piece.write(out)?;
        }
    }
    let status = match test.verdict {
        Verdict::Passed => SUCCESS,
        Verdict::Failed => FAIL,
        Verdict::Skipped | Verdict::Cancelled => SKIPPED,
    };
    packet(status, ended).write(out)
}

/// The texts that belong to a test, by name.
fn texts(test: &TestResult) -> Vec<(String, String)> {
    let mut texts = Vec::new();
    let mut add = |name: &str, text: String| {
        if !text.is_empty() {
            texts.push((name.to_owned(), text));
        }
    };
    match test.verdict {
        Verdict::Passed => {}
        Verdict::Failed => {
            let mut lines = test.problems();
            if let Some(repro) = &test.repro {
                lines.push(format!("repeat it: {repro}"));
            }
            add("traceback", lines.join("\n"));
        }
        Verdict::Skipped => add("reason", test.problems().join("\n")),
        Verdict::Cancelled => add("reason", "broken off by the user".to_owned()),
    }
    for (name, text) in &test.attachments {
        // A second text of the same name would be glued to the first.
        let name = if name == "traceback" || name == "reason" {
            format!("{name} (attached)")
        } else {
            name.clone()
        };
        add(&name, text.clone());
    }
    let calls: Vec<String> = test
        .calls
        .iter()
        .map(|call| {
            let status = call
                .status
                .map_or_else(|| "no answer".to_owned(), |status| status.to_string());
            format!(
                "{} {} {status} {} ms",
                call.method,
                call.path,
                call.took_us / 1000
            )
        })
        .collect();
    add("api calls", calls.join("\n"));
    texts
}

/// A text in pieces that fit into packets.
fn pieces(text: &str) -> impl Iterator<Item = &[u8]> {
    text.as_bytes().chunks(PIECE)
}

struct Packet<'a> {
    status: u16,
    at: Wall,
    id: &'a str,
    tags: &'a [String],
    /// A name, bytes, and whether they are the last of that name.
    file: Option<(&'a str, &'a [u8], bool)>,
}

impl Packet<'_> {
    fn write<W: Write>(&self, out: &mut W) -> io::Result<()> {
        let mut flags = VERSION | TEST_ID | TIMESTAMP | RUNNABLE | TAGS | self.status;
        let mut body = Vec::new();
        let seconds = self.at.micros().div_euclid(1_000_000);
        let nanos = self.at.micros().rem_euclid(1_000_000) * 1000;
        body.extend(u32::try_from(seconds).unwrap_or_default().to_be_bytes());
        body.extend(number(u32::try_from(nanos).unwrap_or_default()));
        name(self.id, &mut body);
        body.extend(number(u32::try_from(self.tags.len()).unwrap_or_default()));
        for tag in self.tags {
            name(tag, &mut body);
        }
        if let Some((called, bytes, last)) = self.file {
            flags |= FILE | MIME | if last { EOF } else { 0 };
            name(TEXT, &mut body);
            name(called, &mut body);
            body.extend(number(u32::try_from(bytes.len()).unwrap_or_default()));
            body.extend(bytes);
        }
        // Signature, flags and check sum have seven bytes; the length counts its own.
        let base = body.len() + 7;
        let length = (1..=3)
            .map(|width| (width, base + width))
            .find(|(width, length)| *length < 1 << (8 * width - 2))
            .map(|(_, length)| length)
            .ok_or_else(|| {
                io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "a test has too many tags for subunit",
                )
            })?;
        let mut packet = vec![SIGNATURE];
        packet.extend(flags.to_be_bytes());
        packet.extend(number(u32::try_from(length).unwrap_or_default()));
        packet.extend(body);
        packet.extend(crc32fast::hash(&packet).to_be_bytes());
        out.write_all(&packet)
    }
}

/// A text with its length before it, cut to what names have.
fn name(text: &str, out: &mut Vec<u8>) {
    let mut end = text.len().min(LONGEST_NAME);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = text.get(..end).unwrap_or_default();
    out.extend(number(u32::try_from(text.len()).unwrap_or_default()));
    out.extend(text.as_bytes());
}

/// A number below 2^30, in as few bytes as it takes.
fn number(value: u32) -> Vec<u8> {
    let bytes = value.to_be_bytes();
    let (width, mark) = match value {
        0..0x40 => (1, 0),
        0x40..0x4000 => (2, 0x40),
        0x4000..0x40_0000 => (3, 0x80),
        _ => (4, 0xc0),
    };
    let mut number: Vec<u8> = bytes.into_iter().skip(4 - width).collect();
    if let Some(first) = number.first_mut() {
        *first |= mark;
    }
    number
}

#[cfg(test)]
mod tests {
    use super::{Packet, number};
    use crate::moment::Wall;

    #[test]
    fn numbers_take_one_to_four_bytes() {
        assert_eq!(number(63), [63]);
        assert_eq!(number(64), [0x40, 64]);
        assert_eq!(number(16_383), [0x7f, 0xff]);
        assert_eq!(number(16_384), [0x80, 0x40, 0]);
        assert_eq!(number(4_194_304), [0xc0, 0x40, 0, 0]);
    }

    #[test]
    fn a_packet_tells_its_length_and_its_check_sum() {
        for id in [
            "t",
            "a name that is so long that the packet's length takes two bytes instead of one",
        ] {
            let mut out = Vec::new();
            let packet = Packet {
                status: super::SUCCESS,
                at: Wall::from_micros(1_500_000),
                id,
                tags: &["worker-0".to_owned()],
                file: None,
            };
            packet.write(&mut out).expect("a packet");
            let length = match out[3] >> 6 {
                0 => usize::from(out[3]),
                _ => usize::from(out[3] & 0x3f) << 8 | usize::from(out[4]),
            };
            assert_eq!((out[0], length), (0xb3, out.len()));
            let (packet, sum) = out.split_at(out.len() - 4);
            assert_eq!(crc32fast::hash(packet).to_be_bytes(), sum);
        }
    }

    #[test]
    fn long_names_and_texts_are_cut_where_characters_end() {
        let mut out = Vec::new();
        super::name(&"é".repeat(5000), &mut out);
        assert_eq!(out.len(), 2 + 4096);
        assert_eq!(super::pieces(&"x".repeat(70_000)).count(), 2);
    }
}
