//! What goes on in the background, counted, so that a cache can wait for it and say what it leaves.
//!
//! The ends of loads, a store or a release, are bounded as well. Waiting for them takes no room: loads that end
//! meanwhile find as much of it as ever.

use std::sync::Arc;
use tokio::sync::watch;

/// How many ends of loads may run at once; above that, values are not stored.
const MOST: usize = 4096;

#[derive(Debug)]
pub(crate) struct Background {
    running: watch::Sender<Running>,
}

/// How much is running.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Running {
    /// Room taken by the ends of loads.
    endings: usize,
    /// Values being stored.
    pub(crate) values: usize,
    /// Dropped leases that are being released.
    pub(crate) releases: usize,
    /// Loads in tasks of their own.
    pub(crate) loads: usize,
}

/// Work in the background, until this is dropped.
#[derive(Debug)]
pub(crate) struct BackgroundWork {
    background: Arc<Background>,
    part: Running,
}

impl Default for Background {
    fn default() -> Self {
        Self { running: watch::Sender::new(Running::default()) }
    }
}

impl Background {
    /// Takes room for the ends of `many` loads, if there is that much.
    pub(crate) fn ending(self: &Arc<Self>, many: usize) -> Option<BackgroundWork> {
        let part = Running { endings: many, ..Running::default() };
        let is_room = self.running.send_if_modified(|running| {
            let is_room = running.endings + many <= MOST;
            if is_room {
                running.add(part);
            }
            is_room
        });
        is_room.then(|| BackgroundWork { background: Arc::clone(self), part })
    }

    /// Counts a value that is being stored, as a part of such an end.
    pub(crate) fn value(self: &Arc<Self>) -> BackgroundWork {
        self.begin(Running { values: 1, ..Running::default() })
    }

    /// Counts the release of so many leases.
    pub(crate) fn release(self: &Arc<Self>, leases: usize) -> BackgroundWork {
        self.begin(Running { releases: leases, ..Running::default() })
    }

    /// Counts a load in a task of its own.
    pub(crate) fn load(self: &Arc<Self>) -> BackgroundWork {
        self.begin(Running { loads: 1, ..Running::default() })
    }

    fn begin(self: &Arc<Self>, part: Running) -> BackgroundWork {
        self.running.send_modify(|running| running.add(part));
        BackgroundWork { background: Arc::clone(self), part }
    }

    /// How much is running now.
    pub(crate) fn running(&self) -> Running {
        *self.running.borrow()
    }

    /// Whether nothing is running.
    pub(crate) fn is_idle(&self) -> bool {
        self.running() == Running::default()
    }

    /// Waits until no end of a load is running.
    pub(crate) async fn stored(&self) {
        self.wait(|running| running.endings == 0).await;
    }

    /// Waits until nothing is running.
    pub(crate) async fn ended(&self) {
        self.wait(|running| *running == Running::default()).await;
    }

    async fn wait(&self, is_over: impl FnMut(&Running) -> bool) {
        // This cannot fail, because the sender is alive.
        let _ = self.running.subscribe().wait_for(is_over).await;
    }
}

impl Running {
    fn add(&mut self, part: Self) {
        self.endings += part.endings;
        self.values += part.values;
        self.releases += part.releases;
        self.loads += part.loads;
    }

    fn subtract(&mut self, part: Self) {
        self.endings -= part.endings;
        self.values -= part.values;
        self.releases -= part.releases;
        self.loads -= part.loads;
    }
}

impl BackgroundWork {
    /// Does this work, and counts it as running until it has ended or is dropped.
    pub(crate) async fn around<F: Future>(self, work: F) -> F::Output {
        let output = work.await;
        drop(self);
        output
    }
}

impl Drop for BackgroundWork {
    fn drop(&mut self) {
        self.background.running.send_modify(|running| running.subtract(self.part));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waiting_takes_no_room() {
        let background = Arc::<Background>::default();
        let first = background.ending(1).unwrap();
        let waiting = tokio::spawn({
            let background = Arc::clone(&background);
            async move { background.stored().await }
        });
        tokio::task::yield_now().await;
        let second = background.ending(1).expect("there is room while somebody waits");
        drop(first);
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished(), "the second is still there");
        drop(second);
        waiting.await.unwrap();
    }

    #[test]
    fn room_is_bounded() {
        let background = Arc::<Background>::default();
        let all = background.ending(MOST).unwrap();
        assert!(background.ending(1).is_none());
        drop((background.load(), background.release(1), background.value()));
        drop(all);
        assert!(background.ending(1).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn each_kind_is_counted_by_itself_and_all_of_them_are_waited_for() {
        let background = Arc::<Background>::default();
        let (load, release, value) = (background.load(), background.release(2), background.value());
        background.stored().await;
        let ending = background.ending(2).unwrap();
        let running = background.running();
        assert_eq!((running.values, running.releases, running.loads), (1, 2, 1));
        let waiting = tokio::spawn({
            let background = Arc::clone(&background);
            async move { background.ended().await }
        });
        for part in [ending, release, load, value] {
            tokio::task::yield_now().await;
            assert!(!waiting.is_finished(), "{part:?}");
            drop(part);
        }
        waiting.await.unwrap();
        assert_eq!(background.running(), Running::default());
    }
}
