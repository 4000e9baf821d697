//! What is read is what was stored: a value that its codec would bring back as another one is not stored, and what
//! another build has stored is not read as this build's type (P5).
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use cached_core::{Cache, Codec, MissReason, SiteStats, UnstoredReason, redis_cached, redis_put, testing};
use serde::{Deserialize, Serialize};
use std::fmt::Debug;
use tests::{Log, RedisServer, patient_cache};

struct Subject {
    cache: Cache,
    log: Log,
    _listening: tracing::subscriber::DefaultGuard,
    _server: RedisServer,
}

impl Subject {
    fn new() -> Self {
        let (log, listening) = Log::listen(tracing::Level::INFO);
        let server = RedisServer::start();
        Self { cache: patient_cache(&server.url()), log, _listening: listening, _server: server }
    }

    fn site(&self, name: &str) -> SiteStats {
        self.cache.stats().site(name).unwrap().clone()
    }

    /// Calls three times. Each time the body runs, and its value is returned as it is.
    async fn never_stored<T: PartialEq + Debug>(&self, name: &str, reason: UnstoredReason, call: impl AsyncFn() -> T) {
        let uncached = call().await;
        for _ in 0..3 {
            assert_eq!(self.cache.scope(call()).await, uncached, "{name}");
            self.cache.flush().await;
        }
        let stats = self.site(name);
        assert_eq!((stats.loads, stats.hits, stats.unstored.get(&reason)), (3, 0, Some(&3)), "{name}: {stats:?}");
    }

    /// Calls twice; the second call hits.
    async fn stored<T: PartialEq + Debug>(&self, name: &str, call: impl AsyncFn() -> T) {
        let first = self.cache.scope(call()).await;
        self.cache.flush().await;
        assert_eq!(self.cache.scope(call()).await, first, "{name}");
        let stats = self.site(name);
        assert_eq!((stats.loads, stats.hits, stats.stored), (1, 1, 1), "{name}: {stats:?}");
    }

    /// The log lines about functions.
    fn lines(&self) -> Vec<String> {
        let lines = self.log.take();
        lines.into_iter().filter(|line| line.contains("cached_core::engine::site")).collect()
    }

    /// The one line that the log has about it.
    fn said(&self, words: &[&str]) {
        let lines = self.lines();
        assert_eq!(lines.len(), 1, "{lines:#?}");
        for word in words {
            assert!(lines[0].contains(word), "{word}: {lines:#?}");
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Reading {
    at: u64,
    value: Option<f64>,
}

#[redis_cached(key = "reading:<at>")]
async fn reading(at: u64) -> Reading {
    Reading { at, value: Some(f64::INFINITY) }
}

#[redis_cached(key = "reading-as-msgpack:<at>", codec = "msgpack")]
async fn reading_as_msgpack(at: u64) -> Reading {
    Reading { at, value: Some(f64::INFINITY) }
}

#[redis_cached(key = "readings:<at>", batch = ats)]
async fn readings(ats: &[u64]) -> Vec<Option<Reading>> {
    ats.iter().map(|at| Some(Reading { at: *at, value: Some(f64::NEG_INFINITY) })).collect()
}

#[redis_put(key = "reading:<at>")]
async fn put_reading(at: u64) -> Reading {
    Reading { at, value: Some(f64::INFINITY) }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(clippy::option_option, reason = "what is tested")]
struct Answer {
    found: Option<Option<u64>>,
}

#[redis_cached(key = "answer:<id>")]
async fn answer(id: u64) -> Result<Answer, String> {
    let _ = id;
    Ok(Answer { found: Some(None) })
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Note {
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<u8>,
    text: Option<u8>,
    more: u8,
}

#[redis_cached(key = "note:<id>", codec = "postcard")]
async fn note(id: u64) -> Note {
    let _ = id;
    Note { title: None, text: Some(2), more: 3 }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Account {
    id: u64,
    #[serde(skip)]
    password_hash: String,
}

#[redis_cached(key = "account:<id>")]
async fn account(id: u64) -> Option<Account> {
    Some(Account { id, password_hash: "secret".into() })
}

#[redis_cached(key = "accounts:<id>", batch = ids)]
async fn accounts(ids: &[u64]) -> Vec<Option<Account>> {
    ids.iter().map(|id| Some(Account { id: *id, password_hash: "secret".into() })).collect()
}

#[redis_put(key = "put-account:<id>")]
async fn put_account(id: u64) -> Account {
    Account { id, password_hash: "secret".into() }
}

/// If the type is not known when the attribute is expanded, only what `T` promises is used.
#[redis_cached(key = "generic:<T>:<id>", skip(make))]
async fn generic<T: Serialize + for<'de> Deserialize<'de> + Debug + 'static>(id: u64, make: fn(u64) -> T) -> T {
    make(id)
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Owner {
    User { id: u64 },
    Team { id: u64 },
}

#[redis_cached(key = "owner:<id>")]
async fn owner(id: u64) -> Owner {
    if id == 0 { Owner::User { id } } else { Owner::Team { id } }
}

/// The field that may differ is not part of equality.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(dead_code, reason = "only shown")]
struct Page {
    text: String,
    #[serde(skip)]
    rendered: Option<String>,
}

impl PartialEq for Page {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

#[redis_cached(key = "page:<id>")]
async fn page(id: u64) -> Page {
    Page { text: id.to_string(), rendered: Some(format!("<p>{id}</p>")) }
}

#[tokio::test]
async fn an_infinity_does_not_become_nothing() {
    let on = Subject::new();
    on.never_stored("reading", UnstoredReason::Encode, async || reading(1).await).await;
    on.said(&["WARN", "read_back::reading", "Reading", "field=\"value\"", "NaN or infinite", "codec = \"msgpack\""]);
    on.never_stored("answer", UnstoredReason::Encode, async || answer(1).await).await;
    on.said(&["read_back::answer", "Answer", "field=\"found\"", "`Some` of nothing"]);
    on.stored("reading_as_msgpack", async || reading_as_msgpack(1).await).await;
}

#[tokio::test]
async fn neither_in_a_batch_nor_in_a_put_nor_by_hand() {
    let on = Subject::new();
    on.never_stored("readings", UnstoredReason::Encode, async || readings(&[1]).await).await;
    on.cache.scope(put_reading(1)).await;
    assert_eq!(on.site("put_reading").unstored.get(&UnstoredReason::Encode), Some(&1));
    let value = Reading { at: 1, value: Some(f64::NAN) };
    assert!(on.cache.entry("k").set(&value).await.is_err());
    assert!(on.cache.entry("k").get::<Reading>().await.is_none());
}

#[tokio::test]
async fn a_field_that_is_left_out_does_not_shift_the_others() {
    let on = Subject::new();
    on.never_stored("note", UnstoredReason::Encode, async || note(1).await).await;
    on.said(&["read_back::note", "Note", "field=\"title\"", "skip_serializing_if", "codec = \"json\""]);
}

#[tokio::test]
async fn a_skipped_field_does_not_come_back_as_its_default() {
    let on = Subject::new();
    on.never_stored("account", UnstoredReason::Changed, async || account(1).await).await;
    on.said(&["WARN", "read_back::account", "Account", "near=\"password_hash\"", "`#[serde(skip)]`", "PartialEq"]);
    on.never_stored("accounts", UnstoredReason::Changed, async || accounts(&[1]).await).await;
    on.said(&["read_back::accounts"]);
    on.cache.scope(put_account(1)).await;
    assert_eq!(on.site("put_account").unstored.get(&UnstoredReason::Changed), Some(&1));
    on.said(&["read_back::put_account"]);
}

#[tokio::test]
async fn an_untagged_enum_does_not_come_back_as_an_earlier_variant() {
    let on = Subject::new();
    on.never_stored("owner", UnstoredReason::Changed, async || owner(1).await).await;
    on.said(&["read_back::owner", "near=\"Team\""]);
    on.cache.scope(owner(0)).await;
    on.cache.flush().await;
    assert_eq!(on.cache.scope(owner(0)).await, Owner::User { id: 0 });
    assert_eq!(on.site("owner").hits, 1, "a value that does come back is stored");
}

#[tokio::test]
async fn a_generic_function_compares_by_what_its_bounds_promise() {
    let on = Subject::new();
    let make = |id| Account { id, password_hash: "secret".into() };
    on.never_stored("generic", UnstoredReason::Changed, async || generic(1, make).await).await;
    on.said(&["near=\"password_hash\""]);
}

#[tokio::test]
async fn what_the_type_says_is_equal_is_stored() {
    let on = Subject::new();
    on.stored("page", async || page(1).await).await;
}

/// Callers that wait for a load whose value cannot be written load it themselves, and get what they loaded.
#[tokio::test]
async fn callers_who_wait_get_the_value_as_it_is_too() {
    let on = Subject::new();
    let calls = (0..8).map(|_| on.cache.scope(account(7)));
    for found in futures_util::future::join_all(calls).await {
        assert_eq!(found.unwrap().password_hash, "secret");
    }
}

/// Every stored value comes back, also after the first sixteen did; all are checked after one did not.
#[tokio::test]
async fn once_one_came_back_as_another_each_is_checked() {
    let on = Subject::new();
    for id in (0..200).chain(1_000..1_064) {
        on.cache.scope(owner_of(id)).await;
        on.cache.flush().await;
    }
    let stats = on.site("owner_of");
    assert!(stats.unstored.contains_key(&UnstoredReason::Changed), "one of 64 is checked: {stats:?}");
    let before = stats.stored;
    for id in 2_000..2_050 {
        on.cache.scope(owner_of(id)).await;
        on.cache.flush().await;
    }
    assert_eq!(on.site("owner_of").stored, before);
}

#[redis_cached(key = "owner-of:<id>")]
async fn owner_of(id: u64) -> Owner {
    if id < 1_000 { Owner::User { id } } else { Owner::Team { id } }
}

/// Types of two blocks of one function have one name, like those of two versions of a service.
macro_rules! deployed {
    ($on:expr, $first:expr, { $($old:item)* } => { $($new:item)* } is $is_hit:literal) => {{
        let old = {
            $(#[derive(Debug, Serialize, Deserialize)] #[allow(clippy::allow_attributes, dead_code, reason = "read")] $old)*
            $on.cache.entry("event").set(&$first).await.unwrap();
            std::any::type_name::<Event>()
        };
        $(#[derive(Debug, Serialize, Deserialize)] #[allow(clippy::allow_attributes, dead_code, reason = "read")] $new)*
        assert_eq!(old, std::any::type_name::<Event>());
        let before = $on.site_misses();
        let found = $on.cache.entry("event").get::<Event>().await;
        assert_eq!(found.is_some(), $is_hit, "{found:?}");
        assert_eq!($on.site_misses() - before, u64::from(!$is_hit));
    }};
}

impl Subject {
    /// The number of values that were found of another type.
    fn site_misses(&self) -> u64 {
        let stats = self.cache.stats();
        stats.site("Cache::entry").and_then(|site| site.misses.get(&MissReason::Type).copied()).unwrap_or(0)
    }
}

#[tokio::test]
async fn a_change_inside_of_a_tagged_enum_is_a_miss() {
    let on = Subject::new();
    deployed!(on, Event::Paid { amount: 1999 },
        { #[serde(tag = "kind")] enum Event { Paid { amount: u64 } } } =>
        { #[serde(tag = "kind")] enum Event { Paid { amount: f64 } } } is false);
}

#[tokio::test]
async fn an_optional_field_that_is_added_inside_of_a_tagged_enum_is_a_miss() {
    let on = Subject::new();
    deployed!(on, Event::Paid { amount: 1999 },
        { #[serde(tag = "kind")] enum Event { Paid { amount: u64 } } } =>
        { #[serde(tag = "kind")] enum Event { Paid { amount: u64, note: Option<String> } } } is false);
}

#[tokio::test]
async fn a_change_inside_of_an_untagged_enum_is_a_miss() {
    let on = Subject::new();
    deployed!(on, Event::Paid { amount: 1999 },
        { #[serde(untagged)] enum Event { Open { at: u8 }, Paid { amount: u64 } } } =>
        { #[serde(untagged)] enum Event { Open { at: u8 }, Paid { amount: f64 } } } is false);
}

#[tokio::test]
async fn a_change_inside_of_a_content_is_a_miss() {
    let on = Subject::new();
    deployed!(on, Event::Paid { amount: 1999 },
        { #[serde(tag = "t", content = "c")] enum Event { Paid { amount: u64 } } } =>
        { #[serde(tag = "t", content = "c")] enum Event { Paid { amount: f64 } } } is false);
}

#[tokio::test]
async fn a_change_inside_of_what_is_flattened_is_a_miss() {
    let on = Subject::new();
    deployed!(on, Event { id: 1, paid: Paid { amount: 1999 } },
        { struct Event { id: u64, #[serde(flatten)] paid: Paid } struct Paid { amount: u64 } } =>
        { struct Event { id: u64, #[serde(flatten)] paid: Paid } struct Paid { amount: f64 } } is false);
}

#[tokio::test]
async fn a_change_inside_of_a_plain_enum_is_a_miss() {
    let on = Subject::new();
    deployed!(on, Event::Paid { amount: 1999 },
        { enum Event { Paid { amount: u64 } } } => { enum Event { Paid { amount: f64 } } } is false);
}

#[tokio::test]
async fn an_unchanged_type_is_a_hit() {
    let on = Subject::new();
    deployed!(on, Event::Paid { amount: 1999, any: serde_json::json!({"a": [1, null]}) },
        { #[serde(tag = "kind")] enum Event { Open, Paid { amount: u64, any: serde_json::Value } } } =>
        { #[serde(tag = "kind")] enum Event { Open, Paid { amount: u64, any: serde_json::Value } } } is true);
    assert_eq!(on.lines(), [""; 0], "nothing is hidden");
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Kind {
    Paid {
        amount: u64,
    },
    #[serde(other)]
    Other,
}

#[redis_cached(key = "kind:<id>")]
async fn kind(id: u64) -> Kind {
    Kind::Paid { amount: id }
}

#[redis_cached(key = "kind-with-version:<id>", version = 1)]
async fn kind_with_version(id: u64) -> Kind {
    Kind::Paid { amount: id }
}

#[tokio::test]
async fn types_that_cannot_be_seen_whole_are_logged_once_without_a_version() {
    let on = Subject::new();
    assert!(!testing::is_shape_known::<Kind>());
    on.stored("kind", async || kind(1).await).await;
    on.said(&["INFO", "read_back::kind", "Kind", "version = 1"]);
    on.stored("kind_with_version", async || kind_with_version(1).await).await;
    assert_eq!(on.lines(), [""; 0]);
}

#[test]
fn a_test_suite_finds_such_values_before_they_are_deployed() {
    let error = |value: &Reading| testing::round_trip(Codec::Json, value).unwrap_err().to_string();
    let said = error(&Reading { at: 1, value: Some(f64::NAN) });
    assert!(said.contains("field `value` of a `keys_and_values::read_back::Reading` is NaN or infinite"), "{said}");
    let account = Account { id: 1, password_hash: "secret".into() };
    let said = testing::round_trip(Codec::Postcard, &account).unwrap_err().to_string();
    assert!(said.contains("Account` comes back from postcard as another value, first at `password_hash`"), "{said}");
    let said = testing::round_trip(Codec::Postcard, &Owner::User { id: 1 }).unwrap_err().to_string();
    assert!(said.contains("cannot be read back"), "{said}");
    testing::assert_round_trip(Codec::Json, &Page { text: "a".into(), rendered: Some("b".into()) });
}
