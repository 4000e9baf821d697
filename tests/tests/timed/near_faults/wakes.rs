//! How soon a call that waits for another process's load continues.

use cached_core::{Cache, MissReason};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};
use tests::{KeptRows, Network, Pass, RedisServer, Way};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const ROUNDS: u32 = 40;

/// Patient, because the time of the store is not under test.
fn cache(url: &str, heartbeat: Duration) -> Cache {
    let cache = Cache::builder().namespace("cache").redis(url).near_heartbeat(heartbeat);
    // But less patient than its wait for others' loads: a silent connection costs the former, and not the latter.
    cache
        .budget(Duration::from_secs(1))
        .lease_ttl(Duration::from_secs(60))
        .max_wait(Duration::from_secs(60))
        .build()
        .unwrap()
}

/// The median time from the end of a load there to the end of the wait for it here.
async fn wakes_after(here: &Cache, there: &Cache, attempt: usize) -> Duration {
    let mut times = Vec::new();
    for round in 0..ROUNDS {
        let key = format!("waited-for:{attempt}:{round}");
        let (tell, begun) = oneshot::channel();
        let ended = Arc::new(Mutex::new(None));
        let holder = tokio::spawn({
            let (there, key, ended) = (there.clone(), key.clone(), Arc::clone(&ended));
            async move {
                let load = async || {
                    tell.send(()).unwrap();
                    tokio::time::sleep(Duration::from_micros(20_000 + 700 * u64::from(round))).await;
                    *ended.lock().unwrap() = Some(Instant::now());
                    Ok::<_, ()>(round)
                };
                there.entry(key).get_or_load(load).await
            }
        });
        begun.await.unwrap();
        assert_eq!(here.entry(key).get_or_load(async || Err(())).await, Ok(round), "it has waited");
        times.push(ended.lock().unwrap().unwrap().elapsed());
        assert_eq!(holder.await.unwrap(), Ok(round));
    }
    times.sort();
    let (median, longest) = (times[times.len() / 2], times[times.len() - 1]);
    let site = here.stats().site("Cache::entry").unwrap().clone();
    eprintln!("woken after {median:?} in the median, {longest:?} at most, {} waits", site.lease_waits);
    assert!(site.misses[&MissReason::Leased] >= u64::from(ROUNDS) / 2, "{site:?}");
    median
}

/// Time stands still, except for what comes over a network: no timer of this runtime ends.
struct StandStill {
    /// A blocking task: while there is one, tokio does not advance time by itself.
    holds: JoinHandle<()>,
    /// Dropping this ends it.
    _lets_go: mpsc::Sender<()>,
}

impl StandStill {
    /// The longest real time.
    const AT_MOST: Duration = Duration::from_secs(60);

    fn begin() -> Self {
        tokio::time::pause();
        let (lets_go, is_let_go) = mpsc::channel::<()>();
        let holds = tokio::task::spawn_blocking(move || {
            let _ = is_let_go.recv_timeout(Self::AT_MOST);
        });
        Self { holds, _lets_go: lets_go }
    }

    /// The result of the task; `None` if it does not end while time stands still.
    async fn meanwhile<T>(&mut self, task: &mut JoinHandle<T>) -> Option<T> {
        tokio::select! {
            biased;
            returned = task => Some(returned.unwrap()),
            _ = &mut self.holds => None,
        }
    }
}

impl Drop for StandStill {
    fn drop(&mut self) {
        tokio::time::resume();
    }
}

/// Waits for the server's answers to questions that this cache asks after all that it has asked before.
async fn round_trips(of: &Cache) {
    for _ in 0..8 {
        of.entry("asked-in-between").get::<u32>().await;
    }
}

/// A load there ends while time stands still, and a call here waits for it. Returns that call.
async fn wait_for_a_load(here: &Cache, there: &Cache, key: String) -> (StandStill, JoinHandle<Result<u32, ()>>) {
    let ((tell, begun), (end, ended)) = (oneshot::channel(), oneshot::channel());
    let holder = tokio::spawn({
        let (there, key) = (there.clone(), key.clone());
        async move {
            let load = async || {
                tell.send(()).unwrap();
                ended.await.unwrap();
                Ok::<_, ()>(7_u32)
            };
            assert_eq!(there.entry(key).get_or_load(load).await, Ok(7));
            there.flush().await;
        }
    });
    begun.await.unwrap();
    let waits = || here.stats().site("Cache::entry").map_or(0, |site| site.lease_waits);
    let before = waits();
    let time = StandStill::begin();
    let waiter = tokio::spawn({
        let here = here.clone();
        async move { here.entry(key).get_or_load(async || Err(())).await }
    });
    while waits() == before {
        round_trips(here).await;
    }
    round_trips(here).await;
    assert!(!waiter.is_finished(), "the load has not ended");
    end.send(()).unwrap();
    holder.await.unwrap();
    (time, waiter)
}

/// When a load there ends, the call here continues although no timer does. If the announcement does not arrive, it does
/// not.
#[tokio::test]
async fn a_waiter_is_notified_of_the_value() {
    let server = RedisServer::start();
    let network = Network::of_news_to(&server).await;
    // A silent connection is given up only after that.
    let long = Duration::from_secs(60);
    let (told, untold, there) = (cache(&server.url(), long), cache(&network.url(), long), cache(&server.url(), long));
    for here in [&told, &untold] {
        // A function of these caches uses the near cache; the waiting one does not.
        KeptRows::new(8).warm(here, Way::Shared, 1).await;
    }
    network.down(Pass::Never);
    for round in 0..ROUNDS {
        let (mut time, mut waiter) = wait_for_a_load(&told, &there, format!("told-of:{round}")).await;
        let woken = time.meanwhile(&mut waiter).await.expect("nothing has woken it but time could");
        assert_eq!(woken, Ok(7), "round {round}");
    }
    let (time, waiter) = wait_for_a_load(&untold, &there, "not-told-of".to_owned()).await;
    round_trips(&untold).await;
    assert!(!waiter.is_finished(), "nobody has told it");
    drop(time);
    assert_eq!(waiter.await.unwrap(), Ok(7), "it looks for itself, in time");
}

/// The announcement does not arrive: the call asks from time to time, and does not wait for the lease to run out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiter_does_not_rely_on_the_notification() {
    let server = RedisServer::start();
    let network = Network::of_news_to(&server).await;
    let beat = Duration::from_secs(1);
    let (here, there) = (cache(&network.url(), beat), cache(&server.url(), beat));
    KeptRows::new(8).warm(&here, Way::Shared, 1).await;
    network.down(Pass::Never);
    let median = wakes_after(&here, &there, 0).await;
    assert!(median < Duration::from_secs(2), "{median:?}");
}
