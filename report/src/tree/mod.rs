//! The folder of logs that OpenStack's reviewers expect of a CI, with nothing secret in it, ready to be served.
//!
//! ```text
//! index.html                  what is here
//! report.html                 the results to look at; testr_results.html.gz is the same
//! testr_results.html.gz
//! testrepository.subunit.gz   for stestr, subunit2html, stackviz
//! tempest.txt.gz              a line a test, as tempest prints them
//! junit.xml
//! skipped.txt                 the tests that were skipped, with reasons
//! environment.txt             versions, machine, when it ran
//! configuration.txt           what the tests were configured with
//! events.jsonl.gz             the event log
//! job-output.txt              the console
//! etc/NAME.txt.gz             configuration files
//! logs/NAME.txt.gz            a log a service
//! ```

mod index;
mod texts;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use thiserror::Error;

use crate::event::Entry;
use crate::html;
use crate::junit::junit;
use crate::log::{EventReader, LogError};
use crate::results::{Collector, Limits, Results};
use crate::scrub::Scrubber;
use crate::subunit;

/// A log tree that cannot be made.
#[derive(Debug, Error)]
pub enum TreeError {
    /// A file or folder cannot be written.
    #[error("cannot write {}: {error}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// There is something in the folder already, which nobody has scrubbed.
    #[error("{} is not empty; a log tree begins with an empty folder", .0.display())]
    NotEmpty(PathBuf),
    /// The event log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A report cannot be put in words.
    #[error("cannot write {report}: {problem}")]
    Report {
        /// Which.
        report: &'static str,
        /// Why not.
        problem: String,
    },
}

/// A file of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Listed {
    about: String,
    bytes: u64,
}

/// A log tree in the making. Everything that is put into it is scrubbed on its way.
#[derive(Debug)]
pub struct LogTree {
    root: PathBuf,
    scrubber: Scrubber,
    /// By path below the root.
    files: BTreeMap<String, Listed>,
    title: String,
    summary: Vec<String>,
    tempest: String,
}

impl LogTree {
    /// Begins a tree in a folder that is empty or not there yet.
    ///
    /// # Errors
    /// [`TreeError::NotEmpty`], or [`TreeError::Write`] when the folder cannot be made.
    pub fn create(root: &Path, title: &str, mut scrubber: Scrubber) -> Result<Self, TreeError> {
        let failed = |error| TreeError::Write {
            path: root.to_owned(),
            error,
        };
        fs::create_dir_all(root).map_err(failed)?;
        if fs::read_dir(root).map_err(failed)?.next().is_some() {
            return Err(TreeError::NotEmpty(root.to_owned()));
        }
        let title = scrubber.text(title);
        Ok(Self {
            root: root.to_owned(),
            scrubber,
            files: BTreeMap::new(),
            title,
            summary: Vec::new(),
            tempest: String::new(),
        })
    }

    /// The console of the job: `job-output.txt`. Without one, the results stand in its place.
    ///
    /// # Errors
    /// [`TreeError::Write`]
    pub fn console(&mut self, input: impl Read) -> Result<(), TreeError> {
        self.add("job-output.txt", "the job's console", input)
    }

    /// The log of a service: `logs/NAME.txt.gz`.
    ///
    /// # Errors
    /// [`TreeError::Write`]
    pub fn service(&mut self, name: &str, input: impl Read) -> Result<(), TreeError> {
        let path = format!("logs/{}.txt.gz", self.file_name(name));
        let about = format!("log of {}", self.scrubber.text(name));
        self.add(&path, &about, input)
    }

    /// A file of the configuration: `etc/NAME.txt.gz`.
    ///
    /// # Errors
    /// [`TreeError::Write`]
    pub fn configuration(&mut self, name: &str, input: impl Read) -> Result<(), TreeError> {
        let path = format!("etc/{}.txt.gz", self.file_name(name));
        let about = format!("configuration: {}", self.scrubber.text(name));
        self.add(&path, &about, input)
    }

    /// Everything that is made from event logs, and what they come to.
    ///
    /// # Errors
    /// [`TreeError`]
    pub fn results<P: AsRef<Path>>(&mut self, events: &[P]) -> Result<Results, TreeError> {
        let results = self.events(events)?;
        let page = |error: io::Error| TreeError::Report {
            report: "report.html",
            problem: error.to_string(),
        };
        let mut text = Vec::new();
        html::write(&results, &mut text).map_err(page)?;
        self.put("report.html", "the results to look at", &text)?;
        self.put(
            "testr_results.html.gz",
            "the same, by the usual name",
            &text,
        )?;
        let mut stream = Vec::new();
        subunit::write(&results, &mut stream).map_err(|error| TreeError::Report {
            report: "testrepository.subunit.gz",
            problem: error.to_string(),
        })?;
        self.put(
            "testrepository.subunit.gz",
            "the results as subunit v2",
            &stream,
        )?;
        let xml = junit(&results).map_err(|error| TreeError::Report {
            report: "junit.xml",
            problem: error.to_string(),
        })?;
        self.put("junit.xml", "the results as JUnit", xml.as_bytes())?;
        self.tempest = texts::tempest(&results);
        let tempest = self.tempest.clone();
        self.put(
            "tempest.txt.gz",
            "the results, a line a test",
            tempest.as_bytes(),
        )?;
        self.put(
            "skipped.txt",
            "skipped tests with reasons",
            texts::skipped(&results).as_bytes(),
        )?;
        self.put(
            "environment.txt",
            "environment, and when it ran",
            texts::environment(&results).as_bytes(),
        )?;
        self.put(
            "configuration.txt",
            "what the tests were configured with",
            texts::facts(&results.configuration).as_bytes(),
        )?;
        self.summary = texts::summary(&results);
        Ok(results)
    }

    /// Writes the indexes; with them the tree is whole.
    ///
    /// # Errors
    /// [`TreeError::Write`]
    pub fn finish(mut self) -> Result<(), TreeError> {
        if !self.files.contains_key("job-output.txt") {
            let text = std::mem::take(&mut self.tempest);
            self.put("job-output.txt", "the job's console", text.as_bytes())?;
        }
        // Apache then tells browsers that it is compressed text, as OpenStack's own log servers did.
        let apache =
            "AddEncoding gzip .gz\nAddType text/plain .txt .jsonl\nAddType text/html .html\n";
        self.plain(".htaccess", apache)?;
        for folder in ["logs", "etc"] {
            let below = format!("{folder}/");
            let files: Vec<_> = self
                .files
                .iter()
                .filter_map(|(path, listed)| Some((path.strip_prefix(&below)?, listed)))
                .collect();
            if !files.is_empty() {
                let page = index::page(&format!("{} · {folder}", self.title), &[], &files);
                self.plain(&format!("{folder}/index.html"), &page)?;
            }
        }
        let mut files: Vec<_> = self
            .files
            .iter()
            .map(|(path, listed)| (path.as_str(), listed))
            .collect();
        // What people come for stands first.
        files.sort_by_key(|(path, _)| *path != "report.html");
        let page = index::page(&self.title, &self.summary, &files);
        self.plain("index.html", &page)
    }

    /// Copies the event logs into one, scrubbed text by text so that its lines stay events.
    fn events<P: AsRef<Path>>(&mut self, events: &[P]) -> Result<Results, TreeError> {
        const NAME: &str = "events.jsonl.gz";
        let mut collector = Collector::new(Limits::default());
        let path = self.root.join(NAME);
        let failed = |error| TreeError::Write {
            path: path.clone(),
            error,
        };
        let mut out = Sink::create(&path).map_err(failed)?;
        for events in events {
            let events = events.as_ref();
            let mut reader = EventReader::open(events)?;
            while let Some(entry) = reader.next() {
                let (line, length) = (reader.line(), reader.length());
                let entry = entry.map_err(|error| error.within(events))?;
                let (entry, text) = self.scrubbed(&entry, line)?;
                out.write_all(&text).map_err(failed)?;
                collector
                    .take(entry, line, length)
                    .map_err(|error| error.within(events))?;
            }
        }
        out.finish().map_err(failed)?;
        self.list(NAME, "the event log that all of this is made from")?;
        Ok(collector.end())
    }

    /// An event without secrets, and its line.
    fn scrubbed(&mut self, entry: &Entry, line: u64) -> Result<(Entry, Vec<u8>), LogError> {
        let malformed = |error: serde_json::Error| LogError::Malformed {
            line,
            problem: error.to_string(),
        };
        let mut value = serde_json::to_value(entry).map_err(malformed)?;
        self.scrubber.value(&mut value);
        let mut text = serde_json::to_vec(&value).map_err(malformed)?;
        text.push(b'\n');
        Ok((serde_json::from_value(value).map_err(malformed)?, text))
    }

    /// Scrubs a text on its way into a file.
    fn add(&mut self, name: &str, about: &str, input: impl Read) -> Result<(), TreeError> {
        let path = self.root.join(name);
        let failed = |error| TreeError::Write {
            path: path.clone(),
            error,
        };
        let mut out = Sink::create(&path).map_err(failed)?;
        self.scrubber
            .copy(BufReader::new(input), &mut out)
            .and_then(|_| out.finish())
            .map_err(failed)?;
        self.list(name, about)
    }

    /// Writes a file that is made of what was scrubbed already.
    fn put(&mut self, name: &str, about: &str, content: &[u8]) -> Result<(), TreeError> {
        let path = self.root.join(name);
        let failed = |error| TreeError::Write {
            path: path.clone(),
            error,
        };
        let mut out = Sink::create(&path).map_err(failed)?;
        out.write_all(content)
            .and_then(|()| out.finish())
            .map_err(failed)?;
        self.list(name, about)
    }

    fn plain(&self, name: &str, content: &str) -> Result<(), TreeError> {
        let path = self.root.join(name);
        fs::write(&path, content).map_err(|error| TreeError::Write { path, error })
    }

    fn list(&mut self, name: &str, about: &str) -> Result<(), TreeError> {
        let path = self.root.join(name);
        let bytes = match fs::metadata(&path) {
            Ok(metadata) => metadata.len(),
            Err(error) => return Err(TreeError::Write { path, error }),
        };
        let about = about.to_owned();
        self.files.insert(name.to_owned(), Listed { about, bytes });
        Ok(())
    }

    /// A name that is safe in a folder and in a URL, and tells no secret: `nova-compute`, `nova.conf`.
    fn file_name(&mut self, name: &str) -> String {
        let name = self.scrubber.text(name);
        let name: String = name
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') {
                    c
                } else {
                    '_'
                }
            })
            .take(100)
            .collect();
        match name.trim_start_matches('.') {
            "" => "unnamed".to_owned(),
            name => name.to_owned(),
        }
    }
}

/// A file, compressed if its name says so. The same content gives the same bytes.
enum Sink {
    Plain(BufWriter<File>),
    Gzip(Box<GzEncoder<BufWriter<File>>>),
}

impl Sink {
    fn create(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let file = BufWriter::new(File::create(path)?);
        Ok(match path.extension() {
            Some(gz) if gz == "gz" => {
                Self::Gzip(Box::new(GzEncoder::new(file, Compression::default())))
            }
            _ => Self::Plain(file),
        })
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Self::Plain(mut file) => file.flush(),
            Self::Gzip(encoder) => encoder.finish()?.flush(),
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.flush(),
            Self::Gzip(encoder) => encoder.flush(),
        }
    }
}

#[cfg(test)]
mod tests;
