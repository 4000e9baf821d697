//! The functions: a covering array, in which any two options stand together in all of their ways.

use super::source::{Failure, Returned, Row, life};
use super::spec::{Spec, Written, written};
use super::world::World;
use cached_core::{CacheEvent, redis_cached};
use futures_util::future::BoxFuture;
use std::collections::HashMap;

/// A row has changed.
#[derive(Debug, CacheEvent)]
pub(crate) struct RowChanged {
    pub(crate) id: u64,
}

/// A call of one of the functions, for some rows.
pub(crate) type Call = for<'a> fn(&'a World, &'a [u64]) -> BoxFuture<'a, Vec<Returned>>;

/// A function under test.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) options: Vec<Written>,
    pub(crate) spec: Spec,
    pub(crate) call: Call,
}

impl Subject {
    pub(crate) fn new(name: &'static str, options: &'static str, call: Call) -> Self {
        let options = written(options);
        Self { name, spec: Spec::of(&options), options, call }
    }
}

macro_rules! function {
    (($world:ident, $id:ident, $ids:ident) one $name:ident $key:tt [$($options:tt)*]) => {
        #[redis_cached(key = $key, skip($world), cache = $world.cache, $($options)*)]
        async fn $name($world: &World, $id: u64) -> Returned {
            $world.load($id).await
        }
    };
    (($world:ident, $id:ident, $ids:ident) many $name:ident $key:tt [$($options:tt)*]) => {
        #[redis_cached(key = $key, skip($world), cache = $world.cache, $($options)*)]
        async fn $name($world: &World, $ids: &[u64]) -> Result<HashMap<u64, Row>, Failure> {
            $world.load_all($ids).await
        }
    };
}

macro_rules! call {
    (one $name:ident) => {
        |world, ids| {
            Box::pin(async move {
                let mut returned = Vec::new();
                for id in ids {
                    returned.push($name(world, *id).await);
                }
                returned
            })
        }
    };
    (many $name:ident) => {
        |world, ids| {
            Box::pin(async move {
                let rows = $name(world, ids).await;
                ids.iter().map(|id| rows.as_ref().map(|rows| rows.get(id).cloned()).map_err(|down| *down)).collect()
            })
        }
    };
}

/// All functions, with their attributes as text. Arguments are named in the macro's input, because the options refer to
/// them.
macro_rules! table {
    ($arguments:tt $($shape:ident $name:ident $key:tt [$($options:tt)*])*) => {
        $(function! { $arguments $shape $name $key [$($options)*] })*

        pub(crate) fn subjects() -> Vec<Subject> {
            vec![$(Subject::new(stringify!($name), stringify!($($options)*), call!($shape $name))),*]
        }
    };
}

table! {
    (world, id, ids)

    one one1 "one1:<id>" [
        ttl = "120ms", jitter = 0.0, none_ttl = "40ms", cache_if = |row: &Row| row.is_kept(),
        invalidate_on = RowChanged { id }, tags = "group:<id>", local = "50ms", stale_while_revalidate = "100ms",
        stale_if_error = "250ms", refresh_ahead, refresh = "background", spawn,
        error_if = |error: &Failure| error.is_answer(), error_ttl = "30ms"
    ]
    one one2 "one2:<id>" [
        ttl = life(), jitter = 0.3, none_ttl = "off", codec = "postcard", on_gap = "serve",
        stale_while_revalidate = "100ms", stale_if_error = "250ms", refresh_ahead = 3.0, spawn,
        load_timeout = "30ms",
        error_if = |error: &Failure| error.is_answer(), error_ttl = "30ms"
    ]
    one one3 "one3:<id>" [
        ttl = "timed", none_ttl = "off", cache_if = |row: &Row| row.is_kept(), invalidate_on = RowChanged { id },
        tags = ["group:<id>", |row: &Row| row.tags()], version = 2, codec = "msgpack", local = "50ms",
        stale_while_revalidate = "100ms", refresh = "background", spawn, load_timeout = "30ms",
        error_if = |error: &Failure| error.is_answer(), error_ttl = "30ms"
    ]
    one one4 "one4:<id>" [
        ttl = |row: &Row| row.ttl(), jitter = 0.0, cache_if = |row: &Row| row.is_kept(),
        tags = ["group:<id>", |row: &Row| row.tags()], version = 2, on_gap = "serve", stale_if_error = "250ms",
        refresh_ahead = 3.0, refresh = "background", spawn, load_timeout = "30ms",
        error_if = |error: &Failure| error.is_answer(), error_ttl = "30ms"
    ]
    one one5 "one5:<id>" [
        ttl = life(), jitter = 0.0, none_ttl = "off", invalidate_on = RowChanged { id },
        tags = |row: &Row| row.tags(), version = 2, local = "50ms", on_gap = "serve", refresh_ahead,
        refresh = "background"
    ]
    one one6 "one6:<id>" [
        ttl = |row: &Row| row.ttl(), invalidate_on = RowChanged { id },
        tags = ["group:<id>", |row: &Row| row.tags()], codec = "postcard", stale_while_revalidate = "100ms",
        stale_if_error = "250ms", refresh_ahead,
        error_if = |error: &Failure| error.is_answer()
    ]
    one one7 "one7:<id>" [
        ttl = "timed", jitter = 0.3, none_ttl = "40ms", cache_if = |row: &Row| row.is_kept(),
        tags = |row: &Row| row.tags(), codec = "msgpack", stale_while_revalidate = "100ms",
        stale_if_error = "250ms", refresh_ahead, refresh = "background", spawn, load_timeout = "30ms",
        error_if = |error: &Failure| error.is_answer(), error_ttl = "30ms"
    ]
    one one8 "one8:<id>" [
        ttl = |row: &Row| row.ttl(), none_ttl = "40ms", invalidate_on = RowChanged { id }, version = 2,
        local = "50ms", refresh_ahead = 3.0, refresh = "background",
        error_if = |error: &Failure| error.is_answer()
    ]
    one one9 "one9:<id>" [
        ttl = "timed", jitter = 0.3, tags = "group:<id>", version = 2, codec = "msgpack", local = "50ms",
        on_gap = "serve", stale_while_revalidate = "100ms", refresh_ahead = 3.0, refresh = "background",
        error_if = |error: &Failure| error.is_answer(), error_ttl = "30ms"
    ]
    one one10 "one10:<id>" [
        ttl = life(), jitter = 0.0, cache_if = |row: &Row| row.is_kept(), codec = "msgpack",
        stale_if_error = "250ms", refresh_ahead, refresh = "background", spawn,
        error_if = |error: &Failure| error.is_answer()
    ]
    one one11 "one11:<id>" [
        ttl = "120ms", cache_if = |row: &Row| row.is_kept(), tags = |row: &Row| row.tags(), codec = "postcard",
        on_gap = "serve", stale_if_error = "250ms", refresh_ahead = 3.0, refresh = "background", spawn,
        load_timeout = "30ms"
    ]
    one one12 "one12:<id>" [
        ttl = life(), none_ttl = "40ms", cache_if = |row: &Row| row.is_kept(), tags = "group:<id>", version = 2,
        codec = "postcard", local = "50ms", on_gap = "serve", stale_if_error = "250ms", spawn, load_timeout = "30ms"
    ]
    one one13 "one13:<id>" [
        ttl = "120ms", none_ttl = "off", cache_if = |row: &Row| row.is_kept(), invalidate_on = RowChanged { id },
        codec = "msgpack", stale_while_revalidate = "100ms", refresh = "background", spawn,
        error_if = |error: &Failure| error.is_answer()
    ]
    one one14 "one14:<id>" [
        ttl = life(), jitter = 0.0, none_ttl = "off", invalidate_on = RowChanged { id },
        tags = ["group:<id>", |row: &Row| row.tags()], version = 2, local = "50ms",
        stale_while_revalidate = "100ms", stale_if_error = "250ms", refresh_ahead = 3.0, spawn,
        load_timeout = "30ms"
    ]
    many many15 "many15:<id>" [
        ttl = |row: &Row| row.ttl(), tags = |row: &Row| row.tags(), version = 2, codec = "msgpack",
        on_gap = "serve", batch = ids
    ]
    many many16 "many16:<id>" [
        ttl = "timed", jitter = 0.3, none_ttl = "40ms", cache_if = |row: &Row| row.is_kept(),
        invalidate_on = RowChanged { id }, codec = "postcard", local = "50ms", batch = ids
    ]
    many many17 "many17:<id>" [
        ttl = "120ms", jitter = 0.0, none_ttl = "40ms", tags = "group:<id>", version = 2, codec = "postcard",
        on_gap = "serve", batch = ids
    ]
    many many18 "many18:<id>" [
        ttl = "120ms", jitter = 0.3, none_ttl = "off", cache_if = |row: &Row| row.is_kept(),
        invalidate_on = RowChanged { id }, tags = ["group:<id>", |row: &Row| row.tags()], version = 2,
        local = "50ms", on_gap = "serve", batch = ids
    ]
    many many19 "many19:<id>" [
        ttl = |row: &Row| row.ttl(), jitter = 0.3, none_ttl = "off", cache_if = |row: &Row| row.is_kept(),
        tags = "group:<id>", codec = "postcard", local = "50ms", on_gap = "serve", batch = ids
    ]
    many many20 "many20:<id>" [
        ttl = "timed", jitter = 0.0, none_ttl = "40ms", invalidate_on = RowChanged { id },
        tags = ["group:<id>", |row: &Row| row.tags()], version = 2, local = "50ms", on_gap = "serve", batch = ids
    ]
    many many21 "many21:<id>" [
        ttl = life(), none_ttl = "40ms", invalidate_on = RowChanged { id }, tags = "group:<id>", local = "50ms",
        batch = ids
    ]
}
