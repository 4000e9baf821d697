//! Calls that differ in one part of one argument do not share an entry, whichever part it is and whatever its name is.
#![expect(clippy::used_underscore_binding, reason = "tests names that begin with an underscore")]

use super::*;
use crate::{CacheEvent, CacheKey, redis_cached};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A cache that counts loads.
struct Source {
    cache: Cache,
    loads: AtomicUsize,
}

impl Source {
    fn new() -> Self {
        Self { cache: Subject::new().cache, loads: AtomicUsize::new(0) }
    }

    fn load(&self) -> u8 {
        self.loads.fetch_add(1, Ordering::SeqCst);
        0
    }

    fn loads(&self) -> usize {
        self.loads.swap(0, Ordering::SeqCst)
    }
}

/// Six zeros, and each variant of them with a one at one place.
fn one_apart() -> [[u64; 6]; 7] {
    let mut all = [[0; 6]; 7];
    for at in 0..6 {
        all[at + 1][at] = 1;
    }
    all
}

/// Each of these calls loads once, and hits from then on.
async fn all_differ(what: &str, mut call: impl AsyncFnMut(&Source, [u64; 6])) {
    let on = Source::new();
    for round in 0..2 {
        for parts in one_apart() {
            call(&on, parts).await;
        }
        assert_eq!(on.loads(), if round == 0 { 7 } else { 0 }, "{what}");
    }
}

#[derive(CacheKey)]
struct Named {
    a: u64,
    _b: u64,
    c: u64,
    r#type: u64,
    e: u64,
    _f: u64,
}

#[derive(CacheKey)]
struct Unnamed(u64, u64, u64, u64, u64, u64);

#[derive(CacheKey)]
struct Generic<'a, A, B>(&'a A, u64, B);

#[derive(CacheKey)]
enum Variants {
    Named { a: u64, _b: u64, c: u64, r#type: u64, e: u64, _f: u64 },
    Unnamed(u64, u64, u64, u64, u64, u64),
}

#[redis_cached(key = "named:<part>", skip(on), cache = on.cache)]
async fn named(on: &Source, part: Named) -> u8 {
    let _ = (part.a, part._b, part.c, part.r#type, part.e, part._f);
    on.load()
}

#[redis_cached(key = "unnamed:<part>", skip(on), cache = on.cache)]
async fn unnamed(on: &Source, part: Unnamed) -> u8 {
    let _ = part;
    on.load()
}

#[redis_cached(key = "generic:<part>", skip(on), cache = on.cache)]
async fn generic(on: &Source, part: Generic<'_, (u64, u64), [u64; 3]>) -> u8 {
    let _ = part;
    on.load()
}

#[redis_cached(key = "variant:<part>", skip(on), cache = on.cache)]
async fn variant(on: &Source, part: Variants) -> u8 {
    let _ = part;
    on.load()
}

#[redis_cached(key = "tuple:<part>", skip(on), cache = on.cache)]
async fn tuple(on: &Source, part: (u64, u64, u64, u64, u64, u64)) -> u8 {
    let _ = part;
    on.load()
}

#[redis_cached(key = "list:<part>", skip(on), cache = on.cache)]
async fn list(on: &Source, part: &[u64]) -> u8 {
    let _ = part;
    on.load()
}

#[tokio::test(start_paused = true)]
async fn calls_that_differ_in_a_part_of_an_argument() {
    all_differ("a struct", async |on, [a, b, c, d, e, f]| {
        _ = named(on, Named { a, _b: b, c, r#type: d, e, _f: f }).await;
    })
    .await;
    all_differ("a tuple struct", async |on, [a, b, c, d, e, f]| {
        _ = unnamed(on, Unnamed(a, b, c, d, e, f)).await;
    })
    .await;
    all_differ("a generic struct", async |on, [a, b, c, d, e, f]| {
        _ = generic(on, Generic(&(a, b), c, [d, e, f])).await;
    })
    .await;
    all_differ("a variant with names", async |on, [a, b, c, d, e, f]| {
        _ = variant(on, Variants::Named { a, _b: b, c, r#type: d, e, _f: f }).await;
    })
    .await;
    all_differ("a variant without", async |on, [a, b, c, d, e, f]| {
        _ = variant(on, Variants::Unnamed(a, b, c, d, e, f)).await;
    })
    .await;
    all_differ("a tuple", async |on, [a, b, c, d, e, f]| _ = tuple(on, (a, b, c, d, e, f)).await).await;
    all_differ("a list", async |on, parts| _ = list(on, &parts).await).await;
}

#[redis_cached(skip(on), cache = on.cache)]
async fn without_a_key(on: &Source, a: u64, _b: u64, (c, _d): (u64, u64), __e: u64, r#type: u64) -> u8 {
    on.load()
}

#[redis_cached(key = "<*>", skip(on), cache = on.cache)]
async fn by_all(on: &Source, a: u64, _b: u64, (c, _d): (u64, u64), __e: u64, r#type: u64) -> u8 {
    on.load()
}

#[redis_cached(key = "each:<a>:<_b>:<c>:<_d>:<__e>:<type>", skip(on), cache = on.cache)]
async fn by_each(on: &Source, a: u64, _b: u64, (c, _d): (u64, u64), __e: u64, r#type: u64) -> u8 {
    on.load()
}

#[redis_cached(key = "hashed:<a:hash>:<_b:hash>:<c:hash>:<_d:hash>:<__e:hash>:<type:hash>", skip(on), cache = on.cache)]
async fn by_hashes(on: &Source, a: u64, _b: u64, (c, _d): (u64, u64), __e: u64, r#type: u64) -> u8 {
    on.load()
}

/// With the keys of the near cache.
#[redis_cached(key = "near:<a>:<_b>:<c>:<_d>:<__e>:<type>", skip(on), local = "30s", cache = on.cache)]
async fn kept(on: &Source, a: u64, _b: u64, (c, _d): (u64, u64), __e: u64, r#type: u64) -> u8 {
    on.load()
}

/// In the near cache, the two integers alone stand for this key.
#[redis_cached(key = "words:<a>:<_b>", skip(on), local = "30s", cache = on.cache)]
async fn words(on: &Source, a: u64, _b: u64) -> u8 {
    on.load()
}

#[tokio::test(start_paused = true)]
async fn calls_that_differ_in_one_of_several_arguments() {
    macro_rules! differ {
        ($($call:ident)*) => {
            $(all_differ(stringify!($call), async |on, [a, b, c, d, e, f]| {
                _ = $call(on, a, b, (c, d), e, f).await;
                on.cache.flush().await;
            })
            .await;)*
        };
    }
    differ!(without_a_key by_all by_each by_hashes kept);
    let on = Source::new();
    for round in 0..3 {
        for (a, b) in [(0, 0), (0, 1), (1, 0), (1 << 32, 0), (u64::MAX, 0)] {
            words(&on, a, b).await;
            on.cache.flush().await;
        }
        assert_eq!(on.loads(), if round == 0 { 5 } else { 0 });
    }
}

#[derive(CacheEvent)]
struct Happened {
    a: u64,
    _b: u64,
    c: u64,
    r#type: u64,
    e: u64,
    _f: u64,
}

#[redis_cached(
    key = "event", skip(on), cache = on.cache,
    invalidate_on = Happened { a: 0, _b: 0, c: 0, r#type: 0, e: 0, _f: 0 }
)]
async fn listening(on: &Source) -> u8 {
    on.load()
}

#[tokio::test(start_paused = true)]
async fn entries_hear_only_of_their_own_event() {
    let on = Source::new();
    for [a, _b, c, r#type, e, _f] in one_apart() {
        listening(&on).await;
        on.loads();
        let is_the_same = [a, _b, c, r#type, e, _f] == [0; 6];
        assert_eq!(on.cache.emit(&Happened { a, _b, c, r#type, e, _f }).await, crate::Outcome::Applied);
        listening(&on).await;
        assert_eq!(on.loads(), usize::from(is_the_same));
    }
}
