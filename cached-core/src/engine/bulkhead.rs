//! `load_limit`: bounds the loads that run at once where the store does not bound them: one load per key is little help when a
//! thousand keys are loaded because the store is away. Pattern: Nygard, *Release It!*, 2007.
//!
//! Calls wait in line for a place, however long it takes: if they could pass after a while, there would be no bound
//! when it is needed most. But some waits have no end in sight. The loads that hold the places may wait for the very
//! calls that stand in line (a load that spawns a task, which makes a cached call), or hang. So when no place has
//! become free for a second, one more is made, and after half a minute as many as the bound has. A call that is n-th in
//! line therefore waits for at most half a minute for each full set of places before it.
//!
//! # On cancellation
//! A call that goes away leaves the line; a place that is dropped is free again.

use crate::sync::{Mutex, locked};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

/// When no place has become free for this long, one more is made.
const STUCK: Duration = Duration::from_secs(1);
/// When no place has become free for this long, the loads that hold them are taken to hang.
const HANGING: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(crate) struct Bulkhead {
    places: Semaphore,
    limit: usize,
    line: Mutex<Line>,
}

#[derive(Debug)]
struct Line {
    /// When a place last became free.
    freed: Instant,
    /// When places beyond the limit were last made.
    widened: Instant,
    /// Places beyond the limit. They are not given back.
    extra: usize,
}

/// A place among the loads; free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Place(Arc<Bulkhead>);

impl Bulkhead {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        let now = Instant::now();
        let line = Line { freed: now, widened: now, extra: 0 };
        Arc::new(Self { places: Semaphore::new(limit), limit, line: Mutex::new(line) })
    }

    /// Waits for a place. `None` only if there is no bulkhead any more.
    pub(crate) async fn enter(self: &Arc<Self>) -> Option<Place> {
        let came = Instant::now();
        let mut place = std::pin::pin!(self.places.acquire());
        loop {
            let stuck_at = locked(&self.line).moved().max(came) + STUCK;
            if let Ok(permit) = timeout_at(stuck_at, place.as_mut()).await {
                // `Place` gives the permit back itself, since an extra place is not for the next in line.
                permit.ok()?.forget();
                return Some(Place(Arc::clone(self)));
            }
            let more = locked(&self.line).widen(Instant::now(), came, self.limit);
            self.places.add_permits(more);
        }
    }
}

impl Line {
    /// When the line last moved.
    fn moved(&self) -> Instant {
        self.freed.max(self.widened)
    }

    /// How many places are to be made now. `came`: since when the caller waits.
    fn widen(&mut self, now: Instant, came: Instant, limit: usize) -> usize {
        // Another caller may have done so a moment ago.
        if now < self.moved().max(came) + STUCK {
            return 0;
        }
        let is_hanging = now >= self.freed.max(came) + HANGING;
        let more = if is_hanging { limit } else { 1 };
        if is_hanging {
            self.freed = now;
        }
        self.widened = now;
        self.extra += more;
        more
    }

    /// Notes that a place has become free. Returns whether the next in line gets it.
    fn free(&mut self, now: Instant) -> bool {
        self.freed = now;
        let is_extra = self.extra > 0;
        self.extra -= usize::from(is_extra);
        !is_extra
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if locked(&self.0.line).free(Instant::now()) {
            self.0.places.add_permits(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::task::JoinSet;
    use tokio::time::sleep;

    const MS: Duration = Duration::from_millis(1);

    /// Runs this many loads, each of which takes this long. Returns when each began, in milliseconds, and how many ran
    /// at once at the most.
    async fn begun(bulkhead: &Arc<Bulkhead>, loads: usize, takes: Duration) -> (Vec<u128>, usize) {
        let start = Instant::now();
        let mut tasks = JoinSet::new();
        for _ in 0..loads {
            let bulkhead = Arc::clone(bulkhead);
            tasks.spawn(async move {
                let place = bulkhead.enter().await;
                let began = Instant::now();
                sleep(takes).await;
                drop(place);
                (began, Instant::now())
            });
        }
        let mut loads = tasks.join_all().await;
        loads.sort();
        let at_once = |at: Instant| loads.iter().filter(|(began, ended)| *began <= at && at < *ended).count();
        let most = loads.iter().map(|(began, _)| at_once(*began)).max().unwrap_or(0);
        (loads.iter().map(|(began, _)| (*began - start).as_millis()).collect(), most)
    }

    #[tokio::test(start_paused = true)]
    async fn the_bound_holds_however_long_the_line_is() {
        let bulkhead = Bulkhead::new(4);
        let (begun, most) = begun(&bulkhead, 100, 900 * MS).await;
        assert_eq!((most, begun[99]), (4, 24 * 900), "the last of a hundred waits for 24 loads");
    }

    #[tokio::test(start_paused = true)]
    async fn one_more_is_let_in_for_each_second_in_which_no_load_ends() {
        let bulkhead = Bulkhead::new(2);
        let (begun, most) = begun(&bulkhead, 6, 2_500 * MS).await;
        assert_eq!(most, 4);
        assert_eq!(begun[..4], [0, 0, 1_000, 2_000]);
        // Both places beyond the limit are gone when the first two loads have ended.
        assert_eq!(begun[4..], [3_500, 4_500]);
        assert_eq!(bulkhead.places.available_permits(), 2, "the bound is back");
    }

    #[tokio::test(start_paused = true)]
    async fn loads_that_hang_do_not_hold_their_places_for_ever() {
        let bulkhead = Bulkhead::new(8);
        let (begun, _) = begun(&bulkhead, 60, Duration::from_secs(3_600)).await;
        let waited = |nth: usize| begun[nth] / 1_000;
        assert_eq!((waited(7), waited(8), waited(36)), (0, 1, 29));
        assert_eq!((waited(37), waited(44)), (30, 30), "after half a minute a whole set of places");
        assert_eq!(waited(45), 31);
    }

    #[tokio::test(start_paused = true)]
    async fn loads_that_wait_for_calls_in_line_are_let_go_on() {
        let bulkhead = Bulkhead::new(4);
        let mut outer = JoinSet::new();
        for _ in 0..4 {
            let bulkhead = Arc::clone(&bulkhead);
            outer.spawn(async move {
                let _place = bulkhead.enter().await;
                sleep(20 * MS).await;
                tokio::spawn(async move { drop(bulkhead.enter().await) }).await
            });
        }
        let began = Instant::now();
        outer.join_all().await;
        assert_eq!(began.elapsed(), STUCK + 20 * MS);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_goes_away_leaves_the_line() {
        let bulkhead = Bulkhead::new(1);
        let place = bulkhead.enter().await;
        assert!(timeout_at(Instant::now() + MS, bulkhead.enter()).await.is_err());
        drop(place);
        assert_eq!(bulkhead.places.available_permits(), 1);
    }
}
