//! The order of an event log: scenarios one after the other, also where several run at a time.
//!
//! The scenario whose turn it is writes through; those after it wait in memory. On virtual clocks each scenario begins
//! when the first of so many workers would be free for it, in the scenarios' order: so the log of a seed is the same
//! byte for byte whatever the machine's threads did, and with as many workers as there were.

use std::collections::BTreeMap;
use std::io::Write;

use powervm_report::event::{Entry, Event};
use powervm_report::log::{EventWriter, LogError};
use tokio::time::Instant;

use crate::wall::WallClock;

/// By which clock a run goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// One of each scenario's own: the same seed gives the same log, byte for byte.
    Virtual,
    /// The machine's.
    Wall,
}

/// A scenario that is not written yet, or not all of it.
#[derive(Debug)]
struct Lane {
    name: String,
    step: String,
    began: Instant,
    waiting: Vec<Entry>,
    /// How long it took, once it is over.
    took_us: Option<u64>,
}

/// Where the scenario is whose turn it is.
#[derive(Debug, Clone, Copy, Default)]
struct Turn {
    index: usize,
    worker: usize,
    begin_us: u64,
}

/// The log, and the scenarios that are under way.
pub(super) struct Lanes<W: Write> {
    /// None once the log has ended.
    writer: Option<EventWriter<W>>,
    clock: Clock,
    /// By the scenario's place.
    lanes: BTreeMap<usize, Lane>,
    turn: Turn,
    /// When each worker is free.
    free_us: Vec<u64>,
    broken: Option<LogError>,
}

impl<W: Write> Lanes<W> {
    pub(super) fn new(writer: EventWriter<W>, clock: Clock, workers: usize) -> Self {
        Self {
            writer: Some(writer),
            clock,
            lanes: BTreeMap::new(),
            turn: Turn::default(),
            free_us: vec![0; workers.max(1)],
            broken: None,
        }
    }

    /// A scenario begins; its clock shows zero now.
    pub(super) fn begin(&mut self, index: usize, name: &str) {
        let lane = Lane {
            name: name.to_owned(),
            step: String::new(),
            began: Instant::now(),
            waiting: Vec::new(),
            took_us: None,
        };
        self.lanes.insert(index, lane);
    }

    /// The step that a scenario is in; empty between steps, and where it is not under way.
    pub(super) fn step(&self, name: &str) -> Option<&str> {
        let (_, lane) = self.under_way(name)?;
        Some(&lane.step)
    }

    /// A scenario is in this step from now on; in none if it is empty.
    pub(super) fn enter(&mut self, name: &str, step: &str) {
        let index = self.under_way(name).map(|(index, _)| index);
        if let Some(lane) = index.and_then(|index| self.lanes.get_mut(&index)) {
            lane.step = step.to_owned();
        }
    }

    /// Something happened in a scenario.
    pub(super) fn tell(&mut self, name: &str, event: Event) {
        let Some((index, lane)) = self.under_way(name) else {
            return;
        };
        let mut entry = Entry::from(event);
        match self.clock {
            Clock::Virtual => entry.at_us = Some(elapsed(lane.began)),
            Clock::Wall => entry.wall = Some(WallClock::date()),
        }
        if index == self.turn.index {
            self.write(entry);
        } else if let Some(lane) = self.lanes.get_mut(&index) {
            lane.waiting.push(entry);
        }
    }

    /// A scenario is over.
    pub(super) fn end(&mut self, name: &str) {
        let index = self.under_way(name).map(|(index, _)| index);
        if let Some(lane) = index.and_then(|index| self.lanes.get_mut(&index)) {
            lane.took_us = Some(elapsed(lane.began));
        }
        self.advance();
    }

    /// Something happened to the whole run: at its begin, or after all scenarios, the broken ones included.
    pub(super) fn tell_of_run(&mut self, event: Event) {
        let broken: Vec<usize> = self.lanes.keys().copied().collect();
        for index in broken {
            if let Some(lane) = self.lanes.get_mut(&index) {
                let last = lane.waiting.iter().filter_map(|entry| entry.at_us).max();
                lane.took_us = lane.took_us.or(last).or(Some(0));
            }
            self.turn.index = self.turn.index.max(index);
            self.advance();
        }
        let mut entry = Entry::from(event);
        match self.clock {
            Clock::Virtual => entry.at_us = self.free_us.iter().max().copied(),
            Clock::Wall => entry.wall = Some(WallClock::date()),
        }
        self.put(&entry);
    }

    /// Ends the log.
    ///
    /// # Errors
    /// The first that writing met.
    pub(super) fn finish(&mut self) -> Result<(), LogError> {
        let writer = self.writer.take();
        if let Some(error) = self.broken.take() {
            return Err(error);
        }
        match writer.map(EventWriter::finish) {
            Some(Err(error)) => Err(LogError::Io { line: 0, error }),
            Some(Ok(_)) | None => Ok(()),
        }
    }

    fn under_way(&self, name: &str) -> Option<(usize, &Lane)> {
        let lanes = self.lanes.iter().map(|(index, lane)| (*index, lane));
        let mut open = lanes.filter(|(_, lane)| lane.took_us.is_none() && lane.name == name);
        open.next()
    }

    /// Gives the turn to the next scenario for as long as the one that has it is over.
    fn advance(&mut self) {
        while let Some(took_us) = self
            .lanes
            .get(&self.turn.index)
            .and_then(|lane| lane.took_us)
        {
            self.write_waiting();
            self.lanes.remove(&self.turn.index);
            if let Some(free) = self.free_us.get_mut(self.turn.worker) {
                *free = self.turn.begin_us.saturating_add(took_us);
            }
            let free = self.free_us.iter().copied().enumerate();
            let (worker, begin_us) = free.min_by_key(|(_, free)| *free).unwrap_or_default();
            self.turn = Turn {
                index: self.turn.index + 1,
                worker,
                begin_us,
            };
            self.write_waiting();
        }
    }

    fn write_waiting(&mut self) {
        let lane = self.lanes.get_mut(&self.turn.index);
        let waiting = lane.map(|lane| std::mem::take(&mut lane.waiting));
        for entry in waiting.into_iter().flatten() {
            self.write(entry);
        }
    }

    /// Writes an event of the scenario whose turn it is.
    fn write(&mut self, mut entry: Entry) {
        entry.at_us = entry
            .at_us
            .map(|at_us| at_us.saturating_add(self.turn.begin_us));
        if let Event::TestBegins(begins) = &mut entry.event {
            begins.worker = u32::try_from(self.turn.worker).unwrap_or(u32::MAX);
        }
        self.put(&entry);
    }

    fn put(&mut self, entry: &Entry) {
        let written = self.writer.as_mut().map(|writer| writer.write(entry));
        if let Some(Err(error)) = written
            && self.broken.is_none()
        {
            self.broken = Some(error);
        }
    }
}

fn elapsed(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use powervm_report::event::{Note, TestBegins};
    use powervm_report::log::EventReader;
    use tokio::time::advance;

    use super::*;

    fn begins(test: &str) -> Event {
        Event::TestBegins(TestBegins {
            test: test.to_owned(),
            ..TestBegins::default()
        })
    }

    fn note(test: &str) -> Event {
        Event::Note(Note {
            test: test.to_owned(),
            text: String::new(),
        })
    }

    /// Test, worker of its begin, moment in seconds.
    fn read(log: &[u8]) -> Vec<(String, Option<u32>, u64)> {
        EventReader::new(log)
            .map(|entry| entry.expect("an event"))
            .filter_map(|mut entry| {
                let worker = match &entry.event {
                    Event::TestBegins(begins) => Some(begins.worker),
                    _ => None,
                };
                let test = entry.event.test_mut()?.clone();
                Some((test, worker, entry.at_us? / 1_000_000))
            })
            .collect()
    }

    #[tokio::test(start_paused = true)]
    async fn scenarios_that_mix_are_written_one_after_the_other_on_their_workers() {
        let mut log = Vec::new();
        let writer = EventWriter::new(&mut log, "p").expect("a header");
        let mut lanes = Lanes::new(writer, Clock::Virtual, 2);
        let seconds = Duration::from_secs;
        // a takes 10 s, b 3 s, c 4 s; b and c are over before a is.
        for (index, name) in [(0, "a"), (1, "b")] {
            lanes.begin(index, name);
            lanes.tell(name, begins(name));
        }
        advance(seconds(3)).await;
        lanes.tell("b", note("b"));
        lanes.end("b");
        lanes.begin(2, "c");
        lanes.tell("c", begins("c"));
        advance(seconds(4)).await;
        lanes.end("c");
        lanes.tell("c", note("it is over"));
        advance(seconds(3)).await;
        lanes.tell("a", note("a"));
        lanes.end("a");
        lanes.tell_of_run(note("run"));
        lanes.finish().expect("a log");
        drop(lanes);
        let told = read(&log);
        let expected = [
            ("a", Some(0), 0),
            ("a", None, 10),
            ("b", Some(1), 0),
            ("b", None, 3),
            ("c", Some(1), 3),
            ("run", None, 10),
        ];
        assert_eq!(
            told,
            expected.map(|(test, worker, at)| (test.to_owned(), worker, at))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_broke_off_is_written_too() {
        let mut log = Vec::new();
        let writer = EventWriter::new(&mut log, "p").expect("a header");
        let mut lanes = Lanes::new(writer, Clock::Virtual, 3);
        for (index, name) in [(2, "c"), (1, "b")] {
            lanes.begin(index, name);
            lanes.tell(name, begins(name));
        }
        lanes.tell_of_run(note("run"));
        lanes.finish().expect("a log");
        drop(lanes);
        let names: Vec<String> = read(&log).into_iter().map(|told| told.0).collect();
        assert_eq!(names, ["b", "c", "run"]);
    }
}
