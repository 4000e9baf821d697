//! Steps that change registers: those that come while others are under way go out together, as one call of a script,
//! which costs the server half of what single ones do. As with reads, nobody waits for anything but the turn of the
//! tasks that are ready to run.
//!
//! # On cancellation
//! A step whose caller is gone is carried out all the same.
//!
//! # When the server is down
//! All steps of a call fail; each caller waits no longer than its own time.

use super::fault::Fault;
use super::link::{Copies, Link};
use super::script::Script;
use crate::error::{FaultKind, StoreError};
use crate::sync::{Mutex, locked};
use redis::{Cmd, Value};
use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::runtime::{Handle, Id};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

/// Steps in one call: the server does nothing else meanwhile.
const TOGETHER: usize = 64;

/// One step: what a script is told of it.
pub(super) trait Step: Debug + Send + Sync + 'static {
    const COPIES: Copies;

    /// How many [`keys`](Self::keys) it has.
    fn count(&self) -> usize;

    fn keys(&self, command: &mut Cmd);

    fn arguments(&self, command: &mut Cmd);
}

type Answer = Result<Value, Fault>;

/// Steps of one kind, and the script that takes any number of them.
#[derive(Debug)]
pub(super) struct Steps<S> {
    link: Arc<Link>,
    script: Script,
    under_way: AtomicUsize,
    /// By the runtime that is to send them: nothing tells callers elsewhere whether it still runs.
    waiting: Mutex<HashMap<Id, Vec<Waiting<S>>>>,
    /// The server refused several in one call: it is a cluster's node.
    refused: AtomicBool,
}

#[derive(Debug)]
struct Waiting<S> {
    step: S,
    deadline: Instant,
    answer: oneshot::Sender<Answer>,
}

/// Steps under way, until this is dropped.
struct UnderWay<'a>(&'a AtomicUsize);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<S: Step> Steps<S> {
    pub(super) fn new(link: Arc<Link>, script: &'static str) -> Self {
        Self {
            link,
            script: Script::new(script),
            under_way: AtomicUsize::new(0),
            waiting: Mutex::new(HashMap::new()),
            refused: AtomicBool::new(false),
        }
    }

    /// Takes a step and returns the script's answer to it.
    pub(super) async fn take(self: &Arc<Self>, step: S, deadline: Instant) -> Result<Value, StoreError> {
        let others = self.under_way.fetch_add(1, Ordering::Relaxed);
        let _under_way = UnderWay(&self.under_way);
        if others == 0 || self.refused.load(Ordering::Relaxed) {
            return Ok(self.send(&[step], deadline).await?.pop().unwrap_or(Value::Nil));
        }
        let (answer, answered_by) = self.gather(step, deadline);
        // Only who has less time than the first of them needs a timer of its own.
        let answered = if answered_by <= deadline {
            answer.await
        } else {
            let late = |_| StoreError::new(FaultKind::Timeout, "waiting for merged steps");
            timeout_at(deadline, answer).await.map_err(late)?
        };
        let gone = |_| StoreError::new(FaultKind::Disconnected, "the runtime that was to send is gone");
        Ok(answered.map_err(gone)??)
    }

    /// Lets the step wait for those that come before its turn. With the time by which there is an answer.
    fn gather(self: &Arc<Self>, step: S, deadline: Instant) -> (oneshot::Receiver<Answer>, Instant) {
        let (answer, receiver) = oneshot::channel();
        let place = Handle::current().id();
        let mut waiting = locked(&self.waiting);
        let gathered = waiting.entry(place).or_default();
        gathered.push(Waiting { step, deadline, answer });
        let answered_by = gathered[0].deadline;
        if gathered.len() == 1 {
            let gathered = Gathered { steps: Arc::clone(self), place, is_taken: false };
            drop(waiting);
            tokio::spawn(async move {
                tokio::task::yield_now().await;
                gathered.send();
            });
        }
        (receiver, answered_by)
    }

    async fn send_together(self: Arc<Self>, waiting: Vec<Waiting<S>>, deadline: Instant) {
        let (steps, callers): (Vec<_>, Vec<_>) = waiting.into_iter().map(|at| (at.step, at.answer)).unzip();
        match self.send(&steps, deadline).await {
            Ok(answers) => {
                for (caller, answer) in callers.into_iter().zip(answers) {
                    // One that is gone needs no answer.
                    let _ = caller.send(Ok(answer));
                }
            }
            Err(fault) if fault.error.kind == FaultKind::Refused && steps.len() > 1 => {
                tracing::debug!(error = %fault.error, "the server refuses several steps in one call");
                self.refused.store(true, Ordering::Relaxed);
                for (caller, step) in callers.into_iter().zip(steps) {
                    let steps = Arc::clone(&self);
                    tokio::spawn(async move {
                        let answer = steps.send(&[step], deadline).await;
                        let _ = caller.send(answer.map(|mut answers| answers.pop().unwrap_or(Value::Nil)));
                    });
                }
            }
            Err(fault) => {
                for caller in callers {
                    let _ = caller.send(Err(fault.clone()));
                }
            }
        }
    }

    async fn send(&self, steps: &[S], deadline: Instant) -> Result<Vec<Value>, Fault> {
        let arguments = |command: &mut Cmd| {
            command.arg(steps.iter().map(Step::count).sum::<usize>());
            for step in steps {
                step.keys(command);
            }
            for step in steps {
                step.arguments(command);
            }
        };
        match self.script.run(&self.link, S::COPIES, arguments, deadline).await? {
            Value::Array(answers) if answers.len() == steps.len() => Ok(answers),
            _ => Err(Fault::new(FaultKind::Refused, "unexpected answer of a script")),
        }
    }
}

/// The duty to send what has gathered at a place. Dropped instead, with its runtime, it takes all of it along.
struct Gathered<S> {
    steps: Arc<Steps<S>>,
    place: Id,
    is_taken: bool,
}

impl<S> Gathered<S> {
    fn take(&mut self) -> Vec<Waiting<S>> {
        if std::mem::replace(&mut self.is_taken, true) {
            return Vec::new();
        }
        locked(&self.steps.waiting).remove(&self.place).unwrap_or_default()
    }
}

impl<S> Drop for Gathered<S> {
    fn drop(&mut self) {
        self.take();
    }
}

impl<S: Step> Gathered<S> {
    fn send(mut self) {
        let mut waiting = self.take();
        let Some(deadline) = waiting.first().map(|first| first.deadline) else { return };
        while !waiting.is_empty() {
            let rest = waiting.split_off(waiting.len().min(TOGETHER));
            tokio::spawn(Arc::clone(&self.steps).send_together(waiting, deadline));
            waiting = rest;
        }
    }
}
