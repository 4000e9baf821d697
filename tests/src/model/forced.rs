//! Forced refreshes: a call loads and stores though there is a value, which goes on being served meanwhile.
//!
//! TAKEOVER takes the place of ACQUIRE. A value gets a fresh head, and is served on; FILL expects that head. Where no
//! value stands, a lease of the call's own stands from then on, in place of whatever there was. So nobody stores any
//! more who began before. While a writer is at work the call loads and stores nothing, and a token is removed: what the
//! writer would put may be older than this call.
//!
//! The promise: what is stored was loaded after the call began, or by one that began later still. So when it has ended,
//! no read that starts later returns an older version than the database had when it began, even if nobody has told the
//! cache of the commit. If another forced refresh has taken over meanwhile, that is so when that one has ended; and if that
//! TAKEOVER came late, nothing is promised to who has not stored.
//!
//! Callers of one process share a forced refresh if they had joined before TAKEOVER was announced. Their flight is
//! beside the common one.

use super::World;
use super::action::Task;
use super::coverage::Event;
use super::state::{Ask, Call, Cell, E, Id, Loader, NOBODY, R, Step};
use super::variant::Flaw;

/// Readers 0 and 1 share the first process's flights, so the second process's place is free for that of forced
/// refreshes.
const FORCED: Task = Task { process: 1, refresh: false };

impl World<'_> {
    pub(super) fn is_forced_flight(&self, task: Task) -> bool {
        self.variant.shares && self.variant.forces > 0 && task == FORCED
    }

    /// Whether callers may share what FILL proves.
    pub(super) fn is_proved(&self, task: Task) -> bool {
        self.is_shared(task) && !self.is_forced_flight(task)
    }

    pub(super) fn can_force(&self, process: usize) -> bool {
        let is_free = self.variant.shares || self.state.loaders[process][0].step == Step::Free;
        self.state.left.forces > 0 && is_free
    }

    pub(super) fn force(&mut self, reader: usize) {
        self.begins(reader);
        self.state.left.forces -= 1;
        let caller = &mut self.state.readers[reader];
        (caller.since, caller.call) = (self.state.version, Call::Forced);
        if !self.variant.shares {
            self.join_forced(reader);
        }
    }

    pub(super) fn join_forced(&mut self, reader: usize) {
        let process = self.variant.process(reader);
        let is_flight = self.variant.shares && process == 0;
        let task = if is_flight { FORCED } else { Task { process: Self::number(process), refresh: false } };
        let is_free = self.loader(task).step == Step::Free;
        let caller = &mut self.state.readers[reader];
        if is_flight && !is_free {
            caller.call = Call::FollowingForced(false);
            return;
        }
        let forced = Some(caller.since);
        caller.call = if is_flight { Call::LeadingForced } else { Call::Leading };
        *self.loader(task) = Loader { forced, ..Loader::default() };
        if self.variant.has(Flaw::ForcedByTicket) {
            self.loader(task).step = Step::RefreshLease;
        } else {
            self.ask(task);
        }
    }

    pub(super) fn announce_forced(&mut self, task: Task) {
        let step = self.loader(task).step;
        let counts = match step {
            Step::Ask => true,
            Step::Load => self.variant.has(Flaw::ForcedSharesLoad),
            _ => self.variant.has(Flaw::ForcedSharesProof),
        };
        for reader in &mut self.state.readers {
            if let Call::FollowingForced(joined_before) = &mut reader.call {
                *joined_before |= counts;
            }
        }
        self.loader(task).step = step.announced();
    }

    pub(super) fn send_takeover(&mut self, task: Task) {
        let id = self.id_for(task, 0);
        let (head, ask) = self.takeover(id, self.build(task));
        let stamp = if matches!(self.state.cells[E], Cell::Value(_)) { self.state.fresh() } else { id };
        let loader = self.loader(task);
        (loader.ask, loader.head, loader.stamp) = (ask, head, stamp);
        self.decide(task);
    }

    /// TAKEOVER. Returns the head that FILL is to expect.
    pub(super) fn takeover(&mut self, id: Id, by: u8) -> (Id, Ask) {
        if self.is_marked(E) && !self.variant.has(Flaw::TakeoverUnmarked) {
            if !self.variant.has(Flaw::TokenRespected) {
                self.state.cells[E] = Cell::Nothing;
            }
            return (0, Ask::Writing);
        }
        match self.state.cells[E] {
            Cell::Value(value) if self.variant.has(Flaw::HeadKept) || self.variant.has(Flaw::ForcedByTicket) => {
                return (value.stamp, Ask::Granted);
            }
            Cell::Value(mut value) => {
                self.note(Event::ValueTakenOver);
                value.stamp = id;
                self.state.cells[E] = Cell::Value(value);
            }
            Cell::Lease(..) if self.variant.has(Flaw::LeaseRespected) => return (0, Ask::Writing),
            stands => {
                if matches!(stands, Cell::Lease(..)) {
                    self.note(Event::LeaseTakenOver);
                }
                self.state.cells[E] = Cell::Lease(id, by);
            }
        }
        (id, Ask::Granted)
    }

    /// The broken variant's way: a refresh lease first. Returns whether that is the end.
    pub(super) fn is_refused_ticket(&mut self, task: Task) -> bool {
        if self.loader(task).forced.is_none() {
            return false;
        }
        if self.state.cells[R] == Cell::Nothing {
            let id = self.state.fresh();
            self.state.cells[R] = Cell::Lease(id, NOBODY);
            let loader = self.loader(task);
            (loader.refresh_lease, loader.step) = (id, Step::Asked);
        } else {
            // It takes what there is.
            self.note(Event::RefreshLeaseRefused);
            let reader = usize::from(task.process);
            let found = if let Cell::Value(value) = self.state.cells[E] { value.version } else { self.state.version };
            self.loader(task).ask = Ask::Granted;
            self.over(task);
            self.returns(reader, found);
        }
        true
    }

    pub(super) fn hand_out_forced(&mut self, task: Task, version: u8) {
        for reader in 0..self.state.readers.len() {
            let caller = self.state.readers[reader];
            let is_shared = caller.call == Call::FollowingForced(true);
            if is_shared || caller.call == Call::LeadingForced {
                if is_shared {
                    self.note(Event::SharedByForce);
                }
                let forced = &mut self.loader(task).forced;
                *forced = (*forced).max(Some(caller.since));
                self.returns(reader, version);
            }
        }
    }

    /// The answer to FILL proves nothing here: that the key was not touched does not say when the load began.
    pub(super) fn answer_forced(&mut self, task: Task) {
        if self.variant.has(Flaw::ForcedSharesProof) && self.loader(task).filled == Some(true) {
            let version = self.loader(task).version;
            self.hand_out_forced(task, version);
        }
        self.over(task);
    }

    /// Those who still follow are the next generation.
    pub(super) fn forced_start_over(&mut self) {
        for reader in &mut self.state.readers {
            if matches!(reader.call, Call::FollowingForced(_)) {
                reader.call = Call::Forced;
            }
        }
    }

    /// A forced refresh whose TAKEOVER was answered has ended: from now on no read returns what is older. But if another
    /// one may have taken over since, the old value is served until that one has ended.
    pub(super) fn complete_forced(&mut self, task: Task) {
        let loader = *self.loader(task);
        let Some(since) = loader.forced.filter(|_| loader.ask != Ask::Unasked) else { return };
        self.loader(task).forced = None;
        let took_over = |other: &&mut Loader| other.forced.is_some() && other.ask == Ask::Granted;
        if loader.filled == Some(false) && self.variant.breaks > 0 {
            // Perhaps because of a TAKEOVER that came late, whose call has given up.
            return;
        }
        let mut others = self.state.loaders.iter_mut().flatten().filter(took_over).peekable();
        if loader.filled == Some(false) && others.peek().is_some() {
            self.coverage.note(Event::Superseded);
            others.for_each(|other| other.forced = other.forced.max(Some(since)));
        } else {
            self.state.floor = self.state.floor.max(since);
        }
    }
}
