//! Twins: for each option a function with an attribute and an entry by hand, on one script. They return the same, ask
//! the source as often, and count alike; and the option matters to the script, so the comparison says something.

use super::source::{Returned, Row, life};
use super::table::RowChanged;
use super::world::World;
use super::{Clock, builder};
use cached_core::{Invalidation, Outcome, SiteStats, Tag, redis_cached};
use futures_util::future::BoxFuture;
use std::time::Duration;

const MS: fn(u64) -> Duration = Duration::from_millis;

type Call = for<'a> fn(&'a World) -> BoxFuture<'a, Returned>;

struct Twins {
    option: &'static str,
    annotated: Call,
    by_hand: Call,
}

/// The row of all calls. Rows with odd ids say by an error that they are not there: `Failure::says_gone`.
const ID: u64 = 2;

/// One call: what it returned, and how often the source was asked so far.
type Said = (Returned, usize);

/// What a subject did on the script.
#[derive(Debug, PartialEq)]
struct Transcript {
    calls: Vec<Said>,
    counted: Vec<(&'static str, u64)>,
}

macro_rules! twins {
    ($id:ident $($option:ident [$($options:tt)*] |$entry:ident| $build:expr;)*) => {
        $(
            #[redis_cached(key = "twin:<id>", skip(world), cache = world.cache, $($options)*)]
            async fn $option(world: &World, $id: u64) -> Returned {
                world.load($id).await
            }
        )*

        fn all() -> Vec<Twins> {
            vec![$(Twins {
                option: stringify!($option),
                annotated: |world| Box::pin($option(world, ID)),
                by_hand: |world| Box::pin(async move {
                    let $entry = world.cache.entry(format!("twin:{ID}")).named(stringify!($option));
                    let world = world.clone();
                    $build.get_or_load_option(move || async move { world.load(ID).await }).await
                }),
            }),*]
        }
    };
}

twins! {
    id
    none [ttl = life(), jitter = 0.0] |entry| entry.ttl(life()).jitter(0.0);
    ttl [ttl = short_life(), jitter = 0.0] |entry| entry.ttl(short_life()).jitter(0.0);
    ttl_class [ttl = "short", jitter = 0.0] |entry| entry.ttl(life()).ttl_class("short").jitter(0.0);
    ttl_of [ttl = |row: &Row| row.ttl(), jitter = 0.0] |entry| entry.ttl_of(Row::ttl).jitter(0.0);
    none_ttl [ttl = life(), jitter = 0.0, none_ttl = "25ms"] |entry| entry.ttl(life()).jitter(0.0).none_ttl(MS(25));
    none_ttl_off [ttl = life(), jitter = 0.0, none_ttl = "off"]
        |entry| entry.ttl(life()).jitter(0.0).none_ttl(Duration::ZERO);
    cache_if [ttl = life(), jitter = 0.0, cache_if = |row: &Row| row.is_kept()]
        |entry| entry.ttl(life()).jitter(0.0).cache_if(|row: &Row| row.is_kept());
    invalidate_on [ttl = life(), jitter = 0.0, invalidate_on = RowChanged { id }]
        |entry| entry.ttl(life()).jitter(0.0).invalidate_on(&RowChanged { id: ID });
    tag [ttl = life(), jitter = 0.0, tags = "group:<id>"] |entry| entry.ttl(life()).jitter(0.0).tag(format!("group:{ID}"));
    tags_of [ttl = life(), jitter = 0.0, tags = |row: &Row| row.tags()]
        |entry| entry.ttl(life()).jitter(0.0).tags_of(Row::tags);
    near [ttl = life(), jitter = 0.0, local = "50ms"] |entry| entry.ttl(life()).jitter(0.0).near(MS(50));
    stale_while_revalidate [ttl = life(), jitter = 0.0, stale_while_revalidate = "100ms"]
        |entry| entry.ttl(life()).jitter(0.0).stale_while_revalidate(MS(100));
    stale_if_error [ttl = life(), jitter = 0.0, stale_if_error = "250ms"]
        |entry| entry.ttl(life()).jitter(0.0).stale_if_error(MS(250));
    refresh_ahead [ttl = life(), jitter = 0.0, refresh_ahead = 60.0]
        |entry| entry.ttl(life()).jitter(0.0).refresh_ahead(60.0);
    refresh_in_background [ttl = life(), jitter = 0.0, stale_while_revalidate = "300ms", refresh = "background"]
        |entry| entry.ttl(life()).jitter(0.0).stale_while_revalidate(MS(300)).refresh_in_background();
    load_timeout [ttl = life(), jitter = 0.0, stale_if_error = "250ms", spawn, load_timeout = "20ms"]
        |entry| entry.ttl(life()).jitter(0.0).stale_if_error(MS(250)).spawn().load_timeout(MS(20));
}

const fn short_life() -> Duration {
    Duration::from_millis(60)
}

/// One step of the script.
#[derive(Debug, Clone, Copy)]
enum Step {
    Call,
    Elapse(u64),
    Row,
    NoRow,
    Down(bool),
    Slow(bool),
    Event,
    Tag,
    ValueTag,
}

const SCRIPT: &[Step] = {
    use Step::{Call, Down, Elapse, Event, NoRow, Row, Slow, Tag, ValueTag};
    &[
        Call,
        Elapse(30),
        Call,
        Row,
        Call,
        Elapse(40),
        Call,
        Elapse(30),
        Call,
        Call,
        Elapse(40),
        Call,
        Call,
        Row,
        Elapse(130),
        Call,
        Call,
        Down(true),
        Elapse(130),
        Call,
        Elapse(50),
        Call,
        Elapse(80),
        Call,
        Elapse(200),
        Call,
        Down(false),
        Elapse(50),
        Call,
        NoRow,
        Elapse(230),
        Call,
        Call,
        Elapse(30),
        Row,
        Call,
        Elapse(40),
        Call,
        Row,
        Elapse(400),
        Call,
        Call,
        Row,
        Event,
        Call,
        Row,
        Tag,
        Call,
        Row,
        ValueTag,
        Call,
        Call,
        Slow(true),
        Elapse(140),
        Call,
        Call,
        Slow(false),
        Elapse(100),
        Call,
    ]
};

async fn transcript(option: &str, call: Call) -> Transcript {
    let clock = Clock::manual();
    let cache = builder().clock(clock.clone()).near_heartbeat(Duration::from_secs(60)).build().unwrap();
    fastrand::seed(7);
    let world = World::timed(cache, clock);
    let (mut calls, mut version) = (Vec::new(), 0);
    let states = |state: Option<Row>| world.source(ID, |source| source.states.push(state));
    for step in SCRIPT {
        match *step {
            Step::Call => {
                let returned = call(&world).await;
                world.settle().await;
                calls.push((returned, world.source(ID, |source| source.loads.len())));
            }
            Step::Elapse(ms) => world.elapse(MS(ms)).await,
            Step::Row => {
                version += 1;
                states(Some(Row { id: ID, version }));
            }
            Step::NoRow => states(None),
            Step::Down(is_down) => world.set_down(is_down),
            Step::Slow(is_slow) => world.set_slow(is_slow),
            Step::Event => assert_eq!(world.cache.emit(&RowChanged { id: ID }).await, Outcome::Applied),
            Step::Tag => assert_eq!(world.cache.invalidate(Tag::new(format!("group:{ID}"))).await, Outcome::Applied),
            Step::ValueTag => {
                let what = Invalidation::new().tag(Row::tag(ID));
                assert_eq!(world.cache.invalidate(what).await, Outcome::Applied);
            }
        }
    }
    let stats = world.cache.stats();
    Transcript { calls, counted: counted(stats.site(option).unwrap()) }
}

fn counted(site: &SiteStats) -> Vec<(&'static str, u64)> {
    vec![
        ("near_hits", site.near_hits),
        ("hits", site.hits),
        ("coalesced", site.coalesced),
        ("loads", site.loads),
        ("load_errors", site.load_errors),
        ("stored", site.stored),
        ("stale", site.stale),
        ("refreshes", site.refreshes),
        ("unstored", site.unstored.values().sum()),
    ]
}

#[tokio::test(start_paused = true)]
async fn each_option_has_the_same_effect_by_hand() {
    let mut without = None;
    for Twins { option, annotated, by_hand } in all() {
        let function = transcript(option, annotated).await;
        let entry = transcript(option, by_hand).await;
        assert_eq!(entry, function, "{option}: the entry by hand, and the function");
        let without = without.get_or_insert_with(|| Transcript { calls: function.calls.clone(), counted: Vec::new() });
        assert!(option == "none" || without.calls != function.calls || function.counted[0].1 > 0, "{option} matters");
    }
}
