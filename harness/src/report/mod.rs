//! Reports of runs: the event log that a run writes, and what is made of it (`powervm_report`).

mod events;
mod files;
mod lanes;
mod model;
mod recorder;
pub mod table;

pub use self::events::results;
pub use self::files::{ReportError, write, write_from};
pub use self::lanes::Clock;
pub use self::model::{
    Check, CheckVerdict, FORMAT, OperationReport, PhaseReport, RefusedReport, RunReport,
    ScenarioReport, StepReport, Verdict,
};
pub use self::recorder::Recorder;
