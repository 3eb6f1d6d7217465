//! The rules of the model, one by one, and all of them under random commands.

mod events;
mod files;
mod inventory;
mod jobs;
mod mappings;
mod network;
mod partitions;
mod pools;
mod random;
mod storage;
mod support;
