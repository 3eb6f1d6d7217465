//! IPv4 and IPv6 addresses, and what stands in their place.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::rules::Span;

/// The most addresses that get pseudonyms of their own; the others share one.
const MOST: usize = 65_000;
/// The ranges for documentation of RFC 5737: /24 networks of 254 hosts each.
const DOCUMENTATION: [[u8; 3]; 3] = [[192, 0, 2], [198, 51, 100], [203, 0, 113]];
/// The longest text of an address.
const LONGEST: usize = 45;

/// Which address became which.
#[derive(Debug, Default)]
pub(super) struct Pseudonyms {
    given: HashMap<IpAddr, IpAddr>,
    v4: u16,
    v6: u16,
}

impl Pseudonyms {
    /// The pseudonym of an address; none for one that tells nothing.
    fn of(&mut self, address: IpAddr) -> Option<IpAddr> {
        if tells_nothing(address) {
            return None;
        }
        if let Some(given) = self.given.get(&address) {
            return Some(*given);
        }
        let pseudonym = match address {
            IpAddr::V4(_) => {
                let [a, b, c] = *DOCUMENTATION.get(usize::from(self.v4 / 254))?;
                let host = u8::try_from(self.v4 % 254 + 1).unwrap_or(u8::MAX);
                // The last of the last network is for all that come after.
                self.v4 = self.v4.saturating_add(1).min(254 * 3 - 1);
                IpAddr::V4(Ipv4Addr::new(a, b, c, host))
            }
            IpAddr::V6(_) => {
                self.v6 = self.v6.saturating_add(1);
                IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, self.v6))
            }
        };
        if self.given.len() < MOST {
            self.given.insert(address, pseudonym);
        }
        Some(pseudonym)
    }
}

fn tells_nothing(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            address.is_loopback()
                || address.is_unspecified()
                || (a == 255 && b == 255)
                || DOCUMENTATION.contains(&[a, b, c])
        }
        IpAddr::V6(address) => {
            let [first, second, ..] = address.segments();
            address.is_loopback()
                || address.is_unspecified()
                || (first == 0x2001 && second == 0xdb8)
        }
    }
}

/// The addresses of a text.
pub(super) fn spans(text: &[u8], pseudonyms: &mut Pseudonyms) -> Vec<Span> {
    let of_address = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
    let mut spans = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = text.get(at..).unwrap_or_default();
        let Some(begin) = rest.iter().position(|byte| of_address(*byte)) else {
            break;
        };
        let start = at + begin;
        let run = text.get(start..).unwrap_or_default();
        let length = run
            .iter()
            .position(|byte| !of_address(*byte))
            .unwrap_or(run.len());
        let end = start + length;
        at = end;
        let word = |at: Option<usize>| {
            at.and_then(|at| text.get(at))
                .is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        };
        let candidate = text.get(start..end).unwrap_or_default();
        // Within a word it is none: std::fmt.
        let place = Place {
            start,
            glued_before: word(start.checked_sub(1)),
            glued_behind: word(Some(end)),
        };
        spans.extend(place.address(candidate).and_then(|(range, address)| {
            let with = pseudonyms.of(address)?.to_string();
            Some(Span {
                whole: start..end,
                taken: range,
                with,
            })
        }));
    }
    spans
}

struct Place {
    start: usize,
    glued_before: bool,
    glued_behind: bool,
}

impl Place {
    /// The address that a run of digits, colons and dots holds.
    fn address(&self, run: &[u8]) -> Option<(Range<usize>, IpAddr)> {
        if run.len() < 2 || !run.iter().any(|byte| matches!(byte, b':' | b'.')) {
            return None;
        }
        let text = std::str::from_utf8(run).ok()?;
        let kept = text.trim_end_matches([':', '.']);
        // An address may end with two colons; a sentence and a port's separator end with less.
        let kept = if text.get(kept.len()..)?.starts_with("::") {
            text.get(..kept.len() + 2)?
        } else {
            kept
        };
        let glued_behind = self.glued_behind && kept.len() == text.len();
        let colons = kept.bytes().filter(|byte| *byte == b':').count();
        if colons >= 2 {
            return (!self.glued_before && !glued_behind)
                .then(|| self.v6(kept))
                .flatten();
        }
        self.v4(text)
    }

    fn v6(&self, text: &str) -> Option<(Range<usize>, IpAddr)> {
        if text.len() > LONGEST || is_world_wide_name(text) {
            return None;
        }
        let trimmed = if text.starts_with(':') && !text.starts_with("::") {
            text.get(1..)?
        } else {
            text
        };
        let address: Ipv6Addr = trimmed.parse().ok()?;
        let start = self.start + (text.len() - trimmed.len());
        Some((start..start + trimmed.len(), IpAddr::V6(address)))
    }

    /// Four numbers with dots between them, possibly after other things: `v:10.0.0.1:80`.
    fn v4(&self, text: &str) -> Option<(Range<usize>, IpAddr)> {
        let mut offset = 0;
        for piece in text.split(':') {
            let begin = offset;
            offset += piece.len() + 1;
            // Letters a to f stand before an address in words like `fed10.0.0.1`, and so may end a host's name.
            let digits = piece.trim_start_matches(|c: char| !c.is_ascii_digit());
            let skipped = piece.len() - digits.len();
            let digits = digits.trim_end_matches('.');
            let digits = digits.trim_end_matches(|c: char| c.is_ascii_alphabetic());
            if digits.split('.').count() != 4 {
                continue;
            }
            let parts: Option<Vec<u8>> = digits.split('.').map(octet).collect();
            if let Some([a, b, c, d]) = parts.as_deref() {
                let start = self.start + begin + skipped;
                let address = Ipv4Addr::new(*a, *b, *c, *d);
                return Some((start..start + digits.len(), IpAddr::V4(address)));
            }
        }
        None
    }
}

/// A number of an IPv4 address; zeros before it do not matter.
fn octet(text: &str) -> Option<u8> {
    (1..=3)
        .contains(&text.len())
        .then(|| text.parse().ok())
        .flatten()
}

/// Eight pairs of digits: the name of a Fibre Channel port.
fn is_world_wide_name(text: &str) -> bool {
    text.split(':').count() == 8 && text.split(':').all(|pair| pair.len() == 2)
}
