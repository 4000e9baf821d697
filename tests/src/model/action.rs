//! The steps of the model, by stable names. They are plain data that can be replayed against a real store.

use std::fmt;

/// A process's flight, or its refresh in the background: either loads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Task {
    /// The process. Where nothing is shared, each reader is a process of its own, with the reader's number.
    pub process: u8,
    /// Whether this is the refresh.
    pub refresh: bool,
}

/// A register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Register {
    /// The entry.
    Entry,
    /// The tag.
    Tag,
    /// The namespace.
    Namespace,
    /// A lease or lock in a key of its own, in broken variants.
    Lock,
    /// The refresh lease.
    RefreshLease,
    /// A build's entry beside the base.
    Beside(u8),
}

/// One step. Numbers are those of readers and writers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// A reader's call begins with a GET of the entry, and of the tag if it is known.
    Get(u8),
    /// The same; it hits and starts a refresh.
    GetAndRefresh(u8),
    /// A reader's call begins with a GET that finds the lease of another build's load, and waits for that load.
    GetAndWait(u8),
    /// A reader found another build's value or lease, and reads its own entry beside it.
    GetBeside(u8),
    /// The same; it hits and starts a refresh.
    GetBesideAndRefresh(u8),
    /// A reader's call begins, and reads its build's own register before the entry.
    GetBesideFirst(u8),
    /// The same reader then reads the entry.
    GetBase(u8),
    /// A reader's call begins with a GET that finds a value past its end.
    GetStale(u8),
    /// A reader that found or shares a value past its end returns it.
    Serve(u8),
    /// A reader reads the tag of the value that it found.
    CheckTag(u8),
    /// A reader's call begins, and refreshes by force.
    Force(u8),
    /// A reader that missed joins its process's flight, or leads one.
    Join(u8),
    /// A reader loads for itself, without storing.
    LoadAlone(u8),
    /// The next step of a flight is announced: ACQUIRE and TAG, the load, or FILL.
    Announce(Task),
    /// ACQUIRE.
    Acquire(Task),
    /// TAKEOVER.
    Takeover(Task),
    /// ACQUIRE, or a GET in its place, finds the lease of another build's load, and the call waits for that load.
    AcquireAndWait(Task),
    /// ACQUIRE of the refresh lease.
    RefreshLease(Task),
    /// A second read of the value past its end: a GET.
    Look(Task),
    /// TAG of the tag, or of the namespace if only the value names tags.
    Tag(Task),
    /// GET beside the entry, after ACQUIRE there found a value or a lease.
    LookBeside(Task),
    /// GET of the entry, in the same read.
    Base(Task),
    /// A read of the tag of the value that ACQUIRE found.
    CheckFound(Task),
    /// The flight stops waiting for a lease or for Redis, and loads without storing.
    GiveUp(Task),
    /// The load reads the database.
    Select(Task),
    /// The load fails.
    Fail(Task),
    /// The value reaches the leader, and those who may share it.
    Land(Task),
    /// TAG of the value's tag, and of the namespace, in one step.
    TagsOfValue(Task),
    /// FILL is carried out.
    Fill(Task),
    /// There is nothing to store: the value that the load was to replace is removed, if it still stands there.
    Remove(Task),
    /// The tag is read again for the proof.
    TagsAgain(Task),
    /// The base is read again, to prove a value that stands beside it.
    BaseAgain(Task),
    /// The answer to FILL arrives.
    Answer(Task),
    /// BEGIN.
    Begin(u8),
    /// A writer that puts reads the tag's stamp.
    PutTag(u8),
    /// The commit takes effect.
    Commit(u8),
    /// UNLINK.
    Unlink(u8),
    /// END, with the value if the writer puts.
    End(u8),
    /// A writer crashes. Its commit may be under way.
    Crash(u8),
    /// TAG for a value that is set by hand.
    SetTag,
    /// SET of a value that is made by hand at this moment.
    Set,
    /// The connection breaks with SET on its way.
    BreakSet,
    /// The connection breaks with ACQUIRE or TAKEOVER on its way.
    BreakAcquire(Task),
    /// The connection breaks with TAG on its way.
    BreakTag(Task),
    /// The connection breaks with FILL on its way.
    BreakFill(Task),
    /// The connection breaks with a writer's next command on its way; once the writer has begun, with a second BEGIN.
    BreakWrite(u8),
    /// The command that was on its way at the first or second break of a connection is carried out.
    Late(u8),
    /// A writer's marker runs out.
    Expire(Register, u8),
    /// A register expires or is evicted.
    Evict(Register),
    /// Redis restarts empty.
    Restart,
    /// A follower takes over from a leader that has stalled.
    TakeOver(u8),
    /// From here on the replica does not receive what the primary carries out.
    Lag,
    /// From here on the replica is the primary.
    Switch,
    /// The old primary takes no more writes.
    Demote,
    /// A process connects to the new primary, and there repeats its recent removals. Processes are numbered readers
    /// first, then writers.
    Connect(u8),
    /// The beat of a process comes.
    Beat(u8),
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", if self.refresh { "refresh" } else { "loader" }, self.process)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Get(reader) => write!(f, "reader {reader}: GET"),
            Self::GetAndRefresh(reader) => write!(f, "reader {reader}: GET, starts a refresh"),
            Self::GetAndWait(reader) => write!(f, "reader {reader}: GET, waits for the other build's load"),
            Self::GetBeside(reader) => write!(f, "reader {reader}: GET beside the entry"),
            Self::GetBesideAndRefresh(reader) => write!(f, "reader {reader}: GET beside the entry, starts a refresh"),
            Self::GetBesideFirst(reader) => write!(f, "reader {reader}: GET beside the entry, before it"),
            Self::GetBase(reader) => write!(f, "reader {reader}: GET of the entry, after it"),
            Self::GetStale(reader) => write!(f, "reader {reader}: GET, finds a value past its end"),
            Self::Serve(reader) => write!(f, "reader {reader}: returns the value past its end"),
            Self::CheckTag(reader) => write!(f, "reader {reader}: GET of the value's tag"),
            Self::Join(reader) => write!(f, "reader {reader}: joins or leads"),
            Self::Force(reader) => write!(f, "reader {reader}: begins a forced refresh"),
            Self::LoadAlone(reader) => write!(f, "reader {reader}: loads for itself"),
            Self::Announce(task) => write!(f, "{task}: announces its next step"),
            Self::Acquire(task) => write!(f, "{task}: ACQUIRE"),
            Self::Takeover(task) => write!(f, "{task}: TAKEOVER"),
            Self::AcquireAndWait(task) => write!(f, "{task}: ACQUIRE, waits for the other build's load"),
            Self::RefreshLease(task) => write!(f, "{task}: ACQUIRE of the refresh lease"),
            Self::Look(task) => write!(f, "{task}: GET, another look"),
            Self::Tag(task) => write!(f, "{task}: TAG"),
            Self::LookBeside(task) => write!(f, "{task}: GET beside the entry"),
            Self::Base(task) => write!(f, "{task}: GET of the entry"),
            Self::CheckFound(task) => write!(f, "{task}: GET of the found value's tag"),
            Self::GiveUp(task) => write!(f, "{task}: gives up waiting"),
            Self::Select(task) => write!(f, "{task}: SELECT"),
            Self::Fail(task) => write!(f, "{task}: the load fails"),
            Self::Land(task) => write!(f, "{task}: hands out the value"),
            Self::TagsOfValue(task) => write!(f, "{task}: TAG of the value's tag and the namespace"),
            Self::Fill(task) => write!(f, "{task}: FILL"),
            Self::Remove(task) => write!(f, "{task}: stores nothing, RELEASE of the old value"),
            Self::TagsAgain(task) => write!(f, "{task}: reads the tag again"),
            Self::BaseAgain(task) => write!(f, "{task}: reads the entry again"),
            Self::Answer(task) => write!(f, "{task}: the answer to FILL"),
            Self::Begin(writer) => write!(f, "writer {writer}: BEGIN"),
            Self::PutTag(writer) => write!(f, "writer {writer}: TAG"),
            Self::Commit(writer) => write!(f, "writer {writer}: COMMIT"),
            Self::Unlink(writer) => write!(f, "writer {writer}: UNLINK"),
            Self::End(writer) => write!(f, "writer {writer}: END"),
            Self::Crash(writer) => write!(f, "writer {writer}: crashes"),
            Self::SetTag => f.write_str("by hand: TAG"),
            Self::Set => f.write_str("by hand: SET"),
            Self::BreakSet => f.write_str("by hand: the connection breaks at SET"),
            Self::BreakAcquire(task) => write!(f, "{task}: the connection breaks at ACQUIRE or TAKEOVER"),
            Self::BreakTag(task) => write!(f, "{task}: the connection breaks at TAG"),
            Self::BreakFill(task) => write!(f, "{task}: the connection breaks at FILL"),
            Self::BreakWrite(writer) => write!(f, "writer {writer}: the connection breaks"),
            Self::Late(number) => write!(f, "the command of broken connection {number} is carried out"),
            Self::Expire(register, writer) => write!(f, "{register:?}: the marker of writer {writer} runs out"),
            Self::Evict(register) => write!(f, "{register:?}: evicted"),
            Self::Restart => f.write_str("Redis restarts empty"),
            Self::TakeOver(reader) => write!(f, "reader {reader}: takes over from its leader"),
            Self::Lag => f.write_str("the replica falls behind"),
            Self::Switch => f.write_str("the replica becomes the primary"),
            Self::Demote => f.write_str("the old primary becomes a replica"),
            Self::Connect(process) => write!(f, "process {process}: connects to the new primary"),
            Self::Beat(process) => write!(f, "process {process}: the beat"),
        }
    }
}
