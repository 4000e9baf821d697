//! Entries by hand that together have all options, judged by the same oracle as the functions with attributes.

use super::source::{Down, Row, life};
use super::table::{RowChanged, Subject};
use cached_core::Codec;
use std::collections::HashMap;
use std::time::Duration;

const MS: fn(u64) -> Duration = Duration::from_millis;

/// An entry, with its options as an attribute spells them, for the oracle, and as methods.
macro_rules! subject {
    ($name:literal [$($options:tt)*] |$entry:ident, $id:ident| $build:expr) => {
        Subject::new($name, stringify!($($options)*), |world, ids| {
            Box::pin(async move {
                let mut returned = Vec::new();
                for $id in ids {
                    let $entry = world.cache.entry(format!("{}:{}", $name, $id)).named($name);
                    let (world, id) = (world.clone(), *$id);
                    let load = move || async move { world.load(id).await };
                    returned.push($build.get_or_load_option(load).await);
                }
                returned
            })
        })
    };
}

pub(crate) fn subjects() -> Vec<Subject> {
    vec![
        subject!("hand1" [
            ttl = life(), jitter = 0.0, none_ttl = "40ms", cache_if = |row: &Row| row.is_kept(),
            invalidate_on = RowChanged { id }, tags = "group:<id>", local = "50ms", stale_while_revalidate = "100ms",
            stale_if_error = "250ms", refresh_ahead, refresh = "background", spawn
        ] |entry, id| entry
            .ttl(life()).jitter(0.0).none_ttl(MS(40)).cache_if(|row: &Row| row.is_kept())
            .invalidate_on(&RowChanged { id: *id }).tag(format!("group:{id}")).near(MS(50))
            .stale_while_revalidate(MS(100)).stale_if_error(MS(250)).refresh_ahead(1.0).refresh_in_background().spawn()),
        subject!("hand2" [
            ttl = life(), jitter = 0.3, none_ttl = "off", codec = "postcard", stale_while_revalidate = "100ms",
            stale_if_error = "250ms", refresh_ahead = 3.0, spawn, load_timeout = "30ms"
        ] |entry, id| entry
            .ttl(life()).jitter(0.3).none_ttl(Duration::ZERO).codec(Codec::Postcard).stale_while_revalidate(MS(100))
            .stale_if_error(MS(250)).refresh_ahead(3.0).spawn().load_timeout(MS(30))),
        subject!("hand3" [
            ttl = |row: &Row| row.ttl(), jitter = 0.0, cache_if = |row: &Row| row.is_kept(),
            invalidate_on = RowChanged { id }, tags = ["group:<id>", |row: &Row| row.tags()], version = 2,
            local = "50ms", on_gap = "serve", stale_if_error = "250ms"
        ] |entry, id| entry
            .ttl_of(Row::ttl).jitter(0.0).cache_if(Row::is_kept).invalidate_on(&RowChanged { id: *id })
            .tag(format!("group:{id}")).tags_of(Row::tags).version(2).near(MS(50)).near_through_gaps()
            .stale_if_error(MS(250))),
        subject!("hand4" [
            ttl = life(), none_ttl = "off", tags = |row: &Row| row.tags(), codec = "msgpack", refresh_ahead
        ] |entry, id| entry
            .ttl(life()).none_ttl(Duration::ZERO).tags_of(Row::tags).codec(Codec::MessagePack).refresh_ahead(1.0)),
        Subject::new(
            "hand5",
            stringify!(
                ttl = life(),
                jitter = 0.3,
                none_ttl = "40ms",
                cache_if = |row: &Row| row.is_kept(),
                invalidate_on = RowChanged { id },
                tags = ["group:<id>", |row: &Row| row.tags()],
                local = "50ms",
                on_gap = "serve",
                batch = ids
            ),
            |world, ids| {
                Box::pin(async move {
                    let entries = world.cache.entries(ids, |id| format!("hand5:{id}")).named("hand5");
                    let entries = entries
                        .ttl(life())
                        .jitter(0.3)
                        .none_ttl(MS(40))
                        .cache_if(Row::is_kept)
                        .invalidate_on_each(|id| RowChanged { id: *id })
                        .tag_each(|id| format!("group:{id}"))
                        .tags_of(Row::tags)
                        .near(MS(50))
                        .near_through_gaps();
                    let rows: Result<HashMap<u64, Row>, Down> =
                        entries.get_or_load(async |ids: Vec<u64>| world.load_all(&ids).await).await;
                    ids.iter().map(|id| rows.as_ref().map(|rows| rows.get(id).cloned()).map_err(|down| *down)).collect()
                })
            },
        ),
    ]
}
