//! A window that goes over a text of any size.

use std::io::{self, Read, Write};

use super::rules::{LONGEST_KEY, Span};
use super::{MASK, Scrubber};

/// How much of a text is in memory.
const WINDOW: usize = 512 << 10;
/// How much of a window is looked at again with the next one: more than anything that belongs together has.
const OVERLAP: usize = LONGEST_KEY + (8 << 10);

/// Copies a text window by window.
pub(super) fn copy<R: Read, W: Write>(
    scrubber: &mut Scrubber,
    mut input: R,
    mut output: W,
) -> io::Result<u64> {
    let mut window = Vec::new();
    let mut changed = 0;
    // Whether a secret that is longer than a window goes on.
    let mut swallowing = false;
    loop {
        let room = (WINDOW - window.len().min(WINDOW)) as u64;
        let read = (&mut input).take(room).read_to_end(&mut window)?;
        let ended = (read as u64) < room;
        if swallowing {
            let end = window.iter().position(|byte| ends_value(*byte));
            swallowing = end.is_none();
            window.drain(..end.unwrap_or(window.len()));
        }
        let (cut, places) = pass(scrubber, &window, ended, &mut output)?;
        changed += places;
        match cut {
            Some(cut) => drop(window.drain(..cut)),
            None => {
                // One secret fills the window.
                output.write_all(MASK.as_bytes())?;
                changed += 1;
                window.clear();
                swallowing = true;
            }
        }
        if ended && window.is_empty() {
            output.flush()?;
            return Ok(changed);
        }
    }
}

fn ends_value(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'<' | b'>')
}

/// Writes as much of a window as can be decided, and returns how much that was and how many places were changed; no
/// length when one secret takes all of it.
fn pass<W: Write>(
    scrubber: &mut Scrubber,
    window: &[u8],
    ended: bool,
    output: &mut W,
) -> io::Result<(Option<usize>, u64)> {
    let spans = scrubber.rules.spans(window, &mut scrubber.pseudonyms);
    let mut cut = if ended {
        window.len()
    } else {
        let most = window.len().saturating_sub(OVERLAP);
        let head = window.get(..most).unwrap_or_default();
        head.iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(most, |newline| newline + 1)
    };
    if !ended {
        match decidable(&spans, cut, window.len()) {
            Some(decidable) => cut = decidable,
            None => return Ok((None, 0)),
        }
    }
    let mut at = 0;
    let mut places = 0;
    for span in spans.iter().take_while(|span| span.taken.start < cut) {
        output.write_all(window.get(at..span.taken.start).unwrap_or_default())?;
        output.write_all(span.with.as_bytes())?;
        at = span.taken.end;
        places += 1;
    }
    output.write_all(window.get(at..cut).unwrap_or_default())?;
    Ok((Some(cut), places))
}

/// The end of what can be decided: no place reaches over it, and one that reaches the window's end may go on behind it.
/// None when a place takes the whole window.
fn decidable(spans: &[Span], wanted: usize, length: usize) -> Option<usize> {
    let mut cut = wanted;
    while let Some(span) = spans
        .iter()
        .find(|span| span.whole.start < cut && cut < span.whole.end)
    {
        if span.whole.start > 0 {
            cut = span.whole.start;
        } else if span.whole.end < length {
            return Some(span.whole.end);
        } else {
            return None;
        }
    }
    Some(cut)
}

/// Where the first window of a text is cut.
#[cfg(test)]
pub(super) fn tests_window() -> usize {
    WINDOW - OVERLAP
}
