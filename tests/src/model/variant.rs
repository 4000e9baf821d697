//! Variants of the model: who takes part, what may go wrong, and which rule is broken.

/// The largest number of readers.
pub(super) const READERS: usize = 3;
/// The largest number of writers.
pub(super) const WRITERS: usize = 2;

/// When the tags of a value are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tags {
    /// There are none.
    None,
    /// The call names them, before the load.
    Known,
    /// Only the loaded value names them.
    FromValue,
}

/// How a writer works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Commits, then deletes.
    Plain,
    /// Deletes, commits, deletes.
    DoubleDelete,
    /// BEGIN, commit, END.
    Bracket,
    /// Like a bracket, but END stores the value.
    Put,
    /// Commits, and tells nobody: another program, or a writer that dies. The write is never complete.
    Silent,
}

/// The fate of a primary that a replica replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Old {
    /// It is gone: connections to it break.
    Gone,
    /// It becomes a replica, but is cut off from the new primary: it answers reads with its own data, and refuses
    /// writes.
    Demoted,
    /// Like `Demoted`, but at first it still takes writes.
    Split,
}

/// The plan of a writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// How it writes.
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
    /// a1: no lease; SET overwrites whatever stands there.
    NoLease,
    /// b: a lock in a key of its own; SET overwrites whatever stands there.
    Lock,
    /// c3: the lease has a key of its own, and writers delete only the value.
    LeaseKeyForgotten,
    /// c4: the lease has a key of its own, writers delete the value and then the lease.
    ValueThenLease,
    /// c5: the lease has a key of its own, writers delete the lease and then the value. This is not broken.
    LeaseThenValue,
    /// c7: a refresh overwrites whatever stands there.
    BlindRefresh,
    /// c8: the load reads a snapshot that is older than the lease.
    OldSnapshot,
    /// c9: every waiting caller shares the load.
    ShareAnyLoad,
    /// d6: one marker for all writers.
    SharedMarker,
    /// d16: BEGIN does not delete.
    NoDeleteAtBegin,
    /// d17: ACQUIRE and TAG do not check for markers.
    NoMarkerCheck,
    /// A SET by hand does not check for markers.
    SetsUnmarked,
    /// d18: END does not delete.
    NoDeleteAtEnd,
    /// t1, t2: tags are counters.
    TagCounter,
    /// t4: the tag is read after the load.
    TagAfterLoad,
    /// A value's tags are read after the load, and nothing is read before it.
    NoNamespaceRegister,
    /// Brackets do not mark the namespace's register.
    UnmarkedNamespace,
    /// FILL=1 alone counts as a proof, whatever happened to the tags.
    ProofWithoutTags,
    /// Callers that joined before the answer to FILL share the value.
    ProofByAnswer,
    /// The tag's stamp that was read before an earlier ACQUIRE is used for the next one.
    KeptTag,
    /// END stores if nobody else has a marker, with or without a token.
    PutWithoutToken,
    /// A late BEGIN places the writer's token again.
    TokenAgain,
    /// Commands are sent again with the same id.
    SameId,
    /// The holder of a refresh lease loads without a second read of the value.
    NoSecondLook,
    /// The head that FILL expects is read after the load.
    HeadAfterLoad,
    /// A value past its end is served before its tags are compared.
    StaleBeforeTags,
    /// The second read of a value past its end compares only its head.
    LookWithoutTags,
    /// A flight whose load fails gives the value past its end to all followers.
    StaleToAll,
    /// A load with nothing to store keeps the value that it was to refresh.
    KeepsOld,
    /// A load with nothing to store removes whatever stands there by now.
    RemovesAny,
    /// A waiter loads, and stores over a lease whose head it reads after the load.
    LeaseAfterLoad,
    /// A waiter takes over a lease without checking for markers.
    TakesUnmarked,
    /// The result of a stalled leader is for all waiting callers of the process.
    StalledToAll,
    /// A new connection does not repeat removals.
    NoReplay,
    /// Connections are made only for calls.
    NoBeat,
    /// The beat does not ask for the server's role.
    NoRole,
    /// Each build has its own entry, and writers know only the first build's.
    OwnEntries,
    /// An entry beside the base counts as valid beside any later base.
    BaseNotRecorded,
    /// The head of the base is read after the load.
    BaseAfterLoad,
    /// FILL=1 counts as a proof, whatever happened to the base.
    ProofWithoutBase,
    /// What ACQUIRE finds beside the base is judged by the base's head from before ACQUIRE was announced.
    KeptBase,
    /// A value is stored beside the entry's key even if nothing stands there.
    BesideNothing,
    /// A writer's token is mistaken for the lease of another build's load.
    BesideToken,
    /// FILL beside the base overwrites whatever stands there. This is not broken.
    BlindBeside,
    /// A forced refresh needs the refresh lease; one that does not get it is content with the other's refresh.
    ForcedByTicket,
    /// TAKEOVER leaves another load's lease where it is, and its caller stores nothing.
    LeaseRespected,
    /// TAKEOVER leaves the value's head as it is, and FILL compares with that.
    HeadKept,
    /// TAKEOVER is sent again with the same id.
    SameTakeover,
    /// TAKEOVER does not check for markers.
    TakeoverUnmarked,
    /// TAKEOVER leaves a writer's token where it is.
    TokenRespected,
    /// A forced refresh is shared with forced refreshes that have begun before its load did.
    ForcedSharesLoad,
    /// A forced refresh is shared with forced refreshes that have begun before its FILL was sent.
    ForcedSharesProof,
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
    /// A refresh needs the refresh lease, and then reads the value a second time. Its caller waits as long as it likes.
    pub refresh_lease: bool,
    /// A value past its end is loaded over as on a miss, and served if the load fails or takes too long.
    pub bridges: bool,
    /// A refresh, or a load over a value past its end, may have nothing to store; then that value is removed.
    pub unstored: bool,
    /// When tags are known.
    pub tags: Tags,
    /// The first process is of one build, the others of another; neither can read what the other stores. The second
    /// writer is of the second build.
    pub builds: bool,
    /// The writers.
    pub writers: [Option<Plan>; WRITERS],
    /// Which writers may crash, with their commit under way.
    pub crashes: [bool; WRITERS],
    /// Assumption M does not hold: a commit may come after the end of its marker.
    pub late_commits: bool,
    /// A bracketed write counts as complete at its commit.
    pub complete_at_commit: bool,
    /// BEGIN may be repeated before the commit.
    pub begins_again: bool,
    /// Redis may restart empty, once.
    pub restarts: bool,
    /// How many values are set by hand. Each is made at that moment.
    pub sets: u8,
    /// How many calls refresh by force.
    pub forces: u8,
    /// How often the register of the tag or of the namespace may be evicted. The entry may be evicted at any time.
    pub tag_evictions: u8,
    /// How many connections may break and leave a command that is carried out late, or never.
    pub breaks: u8,
    /// A caller that waits for another process's lease may take it over.
    pub takes_over: bool,
    /// A leader may stall, and a follower takes over.
    pub stalls: bool,
    /// A replica replaces the primary, once, and lacks the commands since some moment.
    pub failover: Option<Old>,
    /// The rule that is broken.
    pub flaw: Flaw,
}

impl Variant {
    /// Two readers with two reads each, and these writers. Nothing goes wrong, but the entry may expire.
    #[must_use]
    pub fn new(writers: [Option<Plan>; WRITERS]) -> Self {
        Self {
            reads: [2, 2, 0],
            shares: false,
            refreshes: false,
            refresh_lease: false,
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
            forces: 0,
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
