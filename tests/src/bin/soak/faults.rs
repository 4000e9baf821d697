//! The faults of the soak.

use crate::oracle::{Calls, HOT, Oracle, PROCESSES, Teller};
use crate::pair::Pair;
use crate::random::Random;
use crate::workers::Workers;
use std::error::Error;
use std::time::{Duration, Instant};

/// How long after its writer was killed a write counts as complete: the time of its marker, and a little for clocks.
const GRACE: Duration = Duration::from_millis(1_200);
/// How long after that nothing removes what the writer may have left behind.
const LOOK: Duration = Duration::from_millis(1_000);

/// How long after a failover's end every process knows of it: a beat of one second, and as much again for a busy
/// machine.
const BEAT: Duration = Duration::from_millis(2_000);

/// A fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Freeze,
    Cut,
    Restart,
    Flush,
    Evict,
    Delete,
    Kill,
    Failover,
}

impl Fault {
    /// Their names, and their relative frequencies.
    const ALL: [(&'static str, Self, u64); 8] = [
        ("freeze", Self::Freeze, 1),
        ("cut", Self::Cut, 2),
        ("restart", Self::Restart, 1),
        ("flush", Self::Flush, 1),
        ("evict", Self::Evict, 1),
        ("delete", Self::Delete, 2),
        ("kill", Self::Kill, 4),
        ("failover", Self::Failover, 3),
    ];

    /// `None` if one of these comma-separated names is unknown.
    pub(crate) fn named(names: &str) -> Option<Vec<Self>> {
        let of = |name: &str| Self::ALL.iter().find(|(known, ..)| *known == name).map(|(_, fault, _)| *fault);
        names.split(',').map(of).collect()
    }

    /// Whether entries stay where they are.
    fn is_gentle(self) -> bool {
        matches!(self, Self::Freeze | Self::Cut)
    }

    fn one_of(faults: &[Self], random: &mut Random) -> Option<Self> {
        let weighted = || Self::ALL.iter().filter(|(_, fault, _)| faults.contains(fault));
        let mut at = random.below(weighted().map(|(.., weight)| weight).sum::<u64>().max(1));
        for (_, fault, weight) in weighted() {
            match at.checked_sub(*weight) {
                Some(rest) => at = rest,
                None => return Some(*fault),
            }
        }
        None
    }
}

/// A killed writer's write that will be complete.
struct Promise {
    at: Instant,
    row: u64,
    version: u64,
}

pub(crate) struct Faults {
    pair: Pair,
    kinds: Vec<Fault>,
    pub(crate) oracle: Oracle,
    pub(crate) random: Random,
    promises: Vec<Promise>,
    /// Until then nothing removes entries.
    gentle_until: Instant,
    pub(crate) count: u64,
    pub(crate) failovers: u64,
}

impl Faults {
    pub(crate) fn new(pair: Pair, kinds: Vec<Fault>, oracle: Oracle) -> Self {
        let (random, now) = (Random::new(), Instant::now());
        Self { pair, kinds, failovers: 0, oracle, random, promises: Vec::new(), gentle_until: now, count: 0 }
    }

    /// Causes one fault after the other.
    pub(crate) async fn run(&mut self, workers: &mut Workers, until: Instant) -> Result<(), Box<dyn Error>> {
        while Instant::now() < until {
            let pause = Duration::from_millis(100) + self.random.ms(250);
            self.rest(pause).await?;
            let is_gentle = Instant::now() < self.gentle_until;
            let faults: Vec<_> = self.kinds.iter().copied().filter(|fault| !is_gentle || fault.is_gentle()).collect();
            let Some(fault) = Fault::one_of(&faults, &mut self.random) else { continue };
            match fault {
                Fault::Freeze => self.freeze().await?,
                Fault::Cut => self.send(&["CLIENT", "KILL", "TYPE", "normal"]).await?,
                Fault::Restart | Fault::Flush | Fault::Evict => self.forget(fault).await?,
                Fault::Delete => self.delete_some().await?,
                Fault::Kill => self.kill_writer(workers).await?,
                Fault::Failover => self.fail_over().await?,
            }
            self.count += 1;
        }
        // Every promise is checked to the end.
        let last = self.promises.iter().map(|promise| promise.at).max();
        let rest = last.map_or(Duration::ZERO, |at| at.saturating_duration_since(Instant::now()));
        self.rest(rest + Duration::from_millis(300)).await
    }

    /// Lets the processes work, and tells the oracle which promises have come due.
    async fn rest(&mut self, time: Duration) -> Result<(), Box<dyn Error>> {
        tokio::time::sleep(time).await;
        let now = Instant::now();
        for due in self.promises.extract_if(.., |promise| promise.at <= now) {
            self.oracle.completed(Teller::Parent, due.row, due.version)?;
        }
        Ok(())
    }

    async fn send(&mut self, words: &[&str]) -> Result<(), Box<dyn Error>> {
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        let _: redis::Value = self.pair.primary().send(&words).await;
        Ok(())
    }

    /// Freezes the server for less time than markers live without being extended.
    async fn freeze(&mut self) -> Result<(), Box<dyn Error>> {
        self.pair.primary().freeze();
        let time = Duration::from_millis(20) + self.random.ms(300);
        let rested = self.rest(time).await;
        self.pair.primary().thaw();
        rested
    }

    /// The server loses its data, markers included.
    async fn forget(&mut self, how: Fault) -> Result<(), Box<dyn Error>> {
        self.oracle.next_epoch()?;
        match how {
            Fault::Restart => {
                self.pair.primary().kill();
                self.rest(Duration::from_millis(10)).await?;
                self.pair.primary().restart();
            }
            Fault::Flush => self.send(&["FLUSHALL"]).await?,
            _ => {
                self.send(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]).await?;
                self.send(&["CONFIG", "SET", "maxmemory", "1"]).await?;
                self.rest(Duration::from_millis(50)).await?;
                self.send(&["CONFIG", "SET", "maxmemory", "0"]).await?;
            }
        }
        self.oracle.next_epoch()?;
        Ok(())
    }

    /// Deletes entries, leases and tags, but no markers, which the library requires not to be lost.
    async fn delete_some(&mut self) -> Result<(), Box<dyn Error>> {
        for _ in 0..10 {
            let key: Option<String> = self.pair.primary().send(&[b"RANDOMKEY"]).await;
            if let Some(key) = key.filter(|key| !key.ends_with(":w") && !key.ends_with(":{w}")) {
                self.send(&["DEL", &key]).await?;
            }
        }
        Ok(())
    }

    /// The replica replaces the primary, often without what the primary has acknowledged last. Until every process must
    /// know of it, no other fault happens: nobody would remove again what a killed process has lost.
    async fn fail_over(&mut self) -> Result<(), Box<dyn Error>> {
        self.oracle.next_epoch()?;
        self.oracle.failover_begins()?;
        if self.pair.is_in_step().await {
            if self.random.percent(75) {
                self.pair.hold();
                let held = Duration::from_millis(20) + self.random.ms(300);
                self.rest(held).await?;
            }
            let calls = [Calls::All, Calls::None, Calls::Hits][usize::try_from(self.random.below(3))?];
            self.oracle.let_call(self.random.below(PROCESSES), calls)?;
            if calls != Calls::All {
                // Its calls under way end; otherwise they would lead it to the new primary.
                self.rest(Duration::from_millis(150)).await?;
            }
            self.pair.switch(&mut self.random).await?;
            self.failovers += 1;
            self.rest(BEAT).await?;
        }
        self.oracle.failover_ends()?;
        self.oracle.next_epoch()?;
        // Time for what the processes have not noticed yet.
        self.rest(LOOK).await?;
        self.oracle.let_call(0, Calls::All)?;
        self.pair.renew_replica().await
    }

    /// SIGKILL between commit and END, and another process replaces it.
    async fn kill_writer(&mut self, workers: &mut Workers) -> Result<(), Box<dyn Error>> {
        let process = self.random.below(PROCESSES);
        let deadline = Instant::now() + Duration::from_secs(1);
        let is_quiet = |row: u64| row >= HOT;
        while !self.oracle.under_way(process)?.iter().any(|write| is_quiet(write.row)) && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        workers.kill(process)?;
        let (now, epoch) = (Instant::now(), self.oracle.epoch()?);
        for write in self.oracle.take_under_way(process)? {
            // Without its markers nothing is promised.
            if write.epoch == epoch {
                self.promises.push(Promise { at: now + GRACE, row: write.row, version: write.version });
            }
        }
        self.gentle_until = now + GRACE + LOOK;
        workers.start(process)
    }
}
