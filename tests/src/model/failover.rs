//! A second server: a replica that may lag, and that replaces the primary once. What the primary has acknowledged since
//! the replica fell behind is lost, and the old primary may continue to answer.
//!
//! Each process stays connected to the old primary until its connection breaks, a READONLY ends it, or its beat finds
//! out. A new connection first repeats the process's recent removals. The promise: a read that starts after the switch
//! and a beat of every process is fresh. Reads that overlap that time are not judged.

use super::World;
use super::action::{Action, Task};
use super::coverage::Event;
use super::state::{Ask, CELLS, Call, Cell, E, Reader, State, Step, T, U, WriteStep};
use super::variant::{Flaw, Old, READERS, Variant, WRITERS};

/// How far the failover has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
enum Phase {
    /// The replica has all that the primary has.
    #[default]
    InStep,
    /// The replica lacks something.
    Lagging,
    /// There are two primaries.
    Split,
    /// There is one primary again.
    Switched,
}

/// The server that is not the primary: the replica before the switch, the old primary after it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Apart {
    pub(super) cells: [Cell; CELLS],
    markers: [u8; 3],
    phase: Phase,
    /// Processes that are connected to the old primary, as bits.
    on_old: u8,
    /// Processes whose beat has yet to come, as bits.
    unbeaten: u8,
}

impl Apart {
    /// Each reader and each writer is a process.
    pub(super) fn new(variant: &Variant) -> Self {
        let reads = variant.reads.iter().map(|reads| *reads > 0);
        let writes = variant.writers.iter().map(Option::is_some);
        let all = reads.chain(writes).zip(0..).fold(0, |all, (is, process)| all | u8::from(is) << process);
        Self { cells: [Cell::Nothing; CELLS], markers: [0; 3], phase: Phase::InStep, on_old: all, unbeaten: all }
    }

    fn has_switched(&self) -> bool {
        matches!(self.phase, Phase::Split | Phase::Switched)
    }

    fn is_on_old(&self, process: u8) -> bool {
        self.has_switched() && self.on_old & 1 << process != 0
    }
}

/// The effect of a step on a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Read,
    Write,
}

/// The number of the first writer's process.
const FIRST_WRITER: u8 = 3;
const PROCESSES: u8 = 5;
const _: () = assert!(READERS == FIRST_WRITER as usize && READERS + WRITERS == PROCESSES as usize);

impl State {
    /// The oldest version that a read starting now may return; any version until a failover is over.
    pub(super) fn least(&self) -> u8 {
        let is_over = |apart: &Apart| !apart.has_switched() || apart.phase == Phase::Switched && apart.unbeaten == 0;
        if self.apart.as_deref().is_none_or(is_over) { self.floor } else { 0 }
    }

    fn swap(&mut self) {
        if let Some(apart) = &mut self.apart {
            std::mem::swap(&mut self.cells, &mut apart.cells);
            std::mem::swap(&mut self.markers, &mut apart.markers);
        }
    }
}

impl World<'_> {
    /// The process that takes a step on a server, and what the step does there.
    fn command(&self, action: Action) -> Option<(u8, Command)> {
        match action {
            Action::Get(reader)
            | Action::GetAndRefresh(reader)
            | Action::GetAndWait(reader)
            | Action::GetBeside(reader)
            | Action::GetBesideAndRefresh(reader)
            | Action::GetBesideFirst(reader)
            | Action::GetBase(reader)
            | Action::CheckTag(reader) => Some((reader, Command::Read)),
            Action::AcquireAndWait(task) | Action::LookBeside(task) | Action::Base(task) | Action::CheckFound(task) => {
                Some((task.process, Command::Read))
            }
            // TAG of an existing register only reads.
            Action::Tag(task) => {
                let register = self.tag_before_load().unwrap_or(T);
                let apart = self.state.apart.as_deref()?;
                let reads = matches!(apart.cells[register], Cell::Stamp(_)) && apart.markers[register] == 0;
                Some((task.process, if reads { Command::Read } else { Command::Write }))
            }
            Action::Acquire(task) | Action::TagsOfValue(task) | Action::Fill(task) => {
                Some((task.process, Command::Write))
            }
            Action::Begin(writer) | Action::PutTag(writer) | Action::Unlink(writer) | Action::End(writer) => {
                Some((FIRST_WRITER + writer, Command::Write))
            }
            _ => None,
        }
    }

    /// Replaces steps that the old primary does not take by those that follow its refusal or its end.
    pub(super) fn route(&self, actions: &mut [Action]) {
        let Some(apart) = self.state.apart.as_deref().filter(|apart| apart.has_switched()) else { return };
        for action in actions {
            let Some((process, command)) = self.command(*action).filter(|(process, _)| apart.is_on_old(*process))
            else {
                continue;
            };
            let is_gone = self.variant.failover == Some(Old::Gone);
            if is_gone || apart.phase == Phase::Switched && command == Command::Write {
                *action = Action::Connect(process);
            }
        }
    }

    pub(super) fn offer_failover(&self, actions: &mut Vec<Action>) {
        let Some(apart) = self.state.apart.as_deref() else { return };
        let each = |bits: u8| (0..PROCESSES).filter(move |process| bits & 1 << process != 0);
        match apart.phase {
            Phase::InStep => actions.push(Action::Lag),
            Phase::Lagging => actions.push(Action::Switch),
            Phase::Split => {
                actions.push(Action::Demote);
                // Connections break, and new ones lead to the new primary.
                actions.extend(each(apart.on_old).map(Action::Connect));
            }
            Phase::Switched => actions.extend(each(apart.unbeaten).map(Action::Beat)),
        }
    }

    /// Whether the step is taken on the old primary.
    pub(super) fn is_on_old(&self, action: Action) -> bool {
        let Some(apart) = self.state.apart.as_deref() else { return false };
        self.command(action).is_some_and(|(process, _)| apart.is_on_old(process))
    }

    /// Takes a step on the old primary.
    pub(super) fn on_old(&mut self, step: impl FnOnce(&mut Self)) {
        self.state.swap();
        let before = self.state.readers.map(|reader| reader.left);
        step(self);
        let is_hit = |(reader, before): (&Reader, u8)| reader.left < before && reader.call == Call::Idle;
        if self.state.readers.iter().zip(before).any(is_hit) {
            self.note(Event::OldHit);
        }
        self.state.swap();
    }

    pub(super) fn lag(&mut self) {
        let (cells, markers) = (self.state.cells, self.state.markers);
        if let Some(apart) = &mut self.state.apart {
            (apart.cells, apart.markers, apart.phase) = (cells, markers, Phase::Lagging);
        }
    }

    pub(super) fn switch(&mut self) {
        let is_split = self.variant.failover == Some(Old::Split);
        let Some(apart) = &mut self.state.apart else { return };
        apart.phase = if is_split { Phase::Split } else { Phase::Switched };
        let has_lost = apart.cells != self.state.cells || apart.markers != self.state.markers;
        self.state.swap();
        // Reads under way are not judged.
        self.state.readers.iter_mut().for_each(|reader| reader.floor = 0);
        if has_lost {
            self.note(Event::Lost);
        }
    }

    pub(super) fn demote(&mut self) {
        if let Some(apart) = &mut self.state.apart {
            apart.phase = Phase::Switched;
        }
    }

    pub(super) fn connect(&mut self, process: u8) {
        let Some(apart) = &mut self.state.apart else { return };
        apart.on_old &= !(1 << process);
        if apart.phase == Phase::Switched && self.variant.failover != Some(Old::Gone) {
            self.note(Event::ReadOnly);
            self.keep_refused(process);
        }
        self.remove_again(process);
    }

    pub(super) fn beat(&mut self, process: u8) {
        let is_gone = self.variant.failover == Some(Old::Gone);
        let sees = !self.variant.has(Flaw::NoBeat) && (is_gone || !self.variant.has(Flaw::NoRole));
        let Some(apart) = &mut self.state.apart else { return };
        apart.unbeaten &= !(1 << process);
        if sees && apart.is_on_old(process) {
            apart.on_old &= !(1 << process);
            self.remove_again(process);
        }
    }

    /// A refused command was not carried out. So ACQUIRE is sent again with the same id, and BEGIN with the same token.
    fn keep_refused(&mut self, process: u8) {
        if process < FIRST_WRITER {
            let task = Task { process, refresh: false };
            if self.loader(task).step == Step::Asked && self.loader(task).ask == Ask::Unasked {
                let id = self.id_for(task, 0);
                self.loader(task).sent[0] = id;
            }
        }
    }

    /// Removes what the process had sent to be removed before it connects.
    fn remove_again(&mut self, process: u8) {
        let Some(writer) = process.checked_sub(FIRST_WRITER).map(usize::from) else { return };
        let Some(plan) = self.variant.writers[writer].filter(|_| !self.variant.has(Flaw::NoReplay)) else { return };
        let has_removed = match self.state.writers[writer].step {
            WriteStep::Nothing => false,
            WriteStep::Begun | WriteStep::Committed => plan.is_bracket(),
            WriteStep::Half | WriteStep::Done => true,
        };
        let (deleted, _) = self.variant.touched(plan);
        if has_removed {
            if (E..=U).any(|register| deleted[register] && self.state.cells[register] != Cell::Nothing) {
                self.note(Event::RemovedAgain);
            }
            self.unlink(writer);
        }
    }
}
