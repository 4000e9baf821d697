//! Queued invalidations: until they are applied, this process does not serve what the store holds under their keys.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_queued_row_is_not_served_from_the_store() {
    for way in ways() {
        let on = Source::new();
        on.warm(way, 1).await;
        on.on.store.plan(Step::RemoveAll, vec![Act::Fails(FaultKind::ReadOnly); 3]);
        assert_eq!(on.cache.invalidate((way.changed)(2)).await, Outcome::Queued);
        for version in [2, 3] {
            let read = (way.read)(&on, &IDS, version).await;
            assert_eq!(read, versions([1, version, 1]), "{}", way.name);
        }
        assert_eq!(on.loads(), 2, "{}: the others are served", way.name);
        assert!(on.on.applied(Duration::from_secs(1)).await);
        for _ in 0..2 {
            assert_eq!((way.read)(&on, &IDS, 4).await, versions([1, 4, 1]), "{}", way.name);
            on.cache.flush().await;
        }
    }
}

/// The write is queued while the load runs.
#[tokio::test(start_paused = true)]
async fn a_row_queued_during_its_load_is_not_stored() {
    for way in ways() {
        let on = Source::new();
        on.on.store.plan(Step::Acquire, vec![Act::LateAnswer(ms(20)); 3]);
        let read = on.reading(way, 1).await;
        on.on.store.plan(Step::RemoveAll, vec![Act::Fails(FaultKind::ReadOnly); 3]);
        assert_eq!(on.cache.invalidate((way.changed)(1)).await, Outcome::Queued);
        assert_eq!(read.await.unwrap()[0], row(1, 1), "{}", way.name);
        on.cache.flush().await;
        assert_eq!((way.read)(&on, &[1], 2).await, [row(1, 2)], "{}", way.name);
        assert!(on.on.applied(Duration::from_secs(1)).await);
        assert_ne!((way.read)(&on, &[1], 3).await, [row(1, 1)], "{}: it was removed at last", way.name);
    }
}

/// The ENDs of two writes of one register have failed. Once the queue is applied, the markers of both are gone.
#[tokio::test(start_paused = true)]
async fn loads_are_stored_again_once_the_queue_is_applied() {
    let on = Subject::new();
    on.store.plan(Step::End, vec![Act::Fails(FaultKind::ReadOnly); 2]);
    on.store.plan(Step::RemoveAll, [Act::Fails(FaultKind::ReadOnly)]);
    let write = |takes| {
        let cache = on.cache.clone();
        async move { cache.write(Invalidation::new().key("k").tag("t"), sleep(takes)).await.1 }
    };
    let writes = [tokio::spawn(write(ms(10))), tokio::spawn(write(ms(10)))];
    for write in writes {
        assert_eq!(write.await.unwrap(), Outcome::Queued);
    }
    assert!(on.applied(Duration::from_secs(1)).await);
    for value in [1, 2] {
        let load = || async move { Ok::<u64, ()>(value) };
        assert_eq!(on.cache.entry("k").tag("t").get_or_load(load).await, Ok(1));
        on.cache.flush().await;
    }
}

/// The task that applies the queue ends with its runtime. The next call that waits for it, on another runtime, goes on.
#[test]
fn the_duty_to_apply_the_queue_is_given_back_when_its_runtime_ends() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let first = runtime();
    let on = first.block_on(async {
        let on = Subject::new();
        on.call(1, AT_ONCE).await;
        on.store.plan(Step::RemoveAll, vec![Act::Fails(FaultKind::ReadOnly); 2]);
        assert_eq!(on.cache.invalidate(Invalidation::new().key("k")).await, Outcome::Queued);
        tasks().await;
        assert_eq!(on.store.count(Step::RemoveAll), 2, "the task has tried, and waits");
        on
    });
    drop(first);
    runtime().block_on(async {
        assert!(on.applied(Duration::from_secs(10)).await, "another task has taken it over");
        assert_eq!(on.register().await, None);
    });
}
