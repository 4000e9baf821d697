//! Steps that change registers. Steps of one kind that come while others are under way go out together, as one call of a
//! script, which costs the server half of what single calls do; see [`merge`](super::merge).
//!
//! # On cancellation
//! A step that was sent is carried out. One whose caller goes away before may be carried out or not.
//!
//! # When the server is down
//! All steps of a call fail, and each caller waits no longer than its own time.

use super::fault::{Copies, Fault};
use super::gather::{self, Gather, answered};
use super::merge::{Item, Merge, Turn};
use super::reconnect::Link;
use super::refusal::Refusal;
use super::script::Script;
use crate::error::FaultKind;
use crate::store::Key;
use redis::{Cmd, Value};
use std::fmt::Debug;
use std::sync::Arc;
use tokio::runtime::{Handle, Id};
use tokio::time::Instant;

/// The most steps in one call: the server does nothing else meanwhile.
const TOGETHER: usize = 64;

/// One step, as its script is told of it.
pub(super) trait Step: Clone + Debug + Send + Sync + 'static {
    const COPIES: Copies;

    /// The number of its [`keys`](Self::keys).
    fn count(&self) -> usize;

    fn keys(&self, command: &mut Cmd);

    fn arguments(&self, command: &mut Cmd);
}

/// A step changes something, so two that look alike are two.
impl<S: Step> Item for S {
    fn question(&self) -> Option<&Key> {
        None
    }
}

/// The script's answer to each step of a call, or why there is none.
pub(super) type Answer = Result<Vec<Value>, Untaken>;

#[derive(Debug)]
pub(super) enum Untaken {
    Fault(Fault),
    /// The server refuses several steps in one call: each caller has to send its own.
    Refused,
}

/// Steps of one kind, and the script that takes any number of them.
#[derive(Debug)]
pub(super) struct Steps<S: Step> {
    link: Arc<Link>,
    script: Script,
    merge: Arc<Merge<Id, S, Answer>>,
    /// The refusal of several steps in one call, by a cluster's node.
    refusal: Refusal,
}

impl<S: Step> Steps<S> {
    pub(super) fn new(link: Arc<Link>, script: &'static str) -> Self {
        Self { link, script: Script::new(script), merge: Arc::new(Merge::new(TOGETHER)), refusal: Refusal::new() }
    }

    /// Takes a step and returns the script's answer to it.
    pub(super) async fn take(self: &Arc<Self>, step: S, deadline: Instant) -> Result<Value, Fault> {
        let step = [step];
        if self.refusal.stands(Instant::now()) {
            return self.take_alone(&step, deadline).await;
        }
        let ticket = match self.merge.enter(&step, Handle::current().id(), deadline) {
            Turn::Alone(under_way) => {
                let _under_way = under_way;
                return self.take_alone(&step, deadline).await;
            }
            Turn::Together(ticket, sending) => {
                gather::start(self, sending);
                ticket
            }
        };
        match answered(&ticket, deadline, "waiting for merged steps").await? {
            Ok(answers) => ticket.positions().next().and_then(|at| answers.get(at)).cloned().ok_or_else(unexpected),
            Err(Untaken::Fault(fault)) => Err(fault.clone()),
            Err(Untaken::Refused) => self.take_alone(&step, deadline).await,
        }
    }

    async fn take_alone(&self, step: &[S; 1], deadline: Instant) -> Result<Value, Fault> {
        self.call(step, deadline).await?.pop().ok_or_else(unexpected)
    }

    /// Whether the steps of a failed call are to be taken one by one.
    fn is_refused(&self, fault: &Fault, steps: &[S]) -> bool {
        if !fault.is_refusal || steps.len() == 1 {
            return false;
        }
        if self.refusal.note(fault, Instant::now()) {
            tracing::debug!(error = %fault.error, "the server refuses several steps in one call");
        }
        fault.allows(S::COPIES)
    }

    /// Sends one call of the script. Returns its answer to each step.
    async fn call(&self, steps: &[S], deadline: Instant) -> Result<Vec<Value>, Fault> {
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
            _ => Err(unexpected()),
        }
    }
}

impl<S: Step> Gather for Steps<S> {
    type Item = S;
    type Answer = Answer;

    fn merge(&self) -> &Arc<Merge<Id, S, Answer>> {
        &self.merge
    }

    async fn send(&self, steps: Vec<S>, deadline: Instant) -> Answer {
        self.call(&steps, deadline)
            .await
            .map_err(|fault| if self.is_refused(&fault, &steps) { Untaken::Refused } else { Untaken::Fault(fault) })
    }
}

fn unexpected() -> Fault {
    Fault::new(FaultKind::Refused, "unexpected answer of a script")
}
