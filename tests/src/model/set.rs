//! Values that are set by hand. Each counts as made at the moment of its SET, and knows nothing about what stands
//! there.

use super::World;
use super::action::Action;
use super::coverage::Event;
use super::state::{Cell, E, LateCommand, Mark, T, Value};
use super::variant::{Flaw, Tags};

impl World<'_> {
    pub(super) fn offer_sets(&self, actions: &mut Vec<Action>) {
        if self.state.left.sets == 0 {
            return;
        }
        if self.variant.tags != Tags::None && self.state.set == Mark::Unread {
            return actions.push(Action::SetTag);
        }
        actions.push(Action::Set);
        actions.extend((self.state.left.breaks > 0).then_some(Action::BreakSet));
    }

    /// Nothing is set during a write of the tag.
    pub(super) fn set_tag(&mut self) {
        let id = self.state.fresh();
        match self.tag(T, id) {
            Mark::Writing => self.is_not_set(),
            mark => self.state.set = mark,
        }
    }

    pub(super) fn send_set(&mut self) {
        let value = self.made_now();
        self.state.set = Mark::Unread;
        self.state.left.sets -= 1;
        self.set(value);
    }

    /// It is also sent again.
    pub(super) fn break_set(&mut self) {
        let value = self.made_now();
        self.keep(LateCommand::Set(value));
    }

    fn made_now(&mut self) -> Value {
        let tag = if let Mark::Stamp(tag) = self.state.set { tag } else { 0 };
        Value { stamp: self.state.fresh(), version: self.state.version, tag, build: 0, base: 0 }
    }

    /// SET replaces whatever stands there, but stores nothing during a write. The value might be older than the commit,
    /// and stand there when the marker of a crashed writer runs out.
    pub(super) fn set(&mut self, value: Value) {
        if self.is_marked(E) && !self.variant.has(Flaw::SetsUnmarked) {
            return self.note(Event::NotSet);
        }
        self.note(Event::Set);
        self.state.cells[E] = Cell::Value(value);
    }

    fn is_not_set(&mut self) {
        self.note(Event::NotSet);
        self.state.left.sets -= 1;
    }
}
