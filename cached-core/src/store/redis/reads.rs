//! Reads: a GET, or one MGET for all that come while others are under way; see [`merge`](super::merge).
//!
//! # On cancellation
//! A read that was sent is answered. The answer to a caller that is gone is dropped.
//!
//! # When the server is down
//! A batch fails as a whole, for each caller within its own time.

use super::answer::{each, register, unexpected};
use super::fault::Copies;
use super::merge::{Guard, Merge, Outlasts, Sending, Ticket, Turn};
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
use tokio::time::{Instant, sleep, timeout_at};

/// The pause between two looks for batches that are still to be sent.
const ROUND: Duration = Duration::from_millis(5);

/// Registers that are larger than this on average are read one by one: the cost of a command does not matter beside
/// them, and the first of a batch would wait for the last.
const LARGE: usize = 8 * 1024;

thread_local! {
    /// The last GET of this thread: its buffers serve the next.
    static COMMAND: Cell<Cmd> = Cell::new(Cmd::new());
}

/// The registers of a batch by the position of their key, or why there are none.
type Answer = Result<Registers, Unread>;

/// Registers side by side in one buffer. The client allocates each register in the thread that reads the socket. If the
/// threads of the callers freed them one by one, they would contend for the allocator's locks.
#[derive(Debug)]
struct Registers {
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
enum Unread {
    Fault(StoreError),
    /// The server refuses the batch: each caller has to ask for its own key.
    Refused,
}

#[derive(Debug)]
pub(super) struct Reads {
    link: Arc<Link>,
    merge: Arc<Merge<Id, Answer>>,
    /// The refusal of MGET: by a proxy, by a cluster's node, or for want of the right.
    refusal: Refusal,
    /// Running mean of the registers' bytes.
    mean_bytes: AtomicUsize,
}

impl Reads {
    pub(super) fn new(link: Arc<Link>) -> Self {
        let (refusal, mean_bytes) = (Refusal::new(), AtomicUsize::new(0));
        Self { link, merge: Arc::new(Merge::new()), refusal, mean_bytes }
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
                self.start(sending);
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
                self.start(sending);
                Box::pin(async move {
                    self.all_of(answered(&ticket, deadline).await?.as_ref(), ticket.positions(), keys, deadline).await
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
        match answered(&ticket, deadline).await? {
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

    /// Starts the task that sends a batch, if this caller has opened one.
    fn start(self: &Arc<Self>, sending: Option<Sending<Id, Answer>>) {
        let Some(sending) = sending else { return };
        // The guard comes first: the last task that a caller spawns waits for the caller's thread, while another thread
        // can take the others.
        if let Some(guard) = self.merge.guard(Handle::current().id()) {
            tokio::spawn(Arc::clone(self).see_to(guard));
        }
        tokio::spawn(Arc::clone(self).gather(sending));
    }

    /// Sends the batches that are left behind, as long as any is open.
    async fn see_to(self: Arc<Self>, mut guard: Guard<Id, Answer>) {
        loop {
            sleep(ROUND).await;
            let Some(batches) = guard.left_behind() else { return };
            for (sending, keys) in batches {
                tokio::spawn(Arc::clone(&self).send(sending, keys));
            }
        }
    }

    /// Sends a batch, after all tasks that are ready to run have had a chance to join it.
    async fn gather(self: Arc<Self>, mut sending: Sending<Id, Answer>) {
        tokio::task::yield_now().await;
        if let Some(keys) = sending.close().await {
            self.send(sending, keys).await;
        }
    }

    async fn send(self: Arc<Self>, sending: Sending<Id, Answer>, keys: Vec<Key>) {
        let answer = self.get_at_once(&keys, sending.deadline()).await;
        sending.answer(answer);
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

/// Waits for the answer of the batch. Only a caller that the batch may outlast needs a timer of its own.
async fn answered(ticket: &Ticket<Answer>, deadline: Instant) -> Result<&Answer, StoreError> {
    let answer = match ticket.answer_by(deadline).await {
        Ok(answer) => answer,
        Err(Outlasts) => timeout_at(deadline, ticket.answer())
            .await
            .map_err(|_| StoreError::new(FaultKind::Timeout, "waiting for a merged read"))?,
    };
    answer.ok_or_else(|| StoreError::new(FaultKind::Disconnected, "the runtime that was to read is gone"))
}
