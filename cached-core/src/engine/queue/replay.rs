//! Applies [queued](crate::engine::queue) invalidations: again and again, with growing pauses, until the store takes
//! them. Until then this process does not serve what the store holds under these keys.
//!
//! # On cancellation
//! The task ends with its runtime; the next call that meets a queued key starts another.
//!
//! # When the process dies
//! The queue is lost with it. A bracket's marker still protects its registers for as long as the marker lives. An
//! invalidation without a bracket that was never applied leaves the old value until its time to live is over.

use super::{Added, QueueBatch, QueueStep, QueuedRegister};
use crate::engine::Engine;
use crate::engine::gate;
use crate::engine::health::is_on_tokio;
use crate::envelope::Head;
use crate::error::StoreError;
use crate::invalidation::Outcome;
use crate::key::Key;
use crate::lease::random_id;
use crate::store::{End, RemoveAll, Sweep, Written};
use crate::ttl::jittered;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The pause after the first failure. Each further pause is twice as long, up to [`PAUSE_MAX`].
const PAUSE_FIRST: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// How long one step may take. No caller waits for it.
const WITHIN: Duration = Duration::from_millis(500);

/// The duty to apply the queue, until this is dropped.
struct ReplayDuty {
    engine: Arc<Engine>,
    is_over: bool,
}

impl Drop for ReplayDuty {
    fn drop(&mut self) {
        if !self.is_over {
            self.engine.queue.unclaim();
        }
    }
}

impl Engine {
    /// Queues an invalidation that could not be applied, to apply it as soon as the store takes it.
    pub(crate) fn enqueue(self: &Arc<Self>, keys: &[Key], writer: Option<Head>) -> Outcome {
        let added = self.queue.add(keys, writer);
        if added == Added::Overflowed {
            tracing::warn!(
                store = ?self.store,
                most = self.queue.most(),
                "more invalidations are queued than can be remembered: the whole namespace is removed when the store \
                 is back, and this process does without the cache until then"
            );
        }
        self.wrote(keys);
        if added == Added::Refused || !is_on_tokio() {
            return Outcome::Failed;
        }
        self.replay();
        Outcome::Queued
    }

    /// Starts to apply the queue, unless a task does so already. Must be called on tokio.
    pub(crate) fn replay(self: &Arc<Self>) {
        if self.queue.claim() {
            let duty = ReplayDuty { engine: Arc::clone(self), is_over: false };
            tokio::spawn(async move { duty.run().await });
        }
    }

    /// Waits until the queue is empty.
    pub(crate) async fn drained(self: &Arc<Self>) {
        loop {
            let mut drained = std::pin::pin!(self.drained.notified());
            // Registers before reading the length, so that no notification is missed in between.
            drained.as_mut().enable();
            if self.queue.len() == 0 {
                return;
            }
            self.replay();
            drained.await;
        }
    }

    /// Applies a batch. What the store refuses of it stays in the queue.
    async fn apply(&self, batch: &QueueBatch) -> Result<(), StoreError> {
        let registers = match batch {
            QueueBatch::All(_) => {
                let swept = self.sweep(self.settings.prefix.namespace(), WITHIN).await;
                match &swept {
                    Ok(_) => self.queue.applied(batch),
                    Err(error) if error.kind.is_answer() && self.queue.is_first_refusal() => self.warn("*", error),
                    Err(_) => {}
                }
                return swept.map(drop);
            }
            QueueBatch::Registers(registers) => registers,
        };
        match (self.remove(registers).await, registers.as_slice()) {
            (Ok(()), _) => self.queue.applied(batch),
            (Err(error), _) if !error.kind.is_answer() => return Err(error),
            (Err(error), [due]) => self.refused(due, &error),
            // The store refuses one of them: the others must not wait for it.
            (Err(_), _) => {
                for due in registers {
                    match self.remove(std::slice::from_ref(due)).await {
                        Ok(()) => self.queue.applied(&QueueBatch::Registers(vec![due.clone()])),
                        Err(error) if !error.kind.is_answer() => return Err(error),
                        Err(error) => self.refused(due, &error),
                    }
                }
            }
        }
        Ok(())
    }

    async fn remove(&self, registers: &[QueuedRegister]) -> Result<(), StoreError> {
        let keys: Vec<Key> = registers.iter().map(|due| Key::clone(&due.key)).collect();
        let store = &**self.store.off_path();
        gate::remove_all(store, RemoveAll::new(&keys, WITHIN)).await?;
        let mut by_writer: HashMap<&[u8], (Head, Vec<Written>)> = HashMap::new();
        for due in registers {
            for writer in &due.writers {
                let written = &mut by_writer.entry(writer.as_bytes()).or_insert((*writer, Vec::new())).1;
                written.push(Written::nothing(Key::clone(&due.key)));
            }
        }
        for (writer, written) in by_writer.into_values() {
            gate::end(store, End::new(writer, &written, WITHIN)).await?;
        }
        Ok(())
    }

    fn refused(&self, due: &QueuedRegister, error: &StoreError) {
        self.queue.refused(due, Instant::now());
        if self.queue.is_first_refusal() {
            self.warn(&due.key, error);
        }
    }

    fn warn(&self, key: &str, error: &StoreError) {
        tracing::warn!(
            store = ?self.store,
            key,
            %error,
            "the store refuses a queued invalidation: it is tried again, and this process does not serve these entries \
             until the store takes it; may this user remove the key, and does the key belong to this server?"
        );
    }

    /// Removes all registers whose keys begin with `prefix`. Returns how many they were. A step may take as long as
    /// `within`.
    pub(crate) async fn sweep(&self, prefix: &str, within: Duration) -> Result<u64, StoreError> {
        let (mut from, mut removed) = (None, 0);
        let swept = loop {
            match self.store.off_path().sweep(Sweep::new(prefix, within).from_cursor(from)).await {
                Ok(swept) => {
                    removed += swept.removed;
                    match swept.next {
                        Some(next) => from = Some(next),
                        None => break Ok(removed),
                    }
                }
                Err(error) => break Err(error),
            }
        };
        if let Some(near) = self.near_in_use() {
            near.clear();
        }
        swept
    }
}

impl ReplayDuty {
    async fn run(mut self) {
        let engine = &self.engine;
        let mut pause = PAUSE_FIRST;
        loop {
            let batch = match engine.queue.next(Instant::now()) {
                QueueStep::Apply(batch) => batch,
                QueueStep::Wait(pause) => {
                    // Other invalidations may be queued meanwhile.
                    tokio::time::sleep(pause.min(PAUSE_MAX)).await;
                    continue;
                }
                QueueStep::Done => break,
            };
            match engine.apply(&batch).await {
                Ok(()) => {
                    pause = PAUSE_FIRST;
                    if engine.queue.is_applied() {
                        engine.drained.notify_waiters();
                        tracing::info!(store = ?engine.store, "all queued invalidations are applied");
                        engine.caught_up();
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, queued = engine.queue.len(), "queued invalidations cannot be applied yet");
                    #[expect(clippy::cast_possible_truncation, reason = "any bits will do")]
                    let random = random_id().unwrap_or_default() as u64;
                    tokio::time::sleep(jittered(pause, 0.3, random)).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
        }
        // Another task may have the duty by now.
        self.is_over = true;
    }
}
