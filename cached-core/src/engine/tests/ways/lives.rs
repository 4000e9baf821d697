//! How long stored values live: as long as their function says, whatever they depend on, and spread by the jitter.

use super::*;
use crate::store::{GetWatched, TagAll, Watch};

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Reads the row of id 2, which is cached, now and then until its time is over.
async fn lives_to_its_end(on: &Source, way: Way, what: &str) {
    for day in 1..30 {
        on.on.clock.advance(DAY);
        assert_eq!((way.read)(on, &[2], 9).await, [row(2, 1)], "{}, {what}: day {day}", way.name);
    }
    on.on.clock.advance(DAY);
    assert_eq!((way.read)(on, &[2], 2).await, [row(2, 2)], "{}, {what}: its time is over", way.name);
}

#[tokio::test(start_paused = true)]
async fn a_loaded_value_lives_to_its_end() {
    for way in ways() {
        let on = Source::new();
        on.warm(way, 1).await;
        lives_to_its_end(&on, way, "loaded").await;
    }
}

/// The tags were there before, made for other entries that live shorter.
#[tokio::test(start_paused = true)]
async fn a_loaded_value_makes_its_tags_live_longer() {
    for way in ways() {
        let on = Source::new();
        let tags = ["first", "second:2", "a:2", "b:2"].map(|tag| on.on.engine().settings.prefix.tag(tag));
        let event = on.on.engine().settings.prefix.tag("another");
        let stamps = crate::engine::gate::tag(
            &on.on.store.memory,
            TagAll::new(&tags, Head::value(7), Duration::from_secs(60), BUDGET),
        )
        .await;
        assert!(stamps.unwrap().is_some(), "{event}");
        on.warm(way, 1).await;
        lives_to_its_end(&on, way, "with tags that were there").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_put_value_lives_to_its_end() {
    for way in ways() {
        let on = Source::new();
        assert_eq!((way.put)(&on, 2, 1).await, row(2, 1));
        assert_eq!((way.read)(&on, &[2], 9).await, [row(2, 1)], "{}: it was put", way.name);
        lives_to_its_end(&on, way, "put").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_value_stored_by_hand_lives_to_its_end() {
    for what in ["set", "loaded", "loaded as one of many"] {
        let on = Source::new();
        let entry = on.cache.entry("by hand").ttl(LIFE).tag("first").invalidate_on(&Changed { id: 2 });
        match what {
            "set" => entry.set(&1_u64).await.unwrap(),
            "loaded" => _ = entry.get_or_load(|| async { Ok::<_, ()>(1_u64) }).await.unwrap(),
            _ => {
                let load = |_| async { Ok::<_, ()>(HashMap::from([("by hand", 1_u64)])) };
                let entries = on.cache.entries(&["by hand"], |key| (*key).to_owned()).ttl(LIFE).tag("first");
                entries.invalidate_on(&Changed { id: 2 }).get_or_load(load).await.unwrap();
            }
        }
        on.cache.flush().await;
        on.on.clock.advance(29 * DAY);
        assert_eq!(on.cache.entry("by hand").get::<u64>().await, Some(1), "{what}");
        on.on.clock.advance(DAY);
        assert_eq!(on.cache.entry("by hand").get::<u64>().await, None, "{what}");
    }
}

/// How long the rows of these ids will live, as fractions of `LIFE`.
async fn lives(on: &Source, ids: &[u64]) -> Vec<f64> {
    let prefix = &on.on.engine().settings.prefix;
    let keys: Vec<Key> = ids.iter().map(|id| prefix.literal(&format!("row:{id}"))).collect();
    // The memory store says that only if changes are watched.
    on.on.engine().near();
    let watched =
        on.on.store.memory.get_watched(GetWatched::new(&keys, BUDGET).timed(keys.len())).await.unwrap().unwrap();
    watched.lives.iter().map(|life| life.as_secs_f64() / LIFE.as_secs_f64()).collect()
}

/// Whether they are loaded, put, or set by hand. The jitter only shortens the times that these calls give.
#[tokio::test(start_paused = true)]
async fn values_stored_together_do_not_end_together() {
    let ids: Vec<u64> = (0..200).collect();
    for way in ways() {
        for what in ["loaded", "put", "set"] {
            let on = Source::with(|builder| builder.jitter(0.2));
            match what {
                "loaded" => _ = (way.read)(&on, &ids, 1).await,
                "put" => {
                    for id in &ids {
                        (way.put)(&on, *id, 1).await;
                    }
                }
                _ => {
                    for id in &ids {
                        on.cache.entry(format!("row:{id}")).ttl(LIFE).set(&1_u64).await.unwrap();
                    }
                }
            }
            on.cache.flush().await;
            let lives = lives(&on, &ids).await;
            let (least, most) = lives.iter().fold((f64::MAX, 0.0_f64), |(a, b), life| (a.min(*life), b.max(*life)));
            // The chance that one half of the spread has none of the two hundred is 1 in 10^60.
            assert!(
                (0.8..0.9).contains(&least) && most > 0.9 && most <= 1.0,
                "{}, {what}: {least} to {most}",
                way.name
            );
        }
    }
}
