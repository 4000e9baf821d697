//! Faults: expiry, eviction, restarts, and commands that are carried out late.

use super::action::{Action, Register, Task};
use super::coverage::Event;
use super::state::{B, CELLS, Cell, E, LateCommand, R, S, T, U, WriteStep};
use super::variant::{Flaw, Plan, WRITERS};
use super::{Rule, World};

const REGISTERS: [(Register, usize); CELLS] = [
    (Register::Entry, E),
    (Register::Tag, T),
    (Register::Namespace, U),
    (Register::Lock, S),
    (Register::RefreshLease, R),
    (Register::Beside(0), B),
    (Register::Beside(1), B + 1),
];

fn index(register: Register) -> usize {
    match register {
        Register::Entry => E,
        Register::Tag => T,
        Register::Namespace => U,
        Register::Lock => S,
        Register::RefreshLease => R,
        Register::Beside(build) => B + usize::from(build),
    }
}

impl World<'_> {
    pub(super) fn offer_faults(&self, actions: &mut Vec<Action>) {
        for (register, index) in REGISTERS {
            let is_tag = index == T || index == U;
            let may_go = (!is_tag || self.state.left.tag_evictions > 0) && (index != R || self.rule != Rule::Once);
            if self.state.cells[index] != Cell::Nothing && may_go {
                actions.push(Action::Evict(register));
            }
        }
        for (register, index) in &REGISTERS[..=U] {
            for (writer, number) in (0..WRITERS).zip(0_u8..) {
                if self.state.markers[*index] & (1 << writer) != 0 && self.may_expire(writer) {
                    actions.push(Action::Expire(*register, number));
                }
            }
        }
        if self.state.left.restarts > 0 {
            actions.push(Action::Restart);
        }
        for (copied, number) in self.state.late.iter().zip(0_u8..) {
            actions.extend(copied.map(|_| Action::Late(number)));
        }
    }

    /// Before the commit, the end of a marker matters only if the writer can continue after it, or has crashed.
    fn may_expire(&self, writer: usize) -> bool {
        let this = self.state.writers[writer];
        let begins_again = self.variant.begins_again && !this.again;
        this.step != WriteStep::Begun || this.crashed || begins_again || self.variant.late_commits
    }

    pub(super) fn expire(&mut self, register: Register, writer: usize) {
        self.state.markers[index(register)] &= !(1 << writer);
        let this = &mut self.state.writers[writer];
        this.lapsed |= this.step == WriteStep::Begun;
    }

    pub(super) fn evict(&mut self, register: Register) {
        let index = index(register);
        self.state.cells[index] = Cell::Nothing;
        if index == T || index == U {
            self.state.left.tag_evictions -= 1;
        }
    }

    pub(super) fn restart(&mut self) {
        self.state.cells = [Cell::Nothing; CELLS];
        self.state.markers = [0; 3];
        self.state.left.restarts -= 1;
    }

    pub(super) fn keep(&mut self, copied: LateCommand) {
        self.state.left.breaks -= 1;
        let number = self.variant.breaks - 1 - self.state.left.breaks;
        self.state.late[usize::from(number)] = Some(copied);
    }

    pub(super) fn break_acquire(&mut self, task: Task) {
        let id = self.lost_id(task, 0);
        let (over, forced) = (self.loader(task).over, self.loader(task).forced);
        self.keep(match forced {
            Some(_) => LateCommand::Takeover(id, self.build(task)),
            None => LateCommand::Acquire(self.register(task), id, over, self.purpose(task)),
        });
    }

    pub(super) fn break_tag(&mut self, task: Task) {
        let id = self.lost_id(task, 1);
        let register = if self.tag_before_load() == Some(U) { 2 } else { 1 };
        self.keep(LateCommand::Tag(register, id));
    }

    pub(super) fn break_fill(&mut self, task: Task) {
        let loader = *self.loader(task);
        self.keep(LateCommand::Fill(self.register(task), loader.head, loader.value(self.build(task))));
    }

    pub(super) fn break_write(&mut self, writer: u8) {
        let index = usize::from(writer);
        let is_bracket = self.variant.writers[index].is_some_and(Plan::is_bracket);
        self.keep(match self.state.writers[index].step {
            WriteStep::Nothing | WriteStep::Begun if is_bracket => LateCommand::Begin(writer),
            _ if is_bracket => LateCommand::End(writer),
            _ => LateCommand::Unlink(writer),
        });
    }

    pub(super) fn late(&mut self, number: usize) {
        let Some(copied) = self.state.late[number].take() else { return };
        self.note(Event::Late);
        match copied {
            LateCommand::Acquire(register, id, over, by) => {
                self.acquire(usize::from(register), (id, by), 0, over);
            }
            LateCommand::Tag(register, id) => {
                self.tag(usize::from(register), id);
            }
            LateCommand::Takeover(id, by) => {
                self.takeover(id, by);
            }
            LateCommand::Fill(register, head, value) => {
                self.fill(usize::from(register), head, value, head != value.stamp);
            }
            LateCommand::Begin(writer) => self.begin(usize::from(writer), self.variant.has(Flaw::TokenAgain)),
            LateCommand::Set(value) => self.set(value),
            LateCommand::Unlink(writer) => self.unlink(usize::from(writer)),
            LateCommand::End(writer) => self.end(usize::from(writer)),
        }
    }
}
