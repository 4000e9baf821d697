//! The possible results of a call.
//!
//! For each row the oracle knows which state is stored, and between which times that value ends. All it says is a
//! bound: a value is never served after its end and never loaded before it, and a call that finds none loads. Where it
//! cannot know (a write during a load, jitter), both results are right.

use super::source::{Failure, Load, Returned, Row, Source};
use super::spec::{Absence, Spec};
use std::time::Duration;

/// A load that takes more than this many times as long as the one before may find that the value which it refreshes is
/// gone.
const GRACE: u32 = 4;
/// An event with a smaller probability does not happen.
const NEVER: f64 = 1e-9;

/// Concurrent calls for one row.
#[derive(Debug)]
pub(crate) struct Calls {
    pub(crate) began: Duration,
    pub(crate) ended: Duration,
    /// When all loads and stores had ended.
    pub(crate) settled: Duration,
    pub(crate) returned: Vec<Returned>,
    /// Called one after the other, the second before the first value was stored; not concurrently.
    pub(crate) in_turn: bool,
    /// Another row of the same batch has failed.
    pub(crate) fails_with_another: bool,
}

/// The stored state of a row.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Stored {
    #[default]
    Nothing,
    /// Any valid value, or nothing; nothing from this time on.
    Unknown(Duration),
    Value(Value),
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Value {
    state: usize,
    /// The earliest and the latest time at which it ends.
    end: (Duration, Duration),
    /// The longest time that its load may have taken, as it is stored.
    load_time: Duration,
    /// The least time that it stays for loads that have begun in time.
    grace: Duration,
    /// After a failed load, nobody loads before the first of these, and somebody does after the second.
    left_alone: (Duration, Duration),
}

/// The results of one row's calls.
#[derive(Debug, Default)]
pub(crate) struct Oracle {
    stored: Stored,
    /// Loads judged so far.
    judged: usize,
    /// Values that were refreshed ahead of their end, and the largest expected number of them.
    pub(crate) early: (u32, f64),
    pub(crate) served_stale: u32,
    pub(crate) hits: u32,
}

/// The measure of times in one run, and its settings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    pub(crate) slack: Duration,
    pub(crate) cooldown: Duration,
    /// On a real server a task begins when it can, and the value that it is to refresh may be gone by then.
    pub(crate) is_real: bool,
}

impl Value {
    fn is_fresh_at(&self, time: Duration, slack: Duration) -> bool {
        time + slack < self.end.0
    }

    fn is_gone_at(&self, time: Duration, window: Duration) -> bool {
        time >= self.end.1 + window
    }
}

/// A caller that got a new value does not get an older one afterwards, unless the new one must not be stored.
fn judge_order(spec: &Spec, calls: &Calls) -> Result<(), String> {
    match &*calls.returned {
        [Ok(Some(first)), Ok(Some(second))] if calls.in_turn && second.version < first.version => {
            let is_stored = spec.ttl(Some(first)).is_some();
            if is_stored { Err("the old value after the new one".to_owned()) } else { Ok(()) }
        }
        _ => Ok(()),
    }
}

impl Oracle {
    /// The row was invalidated.
    pub(crate) fn invalidated(&mut self, source: &Source) {
        let is_valid = match self.stored {
            Stored::Nothing => false,
            Stored::Unknown(_) => (0..source.states.len() - 1).any(|state| source.is_valid(state)),
            Stored::Value(value) => source.is_valid(value.state),
        };
        if !is_valid {
            self.stored = Stored::Nothing;
        }
    }

    /// A write and a load have met: if anything is stored, it is valid.
    pub(crate) fn met(&mut self, spec: &Spec, now: Duration) {
        self.stored = Stored::Unknown(spec.gone_from(now));
    }

    /// Judges calls; `Err` says what was wrong.
    pub(crate) fn judge(&mut self, spec: &Spec, source: &Source, calls: &Calls, terms: Terms) -> Result<(), String> {
        if let Stored::Unknown(until) = self.stored
            && until <= calls.began
        {
            self.stored = Stored::Nothing;
        }
        let loads = &source.loads[self.judged..];
        self.judged = source.loads.len();
        let of_stored = match self.stored {
            Stored::Value(value) => spec.for_stored(source.states[value.state].as_ref()),
            Stored::Nothing | Stored::Unknown(_) => spec.clone(),
        };
        self.judge_loads(&of_stored, source, loads, calls, terms)?;
        for returned in &calls.returned {
            match returned {
                Ok(row) => self.judge_value(&of_stored, source, loads, calls, row.as_ref(), terms)?,
                Err(Failure::Gone) if spec.absence == Absence::Error => {
                    self.judge_value(&of_stored, source, loads, calls, None, terms)?;
                }
                Err(_) => self.judge_failure(&of_stored, loads, calls, terms)?,
            }
        }
        self.judge_refreshed(&of_stored, source, loads, calls)?;
        judge_order(spec, calls)?;
        self.learn(spec, &of_stored, source, loads, calls, terms);
        Ok(())
    }

    fn judge_loads(
        &mut self,
        spec: &Spec,
        source: &Source,
        loads: &[Load],
        calls: &Calls,
        terms: Terms,
    ) -> Result<(), String> {
        let is_stored = |load: &Load| spec.ttl(source.states[load.state].as_ref()).is_some();
        let most = if calls.in_turn || loads.iter().any(|load| load.failed) {
            calls.returned.len()
        } else if loads.iter().all(is_stored) && !loads.iter().any(|load| self.may_have_ended_during(load, spec, terms))
        {
            1
        } else {
            // Nothing proves to a late call that an unstored value is still current, so late calls share another load.
            calls.returned.len().min(2)
        };
        // On a real server a task of earlier calls may begin only now.
        let own = loads.iter().filter(|load| load.began >= calls.began).count();
        if own > most || loads.len() > own + 1 {
            return Err(format!("{} loads by {} calls at once", loads.len(), calls.returned.len()));
        }
        let value = match self.stored {
            Stored::Nothing if loads.is_empty() => return Err("a value out of nothing".to_owned()),
            Stored::Nothing | Stored::Unknown(_) => return Ok(()),
            Stored::Value(value) => value,
        };
        if value.is_fresh_at(calls.began, terms.slack) {
            self.hits += u32::from(loads.is_empty());
            if let Some(beta) = spec.ahead {
                let left = value.end.0.saturating_sub(calls.began + terms.slack);
                let chance = (-left.as_secs_f64() / (value.load_time.as_secs_f64() * beta)).exp();
                self.early.1 += chance * calls.returned.len() as f64;
            }
        }
        for load in loads {
            if value.is_fresh_at(load.began, terms.slack) {
                let left = value.end.0.saturating_sub(load.began + terms.slack);
                let chance =
                    spec.ahead.map_or(0.0, |beta| (-left.as_secs_f64() / (value.load_time.as_secs_f64() * beta)).exp());
                if chance < NEVER {
                    return Err(format!("a load {left:?} before the end (chance {chance:e})"));
                }
                self.early.0 += 1;
            }
            let is_there = load.began + terms.slack < value.end.0 + spec.window();
            if is_there && load.began + terms.slack < value.left_alone.0 {
                return Err("a load though another has failed a moment ago".to_owned());
            }
        }
        if loads.is_empty() {
            if value.is_gone_at(calls.began, spec.window()) {
                return Err("a value past all of its time".to_owned());
            }
            let is_over = value.end.1 <= calls.began && calls.ended + terms.slack < value.end.0 + spec.window();
            let may_be_late = terms.is_real && spec.in_background;
            if is_over && value.left_alone.1 <= calls.began && !may_be_late {
                return Err("nobody refreshes the value".to_owned());
            }
        }
        Ok(())
    }

    fn judge_value(
        &mut self,
        spec: &Spec,
        source: &Source,
        loads: &[Load],
        calls: &Calls,
        row: Option<&Row>,
        terms: Terms,
    ) -> Result<(), String> {
        let same: Vec<usize> = (0..source.states.len()).filter(|state| source.states[*state].as_ref() == row).collect();
        let is_loaded = |state: &usize| loads.iter().any(|load| load.state == *state && !load.failed);
        if same.iter().any(is_loaded) {
            return Ok(());
        }
        let Some(state) = same.iter().copied().rfind(|state| source.is_valid(*state)) else {
            return Err("a value that was invalidated".to_owned());
        };
        let (has_failed, is_slow) = (
            loads.iter().any(|load| load.failed),
            spec.load_timeout.is_some_and(|timeout| calls.ended + terms.slack >= calls.began + timeout),
        );
        match self.stored {
            Stored::Nothing => Err("a value that is not stored".to_owned()),
            Stored::Unknown(_) => Ok(()),
            Stored::Value(value) => {
                if !same.contains(&value.state) {
                    return Err(format!("state {state}, though state {} has taken its place", value.state));
                }
                let is_left_alone = calls.began < value.left_alone.1;
                let window = if has_failed || is_slow || is_left_alone { spec.window() } else { spec.revalidate };
                if value.is_gone_at(calls.began, window) {
                    return Err(format!("a value past its end, by {:?}", calls.began.saturating_sub(value.end.1)));
                }
                self.served_stale += u32::from(calls.began >= value.end.1);
                Ok(())
            }
        }
    }

    fn judge_failure(&self, spec: &Spec, loads: &[Load], calls: &Calls, terms: Terms) -> Result<(), String> {
        if !calls.fails_with_another && !loads.iter().any(|load| load.failed) {
            return Err("a failure, though no load has failed".to_owned());
        }
        match self.stored {
            Stored::Value(value) if calls.ended + terms.slack < value.end.0 + spec.window() && !spec.is_batch => {
                Err("a failure, though there was a value to be served".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// A single call that waits for its load returns what that load has read.
    fn judge_refreshed(&self, spec: &Spec, source: &Source, loads: &[Load], calls: &Calls) -> Result<(), String> {
        let ([load], [Ok(row)]) = (loads, &*calls.returned) else { return Ok(()) };
        let may_be_background = spec.in_background && !matches!(self.stored, Stored::Nothing);
        if load.failed || may_be_background || spec.load_timeout.is_some() || source.states[load.state] == *row {
            return Ok(());
        }
        Err(format!("not what its own load has read, which is state {}", load.state))
    }

    /// Whether the value that a load was to refresh may have been gone when the load ended. Then nothing is stored,
    /// because the value seems to have been invalidated.
    fn may_have_ended_during(&self, load: &Load, spec: &Spec, terms: Terms) -> bool {
        match self.stored {
            Stored::Nothing => false,
            Stored::Unknown(_) => true,
            Stored::Value(value) => {
                !value.is_gone_at(load.began, spec.window())
                    && load.ended + terms.slack >= value.end.0 + spec.window() + value.grace
            }
        }
    }

    /// Learns what is stored now.
    fn learn(&mut self, spec: &Spec, of_stored: &Spec, source: &Source, loads: &[Load], calls: &Calls, terms: Terms) {
        for load in loads {
            let ttl = spec.ttl(source.states[load.state].as_ref());
            if load.failed {
                if let Stored::Value(value) = &mut self.stored {
                    let is_certain = load.began + terms.slack < value.end.0 + of_stored.window();
                    let from = if is_certain { load.ended + terms.cooldown } else { Duration::ZERO };
                    value.left_alone = (from, calls.settled + terms.cooldown + terms.slack);
                }
            } else if self.may_have_ended_during(load, of_stored, terms) {
                self.stored = Stored::Unknown(spec.gone_from(calls.settled));
            } else if let Some(ttl) = ttl {
                self.stored = Stored::Value(Value {
                    state: load.state,
                    end: (
                        load.ended + ttl.mul_f64(1.0 - spec.jitter),
                        calls.settled + ttl.mul_f64(1.0 + spec.jitter) + terms.slack,
                    ),
                    load_time: calls.settled.saturating_sub(load.began),
                    grace: (GRACE * load.ended.saturating_sub(load.began)).min(ttl.mul_f64(1.0 - spec.jitter)),
                    left_alone: (Duration::ZERO, Duration::ZERO),
                });
            } else if let Stored::Value(_) = self.stored {
                // The source has answered with a value that must not be stored: the old value ends.
                self.stored = Stored::Nothing;
            }
        }
        if let Stored::Value(value) = self.stored
            && value.is_gone_at(calls.settled, spec.for_stored(source.states[value.state].as_ref()).window())
        {
            self.stored = Stored::Nothing;
        }
    }
}
