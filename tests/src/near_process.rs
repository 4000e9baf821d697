//! A process with a near cache, as the test sees it.

use crate::server::signal;
use crate::spoken::LineProcess;
use serde::{Deserialize, Serialize};
use std::time::{SystemTime, UNIX_EPOCH};

/// A command to the process.
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
        /// The seed of the random numbers.
        seed: u64,
        /// The number of reads and writes.
        operations: u64,
        /// The number of rows.
        rows: u64,
    },
}

/// The result of a read.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct NearRead {
    /// The version of the row.
    pub version: u64,
    /// Whether the near cache answered.
    pub is_near: bool,
    /// Whether the near cache is coherent by now.
    pub is_coherent: bool,
    /// How long the read took, in microseconds.
    pub took_us: u64,
}

/// A read or write that it did.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct NearEvent {
    /// Which row.
    pub id: u64,
    /// Whether it was a write.
    pub is_write: bool,
    /// The version that was read or written.
    pub version: u64,
    /// See [`microseconds`].
    pub began: u64,
    /// See [`microseconds`].
    pub ended: u64,
}

/// The time, the same for all processes of this machine.
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
pub struct NearProcess(LineProcess);

impl NearProcess {
    /// Starts it. `program` is `env!("CARGO_BIN_EXE_near")` of the test.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(program: &str, url: &str, database: &str, heartbeat_ms: u64) -> Self {
        Self(LineProcess::start(program, &[url, database, &heartbeat_ms.to_string()]))
    }

    /// Sends it a command, and does not wait for the answer.
    ///
    /// # Panics
    /// When it has ended.
    pub fn tell(&mut self, command: NearCommand) {
        self.0.tell(&command);
    }

    /// The result of the read or write that it was sent.
    ///
    /// # Panics
    /// When it has ended.
    pub fn seen(&mut self) -> NearRead {
        self.0.answer()
    }

    /// Reads a row.
    ///
    /// # Panics
    /// When it has ended.
    pub fn read(&mut self, id: u64) -> NearRead {
        self.tell(NearCommand::Read { id });
        self.seen()
    }

    /// Its random reads and writes, and how many of the reads the near cache answered.
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
    /// When it cannot be continued.
    pub fn go_on(&self) {
        signal("-CONT", self.0.id());
    }
}
