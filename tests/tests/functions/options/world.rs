//! The source, the cache and the time of one run.

use super::source::{Failure, Load, Returned, Row, Source};
use cached_core::{Cache, Clock};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// The time of a load and of a slow load, which is longer than `load_timeout`.
const TAKES: Duration = Duration::from_millis(1);
const SLOW: Duration = Duration::from_millis(45);
const TICK: Duration = Duration::from_millis(1);

#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) cache: Cache,
    began: Instant,
    is_real: bool,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// On a manual clock.
    now: Duration,
    sources: BTreeMap<u64, Source>,
    is_down: bool,
    is_slow: bool,
    under_way: usize,
}

impl World {
    /// On a manual clock that follows tokio's paused time: whenever nothing else is to be done, a millisecond passes.
    pub(crate) fn timed(cache: Cache, clock: Clock) -> Self {
        let state = Arc::<Mutex<State>>::default();
        let ticking = Arc::downgrade(&state);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(TICK).await;
                let Some(state) = ticking.upgrade() else { return };
                clock.advance(TICK);
                state.lock().unwrap().now += TICK;
            }
        });
        Self { cache, began: Instant::now(), is_real: false, state }
    }

    pub(crate) fn real(cache: Cache) -> Self {
        Self { cache, began: Instant::now(), is_real: true, state: Arc::default() }
    }

    pub(crate) fn is_real(&self) -> bool {
        self.is_real
    }

    /// The largest difference between two readings of a time.
    pub(crate) fn slack(&self) -> Duration {
        Duration::from_millis(if self.is_real() { 5 } else { 3 })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn now(&self) -> Duration {
        if self.is_real() { self.began.elapsed() } else { self.state().now }
    }

    /// Time passes.
    pub(crate) async fn elapse(&self, by: Duration) {
        tokio::time::sleep(by).await;
    }

    pub(crate) fn source<T>(&self, id: u64, of: impl FnOnce(&mut Source) -> T) -> T {
        of(self.state().sources.entry(id).or_insert_with(|| Source::new(id)))
    }

    pub(crate) fn set_down(&self, is_down: bool) {
        self.state().is_down = is_down;
    }

    pub(crate) fn set_slow(&self, is_slow: bool) {
        self.state().is_slow = is_slow;
    }

    pub(crate) fn loads_under_way(&self) -> usize {
        self.state().under_way
    }

    /// The body of a function over one id.
    pub(crate) async fn load(&self, id: u64) -> Returned {
        let row = self.read(&[id]).await?.remove(&id);
        if row.is_none() && Failure::says_gone(id) { Err(Failure::Gone) } else { Ok(row) }
    }

    /// The body of a function over many.
    pub(crate) async fn load_all(&self, ids: &[u64]) -> Result<HashMap<u64, Row>, Failure> {
        self.read(ids).await
    }

    /// Reads first and then takes its time, so what it returns may be outdated.
    async fn read(&self, ids: &[u64]) -> Result<HashMap<u64, Row>, Failure> {
        let began = self.now();
        let read: Vec<(u64, usize)> = ids.iter().map(|id| (*id, self.source(*id, |source| source.now()))).collect();
        let (failed, takes) = {
            let mut state = self.state();
            state.under_way += 1;
            (state.is_down, if state.is_slow { SLOW } else { TAKES })
        };
        self.elapse(takes).await;
        let ended = self.now();
        self.state().under_way -= 1;
        let mut rows = HashMap::new();
        for (id, state) in read {
            let row = self.source(id, |source| {
                source.loads.push(Load { state, began, ended, failed });
                source.states[state].clone()
            });
            rows.extend(row.map(|row| (id, row)));
        }
        if failed { Err(Failure::Down) } else { Ok(rows) }
    }

    /// Waits until nothing is loaded or stored in the background.
    pub(crate) async fn settle(&self) {
        loop {
            // On paused time this ends when all tasks wait for something.
            tokio::time::sleep(TICK).await;
            self.cache.flush().await;
            if self.loads_under_way() == 0 {
                return;
            }
        }
    }
}
