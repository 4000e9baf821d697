//! A function over many ids: one look for what is there, one load for what is missing, and entries that are those of the
//! function over one id.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

#[path = "batch/commands.rs"]
mod commands;
#[path = "batch/faults.rs"]
mod faults;
#[path = "batch/oracle.rs"]
mod oracle;
#[path = "batch/processes.rs"]
mod processes;
#[path = "batch/results.rs"]
mod results;
#[path = "batch/sharing.rs"]
mod sharing;
#[path = "batch/source.rs"]
mod source;
#[path = "batch/unattributed.rs"]
mod unattributed;
#[path = "batch/writes.rs"]
mod writes;
