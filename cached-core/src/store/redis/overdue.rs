//! Registers whose reads took too long, perhaps because they are too large to be read within any caller's time.
//!
//! A register that is too large would block the connection for everybody, again and again: its answer stands in front
//! of all others. So after two late reads in a row, the server is asked for the size of the register before it is read
//! again. Of a large register only the start is read. That is enough: the register is unusable, and is replaced.
//!
//! One late read says more about the server than about the register. So the second counts only if it was sent after the
//! first was found to be late: all reads that one pause of the server delays are late once. And no register stays
//! overdue for long, since the server, or the value, may be another by then.

use crate::store::Key;
use crate::sync::locked;
use redis::{Arg, Cmd};
use std::collections::HashSet;
use std::collections::hash_map::{Entry, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use tokio::time::Instant;

/// The size from which an overdue register is not read. A smaller one takes next to no time: then the server was late.
pub(super) const LARGE: usize = 1 << 20;
/// The most registers that are remembered; beyond that, the oldest are forgotten.
const MOST: usize = 1024;
/// The time for which a register is remembered since its last late read.
const REMEMBERED: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(super) struct Overdue {
    /// The number of late registers, so that no lock is taken as long as there is none.
    len: AtomicUsize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    late: HashMap<Key, Late>,
    /// The moment at which the next of them is forgotten.
    lapses: Option<Instant>,
    /// The large registers about which a warning was logged.
    told: HashSet<Key>,
}

#[derive(Debug, Clone, Copy)]
struct Late {
    /// The moment at which the last read was found to be late.
    noted: Instant,
    /// Whether two reads in a row were late.
    is_again: bool,
}

impl State {
    fn note(&mut self, keys: impl Iterator<Item = Key>, sent: Instant, now: Instant) {
        for key in keys.take(MOST) {
            match self.late.entry(key) {
                Entry::Vacant(entry) => drop(entry.insert(Late { noted: now, is_again: false })),
                Entry::Occupied(mut entry) if sent >= entry.get().noted => {
                    entry.insert(Late { noted: now, is_again: true });
                }
                Entry::Occupied(_) => {}
            }
        }
        self.crowd_out();
        self.lapses = self.late.values().map(|late| late.noted + REMEMBERED).min();
    }

    /// Forgets the oldest if there are too many.
    fn crowd_out(&mut self) {
        let Some(most_old) = self.late.len().checked_sub(MOST + 1) else { return };
        let mut times: Vec<_> = self.late.values().map(|late| late.noted).collect();
        let (_, last, _) = times.select_nth_unstable(most_old);
        let (last, mut excess) = (*last, most_old + 1);
        self.late.retain(|_, late| {
            let stays = excess == 0 || late.noted > last;
            excess -= usize::from(!stays);
            stays
        });
    }

    /// Forgets the registers that were late long ago.
    fn lapse(&mut self, now: Instant) {
        if self.lapses.is_some_and(|lapses| now >= lapses) {
            self.late.retain(|_, late| now < late.noted + REMEMBERED);
            self.lapses = self.late.values().map(|late| late.noted + REMEMBERED).min();
        }
    }
}

impl Overdue {
    fn locked(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.locked();
        let changed = change(&mut state);
        self.len.store(state.late.len(), Ordering::Relaxed);
        changed
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len.load(Ordering::Relaxed) == 0
    }

    /// The registers among these that were late twice in a row: their sizes have to be asked for.
    pub(super) fn among(&self, keys: &[Key], now: Instant) -> Vec<Key> {
        if self.is_empty() {
            return Vec::new();
        }
        self.change(|state| {
            state.lapse(now);
            let is_overdue = |key: &&Key| state.late.get(*key).is_some_and(|late| late.is_again);
            keys.iter().filter(is_overdue).cloned().collect()
        })
    }

    /// Notes that the answer to this command, sent at that moment, has not come in time.
    pub(super) fn note(&self, command: &Cmd, sent: Instant, now: Instant) {
        let mut words = command.args_iter();
        if !matches!(words.next(), Some(Arg::Simple(b"GET" | b"MGET"))) {
            return;
        }
        let key = |word| match word {
            Arg::Simple(key) => std::str::from_utf8(key).ok().map(Key::from),
            _ => None,
        };
        self.note_keys(words.filter_map(key), sent, now);
    }

    pub(super) fn note_keys(&self, keys: impl Iterator<Item = Key>, sent: Instant, now: Instant) {
        self.change(|state| state.note(keys, sent, now));
    }

    /// Forgets registers that have been read in time, or are not large.
    pub(super) fn forget<'a>(&self, keys: impl Iterator<Item = &'a Key>) {
        if !self.is_empty() {
            self.change(|state| {
                for key in keys {
                    state.late.remove(key);
                }
            });
        }
    }

    /// Logs a warning, once for each register unless there are very many.
    pub(super) fn warn(&self, key: &Key) {
        let told = &mut self.locked().told;
        if told.len() >= MOST {
            told.clear();
        }
        if told.insert(Key::clone(key)) {
            tracing::warn!(
                %key,
                "a register takes more than {LARGE} bytes and could not be read in time, twice in a row: it is taken for \
                 unusable for some seconds, and replaced; cache smaller values, or give the cache a larger `budget`"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn keys(names: &[&str]) -> Vec<Key> {
        names.iter().copied().map(Key::from).collect()
    }

    /// A read that was sent at this time and found to be late a second later.
    fn late(overdue: &Overdue, names: &[&str], sent: Instant) {
        let mut command = redis::cmd(if names.len() == 1 { "GET" } else { "MGET" });
        overdue.note(command.arg(names), sent, sent + SECOND);
    }

    #[test]
    fn reads_that_are_late_twice_in_a_row_are_overdue() {
        let (overdue, now) = (Overdue::default(), Instant::now());
        let among = |at| overdue.among(&keys(&["a", "b", "c"]), at);
        overdue.note(redis::cmd("SET").arg("a").arg("x"), now, now);
        overdue.note(redis::cmd("EVALSHA").arg("digest").arg(1).arg("a"), now, now);
        assert!(overdue.is_empty());
        late(&overdue, &["a", "b"], now);
        late(&overdue, &["a"], now + SECOND / 2);
        assert!(!overdue.is_empty());
        assert_eq!(among(now + SECOND), keys(&[]), "the same pause of the server delayed both");
        late(&overdue, &["a", "b", "c"], now + SECOND);
        assert_eq!(among(now + 2 * SECOND), keys(&["a", "b"]));
        overdue.forget(keys(&["a"]).iter());
        late(&overdue, &["a"], now + 2 * SECOND);
        assert_eq!(among(now + 3 * SECOND), keys(&["b"]), "not in a row");
    }

    #[test]
    fn nothing_is_overdue_for_long() {
        let (overdue, now) = (Overdue::default(), Instant::now());
        let key = keys(&["a"]);
        late(&overdue, &["a"], now);
        late(&overdue, &["a"], now + SECOND);
        let noted = now + 2 * SECOND;
        assert_eq!(overdue.among(&key, noted + REMEMBERED - SECOND), key);
        assert_eq!(overdue.among(&key, noted + REMEMBERED), keys(&[]));
        assert!(overdue.is_empty());
    }

    #[test]
    fn keys_that_are_late_once_crowd_out_none_that_comes_later() {
        let (overdue, now) = (Overdue::default(), Instant::now());
        for id in 0..2 * MOST {
            late(&overdue, &[&format!("single-use:{id}")], now);
        }
        assert_eq!(overdue.locked().late.len(), MOST);
        late(&overdue, &["a"], now + SECOND);
        late(&overdue, &["a"], now + 2 * SECOND);
        assert_eq!(overdue.among(&keys(&["a"]), now + 3 * SECOND), keys(&["a"]));
        assert_eq!(overdue.locked().late.len(), MOST);
    }
}
