//! A process with a near cache, as the test has it.

use crate::server::signal;
use crate::spoken::Spoken;
use serde::{Deserialize, Serialize};
use std::time::{SystemTime, UNIX_EPOCH};

/// What it is told to do.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub enum NearCommand {
    /// Reads a row.
    Read {
        /// Which row.
        id: u64,
    },
    /// Writes the next version of a row.
    Write {
        /// Which row.
        id: u64,
    },
    /// Reads and writes at random.
    Run {
        /// Of the random numbers.
        seed: u64,
        /// How many.
        operations: u64,
        /// Of how many rows.
        rows: u64,
    },
}

/// What a read found.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct NearSeen {
    /// Of the row.
    pub version: u64,
    /// The near cache has answered.
    pub is_near: bool,
    /// It is coherent by now.
    pub is_coherent: bool,
    /// How long the read took, in microseconds.
    pub took_us: u64,
}

/// A read or write that it did.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct NearEvent {
    /// Which row.
    pub id: u64,
    /// Not a read.
    pub is_write: bool,
    /// That was read or written.
    pub version: u64,
    /// See [`microseconds`].
    pub began: u64,
    /// See [`microseconds`].
    pub ended: u64,
}

/// The time, as all processes of this machine have it.
///
/// # Panics
/// Before 1970.
#[must_use]
pub fn microseconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    u64::try_from(since.as_micros()).expect("not so soon")
}

/// The process; ended when dropped.
#[derive(Debug)]
pub struct NearProcess(Spoken);

impl NearProcess {
    /// Starts it. `program` is `env!("CARGO_BIN_EXE_near")` of the test.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(program: &str, url: &str, database: &str, heartbeat_ms: u64) -> Self {
        Self(Spoken::start(program, &[url, database, &heartbeat_ms.to_string()]))
    }

    /// Tells it what to do, and does not wait for it.
    ///
    /// # Panics
    /// When it has ended.
    pub fn tell(&mut self, command: NearCommand) {
        self.0.tell(&command);
    }

    /// What the read or write that it was told found.
    ///
    /// # Panics
    /// When it has ended.
    pub fn seen(&mut self) -> NearSeen {
        self.0.answer()
    }

    /// Reads a row.
    ///
    /// # Panics
    /// When it has ended.
    pub fn read(&mut self, id: u64) -> NearSeen {
        self.tell(NearCommand::Read { id });
        self.seen()
    }

    /// What it did at random, and how many of its reads the near cache has answered.
    ///
    /// # Panics
    /// When it has ended.
    pub fn events(&mut self) -> (Vec<NearEvent>, u64) {
        self.0.answer()
    }

    /// SIGSTOP.
    ///
    /// # Panics
    /// When it cannot be stopped.
    pub fn stop(&self) {
        signal("-STOP", self.0.id());
    }

    /// SIGCONT.
    ///
    /// # Panics
    /// When it cannot be.
    pub fn go_on(&self) {
        signal("-CONT", self.0.id());
    }
}
