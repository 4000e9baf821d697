//! The messages of a process to its parent: a line of JSON each.

use serde::{Deserialize, Serialize};
use std::io::Write;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Message {
    /// Since the last message of this kind.
    Counts(Counts),
    Stale(String),
    OverBudget(String),
    Error(String),
    /// It has come to rest.
    Done,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) reads: u64,
    /// Reads that began while a failover was under way.
    pub(crate) in_failover: u64,
    pub(crate) hits: u64,
    pub(crate) writes: u64,
    pub(crate) queued: u64,
    pub(crate) refused: u64,
    pub(crate) cancelled: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, other: &Self) {
        self.reads += other.reads;
        self.in_failover += other.in_failover;
        self.hits += other.hits;
        self.writes += other.writes;
        self.queued += other.queued;
        self.refused += other.refused;
        self.cancelled += other.cancelled;
    }
}

impl Message {
    /// Sent at once, so that it is not lost when the process is killed.
    pub(crate) fn say(&self) {
        let Ok(line) = serde_json::to_string(self) else { return };
        let mut out = std::io::stdout().lock();
        // A parent that is gone needs no answer.
        let _ = writeln!(out, "{line}");
        let _ = out.flush();
    }
}
