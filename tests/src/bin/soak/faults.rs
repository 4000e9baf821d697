//! What goes wrong meanwhile.

use crate::oracle::{HOT, Oracle, PROCESSES, Teller};
use crate::random::Random;
use crate::workers::Workers;
use std::error::Error;
use std::time::{Duration, Instant};
use tests::RedisServer;

/// How long after a writer was killed its write counts as complete: its marker's time, and a little for clocks.
const GRACE: Duration = Duration::from_millis(1_200);
/// How long after that nothing removes what the writer may have left behind.
const LOOK: Duration = Duration::from_millis(1_000);

/// A killed writer's write that will be complete.
struct Promise {
    at: Instant,
    row: u64,
    version: u64,
}

pub(crate) struct Faults {
    pub(crate) server: RedisServer,
    pub(crate) oracle: Oracle,
    pub(crate) random: Random,
    promises: Vec<Promise>,
    /// Nothing that removes entries until then.
    gentle_until: Instant,
    pub(crate) count: u64,
}

impl Faults {
    pub(crate) fn new(server: RedisServer, oracle: Oracle) -> Self {
        let (random, now) = (Random::new(), Instant::now());
        Self { server, oracle, random, promises: Vec::new(), gentle_until: now, count: 0 }
    }

    /// One fault after the other.
    pub(crate) async fn run(&mut self, workers: &mut Workers, until: Instant) -> Result<(), Box<dyn Error>> {
        while Instant::now() < until {
            let pause = Duration::from_millis(100) + self.random.ms(250);
            self.rest(pause).await?;
            let is_gentle = Instant::now() < self.gentle_until;
            match self.random.below(if is_gentle { 3 } else { 12 }) {
                0 => self.freeze().await?,
                1 | 2 => self.send(&["CLIENT", "KILL", "TYPE", "normal"]).await?,
                3 => self.forget("restart").await?,
                4 => self.forget("flush").await?,
                5 => self.forget("evict").await?,
                6 | 7 => self.delete_some().await?,
                _ => self.kill_writer(workers).await?,
            }
            self.count += 1;
        }
        // What was promised is checked to the end.
        let last = self.promises.iter().map(|promise| promise.at).max();
        let rest = last.map_or(Duration::ZERO, |at| at.saturating_duration_since(Instant::now()));
        self.rest(rest + Duration::from_millis(300)).await
    }

    /// Lets the processes work, and tells the oracle what has come due.
    async fn rest(&mut self, time: Duration) -> Result<(), Box<dyn Error>> {
        tokio::time::sleep(time).await;
        let now = Instant::now();
        for due in self.promises.extract_if(.., |promise| promise.at <= now) {
            self.oracle.completed(Teller::Parent, due.row, due.version)?;
        }
        Ok(())
    }

    async fn send(&self, words: &[&str]) -> Result<(), Box<dyn Error>> {
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        let _: redis::Value = self.server.send(&words).await;
        Ok(())
    }

    /// For less time than markers live without being extended.
    async fn freeze(&mut self) -> Result<(), Box<dyn Error>> {
        self.server.freeze();
        let time = Duration::from_millis(20) + self.random.ms(300);
        let rested = self.rest(time).await;
        self.server.thaw();
        rested
    }

    /// The server loses what it has, markers included.
    async fn forget(&mut self, how: &str) -> Result<(), Box<dyn Error>> {
        self.oracle.next_epoch()?;
        match how {
            "restart" => {
                self.server.kill();
                self.rest(Duration::from_millis(10)).await?;
                self.server.restart();
            }
            "flush" => self.send(&["FLUSHALL"]).await?,
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

    /// Entries, leases, tags; markers are what the library asks not to lose.
    async fn delete_some(&mut self) -> Result<(), Box<dyn Error>> {
        for _ in 0..10 {
            let key: Option<String> = self.server.send(&[b"RANDOMKEY"]).await;
            if let Some(key) = key.filter(|key| !key.ends_with(":w") && !key.ends_with(":{w}")) {
                self.send(&["DEL", &key]).await?;
            }
        }
        Ok(())
    }

    /// SIGKILL between commit and END, and another process in its place.
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
