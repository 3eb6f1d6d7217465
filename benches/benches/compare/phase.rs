//! What a phase took.

/// Numbers of one phase of one driver.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Phase {
    /// From the word until the last server was done.
    pub(crate) seconds: f64,
    pub(crate) requests: f64,
    /// Configuration changes of Virtual I/O Servers.
    pub(crate) vios_writes: f64,
    /// Updates that came too late.
    pub(crate) conflicts: f64,
    /// User and system seconds of the driver's process.
    pub(crate) cpu: f64,
    /// The most memory that the process had so far.
    pub(crate) peak_mib: f64,
}

/// A number's name, and how to get it.
type Number = (&'static str, fn(&Phase) -> f64);

impl Phase {
    /// The numbers that are worth a ratio.
    pub(crate) const NUMBERS: [Number; 4] = [
        ("seconds", |phase| phase.seconds),
        ("HTTP requests", |phase| phase.requests),
        ("VIOS writes", |phase| phase.vios_writes),
        ("CPU seconds", |phase| phase.cpu),
    ];

    /// Both phases together.
    pub(crate) fn sum(phases: &[Self; 2]) -> Self {
        let of = |number: fn(&Self) -> f64| phases.iter().map(number).sum();
        Self {
            seconds: of(|phase| phase.seconds),
            requests: of(|phase| phase.requests),
            vios_writes: of(|phase| phase.vios_writes),
            conflicts: of(|phase| phase.conflicts),
            cpu: of(|phase| phase.cpu),
            peak_mib: phases
                .iter()
                .map(|phase| phase.peak_mib)
                .fold(0.0, f64::max),
        }
    }
}
