//! A run under way: the server, the processes, the steps taken so far, and what every read returned.

use super::desk::{Command, Desk, HeldStep, Process};
use super::foreign::{Foreign, Ground};
use super::gate::FOR_EVER;
use super::row::{Reading, Row};
use cached_core::{CacheError, Clock, Outcome, StoreError};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tests::model::{Action, Plan, Tags, Variant, Way};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// No step takes that long.
const DEADLINE: Duration = Duration::from_secs(20);
/// A process whose flight waits for something of its own takes fewer turns than this.
const TURNS: usize = 40;
/// The first writer's process; the second writer's is the next.
const WRITERS: Process = 10;
const SECOND: Process = 20;
/// The process that sets values by hand.
pub(crate) const HAND: Process = 30;

/// A read under way.
struct Call {
    reader: u8,
    /// The version that was complete when it began.
    floor: u64,
    forced: Option<Forced>,
    task: JoinHandle<Result<u64, StoreError>>,
}

/// What is known of a forced refresh when it begins.
struct Forced {
    process: Process,
    /// The version that the database has.
    since: u64,
    /// The TAKEOVERs of its process so far.
    takeovers: usize,
}

/// A write under way.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Write {
    plan: Plan,
    is_begun: bool,
    task: Option<JoinHandle<(Result<u64, StoreError>, Outcome)>>,
    /// The version, once it is committed.
    version: Option<u64>,
    is_crashed: bool,
    /// Its markers were gone before the commit: if it crashes, nothing is promised.
    is_lapsed: bool,
    is_complete: bool,
}

pub(crate) struct Stage {
    pub(crate) variant: Variant,
    pub(crate) foreign: Arc<Foreign>,
    pub(crate) desk: Arc<Desk>,
    database: Arc<AtomicU64>,
    pub(crate) clock: Clock,
    pub(crate) reading: Reading,
    /// A cache for each reader's process.
    rows: Vec<Row>,
    writer_rows: Vec<Row>,
    second: Row,
    hand: Row,
    /// The value that is being set by hand.
    set: Option<JoinHandle<Result<(), CacheError>>>,
    calls: Vec<Call>,
    writes: [Option<Write>; 2],
    /// Held answers: of a load, and of FILL.
    pub(crate) landing: HashMap<Process, oneshot::Sender<()>>,
    pub(crate) filling: HashMap<Process, oneshot::Sender<()>>,
    /// Commands whose connection broke.
    pub(crate) late: Vec<Option<Command>>,
    /// The newest version that is complete.
    completed: u64,
    pub(crate) log: Vec<String>,
    pub(crate) stale: Vec<String>,
    returned: usize,
}

/// The ways in which readers may be written, for these writers.
pub(crate) fn readings(variant: &Variant) -> Vec<Reading> {
    let is_put = variant.writers.iter().flatten().any(|plan| plan.way == Way::Put);
    match variant.tags {
        Tags::FromValue => vec![Reading::Annotated(Tags::FromValue)],
        // Both then mean the same type of entry.
        tags if is_put => vec![Reading::Annotated(tags)],
        tags => vec![Reading::ByHand(tags), Reading::Annotated(tags)],
    }
}

pub(crate) fn process_of(variant: &Variant, reader: u8) -> Process {
    if variant.shares && reader < 2 { 0 } else { usize::from(reader) }
}

pub(crate) fn writer_process(writer: u8) -> Process {
    WRITERS + usize::from(writer)
}

impl Stage {
    pub(crate) async fn new(ground: Ground, variant: &Variant, run: &[Action]) -> Self {
        // BEGIN is repeated after a third of that. The schedule ends markers in Redis.
        let repeats = run.iter().any(|action| matches!(action, Action::BreakWrite(_)));
        let marker = if repeats { Duration::from_secs(1) } else { FOR_EVER };
        Self::on(Arc::new(Foreign::start(ground).await), variant, marker).await
    }

    /// A stage on an empty server.
    pub(crate) async fn on(foreign: Arc<Foreign>, variant: &Variant, marker: Duration) -> Self {
        // Time passes where values reach their end, and when the run says so.
        let clock = if variant.bridges { Clock::manual() } else { Clock::system() };
        let (desk, database) = (Arc::new(Desk::default()), Arc::new(AtomicU64::new(0)));
        let reading = readings(variant)[0];
        let row = |process, marker| Row::of(process, &foreign, &database, &desk, &clock, marker);
        let writes = variant.writers.map(|plan| {
            let (task, version) = (None, None);
            plan.map(|plan| Write {
                plan,
                is_begun: false,
                task,
                version,
                is_crashed: false,
                is_lapsed: false,
                is_complete: false,
            })
        });
        let stage = Self {
            variant: *variant,
            rows: (0..3).map(|process| row(process, FOR_EVER)).collect(),
            writer_rows: (0..2).map(|writer| row(WRITERS + writer, marker)).collect(),
            second: row(SECOND, FOR_EVER),
            hand: row(HAND, FOR_EVER),
            set: None,
            foreign,
            desk,
            database,
            clock,
            reading,
            calls: Vec::new(),
            writes,
            landing: HashMap::new(),
            filling: HashMap::new(),
            late: Vec::new(),
            completed: 0,
            log: Vec::new(),
            stale: Vec::new(),
            returned: 0,
        };
        stage.connected().await;
        stage
    }

    /// Makes connections before the first step, so that each step is one exchange with the server.
    async fn connected(&self) {
        for row in self.rows.iter().chain(&self.writer_rows).chain([&self.second, &self.hand]) {
            let row = row.clone();
            let process = row.process;
            let first = tokio::spawn(async move { row.cache.entry("of no interest").get::<u64>().await });
            drop(self.take(process, is_get).await);
            let _ = first.await;
        }
    }

    /// Fails with all that was done until then.
    pub(crate) fn fails(&self, why: &str) -> ! {
        panic!("{why}, after\n  {}", self.log.join("\n  "))
    }

    /// Takes the step at this place among those that wait; returns its process, its name, and its answer.
    pub(crate) async fn take_at(&mut self, place: usize) -> Option<(Process, &'static str, oneshot::Sender<()>)> {
        let (process, taken) = self.desk.take_at(place)?;
        let is_commit = matches!(taken.command, Command::Commit);
        let name = name(&taken.command);
        self.carried_out(taken.carried_out).await;
        if is_commit {
            self.committed(u8::try_from(process.saturating_sub(WRITERS)).unwrap_or_default());
        }
        Some((process, name, taken.answer))
    }

    /// Waits until all processes wait for the stage. Meanwhile nothing of the implementation is on its way to the
    /// server, so the tasks only need their turn.
    pub(crate) async fn settle(&self) {
        loop {
            let before = self.desk.entered();
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
            if let Some(aside) = self.desk.take_aside() {
                self.carried_out(aside.carried_out).await;
            } else if self.desk.entered() == before {
                return;
            }
        }
    }

    async fn carried_out(&self, carried_out: oneshot::Receiver<()>) {
        match timeout(DEADLINE, carried_out).await {
            Ok(_) => {}
            Err(_) => self.fails("a step was not carried out in time"),
        }
    }

    /// Takes the next step of this kind, if there is one by now.
    pub(crate) async fn take(&self, process: Process, is: impl Fn(&Command) -> bool) -> Option<HeldStep> {
        self.settle().await;
        let mut taken = self.desk.take(process, is)?;
        let (_, nothing) = oneshot::channel();
        let carried_out = std::mem::replace(&mut taken.carried_out, nothing);
        self.carried_out(carried_out).await;
        Some(taken)
    }

    /// Takes the next step of this kind, which is about to come.
    pub(crate) async fn await_step(&self, process: Process, is: impl Fn(&Command) -> bool) {
        let wait = async {
            loop {
                let entered = self.desk.entered();
                if self.desk.peek(process, &is).is_some() {
                    return;
                }
                self.desk.another(entered).await;
            }
        };
        if timeout(DEADLINE, wait).await.is_err() {
            self.fails("a step that was about to come did not come");
        }
    }

    pub(crate) fn start_read(&mut self, reader: u8) {
        let process = process_of(&self.variant, reader);
        let (row, reading, floor) = (self.rows[process].clone(), self.reading_of(process), self.completed);
        self.calls.push(Call { reader, floor, forced: None, task: tokio::spawn(row.read(reading)) });
    }

    /// As [`start_read`](Self::start_read), by force.
    pub(crate) fn start_forced(&mut self, reader: u8) {
        let process = process_of(&self.variant, reader);
        let (row, reading, floor) = (self.rows[process].clone(), self.reading_of(process), self.completed);
        let (since, takeovers) = (self.database.load(Ordering::SeqCst), self.desk.takeovers(process));
        let forced = Some(Forced { process, since, takeovers });
        self.calls.push(Call { reader, floor, forced, task: tokio::spawn(row.refresh(reading)) });
    }

    /// The first process is of one build, the others are of another.
    fn reading_of(&self, process: Process) -> Reading {
        if self.variant.builds && process != 0 { Reading::OtherBuild } else { self.reading }
    }

    /// Sets what the database holds now, unless that is under way.
    pub(crate) fn start_set(&mut self) {
        let (reading, version) = (self.reading, self.database.load(Ordering::SeqCst));
        let row = self.hand.clone();
        self.set.get_or_insert_with(|| tokio::spawn(row.set(reading, version)));
    }

    /// Starts a write, and returns whether the writer has begun now.
    pub(crate) fn start_write(&mut self, writer: u8) {
        let (row, tags) = (self.writer_rows[usize::from(writer)].clone(), self.variant.tags);
        if let Some(write) = &mut self.writes[usize::from(writer)]
            && !std::mem::replace(&mut write.is_begun, true)
        {
            write.task = Some(tokio::spawn(row.write(write.plan, tags)));
        }
    }

    pub(crate) fn crash(&mut self, writer: u8) {
        self.desk.kill(writer_process(writer));
        if let Some(write) = &mut self.writes[usize::from(writer)] {
            write.is_crashed = true;
        }
    }

    /// Whether the writer has begun and not committed yet.
    pub(crate) fn may_commit(&self, writer: u8) -> bool {
        self.writes[usize::from(writer)].as_ref().is_some_and(|write| write.is_begun && write.version.is_none())
    }

    pub(crate) fn is_crashed(&self, writer: u8) -> bool {
        self.writes[usize::from(writer)].as_ref().is_some_and(|write| write.is_crashed)
    }

    /// The commit of a dead writer takes effect.
    pub(crate) fn commit_of_the_dead(&self) {
        self.database.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn committed(&mut self, writer: u8) {
        let version = self.database.load(Ordering::SeqCst);
        if let Some(write) = &mut self.writes[usize::from(writer)] {
            write.version = Some(version);
        }
    }

    /// Notes that a marker is gone, of this writer or of all.
    pub(crate) fn lapsed(&mut self, writer: Option<u8>) {
        for (number, write) in (0..).zip(&mut self.writes) {
            if let Some(write) = write
                && writer.is_none_or(|writer| writer == number)
            {
                write.is_lapsed |= write.version.is_none();
            }
        }
    }

    /// The registers that a writer marks.
    pub(crate) fn marked_by(&self, writer: u8) -> Vec<&'static str> {
        let Some(write) = &self.writes[usize::from(writer)] else { return Vec::new() };
        let entry = write.plan.entry.then_some(super::row::ENTRY);
        let tags = write.plan.tag.then_some([super::row::TAG, super::row::NAMESPACE]);
        entry.into_iter().chain(tags.into_iter().flatten()).collect()
    }

    /// Collects what has ended: reads are judged, writes are complete.
    pub(crate) async fn collect(&mut self) {
        self.settle().await;
        let (over, under_way) = std::mem::take(&mut self.calls).into_iter().partition(|call| call.task.is_finished());
        self.calls = under_way;
        for call in Vec::<Call>::from_iter::<Vec<Call>>(over) {
            match call.task.await {
                Ok(Ok(version)) => self.judge(&format!("a read of reader {}", call.reader), version, call.floor),
                other => self.fails(&format!("a read of reader {} failed: {other:?}", call.reader)),
            }
            self.returned += 1;
            // What stands there from now on was loaded after the call began. Nothing is promised if TAKEOVER got lost, or
            // until a later forced refresh of another process has ended.
            if let Some(Forced { process, since, takeovers }) = call.forced
                && self.desk.takeovers(process) > takeovers
                && self.desk.last_takeover() == Some(process)
                && since > self.completed
            {
                self.completed = since;
                self.log.push(format!("    reader {}: v{since} is complete by force", call.reader));
            }
        }
        if let Some(set) = self.set.take_if(|set| set.is_finished()) {
            let set = match set.await {
                Ok(Ok(())) => "a value was set by hand".into(),
                Ok(Err(CacheError::Writing)) => "nothing was set by hand: a write is in progress".into(),
                other => format!("unknown whether a value was set by hand: {other:?}"),
            };
            self.log.push(format!("    {set}"));
        }
        for writer in 0..2 {
            self.collect_write(writer).await;
        }
    }

    async fn collect_write(&mut self, writer: u8) {
        let marked = self.marked_by(writer);
        let head = self.desk.writer(writer_process(writer));
        let Some(write) = &mut self.writes[usize::from(writer)] else { return };
        if write.is_complete {
            return;
        }
        let Some(version) = write.version else { return };
        let mut is_complete = false;
        if write.is_crashed {
            // The grace of a bracket, which is promised if its commit was in time.
            if let Some(head) = head.filter(|_| !write.is_lapsed) {
                is_complete = true;
                for register in marked {
                    is_complete &= !self.foreign.is_marked(register, head).await;
                }
            }
        } else if write.task.as_ref().is_some_and(JoinHandle::is_finished)
            && let Some(task) = write.task.take()
        {
            match task.await {
                Ok((Ok(_), Outcome::Applied)) => is_complete = true,
                // Nothing is promised yet.
                Ok((Ok(_), Outcome::Queued)) => {}
                other => self.fails(&format!("writer {writer} did not complete: {other:?}")),
            }
        }
        if is_complete {
            if let Some(write) = &mut self.writes[usize::from(writer)] {
                write.is_complete = true;
            }
            self.completed = self.completed.max(version);
            self.log.push(format!("    writer {writer}: v{version} is complete"));
        }
    }

    fn judge(&mut self, who: &str, version: u64, floor: u64) {
        self.log.push(format!("    {who} returned v{version}, at least v{floor}"));
        if version < floor {
            self.stale.push(format!("{who} returned v{version} though v{floor} was complete when it began"));
        }
    }

    /// Checks what another process sees if it only reads.
    pub(crate) async fn peek(&mut self) {
        let row = self.second.clone();
        let look = tokio::spawn(async move { row.cache.entry("row").get::<u64>().await });
        while !look.is_finished() {
            if self.take(SECOND, is_get).await.is_none() {
                break;
            }
            self.settle().await;
        }
        if let Ok(Ok(Some(version))) = timeout(DEADLINE, look).await {
            let floor = self.completed;
            if version < floor {
                self.judge("another process", version, floor);
            }
        }
    }

    /// Runs all that is under way to its end, by whatever steps it takes.
    pub(crate) async fn drain(&mut self) {
        self.landing.clear();
        self.filling.clear();
        let mut polls = 0;
        loop {
            self.collect().await;
            if let Some((process, name, _)) = self.take_at(0).await {
                polls = if self.desk.waits_for_lease(process) && name.starts_with("GET") { polls + 1 } else { 0 };
                self.log.push(format!("    process {process}: {name}"));
                // All that remains is to wait for the lease of a dead holder.
                if polls > 5 && self.foreign.evict(super::row::ENTRY).await {
                    self.log.push("    the lease runs out".into());
                }
                continue;
            }
            let writes = self.writes.iter().flatten();
            let is_writing =
                writes.clone().any(|write| write.task.is_some() && !write.is_crashed && !write.is_complete);
            if self.calls.is_empty() && !is_writing {
                return;
            }
            // It waits for a lease.
            let entered = self.desk.entered();
            if timeout(DEADLINE, self.desk.another(entered)).await.is_err() {
                self.fails("something is under way that does not end");
            }
        }
    }

    /// All is over: reads that come now see the newest complete version.
    pub(crate) async fn finish(&mut self) -> Finish {
        self.drain().await;
        for writer in 0..2 {
            let Some(head) = self.desk.writer(writer_process(writer)).filter(|_| self.is_crashed(writer)) else {
                continue;
            };
            for register in self.marked_by(writer) {
                self.foreign.expire_marker(register, head).await;
            }
        }
        self.collect().await;
        // Nothing is under way: a lease that stands there came late, and runs out.
        if self.foreign.register(super::row::ENTRY).await.first() == Some(&b'L') {
            self.foreign.evict(super::row::ENTRY).await;
        }
        self.desk.open();
        let floor = self.completed;
        let mut last = 0;
        for _ in 0..2 {
            for row in [self.rows[0].clone(), self.second.clone(), self.rows[2].clone()] {
                let name = format!("a read at the end by process {}", row.process);
                let reading = if row.process == SECOND { self.reading } else { self.reading_of(row.process) };
                match timeout(DEADLINE, row.read(reading)).await {
                    Ok(Ok(version)) => {
                        last = version;
                        self.judge(&name, version, floor);
                    }
                    other => self.fails(&format!("{name} failed: {other:?}")),
                }
            }
        }
        Finish { last, committed: self.database.load(Ordering::SeqCst), completed: floor, returned: self.returned }
    }
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Finish {
    /// The version that the last read returned.
    pub(crate) last: u64,
    pub(crate) committed: u64,
    pub(crate) completed: u64,
    /// Reads of the schedule that returned.
    pub(crate) returned: usize,
}

pub(crate) fn is_get(command: &Command) -> bool {
    matches!(command, Command::Get | Command::GetAll)
}

pub(crate) fn name(command: &Command) -> &'static str {
    match command {
        Command::Get => "GET",
        Command::GetAll => "GET with tags",
        Command::Acquire { .. } => "ACQUIRE",
        Command::Takeover { .. } => "TAKEOVER",
        Command::Tag { .. } => "TAG",
        Command::Fill { .. } => "FILL",
        Command::RemoveAll { .. } => "UNLINK",
        Command::Begin { .. } => "BEGIN",
        Command::End { .. } => "END",
        Command::Put { .. } => "SET",
        Command::Select => "SELECT",
        Command::Commit => "COMMIT",
        Command::Aside => "an aside",
    }
}
