//! Figures beside their goals, printed as they come.

/// What is told of a run.
#[derive(Debug)]
pub(crate) struct Report {
    goals: usize,
    missed: usize,
}

impl Report {
    /// Says what kind of machine this is.
    pub(crate) fn begin() -> Self {
        let information = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let mut models = information
            .lines()
            .filter_map(|line| line.strip_prefix("model name")?.split_once(": "))
            .map(|(_, model)| model);
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        println!(
            "{cores} cores, {}",
            models.next().unwrap_or("unknown processor")
        );
        Self {
            goals: 0,
            missed: 0,
        }
    }

    /// A new part with a line on how to read it.
    pub(crate) fn part(&self, title: &str, about: &str) {
        println!("\n{title}\n  {about}");
    }

    /// A figure without a goal.
    pub(crate) fn figure(&self, name: &str, value: impl std::fmt::Display) {
        println!("  {name:<58} {value:>10}");
    }

    /// A figure that shall be at most `goal`.
    pub(crate) fn at_most(&mut self, name: &str, value: f64, goal: f64) {
        self.within(name, value, f64::NEG_INFINITY, goal);
    }

    /// A figure that shall lie between two others.
    pub(crate) fn within(&mut self, name: &str, value: f64, low: f64, high: f64) {
        let verdict = if value >= low && value <= high {
            "ok"
        } else {
            self.missed += 1;
            "MISSED"
        };
        self.goals += 1;
        let goal = if low.is_finite() {
            format!("{low} to {high}")
        } else {
            format!("at most {high}")
        };
        println!("  {name:<58} {value:>10.2}   {goal:<12} {verdict}");
    }

    /// The sum; how many goals were missed.
    pub(crate) fn end(self) -> usize {
        println!("\n{} of {} goals met", self.goals - self.missed, self.goals);
        self.missed
    }
}
