//! The HTTP side of the simulator: in process through its router, and on sockets.

mod client;
mod documents;
mod events;
mod faults;
mod hostile;
mod jobs;
mod sessions;
mod uploads;
mod weather;
