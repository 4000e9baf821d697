//! Values near or past their end that still stand in the store: they are served, and loaded over.
//!
//! Chance decides which values are past their end: any value that is found may be. The load goes the way of
//! [`load`](super::load), but a second read of the value replaces ACQUIRE, and FILL compares with the value's head
//! instead of a lease.

use super::action::Task;
use super::coverage::Event;
use super::state::{Ask, Call, Cell, E, Loader, Mark, NOBODY, R, Step, Value};
use super::variant::Flaw;
use super::{Rule, World};

impl World<'_> {
    /// The value that a GET finds, if it may be served past its end.
    pub(super) fn finds_stale(&self) -> Option<Value> {
        match self.state.cells[E] {
            Cell::Value(value) if self.is_current(value) || self.variant.has(Flaw::StaleBeforeTags) => Some(value),
            _ => None,
        }
    }

    pub(super) fn can_bridge(&self) -> bool {
        self.variant.bridges && self.finds_stale().is_some()
    }

    /// A call begins and finds a value past its end: it loads as on a miss, with the value in hand.
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

    /// A call's hit starts a refresh, and the call may wait for it.
    pub(super) fn claim(&mut self, reader: usize, value: Value) {
        self.state.readers[reader].hand = value;
        self.state.readers[reader].call = Call::Claiming;
        let task = Task { process: Self::number(self.variant.process(reader)), refresh: true };
        *self.loader(task) = Loader { step: Step::RefreshLease, hand: value, ..Loader::default() };
    }

    pub(super) fn send_refresh_lease(&mut self, task: Task) {
        if self.is_refused_ticket(task) {
            return;
        }
        if self.state.cells[R] != Cell::Nothing {
            self.note(Event::RefreshLeaseRefused);
            return self.over(task);
        }
        let id = self.state.fresh();
        self.state.cells[R] = Cell::Lease(id, NOBODY);
        let skips_look = self.variant.has(Flaw::NoSecondLook) || self.variant.has(Flaw::HeadAfterLoad);
        let stamp = self.state.fresh();
        let loader = self.loader(task);
        loader.refresh_lease = id;
        loader.step = Step::Asked;
        if skips_look {
            (loader.ask, loader.head, loader.stamp) = (Ask::Granted, loader.hand.stamp, stamp);
            self.decide(task);
        }
    }

    /// The second read of a value past its end, once it is this task's to load.
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

    /// The value still stands there, and TAG was answered. If its tag has changed, the load continues, because it
    /// begins after TAG, but followers may no longer be served the value.
    pub(super) fn stands(&mut self, task: Task, mark: Mark) {
        let judges_tag = self.tag_before_load().is_some() && !self.variant.has(Flaw::LookWithoutTags);
        if judges_tag && mark != Mark::Stamp(self.loader(task).hand.tag) {
            self.note(Event::TagChanged);
            self.loader(task).hand = Value::default();
        }
        self.go_to_load(task, true);
    }

    /// Another caller has loaded already: nothing is left to refresh.
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

    /// The value was invalidated: this is a miss.
    pub(super) fn is_gone(&mut self, task: Task) {
        if task.refresh {
            return self.over(task);
        }
        self.loader(task).hand = Value::default();
        self.ask(task);
    }

    /// The value that a call may return because it or its leader has a value past its end. The leader's value counts
    /// only if it was read after the call had begun.
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

    /// The load fails: those who may return the value past its end do so, the others are the next generation.
    pub(super) fn fail(&mut self, task: Task) {
        for reader in 0..self.state.readers.len() {
            if self.variant.process(reader) == usize::from(task.process) {
                self.serve(reader);
            }
        }
        self.over(task);
    }

    /// Whether there may be nothing to store. Only a load over a value has something to remove then.
    pub(super) fn may_be_unstored(&self, loader: &Loader) -> bool {
        self.variant.unstored && loader.head != loader.stamp
    }

    /// The source has answered, and nothing is stored: the value that was to be refreshed ends.
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

    /// Breaks the rule if a value that has ended still stands there.
    pub(super) fn look_for_ended(&mut self) {
        let has_ended = |cell: Cell| matches!(cell, Cell::Value(value) if value.stamp == self.state.ended);
        self.state.broken |= self.state.ended != 0 && has_ended(self.state.cells[E]);
    }

    /// A refresh begins to load. Breaks the rule if another one has loaded over the same value.
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
