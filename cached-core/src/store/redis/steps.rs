//! Steps that change one register. Steps that come while others are under way go out together, as one call of a script,
//! which costs the server half of what single calls do. As with reads, nobody waits for more than the turn of the tasks
//! that are ready to run, and nobody depends on another caller's polling: a task sends what has gathered, or a caller
//! does if that task has not had its turn.
//!
//! # On cancellation
//! A step whose caller is gone is carried out all the same.
//!
//! # When the server is down
//! All steps of a call fail, and each caller waits no longer than its own time. The call has the time of the caller
//! that has most, so that a caller with little time left takes none from the others.

use super::fault::{Copies, Fault};
use super::reconnect::Link;
use super::refusal::Refusal;
use super::script::Script;
use crate::error::FaultKind;
use crate::sync::{Mutex, locked};
use redis::{Cmd, Value};
use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::runtime::{Handle, Id};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

/// The most steps in one call: the server does nothing else meanwhile.
const TOGETHER: usize = 64;

/// The time after which a caller sees to it that its step is sent; it doubles each time.
const PATIENCE: Duration = Duration::from_millis(10);

/// One step, as its script is told of it.
pub(super) trait Step: Debug + Send + Sync + 'static {
    const COPIES: Copies;

    /// The number of its [`keys`](Self::keys).
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
    /// The steps that wait, by the runtime that is to send them: callers elsewhere cannot know whether it still runs.
    waiting: Mutex<HashMap<Id, Vec<Waiting<S>>>>,
    /// The refusal of several steps in one call, by a cluster's node.
    refusal: Refusal,
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
            refusal: Refusal::new(),
        }
    }

    /// Takes a step and returns the script's answer to it.
    pub(super) async fn take(self: &Arc<Self>, step: S, deadline: Instant) -> Answer {
        let now = Instant::now();
        let others = self.under_way.fetch_add(1, Ordering::Relaxed);
        let _under_way = UnderWay(&self.under_way);
        if others == 0 || self.refusal.stands(now) {
            return Ok(self.send(&[step], deadline).await?.pop().unwrap_or(Value::Nil));
        }
        let place = Handle::current().id();
        let mut answer = self.gather(step, place, deadline);
        let mut patience = PATIENCE;
        loop {
            let until = deadline.min(now + patience);
            if let Ok(answer) = timeout_at(until, &mut answer).await {
                let gone = |_| Fault::new(FaultKind::Disconnected, "the runtime that was to send is gone");
                return answer.map_err(gone)?;
            }
            if until == deadline {
                return Err(Fault::new(FaultKind::Timeout, "waiting for merged steps"));
            }
            // The task that is to send the step may wait for one that blocks its thread.
            self.gathered(place).send();
            patience *= 2;
        }
    }

    /// Lets the step wait for others that come before its turn.
    fn gather(self: &Arc<Self>, step: S, place: Id, deadline: Instant) -> oneshot::Receiver<Answer> {
        let (answer, receiver) = oneshot::channel();
        let mut waiting = locked(&self.waiting);
        let gathered = waiting.entry(place).or_default();
        gathered.push(Waiting { step, deadline, answer });
        if gathered.len() == 1 {
            let gathered = self.gathered(place);
            drop(waiting);
            tokio::spawn(async move {
                tokio::task::yield_now().await;
                gathered.send();
            });
        }
        receiver
    }

    fn gathered(self: &Arc<Self>, place: Id) -> Gathered<S> {
        Gathered { steps: Arc::clone(self), place, is_taken: false }
    }

    async fn send_together(self: Arc<Self>, waiting: Vec<Waiting<S>>) {
        let Some(deadline) = waiting.iter().map(|at| at.deadline).max() else { return };
        let (steps, callers): (Vec<_>, Vec<_>) =
            waiting.into_iter().map(|at| (at.step, (at.answer, at.deadline))).unzip();
        match self.send(&steps, deadline).await {
            Ok(answers) => {
                for ((caller, _), answer) in callers.into_iter().zip(answers) {
                    // A caller that is gone needs no answer.
                    let _ = caller.send(Ok(answer));
                }
            }
            Err(fault) if self.is_refused(&fault, &steps) && fault.allows(S::COPIES) => {
                for ((caller, deadline), step) in callers.into_iter().zip(steps) {
                    let steps = Arc::clone(&self);
                    tokio::spawn(async move {
                        let answer = steps.send(&[step], deadline).await;
                        let _ = caller.send(answer.map(|mut answers| answers.pop().unwrap_or(Value::Nil)));
                    });
                }
            }
            Err(fault) => {
                for (caller, _) in callers {
                    let _ = caller.send(Err(fault.clone()));
                }
            }
        }
    }

    /// Whether the server refuses several steps in one call; the next ones then go out one by one.
    fn is_refused(&self, fault: &Fault, steps: &[S]) -> bool {
        let is_refused = fault.is_refusal && steps.len() > 1;
        if is_refused && self.refusal.note(fault, Instant::now()) {
            tracing::debug!(error = %fault.error, "the server refuses several steps in one call");
        }
        is_refused
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

/// The duty to send what has gathered at a place. If it is dropped with its runtime, all of that is lost.
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
        while !waiting.is_empty() {
            let rest = waiting.split_off(waiting.len().min(TOGETHER));
            tokio::spawn(Arc::clone(&self.steps).send_together(waiting));
            waiting = rest;
        }
    }
}
