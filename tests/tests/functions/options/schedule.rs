//! A run of random steps, each judged by the oracle.

use super::COOLDOWN;
use super::oracle::{Calls, Oracle, Terms};
use super::source::{Returned, Row};
use super::spec::Absence;
use super::table::{RowChanged, Subject};
use super::world::World;
use cached_core::{Invalidation, Outcome, SiteStats};
use fastrand::Rng;
use futures_util::future::join_all;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;
use tests::eventually;

/// Rows of a run.
const ROWS: u64 = 3;

/// How a change of the source is announced.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Announcement {
    Not,
    ByKey,
    InBracket,
    ByEvent,
    ByTag,
    /// By a tag that only the row names.
    ByValueTag,
}

/// One step.
#[derive(Debug, Clone)]
enum Step {
    /// One call for each of the rows, or one batch.
    Call(Vec<u64>),
    /// Concurrent calls for one row.
    Together(u64, usize),
    /// Two calls for one row, the second as soon as the first has returned.
    InTurn(u64),
    /// The row changes, or is removed.
    Change {
        id: u64,
        is_there: bool,
        announcement: Announcement,
    },
    /// The row changes and is invalidated while a call loads it.
    Meet(u64),
    Down(bool),
    Slow(bool),
    Elapse(Duration),
}

/// The events of a run, so that a test can check whether it tried anything.
#[derive(Debug)]
pub(crate) struct RunSummary {
    subject: Subject,
    stats: SiteStats,
    hits: u32,
    pub(crate) early: (u32, f64),
    stale: u32,
}

/// A function, its world, and what is known about it.
pub(crate) struct Run {
    subject: Subject,
    world: World,
    random: Rng,
    seed: u64,
    oracles: BTreeMap<u64, Oracle>,
    version: u64,
    history: Vec<Step>,
}

impl Run {
    pub(crate) fn new(subject: Subject, world: World, seed: u64) -> Self {
        Self {
            subject,
            world,
            random: Rng::with_seed(seed),
            seed,
            oracles: BTreeMap::new(),
            version: 0,
            history: Vec::new(),
        }
    }

    /// Makes the connections: a new one repeats the last invalidations, which may cost a load its lease.
    pub(crate) async fn connected(self) -> Self {
        eventually("the near cache is in contact", async || {
            (self.subject.call)(&self.world, &[ROWS]).await;
            self.world.cache.stats().near.is_none_or(|near| near.coherent)
        })
        .await;
        self.world.settle().await;
        self
    }

    /// Takes this number of steps.
    ///
    /// # Panics
    /// When a step has a result that it must not have.
    pub(crate) async fn steps(mut self, steps: usize) -> RunSummary {
        for _ in 0..steps {
            let step = self.any();
            self.history.push(step.clone());
            if let Err(fault) = self.take(step).await {
                panic!("{}", self.report(&fault));
            }
        }
        let stats = self.world.cache.stats();
        let stats = stats.sites.into_iter().find(|site| site.site == self.subject.name).unwrap();
        let sum = |of: fn(&Oracle) -> u32| self.oracles.values().map(of).sum();
        let expected = self.oracles.values().map(|oracle| oracle.early.1).sum();
        RunSummary {
            stats,
            hits: sum(|oracle| oracle.hits),
            early: (sum(|oracle| oracle.early.0), expected),
            stale: sum(|oracle| oracle.served_stale),
            subject: self.subject,
        }
    }

    fn report(&self, fault: &str) -> String {
        let Self { subject, seed, history, .. } = self;
        let mut report = format!("{}, seed {seed}, step {}: {fault}\n", subject.name, history.len());
        for (name, value) in &subject.options {
            writeln!(report, "    {name} = {value}").unwrap();
        }
        let from = history.len().saturating_sub(12);
        for step in &history[from..] {
            writeln!(report, "  {step:?}").unwrap();
        }
        for id in 0..ROWS {
            let source = self.world.source(id, |source| source.clone());
            let from = source.loads.len().saturating_sub(3);
            writeln!(report, "row {id}: at state {}, last loads {:?}", source.now(), &source.loads[from..]).unwrap();
            writeln!(report, "    stored: {:?}", self.oracles.get(&id)).unwrap();
        }
        let stats = self.world.cache.stats();
        write!(report, "now {:?}; {:?}; {:?}", self.world.now(), stats.near, stats.site(subject.name)).unwrap();
        report
    }

    fn any(&mut self) -> Step {
        let random = &mut self.random;
        let id = random.u64(0..ROWS);
        match random.u32(0..100) {
            0..30 => Step::Call(vec![id]),
            30..40 => Step::Call((0..ROWS).collect()),
            40..44 => Step::Together(id, random.usize(2..5)),
            44..46 => Step::InTurn(id),
            46..52 => Step::Change { id, is_there: random.bool(), announcement: Announcement::Not },
            52..62 => {
                let announcement = [
                    Announcement::ByKey,
                    Announcement::InBracket,
                    Announcement::ByEvent,
                    Announcement::ByTag,
                    Announcement::ByValueTag,
                ];
                Step::Change {
                    id,
                    is_there: random.u32(0..4) > 0,
                    announcement: announcement[random.usize(0..announcement.len())],
                }
            }
            62..64 => Step::Meet(id),
            64..68 => Step::Down(random.u32(0..4) == 0),
            68..72 => Step::Slow(random.u32(0..4) == 0),
            72..90 => Step::Elapse(Duration::from_micros(random.u64(0..30_000))),
            _ => Step::Elapse(Duration::from_micros(random.u64(0..150_000))),
        }
    }

    async fn take(&mut self, step: Step) -> Result<(), String> {
        match step {
            Step::Call(ids) => self.call(&ids, 1).await,
            Step::Together(id, calls) => self.call(&[id], calls).await,
            Step::InTurn(id) => self.call_in_turn(id).await,
            Step::Change { id, is_there, announcement } => {
                self.change(id, is_there, announcement).await;
                Ok(())
            }
            Step::Meet(id) => self.meet(id).await,
            Step::Down(is_down) => {
                self.world.set_down(is_down);
                Ok(())
            }
            Step::Slow(is_slow) => {
                self.world.set_slow(is_slow);
                Ok(())
            }
            Step::Elapse(by) => {
                self.world.elapse(by).await;
                Ok(())
            }
        }
    }

    fn terms(&self) -> Terms {
        Terms { slack: self.world.slack(), cooldown: COOLDOWN, is_real: self.world.is_real() }
    }

    /// Calls for these rows, with `calls` concurrent calls for each.
    async fn call(&mut self, ids: &[u64], calls: usize) -> Result<(), String> {
        if self.subject.spec.is_batch {
            return self.call_at_once(ids, calls).await;
        }
        for id in ids {
            self.call_at_once(&[*id], calls).await?;
        }
        Ok(())
    }

    async fn call_at_once(&mut self, ids: &[u64], calls: usize) -> Result<(), String> {
        let before: BTreeMap<u64, usize> = ids.iter().map(|id| (*id, self.loads(*id))).collect();
        let began = self.world.now();
        let returned = join_all((0..calls).map(|_| (self.subject.call)(&self.world, ids))).await;
        let ended = self.world.now();
        self.world.settle().await;
        self.judge(ids, &before, (began, ended), &returned, false)
    }

    async fn call_in_turn(&mut self, id: u64) -> Result<(), String> {
        let before = BTreeMap::from([(id, self.loads(id))]);
        let began = self.world.now();
        let first = (self.subject.call)(&self.world, &[id]).await;
        let second = (self.subject.call)(&self.world, &[id]).await;
        let ended = self.world.now();
        self.world.settle().await;
        self.judge(&[id], &before, (began, ended), &[first, second], true)
    }

    fn loads(&self, id: u64) -> usize {
        self.world.source(id, |source| source.loads.len())
    }

    /// `returned`: the results of each call, in the order of the rows.
    fn judge(
        &mut self,
        ids: &[u64],
        before: &BTreeMap<u64, usize>,
        (began, ended): (Duration, Duration),
        returned: &[Vec<Returned>],
        in_turn: bool,
    ) -> Result<(), String> {
        let has_failed =
            |id: &u64| self.world.source(*id, |source| source.loads[before[id]..].iter().any(|load| load.failed));
        let fails_with_another = self.subject.spec.is_batch && ids.iter().any(has_failed);
        let (settled, terms) = (self.world.now(), self.terms());
        for (at, id) in ids.iter().enumerate() {
            let returned = returned.iter().map(|rows| rows[at].clone()).collect();
            let calls = Calls { began, ended, settled, returned, in_turn, fails_with_another };
            let mut source = self.world.source(*id, |source| source.clone());
            let spec = self.subject.spec.for_row(*id);
            if spec.absence == Absence::Failure {
                let states = &source.states;
                source.loads.iter_mut().for_each(|load| load.failed |= states[load.state].is_none());
            }
            let oracle = self.oracles.entry(*id).or_default();
            oracle.judge(&spec, &source, &calls, terms).map_err(|fault| format!("row {id}: {fault}\n  {calls:?}"))?;
        }
        Ok(())
    }

    async fn change(&mut self, id: u64, is_there: bool, announcement: Announcement) {
        let announcement = self.possible(announcement);
        self.version += 1;
        let state = is_there.then_some(Row { id, version: self.version });
        let commit = || self.world.source(id, |source| source.states.push(state.clone()));
        let cache = &self.world.cache;
        if announcement == Announcement::InBracket {
            let what = Invalidation::new().key(format!("{}:{id}", self.subject.name));
            let ((), outcome) = cache.write(what, async { commit() }).await;
            assert_eq!(outcome, Outcome::Applied);
        } else {
            commit();
        }
        let outcome = match announcement {
            Announcement::Not | Announcement::InBracket => Outcome::Applied,
            Announcement::ByKey => {
                cache.invalidate(Invalidation::new().key(format!("{}:{id}", self.subject.name))).await
            }
            Announcement::ByEvent => cache.emit(&RowChanged { id }).await,
            Announcement::ByTag => cache.invalidate(Invalidation::new().tag(format!("group:{id}"))).await,
            Announcement::ByValueTag => cache.invalidate(Invalidation::new().tag(Row::tag(id))).await,
        };
        assert_eq!(outcome, Outcome::Applied);
        if announcement != Announcement::Not {
            let source = self.world.source(id, |source| {
                source.oldest_row = source.now();
                if announcement != Announcement::ByValueTag {
                    source.oldest_none = source.now();
                }
                source.clone()
            });
            self.oracles.entry(id).or_default().invalidated(&source);
        }
    }

    /// An announcement that the function does not listen to is replaced by one by its key.
    fn possible(&self, announcement: Announcement) -> Announcement {
        let spec = &self.subject.spec;
        match announcement {
            Announcement::ByEvent if !spec.listens => Announcement::ByKey,
            Announcement::ByTag if !spec.is_tagged => Announcement::ByKey,
            Announcement::ByValueTag if !spec.names_tags => Announcement::InBracket,
            announcement => announcement,
        }
    }

    /// A call may have read the old row by the time of the write. Whatever was loaded, the old row is not stored.
    async fn meet(&mut self, id: u64) -> Result<(), String> {
        let before = BTreeMap::from([(id, self.loads(id))]);
        let began = self.world.now();
        let (world, call) = (self.world.clone(), self.subject.call);
        let calling = tokio::spawn(async move { call(&world, &[id]).await });
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        let announcement = [Announcement::ByKey, Announcement::ByEvent, Announcement::ByTag][self.random.usize(0..3)];
        // Judged by what held when the call began.
        let source = self.world.source(id, |source| source.clone());
        let old = (source.oldest_row, source.oldest_none);
        let stored = std::mem::take(self.oracles.entry(id).or_default());
        self.change(id, true, announcement).await;
        let returned = calling.await.unwrap();
        let ended = self.world.now();
        self.world.settle().await;
        let new = self.world.source(id, |source| {
            let new = (source.oldest_row, source.oldest_none);
            (source.oldest_row, source.oldest_none) = old;
            new
        });
        let mut stored = stored;
        stored.met(&self.subject.spec, self.world.now());
        self.oracles.insert(id, stored);
        let judged = self.judge(&[id], &before, (began, ended), &[returned], false);
        self.world.source(id, |source| (source.oldest_row, source.oldest_none) = new);
        let now = self.world.now();
        self.oracles.entry(id).or_default().met(&self.subject.spec, now);
        judged
    }
}

impl RunSummary {
    /// # Panics
    /// When an option had no effect, or chance refreshed more values than it may. Whether chance refreshed one at all, the
    /// caller has to ask of all subjects together.
    pub(crate) fn assert_all_happened(&self, name: &str) {
        let Self { subject, stats, hits, early: (early, expected), stale } = self;
        let spec = &subject.spec;
        assert!(*hits > 20 && stats.hits > 0, "{name}: {hits} hits, {stats:?}");
        assert_eq!(spec.is_kept, stats.near_hits > 0, "{name}: {stats:?}");
        let refreshes = spec.ahead.is_some() || !spec.window().is_zero();
        assert_eq!(refreshes, stats.refreshes > 0, "{name}: {stats:?}");
        assert_eq!(!spec.window().is_zero(), *stale > 0, "{name}: {stale} stale");
        assert!(spec.ahead.is_some() || *early == 0, "{name}: {early} early");
        let most = expected + 6.0 * expected.sqrt() + 6.0;
        assert!(f64::from(*early) <= most, "{name}: {early} values refreshed early, {expected} to be expected at most");
    }
}
