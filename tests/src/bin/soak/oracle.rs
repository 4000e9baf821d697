//! The least that a read must see: for each row, the highest version of a complete write. It is kept in a file that all
//! processes access by position.
//!
//! Each slot has one writer, is eight bytes long and lies within a page, so it is read as a whole. A reader that reads
//! a slot after its writer has returned sees what was written, because there is one page cache.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Rows that are written all the time.
pub(crate) const HOT: u64 = 8;
/// Rows that are rarely written, so that the remains of a killed write stay until they are looked for.
pub(crate) const QUIET: u64 = 64;
pub(crate) const ROWS: u64 = HOT + QUIET;

pub(crate) const PROCESSES: u64 = 2;
pub(crate) const TASKS: u64 = 4;

/// One for each task of each process, one for the queue of each process, one for the writes of killed processes.
const SLOTS: usize = 16;
/// The slot with a row's version at the beginning of the last failover.
const SNAPSHOT: u64 = 14;
/// Bytes of a row's slots.
const ROW: u64 = SLOTS as u64 * 8;
const EPOCH_AT: u64 = ROWS * ROW;
const FAILOVER_AT: u64 = EPOCH_AT + 8;
const RESTING_AT: u64 = FAILOVER_AT + 8;
const UNDERWAY_AT: u64 = RESTING_AT + 8;
const UNDERWAY: usize = 24;

#[derive(Debug)]
pub(crate) struct Oracle {
    file: File,
}

/// The source that declares a write complete.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Teller {
    /// The task that wrote.
    Task(u64, u64),
    /// The process that had queued it, once its queue is empty.
    Queue(u64),
    /// The parent: the writer is dead, and the time of its marker is over.
    Parent,
}

impl Teller {
    fn slot(self) -> u64 {
        match self {
            Self::Task(process, task) => process * TASKS + task,
            Self::Queue(process) => PROCESSES * TASKS + process,
            Self::Parent => SLOTS as u64 - 1,
        }
    }
}

/// The calls that a process makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Calls {
    /// It reads and writes.
    All,
    /// It makes no calls: only its beat can find out that the server is another one.
    None,
    /// It reads what it has read before: for that, a server that takes no writes is good enough.
    Hits,
}

/// A write that has been committed in its bracket, and whose bracket has not ended yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UnderWay {
    pub(crate) row: u64,
    pub(crate) version: u64,
    /// The epoch of the server's memory when the write began.
    pub(crate) epoch: u64,
}

impl Oracle {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        file.set_len(UNDERWAY_AT + PROCESSES * TASKS * UNDERWAY as u64)?;
        Ok(Self { file })
    }

    fn number(&self, at: u64) -> io::Result<u64> {
        let mut bytes = [0; 8];
        self.file.read_exact_at(&mut bytes, at)?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// The version that every read of the row that begins now must see.
    pub(crate) fn complete(&self, row: u64) -> io::Result<u64> {
        let mut bytes = [0; SLOTS * 8];
        self.file.read_exact_at(&mut bytes, row * ROW)?;
        let versions = bytes.as_chunks::<8>().0.iter().map(|version| u64::from_le_bytes(*version));
        let told = versions.enumerate().filter(|(slot, _)| *slot as u64 != SNAPSHOT);
        Ok(told.map(|(_, version)| version).max().unwrap_or_default())
    }

    /// How often a failover has begun or ended. Odd while one is under way, until all processes must know of it.
    pub(crate) fn failovers(&self) -> io::Result<u64> {
        self.number(FAILOVER_AT)
    }

    /// The version that every read during a failover must see.
    pub(crate) fn complete_before_failover(&self, row: u64) -> io::Result<u64> {
        self.number(row * ROW + SNAPSHOT * 8)
    }

    /// A failover begins: it may lose what is complete from here on.
    pub(crate) fn failover_begins(&self) -> io::Result<()> {
        for row in 0..ROWS {
            self.file.write_all_at(&self.complete(row)?.to_le_bytes(), row * ROW + SNAPSHOT * 8)?;
        }
        self.failover_ends()
    }

    /// From here on every read must see what is complete by now.
    pub(crate) fn failover_ends(&self) -> io::Result<()> {
        self.file.write_all_at(&(self.failovers()? + 1).to_le_bytes(), FAILOVER_AT)
    }

    /// The write of this version is complete.
    pub(crate) fn completed(&self, by: Teller, row: u64, version: u64) -> io::Result<()> {
        let at = row * ROW + by.slot() * 8;
        if self.number(at)? < version { self.file.write_all_at(&version.to_le_bytes(), at) } else { Ok(()) }
    }

    /// Changes whenever the server may lose markers; odd meanwhile.
    pub(crate) fn epoch(&self) -> io::Result<u64> {
        self.number(EPOCH_AT)
    }

    /// Must be called before the server may lose markers, and after.
    pub(crate) fn next_epoch(&self) -> io::Result<()> {
        self.file.write_all_at(&(self.epoch()? + 1).to_le_bytes(), EPOCH_AT)
    }

    /// The calls that a process is to make now.
    pub(crate) fn calls(&self, process: u64) -> io::Result<Calls> {
        Ok(match self.number(RESTING_AT)? {
            number if number == process + 1 => Calls::None,
            number if number == process + 1 + PROCESSES => Calls::Hits,
            _ => Calls::All,
        })
    }

    /// The calls that this process is to make from here on; the others make all.
    pub(crate) fn let_call(&self, process: u64, calls: Calls) -> io::Result<()> {
        let number = match calls {
            Calls::All => 0,
            Calls::None => process + 1,
            Calls::Hits => process + 1 + PROCESSES,
        };
        self.file.write_all_at(&number.to_le_bytes(), RESTING_AT)
    }

    fn under_way_at(process: u64, task: u64) -> u64 {
        UNDERWAY_AT + (process * TASKS + task) * UNDERWAY as u64
    }

    /// Notes the write that a task has committed and not ended, or none.
    pub(crate) fn set_under_way(&self, process: u64, task: u64, write: Option<UnderWay>) -> io::Result<()> {
        let mut bytes = [0; UNDERWAY];
        if let Some(UnderWay { row, version, epoch }) = write {
            bytes[..8].copy_from_slice(&row.to_le_bytes());
            bytes[8..16].copy_from_slice(&version.to_le_bytes());
            bytes[16..].copy_from_slice(&epoch.to_le_bytes());
        }
        self.file.write_all_at(&bytes, Self::under_way_at(process, task))
    }

    /// The writes that the tasks of a process have committed and not ended.
    pub(crate) fn under_way(&self, process: u64) -> io::Result<Vec<UnderWay>> {
        let mut writes = Vec::new();
        for task in 0..TASKS {
            let at = Self::under_way_at(process, task);
            let write = UnderWay { row: self.number(at)?, version: self.number(at + 8)?, epoch: self.number(at + 16)? };
            if write.version > 0 {
                writes.push(write);
            }
        }
        Ok(writes)
    }

    /// Takes these writes, after the process has died.
    pub(crate) fn take_under_way(&self, process: u64) -> io::Result<Vec<UnderWay>> {
        let writes = self.under_way(process)?;
        for task in 0..TASKS {
            self.set_under_way(process, task, None)?;
        }
        Ok(writes)
    }
}
