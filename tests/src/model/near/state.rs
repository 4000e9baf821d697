//! The state of the store, the wires and the client between two steps.

use super::variant::{Tag, Variant};

/// The largest number of reads.
pub(super) const READS: usize = 2;
/// The largest number of changes of a register.
const CHANGES: usize = 5;

/// The entry, as an index and as a bit.
pub(super) const E: usize = 0;
/// The tag.
pub(super) const T: usize = 1;
/// All registers.
pub(super) const ALL: u8 = 0b11;

/// A message of the server. Each connection keeps their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Message {
    /// The answer to a read's GET.
    Answer(u8),
    /// These registers have changed.
    News(u8),
    /// The answer to a PING that was sent after this many changes.
    Pong(u8),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Connection {
    pub(super) stands: bool,
    /// CLIENT TRACKING ON was carried out.
    pub(super) tracks: bool,
    /// The client has given it up: announcements on it are not handled any more.
    pub(super) is_over: bool,
    /// The server's table: the registers whose next change it announces.
    pub(super) told: u8,
    pub(super) wire: Vec<Message>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum Step {
    #[default]
    Nothing,
    Reserved,
    /// GET was carried out.
    Asked,
    /// The value is there, and names a tag.
    Named,
    TagReserved,
    TagAsked,
    Done,
}

/// A read whose value will be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Read {
    pub(super) step: Step,
    pub(super) connection: u8,
    pub(super) copy: NearCopy,
}

/// A value, and what it must outlive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct NearCopy {
    /// The numbers of changes that had been made when the entry and the tag were read.
    pub(super) at: [u8; 2],
    /// The counters of both, as reserved.
    pub(super) marks: [u8; 2],
    pub(super) epoch: u8,
}

/// The write of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum Own {
    #[default]
    Nothing,
    Sent,
    /// The number of its change.
    Written(u8),
    /// The same, and the write has returned.
    Returned(u8),
}

/// The other entry, whose load calls for the value. Numbers are those of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum Outer {
    #[default]
    Nothing,
    /// The stamp is that of this change.
    Begun(u8),
    /// It has the value as of the second change.
    Called(u8, u8),
    /// All callers get it until its register changes.
    Stored(u8, u8),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct State {
    /// The registers that each change has changed.
    pub(super) log: [u8; CHANGES],
    pub(super) changes: u8,
    /// Changes that other processes may still make.
    pub(super) left: u8,
    pub(super) flushes: u8,
    pub(super) own: Own,
    pub(super) outer: Outer,
    pub(super) connections: [Connection; 2],
    /// The connection on which reads go out.
    pub(super) in_use: Option<u8>,
    pub(super) reads: [Read; READS],
    pub(super) marks: [u8; 2],
    pub(super) epoch: u8,
    /// The change up to which all changes were announced, as far as the client knows; `None` without contact.
    pub(super) confirmed: Option<u8>,
    /// PINGs that may still be sent.
    pub(super) pings: u8,
    /// The PING under way: its connection, and the number of changes when it was sent.
    pub(super) ping: Option<(u8, u8)>,
    pub(super) copy: Option<NearCopy>,
}

impl State {
    pub(super) fn new(variant: &Variant) -> Self {
        let first = Connection { stands: true, tracks: true, ..Connection::default() };
        Self {
            log: [0; CHANGES],
            changes: 0,
            left: variant.changes,
            flushes: u8::from(variant.flushes),
            own: Own::Nothing,
            outer: Outer::Nothing,
            connections: [first, Connection::default()],
            in_use: Some(0),
            reads: [Read::default(); READS],
            marks: [0; 2],
            epoch: 0,
            confirmed: (variant.pings == 0).then_some(u8::MAX),
            pings: variant.pings,
            ping: None,
            copy: None,
        }
    }

    /// The copy, if a call would get it now.
    pub(super) fn served(&self, variant: &Variant) -> Option<NearCopy> {
        let copy = self.copy.filter(|copy| copy.marks == self.marks)?;
        let may_be_served = match self.confirmed {
            Some(_) => copy.epoch == self.epoch,
            None => variant.serves_in_gap,
        };
        may_be_served.then_some(copy)
    }

    /// The first change that a copy has missed, and the registers of the changes that it has missed.
    pub(super) fn missed(&self, variant: &Variant, copy: NearCopy) -> Option<(u8, u8)> {
        let registers = if variant.tag == Tag::None { 1 << E } else { ALL };
        let mut first = None;
        let mut missed = 0;
        for (change, number) in self.log.iter().zip(1..=self.changes) {
            for register in [E, T] {
                if change & registers & (1 << register) != 0 && number > copy.at[register] {
                    first = first.or(Some(number));
                    missed |= 1 << register;
                }
            }
        }
        first.map(|first| (first, missed))
    }

    /// Whether the other entry is served to all callers although it was made of a value that was outdated when its load
    /// began.
    pub(super) fn outer_is_old(&self) -> bool {
        let Outer::Stored(stamp, value) = self.outer else { return false };
        let is_change = |number: u8| self.log[usize::from(number) - 1] & (1 << E) != 0;
        let is_valid = !(stamp + 1..=self.changes).any(is_change);
        is_valid && (value + 1..=stamp).any(is_change)
    }

    /// Whether the announcement of one of these registers is under way.
    pub(super) fn is_told(&self, registers: u8) -> bool {
        let mut messages = self.connections.iter().flat_map(|connection| &connection.wire);
        messages.any(|message| matches!(message, Message::News(of) if of & registers != 0))
    }

    pub(super) fn brief(&self, variant: &Variant) -> String {
        let copy = match (self.copy, self.served(variant)) {
            (None, _) => "-".to_owned(),
            (Some(copy), served) => {
                let missed = self.missed(variant, copy).map_or("", |_| ", stale");
                format!("as of change {}{missed}{}", copy.at[E], if served.is_some() { "" } else { ", not served" })
            }
        };
        let confirmed = match self.confirmed {
            None => "out of contact".to_owned(),
            Some(u8::MAX) => String::new(),
            Some(up_to) => format!("confirmed up to change {up_to}"),
        };
        format!("{} changes, copy: {copy}  {confirmed}", self.changes)
    }
}
