//! The desk: every step of the implementation waits here for its turn, and its answer for permission to return.

use bytes::Bytes;
use cached_core::StoreError;
use cached_core::store::{Head, Key, Replace, Written};
use std::collections::{HashMap, HashSet, VecDeque};
use std::future::pending;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, oneshot};

/// A process has its own cache: a reader's (sharing readers have one), or a writer's.
pub(crate) type Process = usize;

/// A step, with all that it takes to carry it out again.
#[derive(Debug, Clone)]
pub(crate) enum Command {
    Get,
    GetAll,
    Acquire {
        key: Key,
        lease: Head,
        ttl: Duration,
        replace: Replace,
    },
    /// TAKEOVER.
    Takeover {
        key: Key,
        fresh: Head,
        lease: Head,
        ttl: Duration,
    },
    Tag {
        tags: Vec<Key>,
        fresh: Head,
        ttl: Duration,
    },
    Fill {
        key: Key,
        expected: Head,
        value: Bytes,
        ttl: Duration,
    },
    RemoveAll {
        keys: Vec<Key>,
    },
    Begin {
        writer: Head,
        keys: Vec<Key>,
        token: bool,
    },
    End {
        writer: Head,
        written: Vec<Written>,
    },
    /// SET of a value by hand.
    Put {
        key: Key,
        value: Bytes,
        ttl: Duration,
    },
    /// The load reads the database.
    Select,
    Commit,
    /// Not a step of the model: RELEASE and the like.
    Aside,
}

/// The stage's decision about a step.
enum Turn {
    Go { carried_out: oneshot::Sender<()>, answer: oneshot::Receiver<()> },
    Fail(StoreError),
}

struct Waiting {
    process: Process,
    command: Command,
    turn: oneshot::Sender<Turn>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Waiting>,
    /// The number of steps that have come so far.
    entered: u64,
    /// All may pass but the dead.
    is_open: bool,
    dead: HashSet<Process>,
    /// The name by which each process writes.
    writers: HashMap<Process, Head>,
    /// Processes that wait for another caller's lease.
    leased: HashSet<Process>,
    /// How many TAKEOVERs of each process were carried out.
    takeovers: HashMap<Process, usize>,
    last_takeover: Option<Process>,
}

#[derive(Default)]
pub(crate) struct Desk {
    state: Mutex<State>,
    changed: Notify,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Desk")
    }
}

/// A step that was carried out. Its answer is held until this is dropped.
pub(crate) struct HeldStep {
    pub(crate) command: Command,
    pub(crate) carried_out: oneshot::Receiver<()>,
    /// Dropping it releases the answer.
    pub(crate) answer: oneshot::Sender<()>,
}

impl Desk {
    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for its turn, runs, and returns when it may.
    pub(crate) async fn pass<T>(
        &self,
        process: Process,
        command: Command,
        run: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let turn = {
            let mut state = self.locked();
            state.entered += 1;
            (!state.is_open || state.dead.contains(&process)).then(|| {
                let (turn, receiver) = oneshot::channel();
                state.waiting.push_back(Waiting { process, command, turn });
                receiver
            })
        };
        self.changed.notify_waiters();
        let Some(turn) = turn else { return run.await };
        match turn.await {
            Ok(Turn::Go { carried_out, answer }) => {
                let answered = run.await;
                let _ = carried_out.send(());
                // The step may return when the other end is gone.
                let _ = answer.await;
                answered
            }
            Ok(Turn::Fail(error)) => Err(error),
            // The run is over.
            Err(_) => pending().await,
        }
    }

    /// Releases the first step of this kind, if one waits.
    pub(crate) fn take(&self, process: Process, is: impl Fn(&Command) -> bool) -> Option<HeldStep> {
        let waiting = self.remove(|waiting| waiting.process == process && is(&waiting.command))?;
        Some(go(waiting))
    }

    /// Releases the step at this place among those of the living.
    pub(crate) fn take_at(&self, place: usize) -> Option<(Process, HeldStep)> {
        let mut state = self.locked();
        state.waiting.retain(|waiting| !waiting.turn.is_closed());
        let mut places = (0..state.waiting.len()).filter(|at| !state.dead.contains(&state.waiting[*at].process));
        let at = places.nth(place)?;
        let waiting = state.waiting.remove(at)?;
        Some((waiting.process, go(waiting)))
    }

    /// The connection breaks with the step at this place on its way. A step that may be sent twice continues to wait,
    /// to be sent again; the others get an error.
    pub(crate) fn break_at(&self, place: usize, error: StoreError) -> Option<Command> {
        let mut state = self.locked();
        let mut places = (0..state.waiting.len()).filter(|at| !state.dead.contains(&state.waiting[*at].process));
        let at = places.nth(place)?;
        let command = state.waiting[at].command.clone();
        match command {
            Command::Acquire { .. }
            | Command::Takeover { .. }
            | Command::Tag { .. }
            | Command::Begin { token: true, .. } => {
                let waiting = state.waiting.remove(at)?;
                let _ = waiting.turn.send(Turn::Fail(error));
                Some(command)
            }
            Command::Fill { .. } | Command::RemoveAll { .. } | Command::Begin { .. } | Command::End { .. } => {
                Some(command)
            }
            Command::Get
            | Command::GetAll
            | Command::Put { .. }
            | Command::Select
            | Command::Commit
            | Command::Aside => None,
        }
    }

    /// The number of the living that wait.
    pub(crate) fn waiting(&self) -> usize {
        let mut state = self.locked();
        state.waiting.retain(|waiting| !waiting.turn.is_closed());
        state.waiting.iter().filter(|waiting| !state.dead.contains(&waiting.process)).count()
    }

    /// Releases a step that is not one of the model's.
    pub(crate) fn take_aside(&self) -> Option<HeldStep> {
        let dead = self.locked().dead.clone();
        let is_aside =
            |waiting: &Waiting| matches!(waiting.command, Command::Aside) && !dead.contains(&waiting.process);
        Some(go(self.remove(is_aside)?))
    }

    /// Answers the first step of this kind with a fault, and returns what it would have done.
    pub(crate) fn fail(&self, process: Process, error: StoreError, is: impl Fn(&Command) -> bool) -> Option<Command> {
        let waiting = self.remove(|waiting| waiting.process == process && is(&waiting.command))?;
        let _ = waiting.turn.send(Turn::Fail(error));
        Some(waiting.command)
    }

    /// The first step of this kind, which continues to wait.
    pub(crate) fn peek(&self, process: Process, is: impl Fn(&Command) -> bool) -> Option<Command> {
        let state = self.locked();
        let mut waiting = state.waiting.iter().filter(|waiting| !waiting.turn.is_closed());
        Some(waiting.find(|waiting| waiting.process == process && is(&waiting.command))?.command.clone())
    }

    fn remove(&self, is: impl Fn(&Waiting) -> bool) -> Option<Waiting> {
        let mut state = self.locked();
        // Steps whose callers are gone do not count any more.
        state.waiting.retain(|waiting| !waiting.turn.is_closed());
        let at = state.waiting.iter().position(is)?;
        state.waiting.remove(at)
    }

    /// The number of steps that have come so far.
    pub(crate) fn entered(&self) -> u64 {
        self.locked().entered
    }

    /// Waits until one more step comes than the first `entered`.
    pub(crate) async fn another(&self, entered: u64) {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if self.entered() > entered {
                return;
            }
            changed.await;
        }
    }

    /// From here on nothing waits any more.
    pub(crate) fn open(&self) {
        self.locked().is_open = true;
    }

    pub(crate) fn kill(&self, process: Process) {
        self.locked().dead.insert(process);
    }

    pub(crate) fn note_writer(&self, process: Process, writer: Head) {
        self.locked().writers.insert(process, writer);
    }

    pub(crate) fn writer(&self, process: Process) -> Option<Head> {
        self.locked().writers.get(&process).copied()
    }

    pub(crate) fn note_takeover(&self, process: Process) {
        let mut state = self.locked();
        *state.takeovers.entry(process).or_default() += 1;
        state.last_takeover = Some(process);
    }

    /// Whose TAKEOVER was carried out last.
    pub(crate) fn last_takeover(&self) -> Option<Process> {
        self.locked().last_takeover
    }

    /// How many TAKEOVERs of this process were carried out.
    pub(crate) fn takeovers(&self, process: Process) -> usize {
        self.locked().takeovers.get(&process).copied().unwrap_or_default()
    }

    pub(crate) fn note_lease(&self, process: Process, is_anothers: bool) {
        let mut state = self.locked();
        if is_anothers {
            state.leased.insert(process)
        } else {
            state.leased.remove(&process)
        };
    }

    /// Whether the process waits for another caller's lease: it comes back after a pause.
    pub(crate) fn waits_for_lease(&self, process: Process) -> bool {
        self.locked().leased.contains(&process)
    }
}

fn go(waiting: Waiting) -> HeldStep {
    let (carried_out, is_carried_out) = oneshot::channel();
    let (answer, may_answer) = oneshot::channel();
    let _ = waiting.turn.send(Turn::Go { carried_out, answer: may_answer });
    HeldStep { command: waiting.command, carried_out: is_carried_out, answer }
}
