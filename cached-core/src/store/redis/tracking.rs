//! The connection on which the server tells of changes. The near cache reads on it.
//!
//! It uses `CLIENT TRACKING ON` with its defaults: the server remembers which keys were read here, and tells once when
//! one of them has changed, however it did: written, removed, expired, evicted, or forgotten because the server's table
//! of such keys is full. A task that no caller waits for makes the connection when it is first wanted; see [`keeper`].
//! Nothing is ever written here, since a change that a connection makes itself ends its own registration.
//!
//! The server does not tell of `SWAPDB`.
//!
//! # On cancellation
//! A read continues, as everywhere. A caller that gives up an overdue answer leaves the connection in doubt: nobody
//! reads on it until the server has given a sign of life.
//!
//! # When the server is down
//! Nobody reads here and nobody waits; [`keeper`] connects again. A server that knows no RESP3 or no tracking, or does
//! not grant it to this user, is asked once a minute.

mod contact;
mod keeper;
mod line;
mod news;
mod reading;

use super::overdue::Overdue;
use super::reconnect::Link;
use super::refusal::Refusal;
use crate::error::{FaultKind, StoreError};
use crate::store::{Key, Watched, Watcher};
use crate::sync::{Mutex, locked};
use contact::{Contact, Entry};
use keeper::Shared;
use line::Line;
use reading::{Unread, read};
use redis::Client;
use std::sync::{Arc, Weak};
use tokio::time::{Instant, timeout_at};

/// The most keys that one command reads.
const AT_ONCE: usize = 512;

#[derive(Debug)]
pub(super) struct Tracking {
    shared: Arc<Shared>,
    /// The refusal of MGET.
    refusal: Refusal,
    overdue: Arc<Overdue>,
}

/// A read under way. If it is dropped without an answer after half of its time or more, it leaves the line in doubt.
struct Waiting<'a> {
    shared: &'a Shared,
    number: u64,
    overdue: Instant,
    is_answered: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.is_answered && Instant::now() >= self.overdue {
            let line = locked(&self.shared.contact).doubted(self.number);
            if let Some(line) = line {
                line.wake.notify_one();
            }
        }
    }
}

impl Tracking {
    /// Makes the tracking of a client that speaks RESP3. Nothing is sent yet.
    pub(super) fn new(client: Client, link: &Link) -> Self {
        let (watchers, contact) = (Arc::default(), Mutex::new(Contact::new()));
        let shared = Arc::new(Shared { client, recent: Arc::clone(link.recent()), watchers, contact });
        Self { shared, refusal: Refusal::new(), overdue: Arc::clone(link.overdue()) }
    }

    pub(super) fn watch(&self, watcher: &Weak<dyn Watcher>) {
        let contact = locked(&self.shared.contact);
        self.shared.watchers.add(Weak::clone(watcher));
        if let Some(line) = contact.line()
            && let Some(watcher) = watcher.upgrade()
        {
            watcher.regained();
            line.wake.notify_one();
        }
    }

    /// The line, if it may be read on now. If nobody keeps one, a task that does so is started.
    fn enter(&self) -> Option<(u64, Line)> {
        let heartbeat = self.shared.watchers.heartbeat()?;
        let mut start = None;
        let mut read = None;
        self.shared.lose(|contact| match contact.enter(std::time::Instant::now(), heartbeat) {
            Entry::Read(number, line) => {
                read = Some((number, line));
                None
            }
            Entry::Not => None,
            Entry::Start(keeper, lost) => {
                start = Some(keeper);
                lost
            }
        });
        if let Some(keeper) = start {
            tokio::spawn(keeper::keep(Arc::clone(&self.shared), keeper));
        }
        read
    }

    pub(super) async fn get_watched(
        &self,
        keys: &[Key],
        timed: usize,
        deadline: Instant,
    ) -> Result<Option<Watched>, StoreError> {
        // A register that may be too large would block the line, so it is read on the other connection.
        if !self.overdue.among(keys, Instant::now()).is_empty() {
            return Ok(None);
        }
        let Some((number, mut line)) = self.enter() else { return Ok(None) };
        let shared = &*self.shared;
        let now = Instant::now();
        let overdue = now + deadline.saturating_duration_since(now) / 2;
        let mut waiting = Waiting { shared, number, overdue, is_answered: true };
        let mut all = Watched { registers: Vec::with_capacity(keys.len()), lives: Vec::new() };
        for (at, keys) in keys.chunks(AT_ONCE).enumerate() {
            let timed = timed.saturating_sub(at * AT_ONCE);
            waiting.is_answered = false;
            let sent = Instant::now();
            let reading = read(&mut line.redis, keys, timed, &self.refusal);
            // The line stays in doubt.
            let Ok(answer) = timeout_at(deadline, reading).await else {
                self.overdue.note_keys(keys.iter().cloned(), sent, Instant::now());
                return Err(StoreError::new(FaultKind::Timeout, "a watched read was sent"));
            };
            waiting.is_answered = true;
            match answer {
                Ok(mut some) => {
                    self.overdue.forget(keys.iter());
                    all.registers.append(&mut some.registers);
                    all.lives.append(&mut some.lives);
                }
                Err(Unread::Broken) => {
                    shared.ended(number);
                    return Ok(None);
                }
                Err(Unread::Untimed(error)) => {
                    shared.lose(|contact| contact.unusable(number, std::time::Instant::now()));
                    shared.warn(&error);
                    return Ok(None);
                }
                Err(Unread::Fault(fault)) => return Err(fault.into()),
            }
        }
        Ok(Some(all))
    }
}

impl Tracking {
    /// Closes the connection, and ends the task that keeps it. The next watched read makes another.
    pub(super) fn close(&self) {
        self.shared.lose(Contact::closed);
    }
}

impl Drop for Tracking {
    fn drop(&mut self) {
        self.close();
    }
}
