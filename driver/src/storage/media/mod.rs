//! Optical media: the config drive's image, and the repositories that hold it.

pub mod config_drive;
pub mod iso;
mod iso_dates;
pub mod repository;

pub use config_drive::{ConfigDrive, PreparedFiles};
pub use repository::Repository;

#[cfg(test)]
mod tests;
