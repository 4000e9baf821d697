//! Sends the batches that [`merge`](super::merge) gathers, each from a task, and waits for their answers.

use super::merge::{Guard, Item, Merge, Outlasts, Sending, Ticket};
use crate::error::{FaultKind, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Handle, Id};
use tokio::time::{Instant, sleep, timeout_at};

/// The pause between two looks for batches that are still to be sent.
const ROUND: Duration = Duration::from_millis(5);

/// Gathers items and sends a batch of them as one command.
pub(super) trait Gather: Send + Sync + Sized + 'static {
    type Item: Item + Send + Sync + 'static;
    type Answer: Send + Sync + 'static;

    fn merge(&self) -> &Arc<Merge<Id, Self::Item, Self::Answer>>;

    /// Sends the items of a batch, which are to be answered by `deadline`.
    fn send(&self, items: Vec<Self::Item>, deadline: Instant) -> impl Future<Output = Self::Answer> + Send;
}

type SendingOf<G> = Sending<Id, <G as Gather>::Item, <G as Gather>::Answer>;

/// Starts the task that sends a batch, if this caller has opened one.
pub(super) fn start<G: Gather>(to: &Arc<G>, sending: Option<SendingOf<G>>) {
    let Some(sending) = sending else { return };
    // The guard comes first: the last task that a caller spawns waits for the caller's thread, while another thread can
    // take the others.
    if let Some(guard) = to.merge().guard(Handle::current().id()) {
        tokio::spawn(see_to(Arc::clone(to), guard));
    }
    tokio::spawn(close_and_send(Arc::clone(to), sending));
}

/// Sends the batches that are left behind, as long as any is open.
async fn see_to<G: Gather>(to: Arc<G>, mut guard: Guard<Id, G::Item, G::Answer>) {
    loop {
        sleep(ROUND).await;
        let Some(batches) = guard.left_behind() else { return };
        for (sending, items) in batches {
            tokio::spawn(send(Arc::clone(&to), sending, items));
        }
    }
}

/// Sends a batch, after all tasks that are ready to run have had a chance to join it.
async fn close_and_send<G: Gather>(to: Arc<G>, mut sending: SendingOf<G>) {
    tokio::task::yield_now().await;
    if let Some(items) = sending.close().await {
        send(to, sending, items).await;
    }
}

async fn send<G: Gather>(to: Arc<G>, sending: SendingOf<G>, items: Vec<G::Item>) {
    let answer = to.send(items, sending.deadline()).await;
    sending.answer(answer);
}

/// Waits for the answer of a batch; `doing` says in the error what the caller waited for. Only a caller that the batch
/// may outlast needs a timer of its own.
pub(super) async fn answered<'a, A>(
    ticket: &'a Ticket<A>,
    deadline: Instant,
    doing: &'static str,
) -> Result<&'a A, StoreError> {
    let answer = match ticket.answer_by(deadline).await {
        Ok(answer) => answer,
        Err(Outlasts) => {
            timeout_at(deadline, ticket.answer()).await.map_err(|_| StoreError::new(FaultKind::Timeout, doing))?
        }
    };
    answer.ok_or_else(|| StoreError::new(FaultKind::Disconnected, "the runtime that was to send is gone"))
}
