//! Reports of runs: the data, and what is made of it.

mod files;
mod junit;
mod model;
pub mod table;

pub use self::files::{ReportError, write};
pub use self::junit::junit;
pub use self::model::{
    Check, CheckVerdict, FORMAT, OperationReport, PhaseReport, RefusedReport, RunReport,
    ScenarioReport, StepReport, Verdict,
};
