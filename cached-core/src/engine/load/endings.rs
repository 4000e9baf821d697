//! The ends of loads, a store or a release, run in the background. This bounds how many, and waits for them.
//!
//! Waiting for them takes no room: loads that end meanwhile find as much of it as ever.

use std::sync::Arc;
use tokio::sync::watch;

/// How many may run at once; above that, values are not stored.
const MOST: usize = 4096;

#[derive(Debug)]
pub(crate) struct Endings {
    running: watch::Sender<usize>,
}

/// Room for some of them, until this is dropped.
#[derive(Debug)]
pub(crate) struct EndingRoom {
    endings: Arc<Endings>,
    many: usize,
}

impl Default for Endings {
    fn default() -> Self {
        Self { running: watch::Sender::new(0) }
    }
}

impl Endings {
    /// Takes room for `many`, if there is that much.
    pub(crate) fn room(self: &Arc<Self>, many: usize) -> Option<EndingRoom> {
        let is_room = self.running.send_if_modified(|running| {
            let is_room = *running + many <= MOST;
            *running += if is_room { many } else { 0 };
            is_room
        });
        is_room.then(|| EndingRoom { endings: Arc::clone(self), many })
    }

    /// Waits until none is running.
    pub(crate) async fn settled(&self) {
        // This cannot fail, because the sender is alive.
        let _ = self.running.subscribe().wait_for(|running| *running == 0).await;
    }
}

impl Drop for EndingRoom {
    fn drop(&mut self) {
        self.endings.running.send_modify(|running| *running -= self.many);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waiting_takes_no_room() {
        let endings = Arc::<Endings>::default();
        let first = endings.room(1).unwrap();
        let waiting = tokio::spawn({
            let endings = Arc::clone(&endings);
            async move { endings.settled().await }
        });
        tokio::task::yield_now().await;
        let second = endings.room(1).expect("there is room while somebody waits");
        drop(first);
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished(), "the second is still there");
        drop(second);
        waiting.await.unwrap();
    }

    #[test]
    fn room_is_bounded() {
        let endings = Arc::<Endings>::default();
        let all = endings.room(MOST).unwrap();
        assert!(endings.room(1).is_none());
        drop(all);
        assert!(endings.room(1).is_some());
    }
}
