//! The steps of a reading caller.

use super::action::{Action, Task};
use super::coverage::Event;
use super::state::{Base, Call, Cell, Id, Loader, Reader, Step};
use super::variant::{Flaw, Tags};
use super::{Rule, World};

impl World<'_> {
    pub(super) fn offer_reads(&self, actions: &mut Vec<Action>) {
        for (reader, number) in self.state.readers.iter().zip(0_u8..) {
            let process = self.variant.process(usize::from(number));
            match reader.call {
                Call::Idle if reader.left > 0 => {
                    // Without sharing, a caller's next call waits for the end of its load.
                    if self.variant.shares || self.state.loaders[process][0].step == Step::Free {
                        actions.push(Action::Get(number));
                        actions.extend(self.can_bridge().then_some(Action::GetStale(number)));
                        actions.extend(self.can_begin_aside(process).then_some(Action::GetBesideFirst(number)));
                        actions.extend(self.can_wait(process).then_some(Action::GetAndWait(number)));
                    }
                    if self.can_refresh(process) {
                        actions.push(Action::GetAndRefresh(number));
                    }
                    actions.extend(self.can_force(process).then_some(Action::Force(number)));
                }
                Call::Idle | Call::Claiming | Call::Stalled | Call::LeadingForced => {}
                Call::Checking(_) => actions.push(Action::CheckTag(number)),
                Call::Aside(_) | Call::Under(_) => self.offer_aside(number, actions),
                Call::Missed(_) | Call::MissedAside(..) | Call::Expired | Call::Forced => {
                    actions.extend([Action::Join(number), Action::LoadAlone(number)]);
                }
                Call::Following(_) | Call::FollowingForced(_) => actions.push(Action::LoadAlone(number)),
                Call::Leading => {
                    if !self.variant.shares && self.state.loaders[process][0].step == Step::Asked {
                        actions.push(Action::LoadAlone(number));
                    }
                }
            }
            actions.extend(self.may_serve(usize::from(number)).map(|_| Action::Serve(number)));
        }
    }

    fn can_refresh(&self, process: usize) -> bool {
        let hits = self.finds_stale().is_some_and(|value| value.build == self.variant.build(process));
        hits && self.may_refresh(process)
    }

    pub(super) fn may_refresh(&self, process: usize) -> bool {
        let [flight, refresh] = &self.state.loaders[process];
        let is_free = refresh.step == Step::Free && (self.variant.shares || flight.step == Step::Free);
        self.variant.refreshes && is_free
    }

    /// A call begins, with GET at once: an earlier beginning could only ask for less.
    pub(super) fn get(&mut self, reader: usize, refresh: bool) {
        self.begins(reader);
        self.get_entry(reader, refresh);
    }

    pub(super) fn begins(&mut self, reader: usize) {
        let least = self.state.least();
        let caller = &mut self.state.readers[reader];
        caller.left -= 1;
        caller.floor = least;
    }

    pub(super) fn get_entry(&mut self, reader: usize, refresh: bool) {
        let process = self.variant.process(reader);
        match self.state.cells[self.home(process)] {
            Cell::Value(value) if value.build != self.variant.build(process) => {
                self.state.readers[reader].call = Call::Aside(value.stamp);
            }
            Cell::Nothing if self.variant.has(Flaw::BesideNothing) => self.state.readers[reader].call = Call::Aside(0),
            Cell::Value(value) if refresh && self.variant.refresh_lease => {
                self.note(Event::Hit);
                self.claim(reader, value);
            }
            Cell::Value(value) if refresh => {
                self.note(Event::Hit);
                self.returns(reader, value.version);
                self.start_refresh(process, value.stamp, Base::Unread);
            }
            // Tags that only the value names take a second read.
            Cell::Value(value) if self.variant.tags == Tags::FromValue => {
                self.state.readers[reader].call = Call::Checking(value);
            }
            Cell::Value(value) if self.is_current(value) => {
                self.note(Event::Hit);
                self.returns(reader, value.version);
            }
            Cell::Value(value) => {
                self.note(Event::TagChanged);
                self.missed(reader, value.stamp);
            }
            _ => match self.others_lease(self.variant.build(process)) {
                Some(id) => self.state.readers[reader].call = Call::Aside(id),
                None => self.missed(reader, 0),
            },
        }
    }

    pub(super) fn check_tag(&mut self, reader: usize) {
        if let Call::Checking(value) = self.state.readers[reader].call {
            if self.is_current(value) {
                self.note(Event::Hit);
                self.returns(reader, value.version);
            } else {
                self.note(Event::TagChanged);
                match value.base {
                    0 => self.missed(reader, value.stamp),
                    base => self.missed_aside(reader, value.stamp, base),
                }
            }
        }
    }

    pub(super) fn missed(&mut self, reader: usize, unusable: Id) {
        self.misses(reader, Call::Missed(unusable));
    }

    pub(super) fn misses(&mut self, reader: usize, how: Call) {
        self.state.readers[reader].call = how;
        if !self.variant.shares {
            self.join(reader);
        }
    }

    pub(super) fn join(&mut self, reader: usize) {
        if self.state.readers[reader].call == Call::Forced {
            return self.join_forced(reader);
        }
        let process = self.variant.process(reader);
        let mut loader = match self.state.readers[reader].call {
            Call::Missed(replace) => Loader { replace, ..Loader::default() },
            Call::MissedAside(replace, base) => {
                Loader { replace, aside: true, base: Base::Head(base), ..Loader::default() }
            }
            Call::Expired => Loader { hand: self.state.readers[reader].hand, ..Loader::default() },
            _ => return,
        };
        if self.state.loaders[process][0].step != Step::Free {
            self.state.readers[reader].call = Call::Following(false);
            return;
        }
        self.state.readers[reader].call = Call::Leading;
        loader.version = if self.variant.has(Flaw::OldSnapshot) { self.state.version } else { 0 };
        self.state.loaders[process][0] = loader;
        let task = Task { process: Self::number(process), refresh: false };
        if self.variant.has(Flaw::NoLease) {
            self.go_to_load(task, true);
        } else {
            self.ask(task);
        }
    }

    pub(super) fn load_alone(&mut self, reader: usize) {
        if self.state.readers[reader].call == Call::Leading {
            self.state.loaders[self.variant.process(reader)][0] = Loader::default();
        }
        self.returns(reader, self.state.version);
    }

    /// A call returns as early as it can, so it asks the most of later reads.
    pub(super) fn returns(&mut self, reader: usize, version: u8) {
        let caller = &mut self.state.readers[reader];
        let is_about_reads = matches!(self.rule, Rule::Fresh | Rule::Linearizable);
        self.state.broken |= version < caller.floor && is_about_reads;
        *caller = Reader { left: caller.left, ..Reader::default() };
        if self.rule == Rule::Linearizable {
            self.state.floor = self.state.floor.max(version);
        }
    }
}
