//! What the world looks like between two steps.

use super::failover::Apart;
use super::variant::{READERS, Variant, WRITERS};

/// A unique id: of a lease, a value, or a tag's stamp. 0 is none, 1 and 2 belong to the writers, the others are fresh.
pub(super) type Id = u8;

/// The first id that is nobody's.
const FIRST: Id = 3;
const MAX_IDS: usize = 48;

/// What is no build: whose lease this is nobody has to know, or it is a token.
pub(super) const NOBODY: u8 = 2;

/// The entry.
pub(super) const E: usize = 0;
/// The tag.
pub(super) const T: usize = 1;
/// The namespace's register, which every write of a tag deletes as well.
pub(super) const U: usize = 2;
/// A lease or lock of its own, in broken variants.
pub(super) const S: usize = 3;
/// The ticket of whoever refreshes.
pub(super) const R: usize = 4;
/// What the first build keeps beside the entry; the second build's is the next one.
pub(super) const B: usize = 5;
/// How many registers there are.
pub(super) const CELLS: usize = 7;

/// What a register holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum Cell {
    #[default]
    Nothing,
    /// And for which build's load: of what stands under the entry's key.
    Lease(Id, u8),
    /// Stands for a lease, and is a writer's own.
    Token(u8),
    Value(Value),
    Stamp(Id),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Value {
    pub(super) stamp: Id,
    pub(super) version: u8,
    /// The tag's stamp, as recorded.
    pub(super) tag: Id,
    /// Who can read it.
    pub(super) build: u8,
    /// The head of the entry beside which it stands, as recorded.
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

/// What a GET of the entry has shown to a build that stores beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum Base {
    #[default]
    Unread,
    /// Another build's value, with this head.
    Head(Id),
    /// None of another build.
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
    /// Another look has found the value past its time where it was.
    Standing,
    /// Another look has found no value.
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
    /// The value past its time that it has found itself.
    pub(super) hand: Value,
    /// It follows since before its leader's other look at such a value was announced.
    pub(super) looked: bool,
    /// What it has to do with the process's stalled flight.
    pub(super) stalled: Stalled,
}

/// What a caller has to do with the flight of a leader that has stalled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum Stalled {
    #[default]
    Nothing,
    /// It leads it.
    Leads,
    /// It has followed it: whether it joined before the latest step was announced.
    Followed(bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum Call {
    #[default]
    Idle,
    /// Found a value, has to look at its tag.
    Checking(Value),
    /// Found nothing, or a value with this unusable head.
    Missed(Id),
    /// Found another build's value with this head, has to look beside it.
    Aside(Id),
    /// Found a value beside the entry, has to look at that.
    Under(Value),
    /// Found nothing beside the entry, or a value with this unusable head; the entry had that other one.
    MissedAside(Id, Id),
    /// Found a value past its time, which is to be loaded over.
    Expired,
    /// The same, and a refresh does so.
    Claiming,
    Leading,
    /// Leads a flight that has stalled.
    Stalled,
    /// Whether it joined before the latest step was announced.
    Following(bool),
}

/// The way from ACQUIRE to FILL: of a flight, or of a refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Loader {
    pub(super) step: Step,
    /// Whether the value may be stored.
    pub(super) stores: bool,
    /// It loads what shall stand beside the entry.
    pub(super) aside: bool,
    /// What the entry was when it was found there, before the load.
    pub(super) base: Base,
    /// It looks again instead of ACQUIRE, at what stands beside the entry and at that.
    pub(super) looks: bool,
    /// What the entry is in that look.
    pub(super) now: Base,
    /// The head that FILL expects.
    pub(super) head: Id,
    /// The head of the value that is loaded.
    pub(super) stamp: Id,
    /// The unusable value that ACQUIRE may replace.
    pub(super) replace: Id,
    /// The lease that ACQUIRE may take over.
    pub(super) over: Id,
    pub(super) ask: Ask,
    pub(super) tag: Mark,
    /// The stamp of the namespace's register.
    pub(super) space: Mark,
    /// The value past its time that is loaded over.
    pub(super) hand: Value,
    /// The lease on the ticket.
    pub(super) ticket: Id,
    /// Ids of commands whose connection broke.
    pub(super) sent: [Id; 2],
    pub(super) version: u8,
    /// What FILL did.
    pub(super) filled: Option<bool>,
    /// Whether the tag was still the same when it was read again.
    pub(super) proved: Option<bool>,
    /// Whether the entry beside which it stores was still the same when it was read again.
    pub(super) still: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum Step {
    #[default]
    Free,
    /// The ticket is to be asked for.
    Ticket,
    /// ACQUIRE and TAG are to be announced.
    Ask,
    /// ACQUIRE and TAG are on their way.
    Asked,
    /// A value was found, its tag is to be looked at.
    Check,
    /// The load is to be announced.
    Load,
    Loading,
    /// There is a value, nobody has it yet.
    Landing,
    /// The tags of the value are to be read.
    Tags,
    /// FILL is to be announced.
    Fill,
    Filling,
}

/// One writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Writer {
    pub(super) step: Wrote,
    pub(super) crashed: bool,
    /// A marker has run out before the commit.
    pub(super) lapsed: bool,
    /// Has sent BEGIN a second time.
    pub(super) again: bool,
    pub(super) version: u8,
    /// The stamp for the value it puts.
    pub(super) tag: Mark,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum Wrote {
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
pub(super) enum Copied {
    /// Of a register, with the lease that it takes over, and for which build's load.
    Acquire(u8, Id, Id, u8),
    Tag(u8, Id),
    Fill(u8, Id, Value),
    Begin(u8),
    Unlink(u8),
    End(u8),
    Set(Value),
}

/// What may still go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Left {
    pub(super) tag_evictions: u8,
    pub(super) restarts: u8,
    pub(super) breaks: u8,
    pub(super) sets: u8,
}

/// The world.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    /// The version in the database.
    pub(super) version: u8,
    /// The oldest version that a read starting now may return.
    pub(super) floor: u8,
    /// A read has returned an older one, or whatever else the rule forbids.
    pub(super) broken: bool,
    pub(super) cells: [Cell; CELLS],
    /// The writers that have a marker at the entry, the tag, the namespace.
    pub(super) markers: [u8; 3],
    pub(super) readers: [Reader; READERS],
    /// Of each process: its flight, and its refresh.
    pub(super) loaders: [[Loader; 2]; READERS],
    pub(super) writers: [Writer; WRITERS],
    /// The tag's stamp for the value that is set by hand.
    pub(super) set: Mark,
    pub(super) late: [Option<Copied>; 2],
    pub(super) left: Left,
    /// The head over which a refresh has stored, where that is asked for.
    pub(super) refreshed: Id,
    /// The head of a value that was refreshed with nothing to store, where that is asked for.
    pub(super) ended: Id,
    /// The other server, where there is one.
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
        };
        let mut writers = [Writer::default(); WRITERS];
        for (writer, plan) in writers.iter_mut().zip(&variant.writers) {
            if plan.is_none() {
                writer.step = Wrote::Done;
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
        let names = ["entry", "tag", "namespace", "lock", "ticket", "beside 0", "beside 1"];
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

    /// Nobody reads any more.
    pub(super) fn is_over(&self) -> bool {
        self.readers.iter().all(|reader| reader.left == 0 && reader.call == Call::Idle)
    }

    /// Gives ids new names in the order in which they stand, so that states which differ in names only are one.
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
                Call::Idle | Call::Expired | Call::Claiming | Call::Leading | Call::Stalled | Call::Following(_) => {}
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
                Copied::Tag(_, id) => act(id),
                Copied::Acquire(_, id, over, _) => {
                    act(id);
                    act(over);
                }
                Copied::Set(value) => value.each_id(&mut act),
                Copied::Fill(_, id, value) => {
                    act(id);
                    value.each_id(&mut act);
                }
                Copied::Begin(_) | Copied::Unlink(_) | Copied::End(_) => {}
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
        act(&mut self.ticket);
        self.sent.iter_mut().for_each(act);
    }

    /// What FILL stores, for this build.
    pub(super) fn value(&self, build: u8) -> Value {
        let tag = if let Mark::Stamp(tag) = self.tag { tag } else { 0 };
        let base = if let Base::Head(base) = self.base { base } else { 0 };
        Value { stamp: self.stamp, version: self.version, tag, build, base }
    }
}
