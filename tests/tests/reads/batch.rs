//! A function over many ids: one look for what is there, one load for what is missing, and entries that are those of the
//! function over one id.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod commands;
mod faults;
mod oracle;
mod processes;
mod results;
mod sharing;
mod source;
mod unattributed;
mod writes;
