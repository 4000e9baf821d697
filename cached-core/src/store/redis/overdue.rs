//! Registers whose read took too long: perhaps since they are too large to be read within any caller's time.
//!
//! One that is would take the connection away from everybody, again and again: its answer stands in front of all others. So
//! whoever comes for it next asks for its size first. The start of a large one is as good as all of it: it is not usable, and
//! is replaced.

use super::link::{Copies, Link};
use super::reads::register;
use crate::error::{FaultKind, StoreError};
use crate::store::Key;
use redis::{Arg, Cmd};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;

/// What is longer, and was overdue once, is not read. Smaller ones take no time worth speaking of: the server was late.
const LARGE: usize = 1 << 20;
/// What is read of a large one: more than the longest head.
const START: usize = 64;
/// Registers that are remembered.
const MOST: usize = 1024;

#[derive(Debug, Default)]
pub(super) struct Overdue {
    /// Mirrors the size of `keys`: no lock is taken as long as nothing is overdue.
    len: AtomicUsize,
    /// Whether it has been told that the register is large.
    keys: Mutex<HashMap<Key, bool>>,
}

impl Overdue {
    fn locked(&self) -> MutexGuard<'_, HashMap<Key, bool>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len.load(Ordering::Relaxed) == 0
    }

    pub(super) fn contains(&self, key: &Key) -> bool {
        !self.is_empty() && self.locked().contains_key(key)
    }

    /// The answer to this command has not come in time.
    pub(super) fn note(&self, command: &Cmd) {
        let mut words = command.args_iter();
        if !matches!(words.next(), Some(Arg::Simple(b"GET" | b"MGET"))) {
            return;
        }
        let key = |word| match word {
            Arg::Simple(key) => std::str::from_utf8(key).ok().map(Key::from),
            _ => None,
        };
        self.note_keys(words.filter_map(key));
    }

    pub(super) fn note_keys(&self, overdue: impl Iterator<Item = Key>) {
        let mut keys = self.locked();
        for key in overdue {
            if keys.len() < MOST {
                keys.entry(key).or_insert(false);
            }
        }
        self.len.store(keys.len(), Ordering::Relaxed);
    }

    /// It has been read in time.
    pub(super) fn read(&self, key: &Key) {
        let mut keys = self.locked();
        keys.remove(key);
        self.len.store(keys.len(), Ordering::Relaxed);
    }

    /// Said once for each register.
    fn warn(&self, key: &Key) {
        if self.locked().get_mut(key).is_some_and(|is_told| !std::mem::replace(is_told, true)) {
            tracing::warn!(
                %key,
                "a register takes more than {LARGE} bytes and could not be read in time: it is taken for unusable, and \
                 replaced; cache smaller values, or give the cache a larger `budget`"
            );
        }
    }
}

/// The start of a register that is overdue and large; `None` if it is not large.
pub(super) async fn start(link: &Link, key: &Key, deadline: Instant) -> Result<Option<Vec<u8>>, StoreError> {
    let range = |from: usize, to: usize| redis::cmd("GETRANGE").arg(&**key).arg(from).arg(to).to_owned();
    let behind = match link.send(&range(LARGE, LARGE), Copies::Harmless, deadline).await {
        // The read itself tells.
        Err(fault) if fault.error.kind == FaultKind::WrongType => return Ok(None),
        answer => register(answer?)?,
    };
    if behind.is_none_or(|behind| behind.is_empty()) {
        return Ok(None);
    }
    link.overdue().warn(key);
    let start = link.send(&range(0, START - 1), Copies::Harmless, deadline).await;
    register(start?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_are_remembered_until_they_succeed() {
        let (overdue, key) = (Overdue::default(), Key::from("a"));
        overdue.note(redis::cmd("SET").arg("a").arg("x"));
        overdue.note(redis::cmd("EVALSHA").arg("digest").arg(1).arg("a"));
        assert!(overdue.is_empty());
        overdue.note(redis::cmd("GET").arg("a"));
        overdue.note(redis::cmd("MGET").arg("a").arg("b"));
        assert!(overdue.contains(&key) && overdue.contains(&Key::from("b")) && !overdue.contains(&Key::from("c")));
        overdue.read(&key);
        assert!(!overdue.contains(&key) && !overdue.is_empty());
    }
}
