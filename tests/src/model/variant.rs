//! What is modelled: who takes part, what may go wrong, and which rule is broken.

/// At most so many readers.
pub(super) const READERS: usize = 3;
/// At most so many writers.
pub(super) const WRITERS: usize = 2;

/// Where the tags of a value are known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tags {
    /// There are none.
    None,
    /// The caller knows them before the load.
    Known,
    /// From the loaded value only.
    FromValue,
}

/// How a writer goes about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Commits, then deletes.
    Plain,
    /// Deletes, commits, deletes.
    DoubleDelete,
    /// BEGIN, commit, END.
    Bracket,
    /// As a bracket; END stores the value.
    Put,
}

/// What becomes of a primary whose replica takes its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Old {
    /// It is gone: connections to it break.
    Gone,
    /// It is a replica from then on, but cut off from the new primary: it answers reads with what it has, and refuses writes.
    Demoted,
    /// As `Demoted`, but at first it takes writes as before.
    Split,
}

/// What a writer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// How.
    pub way: Way,
    /// Whether it invalidates the entry.
    pub entry: bool,
    /// Whether it invalidates the tag.
    pub tag: bool,
}

/// The rule that is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// None: this is the protocol.
    None,
    /// a1: no lease, SET whatever there is.
    NoLease,
    /// b: a lock of its own, SET whatever there is.
    Lock,
    /// c3: the lease has a key of its own, writers delete the value only.
    LeaseKeyForgotten,
    /// c4: the lease has a key of its own, writers delete the value and then the lease.
    ValueThenLease,
    /// c5: the lease has a key of its own, writers delete the lease and then the value. This is not broken.
    LeaseThenValue,
    /// c7: a refresh stores whatever there is.
    BlindRefresh,
    /// c8: the load reads a snapshot that is older than the lease.
    OldSnapshot,
    /// c9: whoever waits shares the load.
    ShareAnyLoad,
    /// d6: one marker for all writers.
    SharedMarker,
    /// d16: BEGIN does not delete.
    NoDeleteAtBegin,
    /// d17: ACQUIRE and TAG do not look at markers.
    NoMarkerCheck,
    /// A SET by hand does not look at markers.
    SetsUnmarked,
    /// d18: END does not delete.
    NoDeleteAtEnd,
    /// t1, t2: tags are counters.
    TagCounter,
    /// t4: the tag is read after the load.
    TagAfterLoad,
    /// A value's tags are read after the load, with nothing read before it.
    NoNamespaceRegister,
    /// Brackets do not mark the namespace's register.
    UnmarkedNamespace,
    /// FILL=1 alone is taken as a proof, whatever became of the tags.
    ProofWithoutTags,
    /// Who joined before the answer of FILL shares.
    ProofByAnswer,
    /// The tag's stamp that was read before an earlier ACQUIRE serves the next one.
    KeptTag,
    /// END stores when nobody else has a marker, token or not.
    PutWithoutToken,
    /// A late BEGIN places the writer's token again.
    TokenAgain,
    /// Commands are sent again with the id that they had.
    SameId,
    /// Who has a ticket loads without another look at the value.
    NoSecondLook,
    /// The head that FILL expects is read after the load.
    HeadAfterLoad,
    /// A value past its time is served before its tags were judged.
    StaleBeforeTags,
    /// Another look at a value past its time judges its head only.
    LookWithoutTags,
    /// A flight whose load fails hands the value past its time to all who follow it.
    StaleToAll,
    /// A load that finds nothing to store leaves the value that it was to refresh.
    KeepsOld,
    /// It removes whatever stands there by now.
    RemovesAny,
    /// A waiter loads over a lease whose head it reads after the load.
    LeaseAfterLoad,
    /// A waiter takes over a lease without a look at markers.
    TakesUnmarked,
    /// What a stalled leader has loaded is for all callers of the process that wait.
    StalledToAll,
    /// Nothing that was removed is removed again on a new connection.
    NoReplay,
    /// Connections are made for calls only.
    NoBeat,
    /// The beat does not ask for the server's role.
    NoRole,
    /// Each build has an entry of its own, and writers know the first build's only.
    OwnEntries,
    /// What stands beside an entry is good for any other that stands there later.
    BaseNotRecorded,
    /// The head of the entry is read after the load, for what stands beside it.
    BaseAfterLoad,
    /// FILL=1 is taken as a proof, whatever became of the entry beside which it stores.
    ProofWithoutBase,
    /// The head of the entry that was read before ACQUIRE was announced serves for what ACQUIRE finds beside it.
    KeptBase,
    /// A value is also stored beside an entry that is not there.
    BesideNothing,
    /// A writer's token is taken for the lease of another build's load.
    BesideToken,
    /// FILL beside an entry stores whatever there is. This is not broken.
    BlindBeside,
}

/// One scenario.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variant {
    /// How many reads each reader does.
    pub reads: [u8; READERS],
    /// Readers 0 and 1 live in one process and share its flight. Reader 2 has a process of its own.
    pub shares: bool,
    /// A hit may start a refresh in the background.
    pub refreshes: bool,
    /// A refresh needs the ticket, and another look at the value once it has that. Its caller waits as long as it likes.
    pub ticket: bool,
    /// A value that is past its time is loaded over as on a miss, and served where the load fails or takes too long.
    pub bridges: bool,
    /// What a refresh loads, or a load over a value past its time, may be nothing to store: then that value is removed.
    pub unstored: bool,
    /// Where tags are known from.
    pub tags: Tags,
    /// The first process is of one build, the others are of another: neither can read what the other stores. The second writer is
    /// of the second build.
    pub builds: bool,
    /// The writers.
    pub writers: [Option<Plan>; WRITERS],
    /// Which writers may crash, with their commit under way.
    pub crashes: [bool; WRITERS],
    /// Assumption M does not hold: a commit may come after its marker's end.
    pub late_commits: bool,
    /// A bracketed write counts as complete at its commit.
    pub complete_at_commit: bool,
    /// BEGIN may be repeated before the commit.
    pub begins_again: bool,
    /// Redis may restart empty, once.
    pub restarts: bool,
    /// How many values are set by hand, each made at that moment.
    pub sets: u8,
    /// How often the tag's or the namespace's register may be evicted. The entry may be at any time.
    pub tag_evictions: u8,
    /// How many connections may break and leave a command that is carried out late, or not at all.
    pub breaks: u8,
    /// Who waits for another process's lease may take it over.
    pub takes_over: bool,
    /// A leader may stall, and a follower takes over.
    pub stalls: bool,
    /// A replica takes the primary's place, once, without the commands since some moment.
    pub failover: Option<Old>,
    /// The rule that is broken.
    pub flaw: Flaw,
}

impl Variant {
    /// Two readers with two reads each, and these writers; nothing goes wrong but expiry of the entry.
    #[must_use]
    pub fn new(writers: [Option<Plan>; WRITERS]) -> Self {
        Self {
            reads: [2, 2, 0],
            shares: false,
            refreshes: false,
            ticket: false,
            bridges: false,
            unstored: false,
            tags: Tags::None,
            builds: false,
            writers,
            crashes: [false; WRITERS],
            late_commits: false,
            complete_at_commit: false,
            begins_again: false,
            restarts: false,
            sets: 0,
            tag_evictions: 0,
            breaks: 0,
            takes_over: false,
            stalls: false,
            failover: None,
            flaw: Flaw::None,
        }
    }

    /// The process in which a reader lives.
    pub(super) fn process(&self, reader: usize) -> usize {
        if self.shares && reader < 2 { 0 } else { reader }
    }

    /// The build of a process, or of a writer.
    pub(super) fn build(&self, process: usize) -> u8 {
        u8::from(self.builds && process != 0)
    }

    pub(super) fn has(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    /// The registers that a writer deletes, and those that it marks.
    pub(super) fn touched(&self, plan: Plan) -> ([bool; 3], [bool; 3]) {
        let space = plan.tag && self.tags == Tags::FromValue && !self.has(Flaw::NoNamespaceRegister);
        let deleted = [plan.entry, plan.tag, space];
        (deleted, [plan.entry, plan.tag, space && !self.has(Flaw::UnmarkedNamespace)])
    }
}

impl Plan {
    /// Writes the entry.
    #[must_use]
    pub fn entry(way: Way) -> Self {
        Self { way, entry: true, tag: false }
    }

    /// Writes what the tag stands for.
    #[must_use]
    pub fn tag(way: Way) -> Self {
        Self { way, entry: false, tag: true }
    }

    /// Writes both.
    #[must_use]
    pub fn both(way: Way) -> Self {
        Self { way, entry: true, tag: true }
    }

    pub(super) fn is_bracket(self) -> bool {
        matches!(self.way, Way::Bracket | Way::Put)
    }
}
