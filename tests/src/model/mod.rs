//! The protocol as a model whose every run is searched: database, registers, markers, readers, writers, and the faults
//! between them.
//!
//! There is one entry `E` with one tag `T`, and the namespace's register `U`. Every command is one atomic step. A
//! reader may stop for ever at any step, and the entry may expire at any moment. Two properties are searched for:
//!
//! - *fresh*: once a write is complete, no read that starts later returns an older version. After a crash a write is
//!   complete once all the writer's markers are gone.
//! - *linearizable*: besides, no read that starts after another has returned is older than that one.
//!
//! A third property, *once*, is about the number of loads: while no refresh lease runs out, no value is refreshed
//! twice. A fourth one, *ended*: when a refresh finds nothing to store, the old value is gone once the refresh has
//! ended.
//!
//! [`scenarios`] lists what is searched and expected; `MODEL.md` lists what was measured.

mod action;
mod ahead;
mod beside;
mod coverage;
mod failover;
mod fault;
mod forced;
mod load;
pub mod near;
mod read;
mod redis;
mod scenario;
mod set;
mod stall;
mod state;
mod variant;
mod write;

pub use action::{Action, Register, Task};
pub use coverage::{Coverage, Event};
pub use scenario::{Scenario, Size, Verdict, scenario, scenarios};
pub use state::State;
pub use variant::{Flaw, Old, Plan, Tags, Variant, Way};

use stateright::{Checker, Model, Property};
use std::sync::Arc;

/// A property to search for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// No read is older than a write that was complete before it.
    Fresh,
    /// Nor is a read older than what a read before it returned.
    Linearizable,
    /// No two refreshes load over the same value, as long as no refresh lease runs out.
    Once,
    /// A value whose refresh had nothing to store is gone.
    Ended,
}

/// The result of a search.
#[derive(Debug)]
pub struct SearchResult {
    /// A shortest run that breaks the rule.
    pub counterexample: Option<Vec<Action>>,
    /// The number of visited states.
    pub states: usize,
    /// The events on the way.
    pub coverage: Arc<Coverage>,
}

/// Searches all runs of `variant`, shortest first, until one breaks `rule`.
#[must_use]
pub fn search(variant: &Variant, rule: Rule) -> SearchResult {
    let coverage = Arc::new(Coverage::default());
    let protocol = Protocol { variant: *variant, rule, coverage: Arc::clone(&coverage) };
    // One thread: with more, the run that is found is not always a shortest one.
    let checker = protocol.checker().spawn_bfs().join();
    let counterexample = checker.discovery(HOLDS).map(stateright::Path::into_actions);
    SearchResult { counterexample, states: checker.unique_state_count(), coverage }
}

/// A shortest run in which a read returns data that is too old, step by step; empty if there is none.
#[must_use]
pub fn counterexample(variant: &Variant) -> Vec<Action> {
    search(variant, Rule::Fresh).counterexample.unwrap_or_default()
}

/// The steps of a run with the state after each, line by line.
#[must_use]
pub fn narrate(variant: &Variant, rule: Rule, run: &[Action]) -> Vec<String> {
    let protocol = Protocol { variant: *variant, rule, coverage: Arc::default() };
    let mut state = State::new(variant);
    let mut lines = Vec::with_capacity(run.len());
    for action in run {
        state = protocol.next_state(&state, *action).unwrap_or(state);
        lines.push(format!("{:<56}{}", action.to_string(), state.brief()));
    }
    lines
}

/// Whether the model can take all of these steps, one after another.
#[must_use]
pub fn is_possible(variant: &Variant, run: &[Action]) -> bool {
    let protocol = Protocol { variant: *variant, rule: Rule::Fresh, coverage: Arc::default() };
    let mut state = State::new(variant);
    run.iter().all(|action| {
        let mut offered = Vec::new();
        protocol.actions(&state, &mut offered);
        let next = protocol.next_state(&state, *action).filter(|_| offered.contains(action));
        next.map(|next| state = next).is_some()
    })
}

const HOLDS: &str = "holds";

struct Protocol {
    variant: Variant,
    rule: Rule,
    coverage: Arc<Coverage>,
}

/// A state, and the rules that it follows.
struct World<'a> {
    variant: &'a Variant,
    rule: Rule,
    coverage: &'a Coverage,
    state: State,
}

impl World<'_> {
    fn note(&self, event: Event) {
        self.coverage.note(event);
    }
}

impl World<'_> {
    fn number(process: usize) -> u8 {
        u8::try_from(process).unwrap_or(u8::MAX)
    }

    fn take(&mut self, action: Action) {
        if self.is_on_old(action) {
            self.on_old(|world| world.act(action));
        } else {
            self.act(action);
        }
        self.let_grace_end();
        self.look_for_ended();
        self.state.rename();
    }

    fn act(&mut self, action: Action) {
        let of = usize::from;
        match action {
            Action::Get(reader) => self.get(of(reader), false),
            Action::GetAndWait(reader) => self.get_and_wait(of(reader)),
            Action::GetBeside(reader) => self.get_beside(of(reader), false),
            Action::GetBesideAndRefresh(reader) => self.get_beside(of(reader), true),
            Action::GetBesideFirst(reader) => self.get_beside_first(of(reader)),
            Action::GetBase(reader) => self.get_base(of(reader)),
            Action::GetAndRefresh(reader) => self.get(of(reader), true),
            Action::GetStale(reader) => self.get_stale(of(reader)),
            Action::Serve(reader) => self.serve(of(reader)),
            Action::CheckTag(reader) => self.check_tag(of(reader)),
            Action::Force(reader) => self.force(of(reader)),
            Action::Join(reader) => self.join(of(reader)),
            Action::LoadAlone(reader) => self.load_alone(of(reader)),
            Action::Announce(task) => self.announce(task),
            Action::Acquire(task) => self.send_acquire(task),
            Action::Takeover(task) => self.send_takeover(task),
            Action::AcquireAndWait(task) => self.acquire_and_wait(task),
            Action::RefreshLease(task) => self.send_refresh_lease(task),
            Action::Look(task) => self.look(task),
            Action::Tag(task) => self.send_tag(task),
            Action::LookBeside(task) => self.look_beside(task),
            Action::Base(task) => self.read_base(task),
            Action::CheckFound(task) => self.check_found(task),
            Action::GiveUp(task) => self.go_to_load(task, false),
            Action::Select(task) => self.select(task),
            Action::Fail(task) => self.fail(task),
            Action::Land(task) => self.land(task),
            Action::TagsOfValue(task) => self.tags_of_value(task),
            Action::Fill(task) => self.send_fill(task),
            Action::Remove(task) => self.remove(task),
            Action::TagsAgain(task) => self.tags_again(task),
            Action::BaseAgain(task) => self.base_again(task),
            Action::Answer(task) => self.answer(task),
            Action::Begin(writer) => self.send_begin(of(writer)),
            Action::PutTag(writer) => self.put_tag(of(writer)),
            Action::Commit(writer) => self.commit(of(writer)),
            Action::Unlink(writer) => self.send_unlink(of(writer)),
            Action::End(writer) => self.send_end(of(writer)),
            Action::Crash(writer) => self.crash(of(writer)),
            Action::SetTag => self.set_tag(),
            Action::Set => self.send_set(),
            Action::BreakSet => self.break_set(),
            Action::BreakAcquire(task) => self.break_acquire(task),
            Action::BreakTag(task) => self.break_tag(task),
            Action::BreakFill(task) => self.break_fill(task),
            Action::BreakWrite(writer) => self.break_write(writer),
            Action::Late(number) => self.late(of(number)),
            Action::Expire(register, writer) => self.expire(register, of(writer)),
            Action::Evict(register) => self.evict(register),
            Action::Restart => self.restart(),
            Action::TakeOver(reader) => self.take_over(of(reader)),
            Action::Lag => self.lag(),
            Action::Switch => self.switch(),
            Action::Demote => self.demote(),
            Action::Connect(process) => self.connect(process),
            Action::Beat(process) => self.beat(process),
        }
    }
}

impl Protocol {
    fn world(&self, state: &State) -> World<'_> {
        World { variant: &self.variant, rule: self.rule, coverage: &self.coverage, state: state.clone() }
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::new(&self.variant)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if !state.is_over() {
            let world = self.world(state);
            world.offer_reads(actions);
            world.offer_loads(actions);
            world.offer_writes(actions);
            world.offer_sets(actions);
            world.offer_stalls(actions);
            world.route(actions);
            world.offer_faults(actions);
            world.offer_failover(actions);
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut world = self.world(last);
        world.take(action);
        (world.state != *last).then_some(world.state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always(HOLDS, |_, state: &State| !state.broken)]
    }
}
