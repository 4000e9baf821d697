//! A leader that stalls: its caller is not polled any more, and a follower takes over. What the leader has begun may
//! continue at any later time, and until then its lease stands.

use super::World;
use super::action::{Action, Task};
use super::coverage::Event;
use super::state::{Call, Loader, StalledFlight, Step};
use super::variant::Flaw;

/// Readers 0 and 1 share the first process's flight, so the second process's place is free for the stalled flight.
const STALLED: Task = Task { process: 1, refresh: false };

impl World<'_> {
    pub(super) fn is_stalled(&self, task: Task) -> bool {
        self.variant.stalls && task == STALLED
    }

    pub(super) fn offer_stalls(&self, actions: &mut Vec<Action>) {
        let is_free = |process: usize| self.state.loaders[process][0].step == Step::Free;
        if !self.variant.stalls || !is_free(1) || is_free(0) {
            return;
        }
        for (reader, number) in self.state.readers.iter().zip(0_u8..) {
            if matches!(reader.call, Call::Following(_)) {
                actions.push(Action::TakeOver(number));
            }
        }
    }

    /// The follower leads a new flight. It may still use the result of the stalled one, by the rules for followers.
    pub(super) fn take_over(&mut self, reader: usize) {
        let Call::Following(joined_before) = self.state.readers[reader].call else { return };
        self.state.loaders[1][0] = std::mem::take(&mut self.state.loaders[0][0]);
        for leader in self.state.readers.iter_mut().filter(|reader| reader.call == Call::Leading) {
            leader.call = Call::Stalled;
            leader.stalled = StalledFlight::Leads;
        }
        let caller = &mut self.state.readers[reader];
        caller.call = Call::Leading;
        caller.stalled = StalledFlight::Followed(joined_before);
        self.state.loaders[0][0] = Loader::default();
        self.ask(Task { process: 0, refresh: false });
    }

    pub(super) fn hand_out_stalled(&mut self, version: u8) {
        let to_all = self.variant.has(Flaw::StalledToAll);
        for reader in 0..self.state.readers.len() {
            let caller = self.state.readers[reader];
            let waits = self.variant.process(reader) == 0 && caller.call != Call::Idle;
            match caller.stalled {
                StalledFlight::Leads => self.returns(reader, version),
                StalledFlight::Followed(joined_before) if joined_before || to_all => {
                    self.note(Event::SharedStalled);
                    self.returns(reader, version);
                }
                _ if to_all && waits => self.returns(reader, version),
                _ => {}
            }
        }
    }

    /// The stalled flight ends.
    pub(super) fn forget_stalled(&mut self) {
        for reader in &mut self.state.readers {
            reader.stalled = StalledFlight::Nothing;
        }
    }
}
