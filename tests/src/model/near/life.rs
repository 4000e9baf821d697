//! How long a copy may live. The store says how long its value will live, and this process counts from some moment.
//!
//! One value lives for three ticks, or is replaced by another that lives for one. Two commands read it, and anything
//! may happen between them. The server does not announce a value whose time is over, because it may not have noticed.

use stateright::{Checker, Model, Property};
use std::fmt;

const TICKS: u8 = 4;

/// How the value's remaining life is found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variant {
    /// PTTL goes before GET, not after it.
    pub pttl_first: bool,
    /// The server also announces the next change after a PTTL.
    pub pttl_is_watched: bool,
    /// Life is counted from the handling of the answer, not from the sending of the commands.
    pub from_answer: bool,
}

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Time passes.
    Tick,
    /// Another process replaces the value by one with a short life.
    Replace,
    /// A read reserves, and is sent.
    Send,
    /// GET.
    Get,
    /// PTTL.
    Pttl,
    /// The answers are handled.
    Deal,
    /// The announcement of a change is handled.
    Hear,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tick => "a tick",
            Self::Replace => "another process: the value is replaced by one that lives for a tick",
            Self::Send => "a read reserves and is sent",
            Self::Get => "GET",
            Self::Pttl => "PTTL",
            Self::Deal => "the answers are dealt with",
            Self::Hear => "the news are dealt with",
        })
    }
}

/// Searches all runs, shortest first, for one in which a copy outlives the value that it was read from, with no
/// announcement under way. Also returns the number of states.
#[must_use]
pub fn search(variant: Variant) -> (Option<Vec<Action>>, usize) {
    let checker = variant.checker().spawn_bfs().join();
    (checker.discovery(HOLDS).map(stateright::Path::into_actions), checker.unique_state_count())
}

const HOLDS: &str = "holds";

/// The result of GET.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
enum Found {
    #[default]
    Unread,
    Nothing,
    /// A value, and when its life ends.
    Value(u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Read {
    sent: Option<u8>,
    mark: u8,
    found: Found,
    life: Option<u8>,
    is_done: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct NearCopy {
    ends: u8,
    until: u8,
    mark: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[doc(hidden)]
pub struct State {
    now: u8,
    /// When the value's life ends.
    ends: u8,
    is_replaced: bool,
    is_watched: bool,
    news: u8,
    mark: u8,
    read: Read,
    copy: Option<NearCopy>,
}

impl State {
    /// Whether a copy is served that has outlived its value, and nothing but its own time will end it.
    fn outlives(&self) -> bool {
        let served = self.copy.filter(|copy| copy.mark == self.mark && self.now < copy.until);
        served.is_some_and(|copy| self.now >= copy.ends) && self.news == 0
    }

    fn deal(&mut self, from_answer: bool) {
        let Read { sent, mark, found, life, .. } = self.read;
        self.read.is_done = true;
        let (Some(sent), Found::Value(ends), Some(life)) = (sent, found, life) else { return };
        let from = if from_answer { self.now } else { sent };
        if mark == self.mark {
            self.copy = Some(NearCopy { ends, until: from + life, mark });
        }
    }
}

impl Model for Variant {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let read = Read::default();
        vec![State { now: 0, ends: 3, is_replaced: false, is_watched: false, news: 0, mark: 0, read, copy: None }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let Read { sent, found, life, is_done, .. } = state.read;
        let is_read = found != Found::Unread;
        let (may_get, may_ask) = if self.pttl_first { (life.is_some(), true) } else { (true, is_read) };
        let is_sent = sent.is_some() && !is_done;
        let mut offer = |condition: bool, action: Action| actions.extend(condition.then_some(action));
        offer(state.now < TICKS, Action::Tick);
        offer(!state.is_replaced, Action::Replace);
        offer(sent.is_none(), Action::Send);
        offer(is_sent && !is_read && may_get, Action::Get);
        offer(is_sent && life.is_none() && may_ask, Action::Pttl);
        offer(is_sent && is_read && life.is_some(), Action::Deal);
        offer(state.news > 0, Action::Hear);
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = *last;
        match action {
            Action::Tick => state.now += 1,
            Action::Replace => {
                state.ends = state.now + 1;
                state.is_replaced = true;
                state.news += u8::from(std::mem::take(&mut state.is_watched));
            }
            Action::Send => (state.read.sent, state.read.mark) = (Some(state.now), state.mark),
            Action::Get => {
                let lives = state.now < state.ends;
                state.read.found = if lives { Found::Value(state.ends) } else { Found::Nothing };
                state.is_watched = true;
            }
            Action::Pttl => {
                state.read.life = Some(state.ends.saturating_sub(state.now));
                state.is_watched |= self.pttl_is_watched;
            }
            Action::Deal => state.deal(self.from_answer),
            Action::Hear => {
                state.news -= 1;
                state.mark += 1;
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always(HOLDS, |_, state: &State| !state.outlives())]
    }
}
