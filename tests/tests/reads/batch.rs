//! A function over many ids: one read for what is there, one load for what is missing, and the same entries as the
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
