//! A process of one build of a service, as the test sees it.

use crate::spoken::LineProcess;
use serde::{Deserialize, Serialize};

/// A command to the process.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub enum DeployedCommand {
    /// Reads a user several times, one read after another.
    Read {
        /// Which user.
        id: u64,
        /// How many times.
        times: u64,
    },
    /// Reads users in turn, while others write them.
    ReadAmidWrites {
        /// How many reads.
        reads: u64,
        /// How many users.
        users: u64,
    },
    /// Writes the next version of a user.
    Write {
        /// Which user.
        id: u64,
        /// How.
        by: By,
    },
}

/// How a write invalidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum By {
    /// The user's key, after the commit.
    Key,
    /// The tag of all users, after the commit.
    Tag,
    /// The user's event, after the commit.
    Event,
    /// A bracket around the commit, of the user's key.
    Bracket,
    /// A bracket around the commit, of the tag.
    TagBracket,
    /// The written value replaces the stored one.
    Put,
    /// `delete` of the user's key, after the commit.
    Delete,
    /// A sweep of the whole namespace, after the commit.
    Sweep,
}

impl By {
    /// All of them.
    pub const ALL: [Self; 8] =
        [Self::Key, Self::Tag, Self::Event, Self::Bracket, Self::TagBracket, Self::Put, Self::Delete, Self::Sweep];
}

/// The result of some reads.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct DeployedReads {
    /// How many there were.
    pub reads: u64,
    /// How many of them ran the function.
    pub loads: u64,
    /// The returned versions, without repetitions in a row.
    pub versions: Vec<u64>,
    /// Reads that returned less than was complete when they began.
    pub stale: Vec<String>,
}

/// The process; ended when dropped.
#[derive(Debug)]
pub struct Deployed(LineProcess);

impl Deployed {
    /// Starts a process of the build with this name. `program` is `env!("CARGO_BIN_EXE_deployed")` of the test.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(program: &str, url: &str, database: &str, build: &str) -> Self {
        Self(LineProcess::start(program, &[url, database, build]))
    }

    /// Sends it a command, and does not wait for the answer.
    ///
    /// # Panics
    /// When it has ended.
    pub fn tell(&mut self, what: DeployedCommand) {
        self.0.tell(&what);
    }

    /// The result of the reads that it was sent.
    ///
    /// # Panics
    /// When it has ended.
    pub fn seen(&mut self) -> DeployedReads {
        self.0.answer()
    }

    /// Reads a user several times.
    ///
    /// # Panics
    /// When it has ended.
    pub fn read(&mut self, id: u64, times: u64) -> DeployedReads {
        self.tell(DeployedCommand::Read { id, times });
        self.seen()
    }

    /// Writes a user, and returns the version that is then complete.
    ///
    /// # Panics
    /// When it has ended, or has not applied the invalidation.
    pub fn write(&mut self, id: u64, by: By) -> u64 {
        self.tell(DeployedCommand::Write { id, by });
        self.0.answer()
    }
}
