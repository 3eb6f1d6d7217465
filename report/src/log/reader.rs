//! Reads an event log line by line. Whatever stands in it is input: errors name the line, memory is bounded.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use crate::event::{Entry, Event, FORMAT};

use super::LogError;

/// The most bytes of a line, its end included.
pub const LONGEST_LINE: usize = 1 << 20;

/// The events of a log, one after the other. After an error there are no more.
#[derive(Debug)]
pub struct EventReader<R: BufRead> {
    input: R,
    line: u64,
    headed: bool,
    broken: bool,
    buffer: Vec<u8>,
}

impl EventReader<BufReader<File>> {
    /// Opens a log.
    ///
    /// # Errors
    /// [`LogError::Open`] when the file cannot be opened.
    pub fn open(path: &Path) -> Result<Self, LogError> {
        let file = File::open(path).map_err(|error| LogError::Open {
            path: path.to_owned(),
            error,
        })?;
        Ok(Self::new(BufReader::new(file)))
    }
}

impl<R: BufRead> EventReader<R> {
    /// Reads from any input.
    pub fn new(input: R) -> Self {
        Self {
            input,
            line: 0,
            headed: false,
            broken: false,
            buffer: Vec::new(),
        }
    }

    /// The number of the line that was read last, from 1.
    #[must_use]
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The length of that line in bytes.
    #[must_use]
    pub fn length(&self) -> usize {
        self.buffer.len()
    }

    fn read(&mut self) -> Result<Option<Entry>, LogError> {
        loop {
            self.buffer.clear();
            let line = self.line + 1;
            let limit = LONGEST_LINE as u64 + 1;
            let read = (&mut self.input)
                .take(limit)
                .read_until(b'\n', &mut self.buffer)
                .map_err(|error| LogError::Io { line, error })?;
            if read == 0 {
                return Ok(None);
            }
            self.line = line;
            if read > LONGEST_LINE {
                return Err(LogError::TooLong {
                    line,
                    limit: LONGEST_LINE,
                });
            }
            if self.buffer.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            return self.entry(line).map(Some);
        }
    }

    fn entry(&mut self, line: u64) -> Result<Entry, LogError> {
        let entry: Entry = serde_json::from_slice(&self.buffer).map_err(|error| {
            // The error's own line is always the first: the text is a line.
            let problem = error.to_string();
            let problem = problem
                .rsplit_once(" at line ")
                .map_or(problem.as_str(), |(problem, _)| problem);
            LogError::Malformed {
                line,
                problem: format!("{problem} (column {})", error.column()),
            }
        })?;
        match &entry.event {
            Event::Log(log) if log.format == FORMAT => self.headed = true,
            Event::Log(log) => {
                return Err(LogError::Format {
                    line,
                    format: log.format,
                });
            }
            _ if !self.headed => return Err(LogError::NoHeader { line }),
            _ => {}
        }
        Ok(entry)
    }
}

impl<R: BufRead> Iterator for EventReader<R> {
    type Item = Result<Entry, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.broken {
            return None;
        }
        let read = self.read();
        self.broken = read.is_err();
        read.transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::{EventReader, LONGEST_LINE};
    use crate::event::{Call, Entry, Event, RunBegins, TestEnds, Verdict};
    use crate::log::{EventWriter, LogError};
    use crate::moment::VIRTUAL_EPOCH;

    const HEADER: &str = "{\"event\":\"log\",\"format\":1,\"producer\":\"p\"}\n";

    fn read(text: &[u8]) -> Result<Vec<Entry>, LogError> {
        EventReader::new(text).collect()
    }

    #[test]
    fn what_is_written_is_read() {
        let mut writer = EventWriter::new(Vec::new(), "p").expect("a header");
        let begins = Entry {
            run: "api".to_owned(),
            at_us: Some(u64::MAX),
            wall: Some(VIRTUAL_EPOCH),
            event: Event::RunBegins(RunBegins {
                seed: Some(u64::MAX),
                ..RunBegins::default()
            }),
        };
        let call = Entry::from(Event::Call(Call {
            method: "GET".to_owned(),
            path: "/\u{1}\"é\n".to_owned(),
            attempt: 2,
            ..Call::default()
        }));
        for entry in [&begins, &call] {
            writer.write(entry).expect("a line");
        }
        let text = writer.finish().expect("the text");
        assert_eq!(text.iter().filter(|byte| **byte == b'\n').count(), 3);
        let entries = read(&text).expect("a log");
        assert_eq!(entries[1..], [begins, call]);
    }

    #[test]
    fn producers_may_leave_out_what_they_do_not_know() {
        let text = format!(
            "{HEADER}\n{{\"event\":\"test-ends\",\"test\":\"t\",\"verdict\":\"passed\",\"colour\":\"blue\"}}\n"
        );
        let entries = read(text.as_bytes()).expect("a log");
        let ends = Event::TestEnds(TestEnds {
            test: "t".to_owned(),
            verdict: Verdict::Passed,
            took_us: None,
            reason: None,
            audited: false,
        });
        assert_eq!(entries[1].event, ends);
    }

    #[test]
    fn errors_name_the_line() {
        let cases: [(&str, &str); 6] = [
            (
                "{\"event\":\"note\",\"text\":\"x\"}",
                "line 2 of the event log is no event: missing",
            ),
            ("[]", "line 2 "),
            ("{\"event\":\"fly\"}", "unknown variant `fly`"),
            (
                "{\"event\":\"call\",\"method\":\"GET\",\"path\":\"/\",\"took_us\":-1}",
                "invalid value",
            ),
            ("\u{0}\u{ff}", "line 2 "),
            (
                "{\"event\":\"log\",\"format\":2,\"producer\":\"p\"}",
                "line 2 says format 2",
            ),
        ];
        for (number, (line, words)) in cases.into_iter().enumerate().skip(1) {
            let error = read(format!("{HEADER}{line}\n").as_bytes()).expect_err("no log");
            assert!(error.to_string().contains(words), "{number}: {error}");
        }
        assert!(matches!(
            read(b"{\"event\":\"note\",\"text\":\"x\"}"),
            Err(LogError::NoHeader { line: 1 })
        ));
    }

    #[test]
    fn a_line_without_end_takes_no_memory() {
        let mut text = HEADER.as_bytes().to_vec();
        text.extend(std::iter::repeat_n(b' ', 3 * LONGEST_LINE));
        let mut reader = EventReader::new(text.as_slice());
        assert!(reader.next().is_some_and(|header| header.is_ok()));
        assert!(matches!(
            reader.next(),
            Some(Err(LogError::TooLong { line: 2, .. }))
        ));
        assert!(reader.buffer.len() <= LONGEST_LINE + 1);
        assert!(reader.next().is_none());
    }
}
