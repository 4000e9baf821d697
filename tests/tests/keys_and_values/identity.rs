//! Keys are identity: two different arguments never share an entry, even if they are hashed, and equal arguments always
//! do. What `Serialize` leaves out, renames or writes alike makes no difference, unless the template asks for `:serde`.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod foreign;
mod values;

use cached_core::{Cache, CacheEvent, CacheKey, KeySegment, Outcome, redis_cached};
use fastrand::Rng;
use serde::Serialize;
use std::cell::Cell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::pin::Pin;
use tests::{Notes, RedisServer, patient_cache};
use values::{Argument, Filter, Flat, Foreign, Login, Owner, Rest, Search, Sort};

#[redis_cached(cache = cache, skip(cache))]
async fn by_default(cache: &Cache, argument: &Argument) -> u8 {
    0
}

#[redis_cached(key = "hash:<argument:hash>", cache = cache, skip(cache))]
async fn by_hash(cache: &Cache, argument: &Argument) -> u8 {
    0
}

#[redis_cached(key = "all:<*>", cache = cache, skip(cache))]
async fn by_all(cache: &Cache, argument: &Argument, more: u8) -> u8 {
    0
}

#[derive(CacheKey)]
struct Hidden<'a> {
    #[cache_key(hash)]
    argument: &'a Argument,
    more: u8,
}

#[derive(CacheKey)]
enum Choice<'a> {
    Hidden(u8, #[cache_key(hash)] &'a Argument),
}

#[redis_cached(key = "field:<hidden>:<choice>", cache = cache, skip(cache))]
async fn by_field(cache: &Cache, hidden: Hidden<'_>, choice: Choice<'_>) -> u8 {
    0
}

#[redis_cached(key = "foreign:<argument>", cache = cache, skip(cache))]
async fn by_itself(cache: &Cache, argument: &foreign::Argument) -> u8 {
    0
}

#[redis_cached(key = "serde:<argument:serde>:<*>", cache = cache, skip(cache))]
async fn by_serde(cache: &Cache, argument: &Foreign, more: u8) -> u8 {
    0
}

/// Generates values, and checks for each pair that their calls have one key if the values are equal, and otherwise two.
fn iff_equal<T: PartialEq + std::fmt::Debug>(
    any: impl Fn(&mut Rng) -> T,
    call: impl for<'a> Fn(&'a Cache, &'a T) -> Pin<Box<dyn Future<Output = u8> + 'a>>,
) {
    const VALUES: usize = 1_450;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (notes, cache) = Notes::with_cache();
    let mut rng = Rng::with_seed(12);
    let values: Vec<(T, String)> = (0..VALUES)
        .map(|_| {
            let value = any(&mut rng);
            runtime.block_on(call(&cache, &value));
            (value, notes.take())
        })
        .collect();
    let (mut pairs, mut equal) = (0_u32, 0_u32);
    for (at, (a, key)) in values.iter().enumerate() {
        for (b, other_key) in &values[at + 1..] {
            assert_eq!(a == b, key == other_key, "{a:?} has {key}, and {b:?} has {other_key}");
            pairs += 1;
            equal += u32::from(a == b);
        }
    }
    println!("{pairs} pairs, {equal} of them equal");
    assert!(pairs > 1_000_000 && equal > 1_000, "{pairs} pairs, {equal} of them equal");
}

#[test]
fn a_million_pairs_by_the_default_key() {
    iff_equal(|rng| Argument::any(rng, 2), |cache, argument| Box::pin(by_default(cache, argument)));
}

#[test]
fn a_million_pairs_by_hash() {
    iff_equal(|rng| Argument::any(rng, 2), |cache, argument| Box::pin(by_hash(cache, argument)));
}

#[test]
fn a_million_pairs_among_all_arguments() {
    iff_equal(
        |rng| (Argument::any(rng, 1), rng.u8(..2)),
        |cache, (argument, more)| Box::pin(by_all(cache, argument, *more)),
    );
}

#[test]
fn a_million_pairs_in_a_hashed_field() {
    iff_equal(
        |rng| (Argument::any(rng, 1), rng.u8(..2)),
        |cache, (argument, more)| {
            Box::pin(by_field(cache, Hidden { argument, more: *more }, Choice::Hidden(*more, argument)))
        },
    );
}

#[test]
fn a_million_pairs_by_serde() {
    iff_equal(
        |rng| (Foreign::any(rng, 2), rng.u8(..2)),
        |cache, (argument, more)| Box::pin(by_serde(cache, argument, *more)),
    );
}

#[test]
fn a_million_pairs_of_types_of_other_crates() {
    iff_equal(foreign::Argument::any, |cache, argument| Box::pin(by_itself(cache, argument)));
}

#[redis_cached]
async fn search(query: &Search) -> String {
    format!("{} in {} for tenant {}, at most {:?}", query.text, query.lang, query.tenant, query.limit)
}

#[redis_cached(key = "whoami:<login:hash>")]
async fn whoami(login: &Login) -> String {
    format!("user of {}@{}", login.token, login.host)
}

#[redis_cached]
async fn files_of(owner: Owner) -> String {
    format!("files of {owner:?}")
}

#[redis_cached(key = "<*>")]
async fn sorted(sort: Sort) -> String {
    format!("{sort:?}")
}

#[redis_cached(key = "flat:<flat:hash>")]
async fn flat(flat: &Flat) -> String {
    format!("{flat:?}")
}

/// Calls twice in each of these ways; by then the values of all are in Redis.
macro_rules! each_its_own {
    ($($call:expr => $expected:expr),* $(,)?) => {{
        let server = RedisServer::start();
        let cache = patient_cache(&server.url());
        for _ in 0..2 {
            $(
                assert_eq!(cache.scope($call).await, $expected);
                cache.flush().await;
            )*
        }
        let stats = cache.stats();
        let calls = [$(stringify!($call)),*].len() as u64;
        let loads: u64 = stats.sites.iter().map(|site| site.loads).sum();
        assert_eq!(loads, calls, "each is loaded once, and found from then on");
    }};
}

#[tokio::test]
async fn a_field_that_serde_skips() {
    let of = |tenant, limit| Search { text: "x".into(), tenant, limit, lang: "de".into() };
    each_its_own! {
        search(&of(1, None)) => "x in de for tenant 1, at most None",
        search(&of(2, None)) => "x in de for tenant 2, at most None",
        search(&of(2, Some(0))) => "x in de for tenant 2, at most Some(0)",
    }
}

#[tokio::test]
async fn two_fields_of_one_name() {
    let of = |text: &str, lang: &str| Search { text: text.into(), tenant: 1, limit: None, lang: lang.into() };
    each_its_own! {
        search(&of("a", "b")) => "a in b for tenant 1, at most None",
        search(&of("b", "a")) => "b in a for tenant 1, at most None",
        sorted(Sort::By { first: Some(1), then: None }) => "By { first: Some(1), then: None }",
        sorted(Sort::By { first: None, then: Some(1) }) => "By { first: None, then: Some(1) }",
    }
}

#[tokio::test]
async fn a_field_that_is_redacted() {
    let of = |token: &str| Login { host: "h".into(), token: token.into() };
    each_its_own! {
        whoami(&of("alice")) => "user of alice@h",
        whoami(&of("bob")) => "user of bob@h",
    }
}

#[tokio::test]
async fn an_untagged_enum() {
    each_its_own! {
        files_of(Owner::User { id: 5 }) => "files of User { id: 5 }",
        files_of(Owner::Team { id: 5 }) => "files of Team { id: 5 }",
        files_of(Owner::Nobody) => "files of Nobody",
        files_of(Owner::Missing) => "files of Missing",
    }
}

#[tokio::test]
async fn variants_of_one_name() {
    each_its_own! {
        sorted(Sort::Ascending) => "Ascending",
        sorted(Sort::Descending(1)) => "Descending(1)",
        sorted(Sort::Descending(2)) => "Descending(2)",
    }
}

#[tokio::test]
async fn a_struct_that_is_flattened() {
    let of = |outer, inner| Flat { id: outer, rest: Rest { id: inner, owner: Owner::Nobody } };
    let [a, b] = [of(1, 2), of(2, 1)];
    each_its_own! {
        flat(&a) => format!("{a:?}"),
        flat(&b) => format!("{b:?}"),
    }
}

#[derive(CacheEvent)]
struct FilterChanged<T> {
    #[cache_key(hash)]
    filter: T,
    shop: u8,
}

#[redis_cached(
    key = "found:<filter:hash>",
    skip(loads),
    tags = "tagged:<filter:hash>",
    invalidate_on = FilterChanged::<Filter> { filter: filter.clone(), shop: 1 }
)]
async fn found(filter: &Filter, loads: &Cell<u32>) -> u32 {
    loads.set(loads.get() + 1);
    loads.get()
}

/// A filter whose sets and maps are filled in the order of the numbers.
fn filter(numbers: &[u8]) -> Filter {
    Filter {
        tags: numbers.iter().map(ToString::to_string).collect(),
        of: numbers.iter().map(|n| (*n, vec![Owner::User { id: *n }])).collect(),
        sorted: BTreeMap::from([("all".into(), numbers.iter().copied().collect())]),
        price: Some(if numbers.len() > 3 { 0.0 } else { -0.0 }),
        area: (1.5, -0.0),
    }
}

#[tokio::test]
async fn equal_sets_and_maps_are_one_entry_one_event_and_one_tag() {
    let server = RedisServer::start();
    let cache = patient_cache(&server.url());
    let loads = Cell::new(0);
    let numbers: Vec<u8> = (0..40).collect();
    let backwards: Vec<u8> = numbers.iter().rev().copied().collect();
    let find = async |numbers: &[u8]| {
        let found = cache.scope(found(&filter(numbers), &loads)).await;
        cache.flush().await;
        found
    };
    for _ in 0..5 {
        assert_eq!((find(&numbers).await, find(&backwards).await), (1, 1));
    }
    let changed = |numbers: &[u8], shop| FilterChanged { filter: filter(numbers), shop };
    assert_eq!(cache.emit(&changed(&numbers[1..], 1)).await, Outcome::Applied);
    assert_eq!(cache.emit(&changed(&numbers, 2)).await, Outcome::Applied);
    assert_eq!(find(&numbers).await, 1, "events of another filter and another shop");
    assert_eq!(cache.emit(&changed(&backwards, 1)).await, Outcome::Applied);
    assert_eq!(find(&numbers).await, 2);
    assert_eq!(cache.scope(retag(&filter(&numbers[1..]))).await, 0);
    assert_eq!(find(&numbers).await, 2, "a tag of another filter");
    assert_eq!(cache.scope(retag(&filter(&backwards))).await, 0);
    assert_eq!(find(&numbers).await, 3);
}

#[cached_core::redis_invalidate(tag = "tagged:<filter:hash>")]
async fn retag(filter: &Filter) -> u8 {
    let _ = filter;
    0
}

/// Stands for a type of another crate: it has nothing but `Serialize`.
#[derive(Clone, Serialize)]
struct Decimal {
    units: u64,
    #[serde(skip)]
    rounded: bool,
}

#[derive(CacheKey)]
struct Price<T> {
    #[cache_key(serde)]
    amount: T,
    currency: String,
}

#[redis_cached(key = "price:<price>:<least:serde>:<*>")]
async fn priced(price: &Price<Decimal>, least: Decimal, more: HashMap<u8, u8>) -> String {
    format!("{} {} {} {}", price.amount.units, price.currency, least.units, more.len())
}

#[tokio::test]
async fn a_type_of_another_crate_is_what_its_serialize_writes() {
    let of = |units, currency: &str| Price { amount: Decimal { units, rounded: false }, currency: currency.to_owned() };
    let least = |units| Decimal { units, rounded: false };
    each_its_own! {
        priced(&of(1, "EUR"), least(0), HashMap::new()) => "1 EUR 0 0",
        priced(&of(2, "EUR"), least(0), HashMap::new()) => "2 EUR 0 0",
        priced(&of(1, "USD"), least(0), HashMap::new()) => "1 USD 0 0",
        priced(&of(1, "EUR"), least(1), HashMap::new()) => "1 EUR 1 0",
        priced(&of(1, "EUR"), least(0), HashMap::from([(1, 1)])) => "1 EUR 0 1",
    }
}

/// Arguments that `:serde` cannot tell apart, according to its docs.
#[tokio::test]
async fn what_its_serialize_leaves_out_is_not_told_apart() {
    #[redis_cached(key = "rounded:<amount:serde>")]
    async fn rounded(amount: Decimal) -> bool {
        amount.rounded
    }
    let cache = Cache::memory();
    assert!(cache.scope(rounded(Decimal { units: 1, rounded: true })).await);
    cache.flush().await;
    assert!(cache.scope(rounded(Decimal { units: 1, rounded: false })).await);
}

#[derive(CacheKey)]
struct Node<T> {
    value: T,
    children: Vec<Node<T>>,
}

#[redis_cached(key = "tree:<T>:<tree>")]
async fn tree<T: KeySegment>(tree: &Node<T>) -> usize {
    tree.children.len()
}

#[tokio::test]
async fn a_type_that_contains_itself() {
    let leaf = |value: u8| Node { value, children: vec![] };
    each_its_own! {
        tree(&leaf(1)) => 0,
        tree(&leaf(2)) => 0,
        tree(&Node { value: 1, children: vec![leaf(1)] }) => 1,
        tree(&Node { value: 1, children: vec![leaf(1), leaf(1)] }) => 2,
    }
}

#[test]
fn nothing_is_left_out_of_the_pools() {
    // The families must contain what they are for: equal values that were built differently, and each kind of value.
    let mut rng = Rng::with_seed(12);
    let kinds: HashSet<String> = (0..1_450)
        .map(|_| format!("{:?}", Argument::any(&mut rng, 2)).split(['(', ' ']).next().unwrap().to_owned())
        .collect();
    assert_eq!(kinds.len(), 17, "{kinds:?}");
    let foreign: HashSet<_> = (0..1_450).map(|_| std::mem::discriminant(&foreign::Argument::any(&mut rng))).collect();
    assert_eq!(foreign.len(), foreign::KINDS);
}
