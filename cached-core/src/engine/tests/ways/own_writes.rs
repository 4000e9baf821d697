//! A write of this process removes its rows from the near cache before it returns, without waiting for the store's
//! notification.

use super::*;

/// How the second row is written.
type Write = for<'a> fn(&'a Source, Way) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

fn writes() -> [(&'static str, Write); 9] {
    [
        ("invalidated", |on, way| {
            Box::pin(async move { assert_eq!(on.cache.invalidate((way.changed)(2)).await, Outcome::Applied) })
        }),
        ("written", |on, way| {
            Box::pin(async move { assert_eq!(on.cache.write((way.changed)(2), async {}).await.1, Outcome::Applied) })
        }),
        ("a write that goes away", |on, way| {
            Box::pin(async move {
                let write = on.cache.write((way.changed)(2), sleep(ms(50)));
                tokio::time::timeout(ms(10), write).await.unwrap_err();
                tasks().await;
            })
        }),
        ("queued", |on, way| {
            Box::pin(async move {
                on.on.store.plan(Step::RemoveAll, [Act::Fails(FaultKind::ReadOnly)]);
                assert_eq!(on.cache.invalidate((way.changed)(2)).await, Outcome::Queued);
                assert!(on.on.applied(Duration::from_secs(1)).await);
            })
        }),
        ("set", |on, _| {
            Box::pin(async move {
                // A call with tags finds that this value does not have them, and loads.
                on.cache.entry("row:2").set(&row(2, 2)).await.unwrap();
            })
        }),
        ("deleted", |on, _| Box::pin(async move { on.cache.entry("row:2").remove().await.unwrap() })),
        ("put", |on, way| Box::pin(async move { assert_eq!((way.put)(on, 2, 2).await, row(2, 2)) })),
        ("swept", |on, _| Box::pin(async move { _ = on.cache.delete_matching("row:2").await.unwrap() })),
        ("all swept", |on, _| Box::pin(async move { _ = on.cache.clear().await.unwrap() })),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_written_row_is_gone_before_the_store_notifies() {
    for way in ways().filter(Way::is_near) {
        for (what, write) in writes() {
            let on = Source::new();
            on.warm(way, 1).await;
            on.on.store.hold_news();
            write(&on, way).await;
            assert_eq!((way.read)(&on, &IDS, 2).await[1], row(2, 2), "{}: {what}", way.name);
        }
    }
}

/// A read during the write keeps the value that it finds, which is the old one while the write is on its way.
#[tokio::test(start_paused = true)]
async fn a_row_kept_during_the_write_is_gone_as_well() {
    for way in ways().filter(Way::is_near) {
        for (what, write) in writes().into_iter().filter(|(what, _)| *what != "queued") {
            let on = Source::new();
            on.warm(way, 1).await;
            on.on.engine().near().clear();
            on.on.store.hold_news();
            for step in [Step::RemoveAll, Step::Remove, Step::Put, Step::End, Step::Sweep] {
                on.on.store.plan(step, [Act::Late(ms(50))]);
            }
            let writer = Arc::clone(&on);
            let writing = tokio::spawn(async move { write(&writer, way).await });
            sleep(ms(5)).await;
            (way.read)(&on, &IDS, 1).await;
            assert!(!writing.is_finished(), "{}: {what}", way.name);
            writing.await.unwrap();
            assert_eq!((way.read)(&on, &[2], 2).await, [row(2, 2)], "{}: {what}", way.name);
        }
    }
}

/// Rows that BEGIN has removed are not served while the write runs.
#[tokio::test(start_paused = true)]
async fn a_write_in_progress_has_dropped_its_rows() {
    for way in ways().filter(Way::is_near) {
        let on = Source::new();
        on.warm(way, 1).await;
        on.on.store.hold_news();
        let cache = on.cache.clone();
        let writing = tokio::spawn(async move { cache.write((way.changed)(2), sleep(ms(50))).await });
        sleep(ms(5)).await;
        assert_eq!((way.read)(&on, &[2], 2).await, [row(2, 2)], "{}", way.name);
        assert_eq!(writing.await.unwrap().1, Outcome::Applied);
    }
}
