//! Counts the stores and releases that run in the background, so that they are bounded and can be waited for.
//!
//! Waiting for them takes no room: loads that end meanwhile find as much of it as ever.

use std::sync::Arc;
use tokio::sync::watch;

/// How many may run at once; above that, values are not stored.
const MOST: usize = 4096;

#[derive(Debug)]
pub(crate) struct Background {
    running: watch::Sender<usize>,
}

/// Room for some of them, until this is dropped.
#[derive(Debug)]
pub(crate) struct BackgroundRoom {
    background: Arc<Background>,
    many: usize,
}

impl Default for Background {
    fn default() -> Self {
        Self { running: watch::Sender::new(0) }
    }
}

impl Background {
    /// Takes room for `many`, if there is that much.
    pub(crate) fn room(self: &Arc<Self>, many: usize) -> Option<BackgroundRoom> {
        let is_room = self.running.send_if_modified(|running| {
            let is_room = *running + many <= MOST;
            *running += if is_room { many } else { 0 };
            is_room
        });
        is_room.then(|| BackgroundRoom { background: Arc::clone(self), many })
    }

    /// Waits until none is running.
    pub(crate) async fn settled(&self) {
        // This cannot fail, because the sender is alive.
        let _ = self.running.subscribe().wait_for(|running| *running == 0).await;
    }
}

impl Drop for BackgroundRoom {
    fn drop(&mut self) {
        self.background.running.send_modify(|running| *running -= self.many);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waiting_takes_no_room() {
        let background = Arc::<Background>::default();
        let first = background.room(1).unwrap();
        let waiting = tokio::spawn({
            let background = Arc::clone(&background);
            async move { background.settled().await }
        });
        tokio::task::yield_now().await;
        let second = background.room(1).expect("there is room while somebody waits");
        drop(first);
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished(), "the second is still there");
        drop(second);
        waiting.await.unwrap();
    }

    #[test]
    fn room_is_bounded() {
        let background = Arc::<Background>::default();
        let all = background.room(MOST).unwrap();
        assert!(background.room(1).is_none());
        drop(all);
        assert!(background.room(1).is_some());
    }
}
