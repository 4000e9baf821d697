//! Values that are past their time, or soon will be, and still stand in the store: they are served, and loaded over.
//!
//! Which values are, is left to chance: any that is found may be. The load goes the way from [`load`](super::load), but it begins with
//! another look at the value instead of ACQUIRE, and FILL compares with the value's head instead of a lease.

use super::action::Task;
use super::coverage::Event;
use super::state::{Ask, Call, Cell, E, Loader, Mark, NOBODY, R, Step, Value};
use super::variant::Flaw;
use super::{Rule, World};

impl World<'_> {
    /// The value that a GET finds, if it may be served past its time.
    pub(super) fn finds_stale(&self) -> Option<Value> {
        match self.state.cells[E] {
            Cell::Value(value) if self.is_current(value) || self.variant.has(Flaw::StaleBeforeTags) => Some(value),
            _ => None,
        }
    }

    pub(super) fn can_bridge(&self) -> bool {
        self.variant.bridges && self.finds_stale().is_some()
    }

    /// A call begins, and finds a value past its time: it loads as on a miss, with the value in hand.
    pub(super) fn get_stale(&mut self, reader: usize) {
        let Some(value) = self.finds_stale() else { return };
        self.note(Event::Hit);
        let caller = &mut self.state.readers[reader];
        caller.left -= 1;
        caller.floor = self.state.floor;
        caller.hand = value;
        caller.call = Call::Expired;
        if !self.variant.shares {
            self.join(reader);
        }
    }

    /// A call's hit starts a refresh, for which it may wait.
    pub(super) fn claim(&mut self, reader: usize, value: Value) {
        self.state.readers[reader].hand = value;
        self.state.readers[reader].call = Call::Claiming;
        let task = Task { process: Self::number(self.variant.process(reader)), refresh: true };
        *self.loader(task) = Loader { step: Step::Ticket, hand: value, ..Loader::default() };
    }

    pub(super) fn send_ticket(&mut self, task: Task) {
        if self.state.cells[R] != Cell::Nothing {
            self.note(Event::TicketRefused);
            return self.over(task);
        }
        let id = self.state.fresh();
        self.state.cells[R] = Cell::Lease(id, NOBODY);
        let skips_look = self.variant.has(Flaw::NoSecondLook) || self.variant.has(Flaw::HeadAfterLoad);
        let stamp = self.state.fresh();
        let loader = self.loader(task);
        loader.ticket = id;
        loader.step = Step::Asked;
        if skips_look {
            (loader.ask, loader.head, loader.stamp) = (Ask::Granted, loader.hand.stamp, stamp);
            self.decide(task);
        }
    }

    /// Another look at the value past its time, once it is this task's to load.
    pub(super) fn look(&mut self, task: Task) {
        let stamp = self.state.fresh();
        let found = self.state.cells[E];
        if self.variant.has(Flaw::HeadAfterLoad) {
            return match found {
                Cell::Value(value) => {
                    let loader = self.loader(task);
                    (loader.head, loader.stamp, loader.step) = (value.stamp, stamp, Step::Filling);
                }
                _ => self.over(task),
            };
        }
        let loader = self.loader(task);
        loader.ask = match found {
            Cell::Value(value) if value.stamp == loader.hand.stamp => {
                (loader.head, loader.stamp) = (value.stamp, stamp);
                Ask::Standing
            }
            Cell::Value(value) => Ask::Found(value),
            _ => Ask::Gone,
        };
        self.decide(task);
    }

    /// It still stands there, and TAG was answered. If its tag is another by now, the load goes on, since that begins after
    /// TAG; but the value is no longer one to be served by those who follow.
    pub(super) fn stands(&mut self, task: Task, mark: Mark) {
        let judges_tag = self.tag_before_load().is_some() && !self.variant.has(Flaw::LookWithoutTags);
        if judges_tag && mark != Mark::Stamp(self.loader(task).hand.tag) {
            self.note(Event::TagChanged);
            self.loader(task).hand = Value::default();
        }
        self.go_to_load(task, true);
    }

    /// Somebody else has loaded already: nothing is left to refresh.
    pub(super) fn has_moved(&mut self, task: Task) -> bool {
        let loader = *self.loader(task);
        let has_moved = matches!(loader.ask, Ask::Found(_)) && loader.hand.stamp != 0;
        if has_moved {
            self.note(Event::Moved);
            if task.refresh {
                self.over(task);
            }
        }
        has_moved && task.refresh
    }

    /// It was invalidated: this is a miss.
    pub(super) fn is_gone(&mut self, task: Task) {
        if task.refresh {
            return self.over(task);
        }
        self.loader(task).hand = Value::default();
        self.ask(task);
    }

    /// What a call may return that has a value past its time, or whose leader has: the same, but only if that was read after
    /// the call had begun.
    pub(super) fn may_serve(&self, reader: usize) -> Option<(Value, Event)> {
        let caller = &self.state.readers[reader];
        if caller.hand.stamp != 0 {
            return (caller.call != Call::Expired).then_some((caller.hand, Event::ServedStale));
        }
        let loader = &self.state.loaders[self.variant.process(reader)][0];
        let follows = matches!(caller.call, Call::Following(_));
        let shares = follows && (caller.looked || self.variant.has(Flaw::StaleToAll));
        let has_looked = loader.ask == Ask::Standing && loader.step != Step::Asked && loader.hand.stamp != 0;
        (shares && has_looked).then_some((loader.hand, Event::SharedStale))
    }

    pub(super) fn serve(&mut self, reader: usize) {
        if let Some((value, event)) = self.may_serve(reader) {
            self.note(event);
            self.returns(reader, value.version);
        }
    }

    pub(super) fn may_fail(&self, task: Task, loader: &Loader) -> bool {
        self.variant.bridges && !task.refresh && loader.ask == Ask::Standing
    }

    /// The load fails: the value past its time is returned by those who may have it, the others are the next generation.
    pub(super) fn fail(&mut self, task: Task) {
        for reader in 0..self.state.readers.len() {
            if self.variant.process(reader) == usize::from(task.process) {
                self.serve(reader);
            }
        }
        self.over(task);
    }

    /// Whether what was loaded may be nothing to store: of a load over a value, the others have nothing to remove.
    pub(super) fn may_be_unstored(&self, loader: &Loader) -> bool {
        self.variant.unstored && loader.head != loader.stamp
    }

    /// The source has answered, and nothing of that is stored: the value that was to be refreshed ends.
    pub(super) fn remove(&mut self, task: Task) {
        let over = self.loader(task).head;
        let removes_any = self.variant.has(Flaw::RemovesAny);
        let stands = matches!(self.state.cells[E], Cell::Value(value) if value.stamp == over);
        if stands {
            self.note(Event::Ended);
        } else if let Cell::Value(_) = self.state.cells[E] {
            self.note(if removes_any { Event::NewerRemoved } else { Event::EndedBefore });
        }
        if removes_any || stands && !self.variant.has(Flaw::KeepsOld) {
            self.state.cells[E] = Cell::Nothing;
        }
        if self.rule == Rule::Ended {
            self.state.ended = over;
        }
        self.loader(task).filled = Some(false);
        if !self.is_shared(task) {
            self.over(task);
        }
    }

    /// Whether a value stands there that has ended.
    pub(super) fn look_for_ended(&mut self) {
        let has_ended = |cell: Cell| matches!(cell, Cell::Value(value) if value.stamp == self.state.ended);
        self.state.broken |= self.state.ended != 0 && has_ended(self.state.cells[E]);
    }

    /// A refresh begins to load: has another one, over the same value?
    pub(super) fn note_load(&mut self, task: Task) {
        if !task.refresh || self.rule != Rule::Once {
            return;
        }
        let head = self.loader(task).head;
        let is_loading = |loader: &Loader| matches!(loader.step, Step::Loading | Step::Filling) && loader.head == head;
        let twice = self.state.refreshed == head || self.state.loaders.iter().any(|[_, refresh]| is_loading(refresh));
        self.state.broken |= twice;
    }
}
