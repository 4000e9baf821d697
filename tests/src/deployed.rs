//! A process of one build of a service, as the test has it.

use crate::spoken::Spoken;
use serde::{Deserialize, Serialize};

/// What it is told to do.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub enum Told {
    /// Reads a user so many times, one read after another.
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
    /// What is written is put in the place of what was stored.
    Put,
    /// `delete` of the user's key, after the commit.
    Delete,
    /// A sweep of the whole namespace, after the commit.
    Sweep,
}

impl By {
    /// Each of them.
    pub const ALL: [Self; 8] =
        [Self::Key, Self::Tag, Self::Event, Self::Bracket, Self::TagBracket, Self::Put, Self::Delete, Self::Sweep];
}

/// What reads have come to.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Seen {
    /// How many there were.
    pub reads: u64,
    /// How many of them have run the function.
    pub loads: u64,
    /// The versions that were returned, without repetitions in a row.
    pub versions: Vec<u64>,
    /// Reads that returned less than was complete when they began.
    pub stale: Vec<String>,
}

/// The process; ended when dropped.
#[derive(Debug)]
pub struct Deployed(Spoken);

impl Deployed {
    /// Starts a process of the build with this name. `program` is `env!("CARGO_BIN_EXE_deployed")` of the test.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(program: &str, url: &str, database: &str, build: &str) -> Self {
        Self(Spoken::start(program, &[url, database, build]))
    }

    /// Tells it what to do, and does not wait for it.
    ///
    /// # Panics
    /// When it has ended.
    pub fn tell(&mut self, what: Told) {
        self.0.tell(&what);
    }

    /// What the reads that it was told have come to.
    ///
    /// # Panics
    /// When it has ended.
    pub fn seen(&mut self) -> Seen {
        self.0.answer()
    }

    /// Reads a user so many times.
    ///
    /// # Panics
    /// When it has ended.
    pub fn read(&mut self, id: u64, times: u64) -> Seen {
        self.tell(Told::Read { id, times });
        self.seen()
    }

    /// Writes a user: the version that is complete now.
    ///
    /// # Panics
    /// When it has ended, or has not applied the invalidation.
    pub fn write(&mut self, id: u64, by: By) -> u64 {
        self.tell(Told::Write { id, by });
        self.0.answer()
    }
}
