//! Rows that have changed are not served, and rows that have not changed are.

use super::*;

#[tokio::test(start_paused = true)]
async fn only_the_invalidated_row_is_loaded_again() {
    for way in ways() {
        let on = Source::new();
        on.warm(way, 1).await;
        assert_eq!(on.cache.invalidate((way.changed)(2)).await, Outcome::Applied);
        assert_eq!((way.read)(&on, &IDS, 2).await, versions([1, 2, 1]), "{}", way.name);
        assert_eq!(on.loads(), 1, "{}", way.name);
    }
}

/// The change is announced while an answer is on its way. The value read before the change is returned, but not kept.
#[tokio::test(start_paused = true)]
async fn a_row_that_changes_while_it_is_read_is_not_kept() {
    for way in ways() {
        for late in 0..way.reads {
            let on = Source::new();
            on.warm(way, 1).await;
            // Drops the rows from the near cache, but not from the store.
            if let Some(near) = on.on.engine().near_in_use() {
                near.clear();
            }
            let late_one = std::iter::repeat_n(Act::Well, late).chain([Act::LateAnswer(ms(10))]);
            for step in [Step::Get, Step::GetAll, Step::GetWatched] {
                on.on.store.plan(step, late_one.clone());
            }
            let read = on.reading(way, 9).await;
            assert_eq!(on.cache.invalidate((way.changed)(1)).await, Outcome::Applied);
            let found = read.await.unwrap();
            assert!([row(1, 1), row(1, 9)].contains(&found[0]), "{}: it began before the change", way.name);
            on.cache.flush().await;
            if found[0] == row(1, 1) {
                assert_eq!((way.read)(&on, &[1], 2).await, [row(1, 2)], "{}, read {late}", way.name);
            }
        }
    }
}

/// A call that begins after a completed write does not share a load that had begun before it.
#[tokio::test(start_paused = true)]
async fn a_load_overtaken_by_a_write_is_not_shared_with_later_calls() {
    for way in ways() {
        let on = Source::new();
        // The answer to FILL is on its way when the write completes.
        on.on.store.plan(Step::Fill, vec![Act::LateAnswer(ms(20)); 3]);
        let read = on.reading(way, 1).await;
        assert_eq!(on.cache.invalidate((way.changed)(1)).await, Outcome::Applied);
        let late = (way.read)(&on, &[1], 2).await;
        assert_eq!(late, [row(1, 2)], "{}", way.name);
        assert_eq!(read.await.unwrap(), versions([1; 3]), "{}", way.name);
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_in_progress_keeps_loads_from_being_stored() {
    for way in ways() {
        let on = Source::new();
        let cache = on.cache.clone();
        let write = tokio::spawn(async move { cache.write((way.changed)(2), sleep(ms(50))).await });
        tasks().await;
        assert_eq!((way.read)(&on, &IDS, 1).await, versions([1; 3]), "{}", way.name);
        on.cache.flush().await;
        assert_eq!(write.await.unwrap().1, Outcome::Applied);
        for version in [2, 3] {
            assert_eq!(
                (way.read)(&on, &[2], version).await,
                [row(2, 2)],
                "{}: stored once the write has ended",
                way.name
            );
            on.cache.flush().await;
        }
    }
}

/// The lease has been granted, and the load has not begun yet.
#[tokio::test(start_paused = true)]
async fn a_row_invalidated_before_its_load_begins_is_not_stored() {
    for way in ways() {
        let on = Source::new();
        on.on.store.plan(Step::Acquire, vec![Act::LateAnswer(ms(20)); 3]);
        let read = on.reading(way, 1).await;
        assert_eq!(on.cache.invalidate((way.changed)(1)).await, Outcome::Applied);
        assert_eq!(read.await.unwrap()[0], row(1, 1), "{}", way.name);
        on.cache.flush().await;
        assert_eq!((way.read)(&on, &[1], 2).await, [row(1, 2)], "{}", way.name);
    }
}

#[redis_put(key = "row:<id>", cache = on.cache, ttl = |_: &u64| LIFE, tags = ["first", names])]
async fn put_slowly(on: &Source, id: u64, version: u64) -> u64 {
    sleep(ms(20)).await;
    on.loaded.fetch_add(1, Ordering::SeqCst);
    row(id, version)
}

#[redis_cached(key = "row:<id>", skip(on, version), cache = on.cache, ttl = |_: &u64| LIFE, tags = ["first", names])]
async fn find(on: &Source, id: u64, version: u64) -> u64 {
    on.loaded.fetch_add(1, Ordering::SeqCst);
    row(id, version)
}

/// The put names no event, so the stamps of its tags are read before it begins.
#[tokio::test(start_paused = true)]
async fn a_put_whose_tags_are_invalidated_while_it_runs_is_not_served() {
    for tag in ["first", "a:1", "b:1"] {
        let on = Source::new();
        let writer = Arc::clone(&on);
        let putting = tokio::spawn(async move { put_slowly(&writer, 1, 1).await });
        tasks().await;
        assert_eq!(on.cache.invalidate(Invalidation::new().tag(tag)).await, Outcome::Applied);
        assert_eq!(putting.await.unwrap(), row(1, 1));
        assert_eq!(find(&on, 1, 2).await, row(1, 2), "{tag}");
    }
    let on = Source::new();
    assert_eq!(put_slowly(&on, 1, 1).await, row(1, 1));
    assert_eq!(find(&on, 1, 2).await, row(1, 1), "without an invalidation it is served");
}
