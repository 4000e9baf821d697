//! The state of the world between two steps.

use super::failover::Apart;
use super::variant::{READERS, Variant, WRITERS};

/// A unique id of a lease, a value, or a tag's stamp. 0 is none, 1 and 2 belong to the writers, the others are fresh.
pub(super) type Id = u8;

/// The first id that nobody has.
const FIRST: Id = 3;
const MAX_IDS: usize = 48;

/// Not a build: nobody needs to know whose lease this is, or it is a token.
pub(super) const NOBODY: u8 = 2;

/// The entry.
pub(super) const E: usize = 0;
/// The tag.
pub(super) const T: usize = 1;
/// The namespace's register, which every write of a tag deletes too.
pub(super) const U: usize = 2;
/// A lease or lock in a key of its own, in broken variants.
pub(super) const S: usize = 3;
/// The refresh lease.
pub(super) const R: usize = 4;
/// The first build's entry beside the base; the second build's comes next.
pub(super) const B: usize = 5;
/// The number of registers.
pub(super) const CELLS: usize = 7;

/// The content of a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum Cell {
    #[default]
    Nothing,
    /// A lease, and the build whose load it is for if it stands under the entry's key.
    Lease(Id, u8),
    /// A writer's own placeholder in place of a lease.
    Token(u8),
    Value(Value),
    Stamp(Id),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Value {
    pub(super) stamp: Id,
    pub(super) version: u8,
    /// The stamp of the tag, as recorded.
    pub(super) tag: Id,
    /// The build that can read it.
    pub(super) build: u8,
    /// The head of the base beside which it stands, as recorded.
    pub(super) base: Id,
}

/// The answer to TAG.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum Mark {
    #[default]
    Unread,
    Stamp(Id),
    Writing,
}

/// The result of a GET of the entry, for a build that stores beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum Base {
    #[default]
    Unread,
    /// Another build's value, with this head.
    Head(Id),
    /// No value of another build.
    Gone,
}

/// The answer to ACQUIRE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum Ask {
    #[default]
    Unasked,
    Granted,
    Found(Value),
    Writing,
    Leased,
    /// The second read found the value past its end still there.
    Standing,
    /// The second read found no value.
    Gone,
}

/// One reading caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Reader {
    /// Reads still to come.
    pub(super) left: u8,
    /// The oldest version that the running call may return.
    pub(super) floor: u8,
    pub(super) call: Call,
    /// The version in the database when its forced refresh began.
    pub(super) since: u8,
    /// The value past its end that it found itself.
    pub(super) hand: Value,
    /// It followed before its leader's second read of such a value was announced.
    pub(super) looked: bool,
    /// Its part in the process's stalled flight.
    pub(super) stalled: StalledFlight,
}

/// A caller's part in the flight of a stalled leader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum StalledFlight {
    #[default]
    Nothing,
    /// It leads the flight.
    Leads,
    /// It followed the flight; whether it joined before the latest step was announced.
    Followed(bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum Call {
    #[default]
    Idle,
    /// Found a value, and has yet to read its tag.
    Checking(Value),
    /// Found nothing, or a value with this unusable head.
    Missed(Id),
    /// Found another build's value with this head, and has yet to read beside it.
    Aside(Id),
    /// Found a value beside the base, and has yet to read the base.
    Under(Value),
    /// Found nothing beside the base, or a value with this unusable head; the second id is the head of the base.
    MissedAside(Id, Id),
    /// Found a value past its end, which is to be loaded over.
    Expired,
    /// The same, but a refresh loads over it.
    Claiming,
    Leading,
    /// Leads a flight that has stalled.
    Stalled,
    /// Follows; whether it joined before the latest step was announced.
    Following(bool),
    /// Refreshes by force, and has yet to join.
    Forced,
    /// Leads a flight of forced refreshes.
    LeadingForced,
    /// Follows one; whether it joined before TAKEOVER was announced.
    FollowingForced(bool),
}

/// The way from ACQUIRE to FILL, of a flight or of a refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Loader {
    pub(super) step: Step,
    /// Whether the value may be stored.
    pub(super) stores: bool,
    /// Whether it loads for an entry beside the base.
    pub(super) aside: bool,
    /// A forced refresh: the version that the database had when the last of its callers began.
    pub(super) forced: Option<u8>,
    /// The base as it was found before the load.
    pub(super) base: Base,
    /// Whether it reads again in place of ACQUIRE: its entry beside the base, and the base.
    pub(super) looks: bool,
    /// The base in that read.
    pub(super) now: Base,
    /// The head that FILL expects.
    pub(super) head: Id,
    /// The head of the loaded value.
    pub(super) stamp: Id,
    /// The unusable value that ACQUIRE may replace.
    pub(super) replace: Id,
    /// The lease that ACQUIRE may take over.
    pub(super) over: Id,
    pub(super) ask: Ask,
    pub(super) tag: Mark,
    /// The stamp of the namespace's register.
    pub(super) space: Mark,
    /// The value past its end that is loaded over.
    pub(super) hand: Value,
    /// The id of its refresh lease.
    pub(super) refresh_lease: Id,
    /// The ids of commands whose connection broke.
    pub(super) sent: [Id; 2],
    pub(super) version: u8,
    /// Whether FILL stored.
    pub(super) filled: Option<bool>,
    /// Whether the tag was unchanged when it was read again.
    pub(super) proved: Option<bool>,
    /// Whether the base was unchanged when it was read again.
    pub(super) still: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum Step {
    #[default]
    Free,
    /// To ask for the refresh lease.
    RefreshLease,
    /// To announce ACQUIRE and TAG.
    Ask,
    /// ACQUIRE and TAG are on their way.
    Asked,
    /// Found a value, to read its tag.
    Check,
    /// To announce the load.
    Load,
    Loading,
    /// There is a value, but nobody has it yet.
    Landing,
    /// To read the tags of the value.
    Tags,
    /// To announce FILL.
    Fill,
    Filling,
}

impl Step {
    /// The step that was announced.
    pub(super) fn announced(self) -> Self {
        match self {
            Self::Ask => Self::Asked,
            Self::Load => Self::Loading,
            _ => Self::Filling,
        }
    }
}

/// One writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Writer {
    pub(super) step: WriteStep,
    pub(super) crashed: bool,
    /// A marker has run out before the commit.
    pub(super) lapsed: bool,
    /// It has sent BEGIN a second time.
    pub(super) again: bool,
    pub(super) version: u8,
    /// The stamp for the value that it puts.
    pub(super) tag: Mark,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum WriteStep {
    #[default]
    Nothing,
    Begun,
    Committed,
    /// One of two deletions is done.
    Half,
    Done,
}

/// A command whose connection broke: it may still be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum LateCommand {
    /// The register, the id, the lease that it takes over, and the build whose load it is for.
    Acquire(u8, Id, Id, u8),
    Tag(u8, Id),
    /// The id of the fresh head and of the lease, and the build whose load it is for.
    Takeover(Id, u8),
    Fill(u8, Id, Value),
    Begin(u8),
    Unlink(u8),
    End(u8),
    Set(Value),
}

/// The faults that may still happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Left {
    pub(super) tag_evictions: u8,
    pub(super) restarts: u8,
    pub(super) breaks: u8,
    pub(super) sets: u8,
    pub(super) forces: u8,
}

/// The world.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    /// The version in the database.
    pub(super) version: u8,
    /// The oldest version that a read starting now may return.
    pub(super) floor: u8,
    /// A read has returned an older version, or the rule is broken in another way.
    pub(super) broken: bool,
    pub(super) cells: [Cell; CELLS],
    /// The writers that have a marker at the entry, the tag, the namespace.
    pub(super) markers: [u8; 3],
    pub(super) readers: [Reader; READERS],
    /// The flight and the refresh of each process.
    pub(super) loaders: [[Loader; 2]; READERS],
    pub(super) writers: [Writer; WRITERS],
    /// The tag's stamp for the value that is set by hand.
    pub(super) set: Mark,
    pub(super) late: [Option<LateCommand>; 2],
    pub(super) left: Left,
    /// The head over which a refresh has stored, if the rule asks for it.
    pub(super) refreshed: Id,
    /// The head of a value that was refreshed with nothing to store, if the rule asks for it.
    pub(super) ended: Id,
    /// The other server, if there is one.
    pub(super) apart: Option<Box<Apart>>,
    /// The next fresh id.
    next: Id,
}

impl State {
    pub(super) fn new(variant: &Variant) -> Self {
        let readers = variant.reads.map(|left| Reader { left, ..Reader::default() });
        let left = Left {
            tag_evictions: variant.tag_evictions,
            restarts: u8::from(variant.restarts),
            breaks: variant.breaks,
            sets: variant.sets,
            forces: variant.forces,
        };
        let mut writers = [Writer::default(); WRITERS];
        for (writer, plan) in writers.iter_mut().zip(&variant.writers) {
            if plan.is_none() {
                writer.step = WriteStep::Done;
            }
        }
        Self {
            version: 0,
            floor: 0,
            broken: false,
            cells: [Cell::Nothing; CELLS],
            markers: [0; 3],
            readers,
            loaders: [[Loader::default(); 2]; READERS],
            writers,
            set: Mark::Unread,
            late: [None; 2],
            left,
            refreshed: 0,
            ended: 0,
            apart: variant.failover.map(|_| Box::new(Apart::new(variant))),
            next: FIRST,
        }
    }

    /// Database, registers and markers in one line.
    pub(super) fn brief(&self) -> String {
        let mut parts = vec![format!("database v{}", self.version)];
        let names = ["entry", "tag", "namespace", "lock", "refresh lease", "beside 0", "beside 1"];
        for (name, register) in names.into_iter().zip(E..) {
            if self.cells[register] != Cell::Nothing {
                parts.push(format!("{name}: {}", self.cells[register].brief()));
            }
            let is_marked = |writer: &usize| register < S && self.markers[register] & (1 << writer) != 0;
            parts.extend((0..WRITERS).filter(is_marked).map(|writer| format!("{name}: marker {writer}")));
        }
        parts.join(", ")
    }

    /// An id that was never used.
    pub(super) fn fresh(&mut self) -> Id {
        let id = self.next;
        self.next += 1;
        id
    }

    /// Whether nobody reads any more.
    pub(super) fn is_over(&self) -> bool {
        self.readers.iter().all(|reader| reader.left == 0 && reader.call == Call::Idle)
    }

    /// Renames ids by their order, so that states which differ only in names become one.
    pub(super) fn rename(&mut self) {
        let mut names = [0; MAX_IDS];
        let mut next = FIRST;
        self.each_id(|id| {
            if *id >= FIRST {
                let name = &mut names[usize::from(*id)];
                if *name == 0 {
                    *name = next;
                    next += 1;
                }
                *id = *name;
            }
        });
        self.next = next;
    }

    fn each_id(&mut self, mut act: impl FnMut(&mut Id)) {
        let others = self.apart.iter_mut().flat_map(|apart| &mut apart.cells);
        for cell in self.cells.iter_mut().chain(others) {
            match cell {
                Cell::Lease(id, _) | Cell::Stamp(id) => act(id),
                Cell::Value(value) => value.each_id(&mut act),
                Cell::Nothing | Cell::Token(_) => {}
            }
        }
        for reader in &mut self.readers {
            match &mut reader.call {
                Call::Checking(value) | Call::Under(value) => value.each_id(&mut act),
                Call::Missed(id) | Call::Aside(id) => act(id),
                Call::MissedAside(id, base) => {
                    act(id);
                    act(base);
                }
                _ => {}
            }
            reader.hand.each_id(&mut act);
        }
        for loader in self.loaders.iter_mut().flatten().filter(|loader| loader.step != Step::Free) {
            loader.each_id(&mut act);
        }
        for writer in &mut self.writers {
            writer.tag.each_id(&mut act);
        }
        self.set.each_id(&mut act);
        act(&mut self.refreshed);
        act(&mut self.ended);
        for copied in self.late.iter_mut().flatten() {
            match copied {
                LateCommand::Tag(_, id) | LateCommand::Takeover(id, _) => act(id),
                LateCommand::Acquire(_, id, over, _) => {
                    act(id);
                    act(over);
                }
                LateCommand::Set(value) => value.each_id(&mut act),
                LateCommand::Fill(_, id, value) => {
                    act(id);
                    value.each_id(&mut act);
                }
                LateCommand::Begin(_) | LateCommand::Unlink(_) | LateCommand::End(_) => {}
            }
        }
    }
}

impl Cell {
    fn brief(self) -> String {
        match self {
            Self::Nothing => "-".into(),
            Self::Lease(id, 0 | NOBODY) => format!("lease {id}"),
            Self::Lease(id, build) => format!("lease {id} build {build}"),
            Self::Token(bit) => format!("token {}", bit - 1),
            Self::Value(value) => value.brief(),
            Self::Stamp(id) => format!("stamp {id}"),
        }
    }
}

impl Value {
    fn brief(self) -> String {
        let Self { stamp, version, tag, build, base } = self;
        let mut brief = format!("value {stamp} of v{version}");
        for (name, number) in
            [("tag", tag), ("build", build), ("beside", base)].into_iter().filter(|(_, number)| *number != 0)
        {
            brief = format!("{brief} {name} {number}");
        }
        brief
    }

    fn each_id(&mut self, act: &mut impl FnMut(&mut Id)) {
        act(&mut self.stamp);
        act(&mut self.tag);
        act(&mut self.base);
    }
}

impl Mark {
    fn each_id(&mut self, act: &mut impl FnMut(&mut Id)) {
        if let Self::Stamp(id) = self {
            act(id);
        }
    }
}

impl Loader {
    fn each_id(&mut self, act: &mut impl FnMut(&mut Id)) {
        act(&mut self.head);
        act(&mut self.stamp);
        act(&mut self.replace);
        act(&mut self.over);
        if let Ask::Found(value) = &mut self.ask {
            value.each_id(act);
        }
        for base in [&mut self.base, &mut self.now] {
            if let Base::Head(id) = base {
                act(id);
            }
        }
        self.tag.each_id(act);
        self.space.each_id(act);
        self.hand.each_id(act);
        act(&mut self.refresh_lease);
        self.sent.iter_mut().for_each(act);
    }

    /// The value that FILL stores, for this build.
    pub(super) fn value(&self, build: u8) -> Value {
        let tag = if let Mark::Stamp(tag) = self.tag { tag } else { 0 };
        let base = if let Base::Head(base) = self.base { base } else { 0 };
        Value { stamp: self.stamp, version: self.version, tag, build, base }
    }
}
