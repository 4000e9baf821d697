//! The model's steps, as the engine takes them. Every store step of every process waits at the [desk](super::desk)
//! until the run says that it is its turn.
//!
//! | step of the model | what the implementation does |
//! |---|---|
//! | GET; GET, starts a refresh | a call begins, `get_or_load` or an annotated function; its GET or MGET is carried out, if it sends one (not if it finds a flight). There is no refresh ahead of time: the steps of one are skipped |
//! | GET of the value's tag | the second MGET, of the tags that the value names |
//! | GET beside the entry | the MGET of the entry beside the base, which reads the base as well |
//! | begins a forced refresh | a call inside of `refresh`; it returns after the answer to its FILL |
//! | TAKEOVER | TAKEOVER |
//! | joins or leads | nothing: it has done so at once |
//! | loads for itself | nothing at once: it would do so only after `max_wait`. The call continues to its end instead, by whatever steps it takes, beginning now |
//! | announces its next step | nothing: the step is announced right before it is sent, so it waits announced. FILL, which follows the load at once, is held back with the load's answer until then |
//! | ACQUIRE | ACQUIRE; after another caller's lease was found, the GET with which the leader asks again |
//! | TAG | TAG beside ACQUIRE |
//! | gives up waiting | ACQUIRE fails, which leads to a load that is shared but not stored |
//! | GET of the found value's tag | as above |
//! | SELECT | the load reads the database; without sharing it returns. Steps that the implementation takes before the load and the broken model does not, ACQUIRE or TAG, are carried out right before |
//! | hands out the value | nothing: its answer is held until the next step is announced, or the run ends |
//! | TAG of the value's tag and the namespace | TAG after the load if only the value names the tags; nothing if the call does, because those are never read after the load |
//! | FILL, blind or not | FILL, which compares; nothing if the load was told not to store. Among callers that share, its answer is held |
//! | reads the tag again | TAG beside FILL |
//! | the answer to FILL | TAG beside FILL, if it still waits, and the answer |
//! | BEGIN, UNLINK, COMMIT, END | the same, of `write`, `invalidate` or a function that puts. A plain writer commits and then calls `invalidate`; one that deletes twice also calls it before. There is one UNLINK for all registers, so its second half is nothing |
//! | TAG of a writer | TAG beside BEGIN |
//! | crashes | no step of this process is carried out any more; its commit is still made |
//! | TAG and SET by hand | the same, of `Entry::set`; the value is what the database holds when the first of them begins |
//! | the connection breaks at SET | the command is kept, and its sender gets an error |
//! | the connection breaks at ACQUIRE, TAG | the command is kept, and its sender gets an error: neither is sent twice |
//! | the connection breaks at FILL, UNLINK, END | the command is kept, and sent again |
//! | the connection breaks at BEGIN | the command is kept, and its sender gets an error: a put begins again by another name. Once begun, the kept command is the BEGIN that extends the markers, as the engine sends it |
//! | the command is carried out | the same, on another connection |
//! | a marker runs out | the same, shortened by another hand; nothing if the writer has none there (in `d6` the marker is another writer's) |
//! | evicted | DEL by another hand; nothing for a lock |
//! | Redis restarts empty | FLUSHALL, and the scripts are forgotten |

use super::desk::{Command, Process};
use super::foreign::Ground;
use super::row::{ENTRY, NAMESPACE, Reading, TAG};
use super::stage::{Finish, HAND, Stage, is_get, name, process_of, writer_process};
use cached_core::{FaultKind, StoreError};
use std::collections::BTreeMap;
use tests::model::{Action, Register, Task, Variant};

/// The result of a run.
#[derive(Debug)]
pub(crate) struct Report {
    /// Reads that returned less than was complete when they began.
    pub(crate) stale: Vec<String>,
    /// How many steps of each kind the implementation took in its turn.
    pub(crate) taken: BTreeMap<&'static str, usize>,
    pub(crate) skipped: usize,
    pub(crate) finish: Finish,
    pub(crate) log: Vec<String>,
}

impl Report {
    pub(crate) fn took(&self, kind: &str) -> usize {
        self.taken.get(kind).copied().unwrap_or_default()
    }
}

/// Replays a run of the model against the engine.
pub(crate) async fn replay(ground: Ground, variant: &Variant, run: &[Action], reading: Reading) -> Report {
    let mut director = Director { stage: Stage::new(ground, variant, run).await, taken: BTreeMap::new(), skipped: 0 };
    director.stage.reading = reading;
    for action in run {
        director.stage.log.push(action.to_string());
        let before = director.taken.clone();
        director.act(*action).await;
        if director.taken == before {
            director.skipped += 1;
            director.stage.log.push("    nothing".into());
        }
        director.stage.collect().await;
        director.stage.peek().await;
    }
    director.stage.log.push("the run is over".into());
    let finish = director.stage.finish().await;
    let Director { stage, taken, skipped } = director;
    Report { stale: stage.stale, taken, skipped, finish, log: stage.log }
}

struct Director {
    stage: Stage,
    taken: BTreeMap<&'static str, usize>,
    skipped: usize,
}

pub(super) fn broken() -> StoreError {
    StoreError::new(FaultKind::Disconnected, "the connection broke")
}

fn is_put(command: &Command) -> bool {
    matches!(command, Command::Put { .. })
}

fn process(task: Task) -> Process {
    usize::from(task.process)
}

impl Director {
    fn took(&mut self, what: &'static str) {
        *self.taken.entry(what).or_default() += 1;
        self.stage.log.push(format!("    {what}"));
    }

    /// Takes the next step of this kind, and returns whether there was one. Its answer is there at once.
    async fn take(&mut self, process: Process, is: impl Fn(&Command) -> bool) -> bool {
        let Some(taken) = self.stage.take(process, is).await else { return false };
        self.took(name(&taken.command));
        drop(taken.answer);
        self.stage.settle().await;
        true
    }

    async fn act(&mut self, action: Action) {
        match action {
            Action::Get(reader) | Action::GetAndRefresh(reader) => {
                self.stage.start_read(reader);
                self.took("call");
                self.take(process_of(&self.stage.variant, reader), is_get).await;
            }
            Action::CheckTag(reader) | Action::GetBeside(reader) => {
                self.take(process_of(&self.stage.variant, reader), is_get).await;
            }
            Action::LoadAlone(reader) => {
                self.take(process_of(&self.stage.variant, reader), |_| true).await;
            }
            Action::Force(reader) => {
                self.stage.start_forced(reader);
                self.took("call");
            }
            Action::Join(_) => {}
            Action::Expire(register, writer) => self.expire(register, writer).await,
            Action::Evict(register) => {
                if let Some(register) = key_of(register)
                    && self.stage.foreign.evict(register).await
                {
                    self.took("eviction");
                }
            }
            Action::Restart => {
                self.stage.foreign.empty().await;
                self.stage.lapsed(None);
                self.took("restart");
            }
            Action::Late(number) => {
                if let Some(command) = self.stage.late.get_mut(usize::from(number)).and_then(Option::take) {
                    self.took("late command");
                    self.stage.foreign.carry_out(command).await;
                }
            }
            Action::SetTag => {
                self.stage.start_set();
                self.take(HAND, |command| matches!(command, Command::Tag { .. })).await;
            }
            Action::Set => {
                self.stage.start_set();
                self.take(HAND, is_put).await;
            }
            Action::BreakSet => {
                self.stage.start_set();
                self.stage.settle().await;
                let lost = self.stage.desk.fail(HAND, broken(), is_put);
                if lost.is_some() {
                    self.took("break");
                }
                self.stage.late.push(lost);
            }
            Action::Begin(writer)
            | Action::PutTag(writer)
            | Action::Commit(writer)
            | Action::Unlink(writer)
            | Action::End(writer)
            | Action::Crash(writer)
            | Action::BreakWrite(writer) => self.act_of_writer(writer, action).await,
            _ => self.act_of_task(action).await,
        }
    }

    async fn act_of_task(&mut self, action: Action) {
        match action {
            Action::Announce(task) => self.land(process(task)).await,
            _ if is_refresh(action) => {}
            Action::Acquire(task) => {
                if self.stage.desk.waits_for_lease(process(task)) {
                    self.stage.await_step(process(task), is_get).await;
                    self.take(process(task), is_get).await;
                } else {
                    self.take(process(task), |command| matches!(command, Command::Acquire { .. })).await;
                }
            }
            // A refresh lease is the way of a broken model.
            Action::Takeover(task) | Action::RefreshLease(task) => {
                self.take(process(task), |command| matches!(command, Command::Takeover { .. })).await;
            }
            Action::Tag(task) | Action::TagsOfValue(task) | Action::TagsAgain(task) => {
                self.land(process(task)).await;
                self.take(process(task), |command| matches!(command, Command::Tag { .. })).await;
            }
            Action::CheckFound(task) => {
                self.take(process(task), is_get).await;
            }
            Action::GiveUp(task) => self.give_up(task).await,
            Action::Select(task) => self.select(process(task)).await,
            Action::Fill(task) => self.fill(process(task)).await,
            Action::Answer(task) => {
                self.take(process(task), |command| matches!(command, Command::Tag { .. })).await;
                if self.stage.filling.remove(&process(task)).is_some() {
                    self.took("answer");
                }
            }
            Action::BreakAcquire(task) => {
                let is_sent = |command: &Command| matches!(command, Command::Acquire { .. } | Command::Takeover { .. });
                self.break_off(task, is_sent).await;
            }
            Action::BreakTag(task) => self.break_off(task, |command| matches!(command, Command::Tag { .. })).await,
            Action::BreakFill(task) => {
                let is_fill = |command: &Command| matches!(command, Command::Fill { .. });
                self.keep_copy(process(task), is_fill).await;
            }
            // The answer of the load is held: see the table.
            _ => {}
        }
    }

    async fn land(&mut self, process: Process) {
        if self.stage.landing.remove(&process).is_some() {
            self.took("landing");
            self.stage.settle().await;
        }
    }

    async fn select(&mut self, process: Process) {
        // The model's load lacks the TAG before it.
        let is_before = |command: &Command| {
            matches!(command, Command::Acquire { .. } | Command::Takeover { .. } | Command::Tag { .. })
        };
        while self.take(process, is_before).await {}
        let Some(taken) = self.stage.take(process, |command| matches!(command, Command::Select)).await else { return };
        self.took("SELECT");
        if self.stage.variant.shares && process == 0 {
            self.stage.landing.insert(process, taken.answer);
        }
    }

    async fn fill(&mut self, process: Process) {
        self.land(process).await;
        let is_fill = |command: &Command| matches!(command, Command::Fill { .. });
        let Some(taken) = self.stage.take(process, is_fill).await else { return };
        self.took("FILL");
        if self.stage.variant.shares && process == 0 {
            self.stage.filling.insert(process, taken.answer);
        } else {
            drop(taken.answer);
            self.take(process, |command| matches!(command, Command::Tag { .. })).await;
            if self.stage.variant.builds {
                // The base, read again beside FILL.
                self.take(process, is_get).await;
            }
        }
    }

    async fn give_up(&mut self, task: Task) {
        self.stage.settle().await;
        let error = StoreError::new(FaultKind::Timeout, "no answer");
        let is_acquire = |command: &Command| matches!(command, Command::Acquire { .. });
        if self.stage.desk.fail(process(task), error, is_acquire).is_some() {
            self.took("failure");
        }
    }

    /// The connection breaks at a command that is sent once.
    async fn break_off(&mut self, task: Task, is: impl Fn(&Command) -> bool) {
        self.stage.settle().await;
        let lost = self.stage.desk.fail(process(task), broken(), is);
        if lost.is_some() {
            self.took("break");
        }
        self.stage.late.push(lost);
    }

    /// The connection breaks at a command that is sent again.
    async fn keep_copy(&mut self, process: Process, is: impl Fn(&Command) -> bool) {
        self.stage.settle().await;
        let lost = self.stage.desk.peek(process, is);
        if lost.is_some() {
            self.took("break");
        }
        self.stage.late.push(lost);
    }

    async fn act_of_writer(&mut self, writer: u8, action: Action) {
        let process = writer_process(writer);
        if !matches!(action, Action::Crash(_)) && !self.stage.is_crashed(writer) {
            self.stage.start_write(writer);
        }
        match action {
            Action::Begin(_) => {
                self.take(process, |command| matches!(command, Command::Begin { .. })).await;
            }
            Action::PutTag(_) => {
                self.take(process, |command| matches!(command, Command::Tag { .. })).await;
            }
            Action::Commit(_) => {
                if self.stage.is_crashed(writer) {
                    self.stage.commit_of_the_dead();
                    self.took("COMMIT");
                    self.stage.committed(writer);
                } else if let Some(taken) = self.stage.take(process, |command| matches!(command, Command::Commit)).await
                {
                    self.took("COMMIT");
                    self.stage.committed(writer);
                    drop(taken.answer);
                }
            }
            Action::Unlink(_) => {
                self.take(process, |command| matches!(command, Command::RemoveAll { .. })).await;
            }
            Action::End(_) => {
                self.take(process, |command| matches!(command, Command::End { .. })).await;
            }
            Action::Crash(_) => {
                self.stage.crash(writer);
                self.took("crash");
            }
            _ => self.break_write(writer).await,
        }
    }

    async fn break_write(&mut self, writer: u8) {
        let process = writer_process(writer);
        self.stage.settle().await;
        let is_begin = |command: &Command| matches!(command, Command::Begin { .. });
        let is_commit = |command: &Command| matches!(command, Command::Commit);
        let is_last = |command: &Command| matches!(command, Command::RemoveAll { .. } | Command::End { .. });
        if self.stage.desk.peek(process, is_last).is_some() {
            self.keep_copy(process, is_last).await;
        } else if self.stage.desk.peek(process, is_begin).is_some() {
            let lost = self.stage.desk.fail(process, broken(), is_begin);
            self.took("break");
            self.stage.late.push(lost);
        } else if self.stage.desk.peek(process, is_commit).is_some() {
            // The command that extends the markers comes after a third of their time.
            self.stage.await_step(process, is_begin).await;
            let lost = self.stage.desk.fail(process, broken(), is_begin);
            self.took("break");
            self.stage.late.push(lost);
        }
    }

    async fn expire(&mut self, register: Register, writer: u8) {
        let registers = match register {
            // The model's brackets mark the tag only if the call names it; these always mark the namespace.
            Register::Tag => vec![TAG, NAMESPACE],
            register => key_of(register).into_iter().collect(),
        };
        let Some(head) = self.stage.desk.writer(writer_process(writer)) else { return };
        for register in registers {
            if self.stage.foreign.expire_marker(register, head).await {
                self.took("expiry");
                self.stage.lapsed(Some(writer));
            }
        }
    }
}

fn is_refresh(action: Action) -> bool {
    matches!(action, Action::Select(task) | Action::Fill(task) | Action::Land(task) if task.refresh)
}

fn key_of(register: Register) -> Option<&'static str> {
    match register {
        Register::Entry => Some(ENTRY),
        Register::Tag => Some(TAG),
        Register::Namespace => Some(NAMESPACE),
        Register::Lock | Register::RefreshLease | Register::Beside(_) => None,
    }
}
