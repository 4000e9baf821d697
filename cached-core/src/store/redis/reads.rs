//! Reads: a GET, or one MGET for all that come while others are under way; see [`merge`](super::merge).
//!
//! # On cancellation
//! A read that was sent is answered. The answer to a caller that is gone is dropped.
//!
//! # When the server is down
//! A batch fails as a whole, for each caller within its own time.

use super::answer::{each, register, unexpected};
use super::fault::Copies;
use super::gather::{self, Gather, answered};
use super::merge::{Merge, Ticket, Turn};
use super::reconnect::Link;
use super::refusal::Refusal;
use crate::error::{FaultKind, StoreError};
use crate::store::{Each, Key, StoreFuture};
use bytes::Bytes;
use redis::{Cmd, Value};
use std::cell::Cell;
use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::runtime::{Handle, Id};
use tokio::time::Instant;

/// The most keys in one MGET.
const KEYS: usize = 512;

/// Registers that are larger than this on average are read one by one: the cost of a command does not matter beside
/// them, and the first of a batch would wait for the last.
const LARGE: usize = 8 * 1024;

thread_local! {
    /// The last GET of this thread: its buffers serve the next.
    static COMMAND: Cell<Cmd> = Cell::new(Cmd::new());
}

/// The registers of a batch by the position of their key, or why there are none.
pub(super) type Answer = Result<Registers, Unread>;

/// Registers side by side in one buffer. The client allocates each register in the thread that reads the socket. If the
/// threads of the callers freed them one by one, they would contend for the allocator's locks.
#[derive(Debug)]
pub(super) struct Registers {
    bytes: Bytes,
    /// The beginning and the end of each register; `None` for an absent one.
    spans: Vec<Option<(usize, usize)>>,
}

impl Registers {
    fn of(values: Vec<Value>) -> Result<Self, StoreError> {
        let values: Vec<_> = values.into_iter().map(register).collect::<Result<_, _>>()?;
        let mut bytes = Vec::with_capacity(values.iter().flatten().map(Vec::len).sum());
        let append = |value: Option<Vec<u8>>| {
            let from = bytes.len();
            bytes.extend_from_slice(&value?);
            Some((from, bytes.len()))
        };
        let spans = values.into_iter().map(append).collect();
        Ok(Self { bytes: bytes.into(), spans })
    }

    fn get(&self, at: usize) -> Option<Bytes> {
        let (from, to) = (*self.spans.get(at)?)?;
        Some(self.bytes.slice(from..to))
    }
}

#[derive(Debug, Clone)]
pub(super) enum Unread {
    Fault(StoreError),
    /// The server refuses the batch: each caller has to ask for its own key.
    Refused,
}

#[derive(Debug)]
pub(super) struct Reads {
    link: Arc<Link>,
    merge: Arc<Merge<Id, Key, Answer>>,
    /// The refusal of MGET: by a proxy, by a cluster's node, or for want of the right.
    refusal: Refusal,
    /// Running mean of the registers' bytes.
    mean_bytes: AtomicUsize,
}

impl Reads {
    pub(super) fn new(link: Arc<Link>) -> Self {
        let (refusal, mean_bytes) = (Refusal::new(), AtomicUsize::new(0));
        Self { link, merge: Arc::new(Merge::new(KEYS)), refusal, mean_bytes }
    }

    /// Reads one register. It enters the batch at once, so that the future is no larger than needed.
    pub(super) fn get<'a>(self: &'a Arc<Self>, key: &'a Key, within: Duration) -> StoreFuture<'a, Option<Bytes>> {
        let now = Instant::now();
        let deadline = now + within;
        if self.refusal.stands(now) || self.mean_bytes.load(Ordering::Relaxed) > LARGE {
            return Box::pin(self.get_alone(key, deadline));
        }
        match self.merge.enter(std::slice::from_ref(key), Handle::current().id(), deadline) {
            Turn::Alone(under_way) => Box::pin(async move {
                let _under_way = under_way;
                self.get_alone(key, deadline).await
            }),
            Turn::Together(ticket, sending) => {
                gather::start(self, sending);
                Box::pin(self.get_together(key, ticket, deadline))
            }
        }
    }

    /// Reads several registers at once.
    pub(super) fn get_all<'a>(
        self: &'a Arc<Self>,
        keys: &'a [Key],
        within: Duration,
    ) -> StoreFuture<'a, Each<Option<Bytes>>> {
        let now = Instant::now();
        let deadline = now + within;
        if keys.is_empty() {
            return Box::pin(ready(Ok(Vec::new().into())));
        }
        if self.refusal.stands(now) {
            return Box::pin(Arc::clone(self).get_each(keys, deadline));
        }
        match self.merge.enter(keys, Handle::current().id(), deadline) {
            Turn::Alone(under_way) => Box::pin(async move {
                let _under_way = under_way;
                let answer = self.get_at_once(keys, deadline).await;
                self.all_of(answer.as_ref(), 0..keys.len(), keys, deadline).await
            }),
            Turn::Together(ticket, sending) => {
                gather::start(self, sending);
                Box::pin(async move {
                    self.all_of(
                        answered(&ticket, deadline, "waiting for a merged read").await?.as_ref(),
                        ticket.positions(),
                        keys,
                        deadline,
                    )
                    .await
                })
            }
        }
    }

    async fn all_of(
        self: &Arc<Self>,
        answer: Result<&Registers, &Unread>,
        positions: impl Iterator<Item = usize> + Send,
        keys: &[Key],
        deadline: Instant,
    ) -> Result<Each<Option<Bytes>>, StoreError> {
        match answer {
            Ok(registers) => Ok(positions.map(|at| registers.get(at)).collect::<Vec<_>>().into()),
            Err(Unread::Fault(error)) => Err(error.clone()),
            Err(Unread::Refused) => Arc::clone(self).get_each(keys, deadline).await,
        }
    }

    /// Reads each register with a command of its own, side by side.
    async fn get_each(self: Arc<Self>, keys: &[Key], deadline: Instant) -> Result<Each<Option<Bytes>>, StoreError> {
        let reads: Vec<_> = keys
            .iter()
            .map(|key| {
                let (reads, key) = (Arc::clone(&self), Key::clone(key));
                tokio::spawn(async move { reads.get_alone(&key, deadline).await })
            })
            .collect();
        let mut registers = Vec::with_capacity(keys.len());
        for read in reads {
            let gone = |_| StoreError::new(FaultKind::Disconnected, "the runtime that was to read is gone");
            registers.push(match read.await.map_err(gone)? {
                Err(error) if error.kind == FaultKind::WrongType => Ok(None),
                register => register,
            });
        }
        each(registers)
    }

    async fn get_together(
        &self,
        key: &Key,
        ticket: Ticket<Answer>,
        deadline: Instant,
    ) -> Result<Option<Bytes>, StoreError> {
        match answered(&ticket, deadline, "waiting for a merged read").await? {
            Ok(registers) => Ok(ticket.positions().next().and_then(|at| registers.get(at))),
            Err(Unread::Fault(error)) => Err(error.clone()),
            Err(Unread::Refused) => Box::pin(self.get_alone(key, deadline)).await,
        }
    }

    async fn get_alone(&self, key: &Key, deadline: Instant) -> Result<Option<Bytes>, StoreError> {
        let mut command = COMMAND.take();
        command.clear();
        command.arg("GET").arg(&**key);
        let answer = self.link.send(&command, Copies::Harmless, deadline).await;
        COMMAND.set(command);
        let register = register(answer?)?;
        if let Some(register) = &register {
            self.weigh(register.len());
        }
        Ok(register.map(Bytes::from))
    }

    /// Reads the registers by one MGET.
    async fn get_at_once(&self, keys: &[Key], deadline: Instant) -> Answer {
        let mut command = Cmd::with_capacity(1 + keys.len(), keys.iter().map(|key| key.len()).sum::<usize>() + 4);
        command.arg("MGET");
        for key in keys {
            command.arg(&**key);
        }
        let answer = match self.link.send(&command, Copies::Harmless, deadline).await {
            Ok(Value::Array(values)) if values.len() == keys.len() => Registers::of(values).map_err(Unread::Fault),
            Ok(other) => Err(Unread::Fault(unexpected(&other))),
            Err(fault) if fault.is_refusal => {
                if self.refusal.note(&fault, Instant::now()) {
                    tracing::warn!(error = %fault.error, "the server refuses MGET: values are read one by one");
                }
                Err(Unread::Refused)
            }
            Err(fault) => Err(Unread::Fault(fault.error)),
        };
        if let Ok(registers) = &answer
            && let Some(mean) = registers.bytes.len().checked_div(registers.spans.iter().flatten().count())
        {
            self.weigh(mean);
        }
        answer
    }

    /// Adds to the mean. It is not exact when threads race, and need not be.
    fn weigh(&self, bytes: usize) {
        let mean = self.mean_bytes.load(Ordering::Relaxed);
        self.mean_bytes.store(mean - mean / 8 + bytes / 8, Ordering::Relaxed);
    }
}

impl Gather for Reads {
    type Item = Key;
    type Answer = Answer;

    fn merge(&self) -> &Arc<Merge<Id, Key, Answer>> {
        &self.merge
    }

    async fn send(&self, keys: Vec<Key>, deadline: Instant) -> Answer {
        self.get_at_once(&keys, deadline).await
    }
}
