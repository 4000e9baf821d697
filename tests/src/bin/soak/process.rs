//! One of the processes: tasks that read and write rows, and check what they read.

use crate::oracle::{Calls, HOT, Oracle, PROCESSES, QUIET, ROWS, TASKS, Teller, UnderWay};
use crate::random::Random;
use crate::rows::{self, Database, Failure, Row};
use crate::said::{Counts, Message};
use crate::without::{Safeguard, Without};
use cached_core::store::{RedisStore, Store};
use cached_core::{Cache, SiteStats};
use sqlx::sqlite::SqlitePool;
use std::error::Error;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex as Cell, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

pub(crate) const BUDGET: Duration = Duration::from_millis(100);
pub(crate) const MAX_WAIT: Duration = Duration::from_millis(50);
pub(crate) const MARKER: Duration = Duration::from_secs(1);
/// How late a timer of a busy machine may be, beyond the lateness that this process measures itself.
pub(crate) const TOLERANCE: Duration = Duration::from_millis(100);
const PROBE: Duration = Duration::from_millis(5);

/// The ways to write, by the names of their functions.
const WAYS: [&str; 4] = ["write_in_bracket", "write_and_proceed", "write_and_tell", "write_through"];

struct Process {
    number: u64,
    cache: Cache,
    pool: SqlitePool,
    oracle: Oracle,
    /// Versions whose invalidation is queued: this process must not return older ones, others may.
    queued: Vec<AtomicU64>,
    /// One write of each way at a time, so that its counters show how it ended.
    turns: [Mutex<()>; WAYS.len()],
    counts: Cell<Counts>,
    /// How late the timers of this process were in total, in microseconds.
    late: AtomicU64,
    is_over: AtomicBool,
}

pub(crate) async fn run(
    number: u64,
    url: &str,
    directory: &Path,
    without: Option<Safeguard>,
) -> Result<(), Box<dyn Error>> {
    let store = RedisStore::new(url)?;
    let store: Arc<dyn Store> = match without {
        Some(safeguard) => Arc::new(Without { store, safeguard }),
        None => Arc::new(store),
    };
    let cache =
        Cache::builder().namespace("cache").store(store).budget(BUDGET).max_wait(MAX_WAIT).write_marker_ttl(MARKER);
    let process = Arc::new(Process {
        number,
        cache: cache.lease_ttl(Duration::from_millis(500)).build()?,
        pool: rows::open(&directory.join("rows.db")).await?,
        oracle: Oracle::open(&directory.join("oracle"))?,
        queued: (0..ROWS).map(|_| AtomicU64::new(0)).collect(),
        turns: Default::default(),
        counts: Cell::default(),
        late: AtomicU64::new(0),
        is_over: AtomicBool::new(false),
    });
    std::thread::spawn({
        let process = Arc::clone(&process);
        move || {
            // Until the parent closes it.
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            process.is_over.store(true, Ordering::SeqCst);
        }
    });
    let background = [tokio::spawn(probe(Arc::clone(&process))), tokio::spawn(follow_up(Arc::clone(&process)))];
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..TASKS {
        tasks.spawn(work(Arc::clone(&process), task));
    }
    for ended in tasks.join_all().await {
        ended?;
    }
    background.iter().for_each(tokio::task::JoinHandle::abort);
    process.come_to_rest().await?;
    Message::Done.say();
    Ok(())
}

/// The first of the quiet rows that a process writes during a failover; it has as many as tasks.
fn rows_in_failover(process: u64) -> u64 {
    HOT + process * TASKS
}

/// Measures how late timers are.
async fn probe(process: Arc<Process>) {
    loop {
        let began = Instant::now();
        tokio::time::sleep(PROBE).await;
        let late = began.elapsed().saturating_sub(PROBE + Duration::from_millis(2));
        process.late.fetch_add(u64::try_from(late.as_micros()).unwrap_or_default(), Ordering::SeqCst);
    }
}

/// Reports the counts to the parent, and tells the oracle which queued invalidations are applied.
async fn follow_up(process: Arc<Process>) {
    loop {
        tokio::time::sleep(Duration::from_millis(20)).await;
        process.tell_counts();
        if let Err(error) = process.follow_queue(Duration::from_secs(1)).await {
            Message::Error(format!("the oracle: {error}")).say();
        }
    }
}

async fn work(process: Arc<Process>, task: u64) -> Result<(), std::io::Error> {
    let mut random = Random::new();
    while !process.is_over.load(Ordering::SeqCst) {
        match process.oracle.calls(process.number)? {
            Calls::All => {}
            Calls::None => {
                tokio::time::sleep(Duration::from_millis(5)).await;
                continue;
            }
            Calls::Hits => {
                process.read(rows_in_failover(PROCESSES - 1 - process.number) + task, 2, &mut random).await?;
                tokio::time::sleep(random.ms(2)).await;
                continue;
            }
        }
        if random.percent(80) {
            let other = PROCESSES - 1 - process.number;
            // Versions that an idle process has lost stay lost until it makes calls again.
            let is_idle = process.oracle.calls(other)? == Calls::None;
            let id = match random.below(4) {
                0 | 1 => random.below(HOT),
                2 if is_idle => rows_in_failover(other) + random.below(TASKS),
                _ => HOT + random.below(QUIET),
            };
            // Half of these reads are of the entry that only its own register protects.
            process.read(id, random.below(4).min(2), &mut random).await?;
        } else {
            process.write(task, &mut random).await?;
        }
        tokio::time::sleep(random.ms(2)).await;
    }
    Ok(())
}

impl Process {
    fn database(&self, pauses: [Duration; 2]) -> Database<'_> {
        Database { pool: &self.pool, cache: &self.cache, pauses, own: AtomicU64::new(0) }
    }

    fn count(&self, add: impl FnOnce(&mut Counts)) {
        add(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn tell_counts(&self) {
        let mut counts = Counts::default();
        self.count(|now| counts = std::mem::take(now));
        Message::Counts(counts).say();
    }

    /// The version that a read must see if it begins now, and the number of failovers so far.
    fn least(&self, id: u64) -> Result<(u64, u64), std::io::Error> {
        let failovers = self.oracle.failovers()?;
        if failovers % 2 == 1 {
            return Ok((self.oracle.complete_before_failover(id)?, failovers));
        }
        let own = self.queued[usize::try_from(id).unwrap_or_default()].load(Ordering::SeqCst);
        Ok((self.oracle.complete(id)?.max(own), failovers))
    }

    /// The version that a read that ends now had to see; less, if a failover has begun or ended meanwhile.
    fn least_at_end(&self, id: u64, least: u64, failovers: u64) -> Result<u64, std::io::Error> {
        if self.oracle.failovers()? == failovers {
            return Ok(least);
        }
        Ok(least.min(self.oracle.complete_before_failover(id)?))
    }

    async fn read(&self, id: u64, site: u64, random: &mut Random) -> Result<(), std::io::Error> {
        // Sometimes a load is slower than most writes, and must lose against them.
        let slow = if random.percent(25) { 50 } else { 3 };
        let on = self.database([random.ms(1), random.ms(slow)]);
        let (least, failovers) = self.least(id)?;
        let (began, late) = (Instant::now(), self.late.load(Ordering::SeqCst));
        let read = match site {
            0 => rows::read_tagged(&on, id, rows::group_of(id)).await,
            1 => rows::read_named(&on, id).await,
            _ => rows::read_plain(&on, id).await,
        };
        // Shared loads, places among loads, and the steps on the store.
        self.check_time("read", began, late, &on, BUDGET + BUDGET / 10 + 2 * MAX_WAIT).await;
        let least = self.least_at_end(id, least, failovers)?;
        self.count(|counts| {
            counts.reads += 1;
            counts.in_failover += failovers % 2;
            counts.hits += u64::from(on.own.load(Ordering::Relaxed) == 0);
        });
        match read {
            Ok(row) if row.id != id => Message::Error(format!("row {} for row {id}", row.id)).say(),
            Ok(row) if row.version < least => {
                let place = format!("process {}, site {site}, row {id}", self.number);
                let (now, _) = self.least(id)?;
                Message::Stale(format!("{place}: version {} after {least} was complete, now {now}", row.version)).say();
            }
            Ok(_) => {}
            Err(error) => Message::Error(format!("read: {error:?}")).say(),
        }
        Ok(())
    }

    async fn write(&self, task: u64, random: &mut Random) -> Result<(), std::io::Error> {
        // The bracket that refuses to run without BEGIN is how a killed writer is judged.
        let way = [0, 0, 1, 2, 3][usize::try_from(random.below(5)).unwrap_or_default()];
        // No other process may write again what a failover has lost of this process's writes.
        let is_failover = self.oracle.failovers()? % 2 == 1;
        let (share, from, rows) =
            if is_failover { (80, rows_in_failover(self.number), TASKS) } else { (20, HOT, QUIET) };
        let id = if way == 0 && random.percent(share) { from + random.below(rows) } else { random.below(HOT) };
        let on = self.database([random.ms(5), random.ms(if way == 0 { 30 } else { 5 })]);
        let patience = if random.percent(5) { random.ms(20) } else { Duration::from_secs(3600) };
        let turn = self.turns[way].lock().await;
        let before = self.outcomes(way);
        let (began, late) = (Instant::now(), self.late.load(Ordering::SeqCst));
        let wrote = tokio::time::timeout(patience, self.written(way, &on, id, task)).await;
        let after = self.outcomes(way);
        drop(turn);
        self.oracle.set_under_way(self.number, task, None)?;
        match wrote {
            Ok(Ok(row)) => {
                self.check_time(WAYS[way], began, late, &on, BUDGET + BUDGET / 10).await;
                self.ended(task, row, before, after)?;
            }
            Ok(Err(Failure::Refused)) => self.count(|counts| counts.refused += 1),
            Ok(Err(Failure::Database(error))) => Message::Error(format!("{}: {error}", WAYS[way])).say(),
            // Nobody knows whether it was written, so nothing is promised.
            Err(_) => self.count(|counts| counts.cancelled += 1),
        }
        Ok(())
    }

    async fn written(&self, way: usize, on: &Database<'_>, id: u64, task: u64) -> Result<Row, Failure> {
        match way {
            0 => {
                let (began, epoch) = (Instant::now(), self.oracle.epoch().unwrap_or(1));
                let committed = |version| {
                    // The marker was surely there, and still is if the process dies now.
                    if began.elapsed() < MARKER / 2 && epoch % 2 == 0 {
                        let write = UnderWay { row: id, version, epoch };
                        let _ = self.oracle.set_under_way(self.number, task, Some(write));
                    }
                };
                rows::write_in_bracket(on, id, committed).await
            }
            1 => rows::write_and_proceed(on, id).await,
            2 => rows::write_and_tell(on, id, rows::group_of(id)).await,
            _ => rows::write_through(on, id).await,
        }
    }

    /// Invalidations so far that were applied, queued and failed.
    fn outcomes(&self, way: usize) -> [u64; 3] {
        let of = |site: &SiteStats| [site.applied, site.queued, site.failed];
        self.cache.stats().site(WAYS[way]).map_or([0; 3], of)
    }

    fn ended(&self, task: u64, row: Row, before: [u64; 3], after: [u64; 3]) -> Result<(), std::io::Error> {
        let Row { id, version } = row;
        match [0, 1, 2].map(|at| after[at] - before[at]) {
            [1, 0, 0] => self.oracle.completed(Teller::Task(self.number, task), id, version)?,
            [0, 1, 0] => {
                self.queued[usize::try_from(id).unwrap_or_default()].fetch_max(version, Ordering::SeqCst);
                self.count(|counts| counts.queued += 1);
            }
            outcome => Message::Error(format!("an invalidation ended as {outcome:?}")).say(),
        }
        self.count(|counts| counts.writes += 1);
        Ok(())
    }

    /// Checks the time of the call without the function's own time.
    async fn check_time(&self, call: &str, began: Instant, late: u64, on: &Database<'_>, within: Duration) {
        let took = began.elapsed();
        let delay = took.saturating_sub(Duration::from_micros(on.own.load(Ordering::Relaxed)));
        if delay <= within + TOLERANCE {
            return;
        }
        // The probe may be as late as this call was.
        tokio::time::sleep(2 * PROBE).await;
        let late = Duration::from_micros(self.late.load(Ordering::SeqCst) - late);
        if delay > within + TOLERANCE + late {
            let told = format!("{call}: {delay:?} beside its own work, within {within:?}, timers late by {late:?}");
            Message::OverBudget(told).say();
        }
    }

    /// A queued invalidation is complete for all once the queue is empty.
    async fn follow_queue(&self, within: Duration) -> Result<(), std::io::Error> {
        let versions: Vec<u64> = self.queued.iter().map(|version| version.load(Ordering::SeqCst)).collect();
        if tests::applied(&self.cache, within).await {
            for (row, version) in (0..).zip(versions).filter(|(_, version)| *version > 0) {
                self.oracle.completed(Teller::Queue(self.number), row, version)?;
            }
        }
        Ok(())
    }

    /// After the last fault the queue runs empty, and every row is read once more in every way.
    async fn come_to_rest(&self) -> Result<(), std::io::Error> {
        if !tests::applied(&self.cache, Duration::from_secs(10)).await {
            Message::Error("invalidations are still queued ten seconds after the last fault".into()).say();
        }
        self.follow_queue(Duration::from_secs(1)).await?;
        let mut random = Random::new();
        for id in 0..ROWS {
            for site in 0..3 {
                self.read(id, site, &mut random).await?;
            }
        }
        self.tell_counts();
        Ok(())
    }
}
