//! The commands. Each is one atomic step on the registers and markers.

use super::World;
use super::coverage::Event;
use super::state::{Ask, B, Cell, E, Id, Mark, NOBODY, S, T, U, Value};
use super::variant::{Flaw, Tags, Way};

impl World<'_> {
    /// The register that holds the leases of a register.
    fn lease_key(&self, register: usize) -> usize {
        match self.variant.flaw {
            _ if register >= B => register,
            Flaw::Lock | Flaw::LeaseKeyForgotten | Flaw::ValueThenLease | Flaw::LeaseThenValue => S,
            _ => E,
        }
    }

    /// Writers mark what they delete, and nothing that stands beside a base.
    pub(super) fn is_marked(&self, register: usize) -> bool {
        self.state.markers.get(register).is_some_and(|markers| *markers != 0) && !self.variant.has(Flaw::NoMarkerCheck)
    }

    /// Whether GET of the value's tag shows the recorded stamp.
    pub(super) fn is_current(&self, value: Value) -> bool {
        match (self.variant.tags, self.state.cells[T]) {
            (Tags::None, _) => true,
            (_, Cell::Stamp(stamp)) => stamp == value.tag,
            (_, Cell::Nothing) => self.variant.has(Flaw::TagCounter) && value.tag == 0,
            _ => false,
        }
    }

    /// `over` is another caller's lease, which is taken over if it still stands there.
    pub(super) fn acquire(&mut self, register: usize, (id, by): (Id, u8), replace: Id, over: Id) -> Ask {
        if let Cell::Value(value) = self.state.cells[register] {
            if value.stamp != replace {
                return Ask::Found(value);
            }
            self.state.cells[register] = Cell::Nothing;
        }
        let lease_key = self.lease_key(register);
        let takes_over = over != 0 && self.lease_in(lease_key) == Some(over);
        if self.is_marked(register) && !(takes_over && self.variant.has(Flaw::TakesUnmarked)) {
            return Ask::Writing;
        }
        if takes_over {
            self.state.cells[lease_key] = Cell::Nothing;
        }
        match self.lease_in(lease_key) {
            None => self.state.cells[lease_key] = Cell::Lease(id, by),
            Some(held) if held == id => {}
            Some(_) => return Ask::Leased,
        }
        if takes_over {
            self.note(Event::TakenOver);
        }
        Ask::Granted
    }

    /// The lease that a waiter may take over, as a GET shows it.
    pub(super) fn seen_lease(&self, register: usize) -> Id {
        if self.variant.takes_over && !self.variant.has(Flaw::LeaseAfterLoad) {
            self.lease_in(self.lease_key(register)).unwrap_or_default()
        } else {
            0
        }
    }

    /// The head of a lease, or of a token, which looks like one.
    fn lease_in(&self, register: usize) -> Option<Id> {
        match self.state.cells[register] {
            Cell::Lease(id, _) | Cell::Token(id) => Some(id),
            _ => None,
        }
    }

    /// TAG. A token without a marker is a write whose marker has run out, and counts as marked.
    pub(super) fn tag(&mut self, register: usize, id: Id) -> Mark {
        if self.is_marked(register) {
            return Mark::Writing;
        }
        match self.state.cells[register] {
            Cell::Stamp(stamp) => Mark::Stamp(stamp),
            Cell::Nothing if self.variant.has(Flaw::TagCounter) => Mark::Stamp(0),
            Cell::Nothing => {
                self.state.cells[register] = Cell::Stamp(id);
                Mark::Stamp(id)
            }
            _ => Mark::Writing,
        }
    }

    pub(super) fn fill(&mut self, register: usize, head: Id, value: Value, refresh: bool) -> bool {
        let lease_key = self.lease_key(register);
        let stands = self.state.cells[lease_key];
        let any_lease = self.variant.has(Flaw::LeaseAfterLoad) && head == 0 && matches!(stands, Cell::Lease(..));
        let holds_lease = matches!(stands, Cell::Lease(id, _) if id == head) || any_lease;
        let accepted = match self.variant.flaw {
            Flaw::NoLease | Flaw::Lock => true,
            Flaw::BlindRefresh if refresh => true,
            Flaw::BlindBeside if register >= B => true,
            _ => match self.state.cells[register] {
                Cell::Value(stored) => stored == value || stored.stamp == head,
                _ => holds_lease,
            },
        };
        if accepted {
            self.state.cells[register] = Cell::Value(value);
            if register >= B && !self.variant.has(Flaw::OwnEntries) {
                self.note(Event::StoredBeside);
            }
        }
        if holds_lease && lease_key == S {
            self.state.cells[S] = Cell::Nothing;
        }
        self.note(if !accepted {
            Event::Refused
        } else if refresh {
            Event::Refreshed
        } else {
            Event::Stored
        });
        accepted
    }

    /// Deletes a register as a writer does.
    fn delete(&mut self, register: usize) {
        let counter = register == T && self.variant.has(Flaw::TagCounter);
        self.state.cells[register] = match self.state.cells[register] {
            Cell::Stamp(count) if counter => Cell::Stamp(count + 1),
            _ if counter => Cell::Stamp(1),
            _ => Cell::Nothing,
        };
    }

    pub(super) fn unlink(&mut self, writer: usize) {
        if let Some(plan) = self.variant.writers[writer] {
            let (deleted, _) = self.variant.touched(plan);
            (E..=U).filter(|&register| deleted[register]).for_each(|register| self.delete(register));
        }
    }

    /// BEGIN. A token stands in a register that nobody else had marked. It is this writer's if `own`; otherwise it is
    /// nobody's, because END will look for another name.
    pub(super) fn begin(&mut self, writer: usize, own: bool) {
        let Some(plan) = self.variant.writers[writer] else { return };
        let (deleted, marked) = self.variant.touched(plan);
        let bit = 1 << writer;
        for register in (E..=U).filter(|&register| deleted[register]) {
            let markers = self.state.markers[register];
            if markers & bit != 0 {
                continue;
            }
            if !self.variant.has(Flaw::NoDeleteAtBegin) {
                self.delete(register);
            }
            if plan.way == Way::Put && markers == 0 {
                self.state.cells[register] =
                    if own { Cell::Token(bit) } else { Cell::Lease(self.state.fresh(), NOBODY) };
            }
            if marked[register] {
                self.state.markers[register] |= if self.variant.has(Flaw::SharedMarker) { 1 } else { bit };
            }
        }
    }

    pub(super) fn end(&mut self, writer: usize) {
        let Some(plan) = self.variant.writers[writer] else { return };
        let (deleted, _) = self.variant.touched(plan);
        let bit = 1 << writer;
        let value = self.put_value(writer).filter(|_| self.may_put(writer));
        for register in (E..=U).filter(|&register| deleted[register]) {
            match (register, value) {
                (E, Some(value)) => self.state.cells[E] = Cell::Value(value),
                (T, Some(value)) => self.state.cells[T] = Cell::Stamp(value.tag),
                _ if self.variant.has(Flaw::NoDeleteAtEnd) => {}
                _ => self.delete(register),
            }
            self.state.markers[register] &= if self.variant.has(Flaw::SharedMarker) { 0 } else { !bit };
        }
        if plan.way == Way::Put {
            self.note(if value.is_some() { Event::Put } else { Event::NotPut });
        }
    }

    /// The value that END stores; `None` if the writer stores nothing, or does not know a stamp of the tag.
    fn put_value(&self, writer: usize) -> Option<Value> {
        let plan = self.variant.writers[writer].filter(|plan| plan.way == Way::Put && plan.entry)?;
        let this = self.state.writers[writer];
        // The id that is this writer's, see `Id`.
        let own: Id = if writer == 0 { 1 } else { 2 };
        let tag = match this.tag {
            _ if plan.tag => own,
            _ if self.variant.tags == Tags::None => 0,
            Mark::Stamp(tag) => tag,
            Mark::Unread | Mark::Writing => return None,
        };
        Some(Value { stamp: own, version: this.version, tag, build: self.variant.build(writer), base: 0 })
    }

    fn may_put(&self, writer: usize) -> bool {
        let bit = 1 << writer;
        let deleted = self.variant.writers[writer].map_or([false; 3], |plan| self.variant.touched(plan).0);
        (E..=U).filter(|&register| deleted[register]).all(|register| {
            if self.variant.has(Flaw::PutWithoutToken) {
                self.state.markers[register] == bit
            } else {
                self.state.cells[register] == Cell::Token(bit)
            }
        })
    }
}
