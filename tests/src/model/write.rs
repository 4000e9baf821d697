//! The steps of writers, and when a write is complete.

use super::World;
use super::action::Action;
use super::state::{Cell, E, Mark, S, T, WriteStep};
use super::variant::{Flaw, Plan, Tags, WRITERS, Way};

impl World<'_> {
    pub(super) fn offer_writes(&self, actions: &mut Vec<Action>) {
        for (index, number) in (0..WRITERS).zip(0_u8..) {
            let (Some(plan), writer) = (self.variant.writers[index], self.state.writers[index]) else { continue };
            if self.may_commit(index, plan) {
                actions.push(Action::Commit(number));
            }
            if writer.crashed {
                continue;
            }
            match (writer.step, plan.way) {
                (WriteStep::Nothing, Way::Bracket | Way::Put) => actions.push(Action::Begin(number)),
                (WriteStep::Begun, Way::Bracket | Way::Put) => {
                    if self.variant.begins_again && !writer.again {
                        actions.push(Action::Begin(number));
                    }
                    if self.awaits_tag(index, plan) {
                        actions.push(Action::PutTag(number));
                    }
                }
                (WriteStep::Committed, Way::Bracket | Way::Put) => actions.push(Action::End(number)),
                (WriteStep::Nothing, Way::DoubleDelete) | (WriteStep::Committed | WriteStep::Half, _) => {
                    actions.push(Action::Unlink(number));
                }
                _ => {}
            }
            if writer.step != WriteStep::Done && (writer.step != WriteStep::Nothing || plan.is_bracket()) {
                actions.extend((self.state.left.breaks > 0).then_some(Action::BreakWrite(number)));
            }
            let is_at_work = matches!(writer.step, WriteStep::Begun | WriteStep::Committed | WriteStep::Half);
            actions.extend((self.variant.crashes[index] && is_at_work).then_some(Action::Crash(number)));
        }
    }

    fn may_commit(&self, writer: usize, plan: Plan) -> bool {
        let this = self.state.writers[writer];
        match (this.step, plan.way) {
            (WriteStep::Nothing, Way::Plain | Way::Silent) | (WriteStep::Begun, Way::DoubleDelete) => true,
            (WriteStep::Begun, Way::Bracket | Way::Put) => {
                let in_time = !this.lapsed || self.variant.late_commits;
                in_time && (this.crashed || !self.awaits_tag(writer, plan))
            }
            _ => false,
        }
    }

    /// Whether the value that the writer puts still needs the tag's stamp.
    fn awaits_tag(&self, writer: usize, plan: Plan) -> bool {
        let is_needed = plan.way == Way::Put && plan.entry && !plan.tag && self.variant.tags != Tags::None;
        is_needed && self.state.writers[writer].tag == Mark::Unread
    }

    pub(super) fn send_begin(&mut self, writer: usize) {
        let this = &mut self.state.writers[writer];
        this.again = this.step == WriteStep::Begun;
        this.lapsed = false;
        this.step = WriteStep::Begun;
        self.begin(writer, true);
    }

    pub(super) fn put_tag(&mut self, writer: usize) {
        let id = self.state.fresh();
        self.state.writers[writer].tag = self.tag(T, id);
    }

    pub(super) fn commit(&mut self, writer: usize) {
        self.state.version += 1;
        let version = self.state.version;
        let this = &mut self.state.writers[writer];
        this.version = version;
        let is_silent = self.variant.writers[writer].is_some_and(|plan| plan.way == Way::Silent);
        this.step = if is_silent { WriteStep::Done } else { WriteStep::Committed };
        let is_bracket = self.variant.writers[writer].is_some_and(Plan::is_bracket);
        if is_bracket && self.variant.complete_at_commit {
            self.state.floor = self.state.floor.max(version);
        }
    }

    pub(super) fn send_unlink(&mut self, writer: usize) {
        let next = match (self.state.writers[writer].step, self.variant.flaw) {
            (WriteStep::Nothing, _) => {
                self.unlink(writer);
                WriteStep::Begun
            }
            (WriteStep::Committed, Flaw::LeaseThenValue) => {
                self.state.cells[S] = Cell::Nothing;
                WriteStep::Half
            }
            (WriteStep::Committed, Flaw::ValueThenLease) => {
                self.state.cells[E] = Cell::Nothing;
                WriteStep::Half
            }
            (WriteStep::Half, Flaw::ValueThenLease) => {
                self.state.cells[S] = Cell::Nothing;
                WriteStep::Done
            }
            _ => {
                self.unlink(writer);
                WriteStep::Done
            }
        };
        self.state.writers[writer].step = next;
        if next == WriteStep::Done {
            self.complete(writer);
        }
    }

    pub(super) fn send_end(&mut self, writer: usize) {
        self.end(writer);
        self.complete(writer);
    }

    pub(super) fn crash(&mut self, writer: usize) {
        self.state.writers[writer].crashed = true;
    }

    fn complete(&mut self, writer: usize) {
        let this = &mut self.state.writers[writer];
        this.step = WriteStep::Done;
        self.state.floor = self.state.floor.max(this.version);
    }

    /// The write of a crashed writer is complete once all its markers are gone.
    pub(super) fn let_grace_end(&mut self) {
        for writer in 0..WRITERS {
            let this = self.state.writers[writer];
            let is_marked = self.state.markers.iter().any(|markers| markers & (1 << writer) != 0);
            if !this.crashed || is_marked {
                continue;
            }
            match this.step {
                WriteStep::Committed | WriteStep::Half => self.complete(writer),
                // Too late: the database does not let it commit any more.
                WriteStep::Begun if this.lapsed && !self.variant.late_commits => {
                    self.state.writers[writer].step = WriteStep::Done;
                }
                _ => {}
            }
        }
    }
}
