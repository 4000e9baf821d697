//! Random runs: at each turn chance decides who takes the next step, or what goes wrong.
//!
//! The model is searched exhaustively, but it is not the code. Here the code itself is led through runs like those of
//! the model: any step of any process may be the next, any answer may be late, writers crash, entries and tags are
//! evicted, markers run out, Redis restarts empty, values are set by hand.

use super::desk::Command;
use super::foreign::Foreign;
use super::gate::FOR_EVER;
use super::row::{ENTRY, NAMESPACE, TAG};
use super::stage::{Finish, HAND, Stage, name, readings, writer_process};
use cached_core::{FaultKind, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tests::model::{Plan, Tags, Variant, Way};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// Turns of a run before it is brought to its end.
const TURNS: usize = 70;
const READS: usize = 8;
const SETS: usize = 3;
/// Too few to open the breaker.
const BREAKS: usize = 2;

/// Marsaglia's xorshift: the same run for the same seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % end
    }

    fn of<T: Copy>(&mut self, any: &[T]) -> T {
        any[self.below(any.len())]
    }
}

/// A random run.
pub(crate) struct RandomRun {
    pub(crate) stale: Vec<String>,
    pub(crate) log: Vec<String>,
    pub(crate) finish: Finish,
}

struct Wanderer {
    stage: Stage,
    chance: Chance,
    reads: usize,
    /// Values that may still be set by hand.
    sets: usize,
    /// Late answers.
    held: Vec<oneshot::Sender<()>>,
}

fn variant(chance: &mut Chance) -> Variant {
    let tags = chance.of(&[Tags::None, Tags::Known, Tags::FromValue]);
    let writers = [(); 2].map(|()| {
        let way =
            chance.of(&[Way::Plain, Way::Plain, Way::DoubleDelete, Way::Bracket, Way::Bracket, Way::Put, Way::Put]);
        let plans = [Plan::tag(way), Plan::both(way), Plan::entry(way)];
        // A put is of the entry alone.
        let is_entry = tags == Tags::None || way == Way::Put;
        Some(if is_entry { Plan::entry(way) } else { chance.of(&plans) })
    });
    Variant { tags, shares: chance.below(3) > 0, ..Variant::new(writers) }
}

pub(crate) async fn wander(foreign: &Arc<Foreign>, seed: u64) -> RandomRun {
    foreign.empty().await;
    // Neighbouring seeds must not begin alike.
    let mut chance = Chance(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let variant = variant(&mut chance);
    let mut stage = Stage::on(Arc::clone(foreign), &variant, FOR_EVER).await;
    stage.reading = chance.of(&readings(&variant));
    stage.log.push(format!("seed {seed}: {variant:?}, {:?}", stage.reading));
    let mut wanderer = Wanderer { stage, chance, reads: 0, sets: SETS, held: Vec::new() };
    for _ in 0..TURNS {
        wanderer.turn().await;
        wanderer.stage.collect().await;
        if wanderer.chance.below(4) == 0 {
            wanderer.stage.peek().await;
        }
    }
    let Wanderer { mut stage, held, .. } = wanderer;
    drop(held);
    let finish = stage.finish().await;
    RandomRun { stale: stage.stale, log: stage.log, finish }
}

impl Wanderer {
    fn says(&mut self, what: String) {
        self.stage.log.push(what);
    }

    async fn turn(&mut self) {
        self.stage.settle().await;
        match self.chance.below(100) {
            0..12 if self.reads < READS => {
                let reader = self.chance.of(&[0, 1, 2]);
                self.reads += 1;
                if self.chance.below(4) == 0 {
                    self.says(format!("reader {reader} refreshes by force"));
                    self.stage.start_forced(reader);
                } else {
                    self.says(format!("reader {reader} begins"));
                    self.stage.start_read(reader);
                }
            }
            12..20 => {
                let writer = self.chance.of(&[0, 1]);
                if !self.stage.is_crashed(writer) {
                    self.says(format!("writer {writer} is under way"));
                    self.stage.start_write(writer);
                }
            }
            20..28 => {
                if !self.held.is_empty() {
                    let at = self.chance.below(self.held.len());
                    drop(self.held.swap_remove(at));
                    self.says("a late answer arrives".into());
                }
            }
            28..36 => self.misfortune().await,
            36..38 => self.connection().await,
            38..42 => {
                // A caller that waits for a lease comes back by itself.
                let entered = self.stage.desk.entered();
                let _ = timeout(Duration::from_millis(30), self.stage.desk.another(entered)).await;
            }
            42..45 if self.sets > 0 => self.set_by_hand().await,
            _ => self.step().await,
        }
    }

    /// A value is made and set at this moment. The tags that it records are read in between.
    async fn set_by_hand(&mut self) {
        self.sets -= 1;
        self.says("a value is set by hand".into());
        self.stage.start_set();
        while self.stage.take(HAND, |_| true).await.is_some() {}
    }

    async fn step(&mut self) {
        let waiting = self.stage.desk.waiting();
        if waiting == 0 {
            return;
        }
        let at = self.chance.below(waiting);
        if let Some((process, name, answer)) = self.stage.take_at(at).await {
            let is_held = self.chance.below(4) == 0;
            self.says(format!("process {process}: {name}{}", if is_held { ", its answer is late" } else { "" }));
            if is_held {
                self.held.push(answer);
            }
        }
    }

    /// A connection breaks, or a command that was on its way then arrives.
    async fn connection(&mut self) {
        let (waiting, late) = (self.stage.desk.waiting(), self.stage.late.len());
        if late < BREAKS && waiting > 0 {
            let at = self.chance.below(waiting);
            let error = StoreError::new(FaultKind::Disconnected, "the connection broke");
            if let Some(command) = self.stage.desk.break_at(at, error) {
                self.says(format!("the connection breaks at {}", name(&command)));
                self.stage.late.push(Some(command));
            }
        } else if late > 0 {
            let at = self.chance.below(late);
            if let Some(command) = self.stage.late[at].take() {
                self.says(format!("the {} of a broken connection is carried out", name(&command)));
                self.stage.foreign.carry_out(command).await;
            }
        }
    }

    /// Whether the writer was about to commit when it crashed: then its commit may be under way.
    fn may_commit_dead(&self, writer: u8) -> bool {
        let is_commit = |command: &Command| matches!(command, Command::Commit);
        let is_about_to = self.stage.desk.peek(writer_process(writer), is_commit).is_some();
        is_about_to && self.stage.may_commit(writer) && self.stage.is_crashed(writer)
    }

    async fn misfortune(&mut self) {
        let writer = self.chance.of(&[0, 1]);
        match self.chance.below(10) {
            0..4 => {
                let register = self.chance.of(&[ENTRY, ENTRY, TAG, NAMESPACE]);
                if self.stage.foreign.evict(register).await {
                    self.says(format!("{register} is evicted"));
                }
            }
            4..6 if self.stage.may_commit(writer) && !self.stage.is_crashed(writer) => {
                self.says(format!("writer {writer} crashes"));
                self.stage.crash(writer);
            }
            6..8 if self.may_commit_dead(writer) => {
                self.says(format!("the commit of writer {writer}, which is gone"));
                self.stage.commit_of_the_dead();
                self.stage.committed(writer);
            }
            8 => {
                let Some(head) = self.stage.desk.writer(writer_process(writer)) else { return };
                for register in self.stage.marked_by(writer) {
                    if self.stage.foreign.expire_marker(register, head).await {
                        self.says(format!("the marker of writer {writer} at {register} runs out"));
                        self.stage.lapsed(Some(writer));
                    }
                }
            }
            9 if self.chance.below(3) == 0 => {
                self.says("Redis restarts empty".into());
                self.stage.foreign.empty().await;
                self.stage.lapsed(None);
            }
            _ => {}
        }
    }
}
