//! The near cache as a model of its own: one entry with one tag in the store, the server's table of who has read what,
//! the connection on which answers and announcements come, and one process that keeps a copy.
//!
//! The store is always right: that is the subject of the other model. Here a copy is *stale* once one of its registers
//! has changed. Three properties are searched for, of every copy that a call would get:
//!
//! - *told*: if it is stale, the announcement is under way, or contact is confirmed only up to a moment before the
//!   change, so the copy ends with the heartbeat;
//! - *bounded*: if it is stale, contact is confirmed only up to a moment before the change, so the copy ends with the
//!   heartbeat, whatever happens to the announcement;
//! - *own*: it is not older than a write of this process that has returned.
//!
//! A fourth property, *nested*, is about another entry in the store. This process loads it, and the load calls for the
//! copied value. While that other entry is valid, it was made of what was current when its load began.
//!
//! Time is not modelled: "confirmed up to a change" stands for "confirmed up to its time". [`life`] is about time.

mod action;
pub mod life;
mod scenario;
mod state;
mod step;
mod variant;

pub use action::{Action, Register};
pub use scenario::{Scenario, scenario, scenarios};
pub use variant::{Flaw, Order, Tag, Variant};

use state::{Outer, Own, State};
use stateright::{Checker, Model, Property};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A property to search for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The announcement that makes a copy stale is under way, or the copy ends with the heartbeat.
    Told,
    /// A stale copy ends with the heartbeat.
    Bounded,
    /// A write of this process is seen at once by this process.
    Own,
    /// No stale copy gets into another entry.
    Nested,
}

/// Something that must happen somewhere in a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A value was kept.
    Kept,
    /// A value was not kept, because something had changed meanwhile.
    Overtaken,
    /// A copy was dropped, because its register had changed.
    Dropped,
    /// A copy was dropped, because contact had been lost.
    Gap,
    /// Contact was confirmed.
    Confirmed,
    /// A call would get a stale copy.
    Stale,
    /// A load called while there was a stale copy that would be served.
    CalledBesideStale,
}

/// The result of a search.
#[derive(Debug)]
pub struct SearchResult {
    /// A shortest run that breaks the rule.
    pub counterexample: Option<Vec<Action>>,
    /// The number of visited states.
    pub states: usize,
    happened: Arc<Happened>,
}

type Happened = [AtomicBool; 7];

impl SearchResult {
    /// Whether the event happened in some run.
    #[must_use]
    pub fn happened(&self, event: Event) -> bool {
        self.happened[event as usize].load(Ordering::Relaxed)
    }
}

/// Searches all runs of `variant`, shortest first, until one breaks `rule`.
#[must_use]
pub fn search(variant: &Variant, rule: Rule) -> SearchResult {
    let happened = Arc::new(Happened::default());
    let near = NearCache { variant: *variant, rule, happened: Arc::clone(&happened) };
    let checker = near.checker().spawn_bfs().join();
    let counterexample = checker.discovery(HOLDS).map(stateright::Path::into_actions);
    SearchResult { counterexample, states: checker.unique_state_count(), happened }
}

/// The steps of a run with the state after each, line by line.
#[must_use]
pub fn narrate(variant: &Variant, run: &[Action]) -> Vec<String> {
    let near = NearCache { variant: *variant, rule: Rule::Told, happened: Arc::default() };
    let mut state = State::new(variant);
    let mut lines = Vec::with_capacity(run.len());
    for action in run {
        state = near.next_state(&state, *action).unwrap_or(state);
        lines.push(format!("{:<56}{}", action.to_string(), state.brief(variant)));
    }
    lines
}

const HOLDS: &str = "holds";

struct NearCache {
    variant: Variant,
    rule: Rule,
    happened: Arc<Happened>,
}

/// A state, and the rules that it follows.
struct World<'a> {
    variant: &'a Variant,
    happened: &'a Happened,
    state: State,
}

impl World<'_> {
    fn note(&self, event: Event) {
        self.happened[event as usize].store(true, Ordering::Relaxed);
    }

    fn take(&mut self, action: Action) {
        match action {
            Action::Reserve(read) => self.reserve(read),
            Action::Get(read) => self.get(read),
            Action::ReserveTag(read) => self.reserve_tag(read),
            Action::GetTag(read) => self.get_tag(read),
            Action::Change(register) => {
                self.state.left -= 1;
                self.change(if register == Register::Entry { 1 << state::E } else { 1 << state::T });
            }
            Action::Flush => {
                self.state.flushes -= 1;
                self.change(state::ALL);
            }
            Action::Deal(connection, at) => self.deal(connection, at),
            Action::OwnFill => self.own_fill(),
            Action::OwnSend => self.own_send(),
            Action::OwnWrite => self.own_write(),
            Action::OwnReturn => self.own_return(),
            Action::OuterBegin => self.state.outer = Outer::Begun(self.state.changes),
            Action::OuterCall => self.outer_call(),
            Action::OuterFill => self.outer_fill(),
            Action::Ping => self.send_ping(),
            Action::Pong => self.pong(),
            Action::Break(left) => self.break_first(left),
            Action::GiveUp => self.give_up(),
            Action::Connect => self.connect(),
            Action::Track => self.state.connections[1].tracks = true,
            Action::Regain => self.regain(),
        }
    }
}

impl NearCache {
    fn world(&self, state: &State) -> World<'_> {
        World { variant: &self.variant, happened: &self.happened, state: state.clone() }
    }

    fn holds(&self, state: &State) -> bool {
        let copy = state.served(&self.variant);
        let stale = copy.and_then(|copy| Some((copy, state.missed(&self.variant, copy)?)));
        if stale.is_some() {
            self.world(state).note(Event::Stale);
        }
        if self.rule == Rule::Nested {
            return !state.outer_is_old();
        }
        let Some((copy, (first, registers))) = stale else { return true };
        let ends = state.confirmed.is_some_and(|up_to| up_to < first);
        match self.rule {
            Rule::Told => ends || state.is_told(registers),
            Rule::Bounded => ends,
            Rule::Own => !matches!(state.own, Own::Returned(change) if copy.at[state::E] < change),
            Rule::Nested => true,
        }
    }
}

impl Model for NearCache {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::new(&self.variant)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.world(state).offer(actions);
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut world = self.world(last);
        world.take(action);
        (world.state != *last).then_some(world.state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always(HOLDS, |near: &Self, state: &State| near.holds(state))]
    }
}
