//! How soon a call goes on that waits for another process's load.

use cached_core::{Cache, MissReason, Options};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tests::{KeptRows, Network, Pass, RedisServer, Way, lateness_of};
use tokio::sync::oneshot;

const ROUNDS: u32 = 40;

/// Patient: what is under test is not how long the store takes.
fn cache(url: &str, heartbeat: Duration) -> Cache {
    let cache = Cache::builder().namespace("cache").redis(url).heartbeat(heartbeat);
    // But less so than it waits for others' loads: a connection that is silent costs the one, and not the other.
    cache
        .budget(Duration::from_secs(1))
        .lease(Duration::from_secs(60))
        .max_wait(Duration::from_secs(60))
        .build()
        .unwrap()
}

/// From the end of a load there to the end of the wait for it here: the median.
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
                there.get_or_set(key, Options::new(), load).await
            }
        });
        begun.await.unwrap();
        assert_eq!(here.get_or_set(key, Options::new(), async || Err(())).await, Ok(round), "it has waited");
        times.push(ended.lock().unwrap().unwrap().elapsed());
        assert_eq!(holder.await.unwrap(), Ok(round));
    }
    times.sort();
    let (median, longest) = (times[times.len() / 2], times[times.len() - 1]);
    let site = here.stats().site("Cache::get_or_set").unwrap().clone();
    eprintln!("woken after {median:?} in the median, {longest:?} at most, {} waits", site.lease_waits);
    assert!(site.misses[&MissReason::Leased] >= u64::from(ROUNDS) / 2, "{site:?}");
    median
}

/// Where the news do not arrive, it asks every 15 to 20 ms; where they do, it need not wait for its turn to ask. Both on this machine
/// as it is now. In one of five attempts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiter_is_told_of_the_value() {
    let server = RedisServer::start();
    let network = Network::of_news_to(&server).await;
    // A connection that has gone silent is given up only after that.
    let long = Duration::from_secs(60);
    let (told, untold, there) = (cache(&server.url(), long), cache(&network.url(), long), cache(&server.url(), long));
    for here in [&told, &untold] {
        // A function of these caches uses the near cache; the one that waits does not.
        KeptRows::new(8).warm(here, Way::Shared, 1).await;
    }
    network.down(Pass::Never);
    let mut medians = Vec::new();
    for attempt in 0..5 {
        let (of_told, late) = lateness_of(wakes_after(&told, &there, 2 * attempt)).await;
        let of_untold = wakes_after(&untold, &there, 2 * attempt + 1).await;
        if 3 * of_told < 2 * of_untold {
            return;
        }
        // Where timers are late by as much as there is to be gained, nothing can be seen of that.
        if late < ROUNDS * Duration::from_millis(3) {
            medians.push((of_told, of_untold));
        }
    }
    assert!(medians.is_empty(), "woken after {medians:?}, when told and when not, in the median");
    eprintln!(
        "SKIPPED: this machine is too busy to tell how soon a waiter goes on; `engine::tests::announced` says that it does"
    );
}

/// The news do not arrive: it asks from time to time, and does not wait for the lease to run out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiter_does_not_rely_on_being_told() {
    let server = RedisServer::start();
    let network = Network::of_news_to(&server).await;
    let beat = Duration::from_secs(1);
    let (here, there) = (cache(&network.url(), beat), cache(&server.url(), beat));
    KeptRows::new(8).warm(&here, Way::Shared, 1).await;
    network.down(Pass::Never);
    let median = wakes_after(&here, &there, 0).await;
    assert!(median < Duration::from_secs(2), "{median:?}");
}
