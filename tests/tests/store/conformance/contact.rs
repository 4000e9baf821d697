//! A confirmation says that all changes up to the moment of the *question* were announced. A change during the way of
//! the answer is announced after it.

use super::WITHIN;
use cached_core::store::conformance::steps::all;
use cached_core::store::{GetWatched, RedisStore, Store, Watcher};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};
use tests::{Network, Pass, RedisServer, eventually};

/// How long each answer takes. A busy machine makes it longer, never shorter.
const ON_ITS_WAY: Duration = Duration::from_millis(150);

/// For each confirmation, how long ago the moment was that it is about.
#[derive(Debug, Default)]
struct Ages(Mutex<Vec<Duration>>);

impl Watcher for Ages {
    fn changed(&self, _: &str) {}
    fn all_changed(&self) {}
    fn lost(&self) {}
    fn regained(&self) {}

    fn confirmed(&self, asked: Instant) {
        self.0.lock().unwrap().push(asked.elapsed());
    }

    fn heartbeat(&self) -> Duration {
        Duration::from_secs(2)
    }
}

#[tokio::test]
async fn a_confirmation_is_as_of_the_question() {
    let server = RedisServer::start();
    let network = Network::of_news_to(&server).await;
    network.down(Pass::After(ON_ITS_WAY));
    let store = RedisStore::new(&network.url()).unwrap();
    let ages = Arc::new(Ages::default());
    let watcher: Weak<Ages> = Arc::downgrade(&ages);
    let watch = store.capabilities().watch().unwrap();
    watch.watch(watcher);
    let keys = all(&["k"]);
    eventually("two questions are answered", async || {
        let _ = watch.get_watched(GetWatched::new(&keys, WITHIN).timed(1)).await;
        ages.0.lock().unwrap().len() >= 2
    })
    .await;
    let ages = ages.0.lock().unwrap().clone();
    assert!(ages.iter().all(|age| *age >= ON_ITS_WAY), "{ages:?}");
}
