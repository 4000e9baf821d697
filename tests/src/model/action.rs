//! The steps of the model, by stable names: plain data that can be replayed against a real store.

use std::fmt;

/// Who loads: a process's flight, or its refresh in the background.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Task {
    /// The process. Where nothing is shared each reader is one, with its own number.
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
    /// The ticket of whoever refreshes.
    Ticket,
    /// What this build keeps beside the entry, where that is another's.
    Beside(u8),
}

/// One step. Numbers are those of readers and writers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// A reader's call begins with a GET of the entry, and of the tag if that is known.
    Get(u8),
    /// The same; it hits and starts a refresh.
    GetAndRefresh(u8),
    /// A reader has found another build's value, and looks for its own beside it.
    GetBeside(u8),
    /// The same; it hits and starts a refresh.
    GetBesideAndRefresh(u8),
    /// A reader's call begins, and its build's own register is read before the entry is.
    GetBesideFirst(u8),
    /// That reader's GET of the entry.
    GetBase(u8),
    /// The same; it finds a value that is past its time.
    GetStale(u8),
    /// A reader that has found a value past its time, or shares one, returns it.
    Serve(u8),
    /// A reader looks at the tag of the value it found.
    CheckTag(u8),
    /// A reader that missed joins its process's flight, or leads one.
    Join(u8),
    /// A reader loads for itself, without storing.
    LoadAlone(u8),
    /// The next step of a flight is announced: ACQUIRE and TAG, the load, or FILL.
    Announce(Task),
    /// ACQUIRE.
    Acquire(Task),
    /// ACQUIRE of the ticket.
    Ticket(Task),
    /// Another look at the value past its time: a GET.
    Look(Task),
    /// TAG of the tag, or of the namespace if tags are known from the value only.
    Tag(Task),
    /// GET beside the entry, after ACQUIRE there has found a value or a lease.
    LookBeside(Task),
    /// GET of the entry, in the same look.
    Base(Task),
    /// A look at the tag of the value that ACQUIRE found.
    CheckFound(Task),
    /// No more waiting for a lease or for Redis: load without storing.
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
    /// What was loaded is nothing to store: the value that it was to replace is removed, if it still stands.
    Remove(Task),
    /// The tag is read again, for the proof.
    TagsAgain(Task),
    /// The entry is read again, for the proof of a value that stands beside it.
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
    /// A writer is gone. Its commit may be under way.
    Crash(u8),
    /// TAG of a value that is set by hand.
    SetTag,
    /// SET of a value that is made by hand at this moment.
    Set,
    /// The connection breaks with SET on its way.
    BreakSet,
    /// The connection breaks with ACQUIRE on its way.
    BreakAcquire(Task),
    /// The connection breaks with TAG on its way.
    BreakTag(Task),
    /// The connection breaks with FILL on its way.
    BreakFill(Task),
    /// The connection breaks with a writer's next command on its way; a second BEGIN once it has begun.
    BreakWrite(u8),
    /// The command that was on its way when the connection broke for the first or the second time is carried out.
    Late(u8),
    /// A writer's marker runs out.
    Expire(Register, u8),
    /// A register expires or is evicted.
    Evict(Register),
    /// Redis restarts empty.
    Restart,
    /// A follower takes over from a leader that has stalled.
    TakeOver(u8),
    /// What the primary carries out from here on does not reach its replica.
    Lag,
    /// The replica is the primary from here on.
    Switch,
    /// The old primary takes no more writes.
    Demote,
    /// A process connects to the new primary, and removes again there what it has removed lately. Readers come first, then writers.
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
            Self::GetBeside(reader) => write!(f, "reader {reader}: GET beside the entry"),
            Self::GetBesideAndRefresh(reader) => write!(f, "reader {reader}: GET beside the entry, starts a refresh"),
            Self::GetBesideFirst(reader) => write!(f, "reader {reader}: GET beside the entry, before it"),
            Self::GetBase(reader) => write!(f, "reader {reader}: GET of the entry, after it"),
            Self::GetStale(reader) => write!(f, "reader {reader}: GET, finds a value past its time"),
            Self::Serve(reader) => write!(f, "reader {reader}: returns the value past its time"),
            Self::CheckTag(reader) => write!(f, "reader {reader}: GET of the value's tag"),
            Self::Join(reader) => write!(f, "reader {reader}: joins or leads"),
            Self::LoadAlone(reader) => write!(f, "reader {reader}: loads for itself"),
            Self::Announce(task) => write!(f, "{task}: announces its next step"),
            Self::Acquire(task) => write!(f, "{task}: ACQUIRE"),
            Self::Ticket(task) => write!(f, "{task}: ACQUIRE of the ticket"),
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
            Self::BreakAcquire(task) => write!(f, "{task}: the connection breaks at ACQUIRE"),
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
