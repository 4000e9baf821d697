//! A batch returns all that its body returned, even what cannot be attributed to the ids that it was given.

use super::source::{Source, on_both, user, users};
use cached_core::{Cache, SiteStats, UnstoredReason, redis_cached};
use futures_util::future::join_all;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use tests::{Log, eventually};
use tokio::sync::watch;
use tokio::task::yield_now;
use tracing::Level;

/// A database that compares names without case, and spells them in lower case.
struct Names {
    cache: Cache,
    /// All others are unknown.
    known: Vec<String>,
    loads: AtomicUsize,
    is_open: watch::Sender<bool>,
}

type Found<V> = HashMap<String, V, BuildHasherDefault<DefaultHasher>>;

impl Names {
    fn of(source: &Source, known: &[&str]) -> Self {
        let (cache, known) = (source.cache.clone(), known.iter().map(|name| (*name).to_owned()).collect());
        Self { cache, known, loads: AtomicUsize::new(0), is_open: watch::Sender::new(true) }
    }

    async fn select(&self, names: &[String]) -> Vec<(String, usize)> {
        self.loads.fetch_add(1, Ordering::SeqCst);
        self.is_open.subscribe().wait_for(|is_open| *is_open).await.unwrap();
        let lower = names.iter().map(|name| name.to_lowercase()).filter(|name| self.known.contains(name));
        lower.map(|name| (name.clone(), name.len())).collect()
    }

    fn loads(&self) -> usize {
        self.loads.swap(0, Ordering::SeqCst)
    }

    #[redis_cached(key = "name:<name>", batch = names, cache = self.cache)]
    async fn find(&self, names: &[String]) -> HashMap<String, usize> {
        self.select(names).await.into_iter().collect()
    }

    #[redis_cached(key = "name:<name>", batch = names, cache = self.cache)]
    async fn hashed(&self, names: Vec<String>) -> Result<Found<usize>, String> {
        Ok(self.select(&names).await.into_iter().collect())
    }

    #[redis_cached(key = "name:<name>", batch = names, cache = self.cache)]
    async fn sorted(&self, names: &[String]) -> BTreeMap<String, usize> {
        self.select(names).await.into_iter().collect()
    }

    #[redis_cached(key = "name:<name>", cache = self.cache)]
    async fn one(&self, name: &str) -> Option<usize> {
        self.select(&[name.to_owned()]).await.pop().map(|(_, value)| value)
    }

    #[redis_cached(key = "name:<name>", batch = names, cache = self.cache)]
    async fn list(&self, names: &[String]) -> Vec<Option<usize>> {
        let found = self.select(names).await;
        let is_it = |name: &String, known: &String| known.eq_ignore_ascii_case(name);
        names.iter().map(|name| found.iter().find(|(known, _)| is_it(name, known)).map(|(_, len)| *len)).collect()
    }

    #[redis_cached(key = "near:<name>", batch = names, cache = self.cache, local = "30s")]
    async fn near(&self, names: &[String]) -> HashMap<String, usize> {
        self.select(names).await.into_iter().collect()
    }
}

fn names<const N: usize>(names: [&str; N]) -> [String; N] {
    names.map(str::to_owned)
}

fn found<M: FromIterator<(String, usize)>>(names: &[&str]) -> M {
    names.iter().map(|name| ((*name).to_owned(), name.len())).collect()
}

async fn ids_that_the_body_spells_otherwise_are_returned(on: Source) {
    let on = Names::of(&on, &["ada", "eve"]);
    for turn in 0..2 {
        assert_eq!(on.find(&names(["Ada", "eve"])).await, found(&["ada", "eve"]), "turn {turn}");
        on.cache.flush().await;
        assert_eq!(on.hashed(names(["Ada"]).to_vec()).await, Ok(found(&["ada"])));
        on.cache.flush().await;
        assert_eq!(on.sorted(&names(["Ada"])).await, found(&["ada"]));
        on.cache.flush().await;
    }
    assert_eq!(on.loads(), 6, "`Ada` is neither known nor absent");
    assert_eq!(on.one("Ada").await, Some(3), "nor is it for others");
    assert_eq!((on.loads(), on.one("eve").await, on.loads()), (1, Some(3), 0), "what is attributed is stored");
    let stats = on.cache.stats();
    assert_eq!(stats.site("sorted").unwrap().unstored[&UnstoredReason::Unattributed], 2);
}

async fn an_id_that_is_absent_is_not_stored_as_such_beside_what_nobody_asked_for(on: Source) {
    let on = Names::of(&on, &["ada"]);
    assert_eq!(on.find(&names(["Ada", "nobody"])).await, found(&["ada"]));
    on.cache.flush().await;
    assert_eq!(on.one("nobody").await, None);
    assert_eq!(on.loads(), 2, "`ada` may have been what `nobody` is called in the database");
    on.cache.flush().await;
    assert_eq!(on.find(&names(["nobody"])).await, HashMap::new());
    assert_eq!(on.loads(), 0, "asked for alone, it is stored as absent");
}

async fn further_entries_are_returned_and_not_stored(on: Source) {
    for _ in 0..2 {
        assert_eq!(on.unruly(&[1, 2]).await, Ok(users([1, 2, 999])));
        on.cache.flush().await;
        assert_eq!(on.unruly(&[1]).await, Ok(users([1])), "the body did not run");
        on.cache.entry("user:1").remove().await.unwrap();
    }
    assert_eq!(on.asked(), [vec![1, 2], vec![1]], "of the second call, `2` is there");
    on.find(999).await.unwrap();
    assert_eq!(on.asked(), [[999]]);
}

async fn who_waits_for_an_id_is_not_told_that_it_is_absent(on: Source) {
    let on = Names::of(&on, &["ada"]);
    on.is_open.send_replace(false);
    let asked = names(["Ada"]);
    let waiting = async {
        eventually("the batch loads", async || on.loads.load(Ordering::SeqCst) == 1).await;
        tokio::join!(on.one("Ada"), async { on.is_open.send_replace(true) }).0
    };
    assert_eq!(tokio::join!(on.find(&asked), waiting), (found(&["ada"]), Some(3)));
    assert_eq!(on.loads(), 2);
}

async fn a_batch_that_waits_for_an_id_runs_its_own_body(on: Source) {
    let on = Names::of(&on, &["ada"]);
    on.is_open.send_replace(false);
    let (asked, waiting) = (names(["Ada"]), names(["Ada", "other"]));
    let second = async {
        eventually("the first batch loads", async || on.loads.load(Ordering::SeqCst) == 1).await;
        let open = async {
            // `other`: by now the second batch waits for `Ada`.
            eventually("the second batch loads", async || on.loads.load(Ordering::SeqCst) == 2).await;
            on.is_open.send_replace(true);
        };
        tokio::join!(on.find(&waiting), open).0
    };
    assert_eq!(tokio::join!(on.find(&asked), second), (found(&["ada"]), found(&["ada"])));
    assert_eq!(on.loads(), 3);
}

/// Makes one call, and `others` more while it loads. Returns all results, and how often the body ran.
async fn while_one_loads<T, F: Future<Output = T>>(on: &Names, call: impl Fn(usize) -> F) -> (Vec<T>, usize) {
    on.is_open.send_replace(false);
    let first = call(0);
    let others = async {
        eventually("the first one loads", async || on.loads.load(Ordering::SeqCst) == 1).await;
        // All of them are polled before the load ends. They need not ask the store, because they follow the call that
        // loads.
        let opens = async {
            for _ in 0..AT_ONCE {
                yield_now().await;
            }
            on.is_open.send_replace(true);
        };
        tokio::join!(join_all((1..AT_ONCE).map(&call)), opens).0
    };
    let (first, mut returned) = tokio::join!(first, others);
    returned.push(first);
    (returned, on.loads())
}

const AT_ONCE: usize = 100;

async fn calls_at_once_for_an_id_that_is_spelled_otherwise(on: Source) {
    for function in 0..3 {
        let on = Names::of(&on, &["ada"]);
        let call = |_: usize| {
            let on = &on;
            async move {
                match function {
                    0 => on.find(&names(["Ada"])).await,
                    1 => on.hashed(names(["Ada"]).to_vec()).await.unwrap().into_iter().collect(),
                    _ => on.sorted(&names(["Ada"])).await.into_iter().collect(),
                }
            }
        };
        let before = on.cache.stats().sites;
        let (returned, loads) = while_one_loads(&on, call).await;
        assert!(returned.iter().all(|returned| *returned == found(&["ada"])), "{returned:?}");
        assert_eq!(loads, 2, "one, and one for those who came while it ran");
        let sites = on.cache.stats().sites;
        let sum = |sites: &[SiteStats], of: fn(&SiteStats) -> u64| sites.iter().map(of).sum::<u64>();
        let more = |of: fn(&SiteStats) -> u64| sum(&sites, of) - sum(&before, of);
        assert_eq!((more(|site| site.loads), more(|site| site.coalesced)), (2, AT_ONCE as u64 - 2));
    }
}

/// Another function under the same keys may leave out, or add, what this one does not.
async fn a_function_s_strangers_are_not_another_s(on: Source) {
    let on = Names::of(&on, &["ada"]);
    let call = |n: usize| {
        let on = &on;
        async move {
            // The first of those that wait, which loads next, is one of `find` as well.
            if n < 2 || !n.is_multiple_of(2) {
                on.find(&names(["Ada"])).await
            } else {
                on.list(&names(["Ada"])).await.into_iter().map(|len| ("ada".to_owned(), len.unwrap_or(0))).collect()
            }
        }
    };
    let (returned, _) = while_one_loads(&on, call).await;
    // `find` hits, under the id as it was given, once `list` has stored a value for it.
    let is_found = |returned: &HashMap<String, usize>| *returned == found(&["ada"]) || *returned == found(&["Ada"]);
    assert!(returned.iter().all(is_found), "{returned:?}");
}

async fn calls_at_once_for_several_ids_that_are_spelled_otherwise(on: Source) {
    let on = Names::of(&on, &["ada", "eve", "bob"]);
    let call = |n: usize| {
        let on = &on;
        // In any order, and some of them known already.
        let asked = if n.is_multiple_of(2) { names(["Ada", "bob", "Eve"]) } else { names(["Eve", "Ada", "bob"]) };
        async move { on.find(&asked).await }
    };
    let (returned, loads) = while_one_loads(&on, call).await;
    assert!(returned.iter().all(|returned| *returned == found(&["ada", "bob", "eve"])), "{returned:?}");
    // Ids whose misses end apart are loaded apart.
    assert!((2..=AT_ONCE / 10).contains(&loads), "{loads}");
}

/// A caller does not get what a load returned for ids that the caller has not asked for.
async fn nobody_gets_what_others_have_asked_for(on: Source) {
    let known: Vec<String> = (0..AT_ONCE).map(|n| format!("own{n}")).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).chain(["ada"]).collect();
    let on = Names::of(&on, &known);
    let call = |n: usize| {
        let on = &on;
        async move { on.find(&names(["Ada", &format!("Own{n}")])).await }
    };
    let (mut returned, loads) = while_one_loads(&on, call).await;
    returned.rotate_right(1);
    for (n, returned) in returned.into_iter().enumerate() {
        assert_eq!(returned, found(&["ada", &format!("own{n}")]));
    }
    assert_eq!(loads, AT_ONCE + 1, "their own ones, and `Ada` once more for all of them");
}

/// The load that they wait for is of more ids than they have asked for.
async fn who_asks_for_fewer_ids_gets_no_more(on: Source) {
    let on = Names::of(&on, &["ada", "eve"]);
    let asks_for_both = |n: usize| n == 0 || !n.is_multiple_of(2);
    let call = |n: usize| {
        let on = &on;
        async move { if asks_for_both(n) { on.find(&names(["Ada", "Eve"])).await } else { on.find(&names(["Ada"])).await } }
    };
    let (mut returned, _) = while_one_loads(&on, call).await;
    returned.rotate_right(1);
    for (n, returned) in returned.into_iter().enumerate() {
        assert_eq!(returned, found(if asks_for_both(n) { &["ada", "eve"] } else { &["ada"] }), "{n}");
    }
}

async fn single_calls_that_wait_for_it_share_one_load(on: Source) {
    let on = Names::of(&on, &["ada"]);
    let call = |n: usize| {
        let on = &on;
        async move { if n == 0 { on.find(&names(["Ada"])).await.len() } else { on.one("Ada").await.unwrap() } }
    };
    let (returned, loads) = while_one_loads(&on, call).await;
    assert_eq!(returned, [vec![3; AT_ONCE - 1], vec![1]].concat());
    assert_eq!(loads, 2);
}

/// The database turns it into lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, cached_core::CacheKey)]
struct Mail(String);

async fn ids_of_an_own_type_are_handed_over(on: Source) {
    #[redis_cached(key = "mail:<mail>", batch = mails, cache = on.cache, skip(on))]
    async fn find(mails: &[Mail], on: &Names) -> HashMap<Mail, usize> {
        let mails: Vec<String> = mails.iter().map(|mail| mail.0.clone()).collect();
        on.select(&mails).await.into_iter().map(|(mail, len)| (Mail(mail), len)).collect()
    }
    let on = Names::of(&on, &["ada"]);
    let asked = [Mail("Ada".to_owned())];
    let (returned, loads) = while_one_loads(&on, |_| find(&asked, &on)).await;
    let expected = HashMap::from([(Mail("ada".to_owned()), 3)]);
    assert!(returned.iter().all(|returned| *returned == expected), "{returned:?}");
    assert_eq!(loads, 2);
}

/// The ids cannot be handed over, so each call loads for itself.
async fn ids_that_borrow_are_returned_as_without_a_cache(on: Source) {
    #[redis_cached(key = "lent:<name>", batch = names, cache = on.cache, skip(on))]
    async fn find<'a>(names: &[&'a str], on: &Names) -> HashMap<&'a str, usize> {
        on.select(&[]).await;
        names.iter().map(|name| (name.trim_start(), name.len())).collect()
    }
    let on = Names::of(&on, &[]);
    let (returned, loads) = while_one_loads(&on, |_| find(&[" ada"], &on)).await;
    assert!(returned.iter().all(|returned| *returned == HashMap::from([("ada", 4)])), "{returned:?}");
    assert_eq!(loads, AT_ONCE);
}

/// It came after the load had begun, and a write may have completed in between.
async fn who_comes_while_it_loads_is_not_served_what_was_there_before(on: Source) {
    let on = Names::of(&on, &["ada"]);
    let seen = Mutex::new(Vec::new());
    on.is_open.send_replace(false);
    let early = async {
        let found = on.find(&names(["Ada"])).await;
        seen.lock().unwrap().push(on.loads.load(Ordering::SeqCst));
        found
    };
    let late = async {
        eventually("it loads", async || on.loads.load(Ordering::SeqCst) == 1).await;
        let late = async {
            let found = on.find(&names(["Ada"])).await;
            seen.lock().unwrap().push(on.loads.load(Ordering::SeqCst));
            found
        };
        tokio::join!(late, async { on.is_open.send_replace(true) }).0
    };
    assert_eq!(tokio::join!(early, late), (found(&["ada"]), found(&["ada"])));
    assert_eq!(*seen.lock().unwrap(), [1, 2], "the second one's load is its own");
}

async fn the_near_cache_keeps_no_absence_that_is_not_known(on: Source) {
    let on = Names::of(&on, &["ada"]);
    for _ in 0..4 {
        assert_eq!(on.near(&names(["Ada"])).await, found(&["ada"]));
        on.cache.flush().await;
    }
    let stats = on.cache.stats();
    let near = stats.site("near").unwrap();
    assert_eq!((near.loads, near.near_hits + near.hits), (4, 0));
}

async fn keys_without_an_attribute(on: Source) {
    let load = |_: Vec<&'static str>| async { Ok::<_, String>(HashMap::from([("ada", 1_u64), ("total", 2)])) };
    for _ in 0..2 {
        let got = on.cache.entries(&["ada", "Eve"], |key| (*key).to_owned()).get_or_load(load).await;
        assert_eq!(got, Ok(HashMap::from([("ada", 1), ("total", 2)])));
        on.cache.flush().await;
    }
    let absent = on.cache.entry("Eve").get_or_load_option(|| async { Ok::<_, String>(Some(3_u64)) }).await;
    assert_eq!(absent, Ok(Some(3)), "it was not remembered as absent");
}

async fn a_list_of_another_length_is_returned_as_it_is(on: Source) {
    assert_eq!(on.too_few(&[1, 2]).await, Ok(vec![Some(user(1))]));
    on.cache.flush().await;
    assert_eq!(on.find(2).await, Ok(Some(user(2))), "nothing is stored");
    on.cache.flush().await;
    assert_eq!(on.asked(), [vec![1, 2], vec![2]]);
    assert_eq!(on.too_few(&[2, 3, 4]).await, Ok(vec![Some(user(2)), Some(user(3))]), "as without a cache");
    assert_eq!(on.asked(), [vec![3, 4], vec![2, 3, 4]], "of `3, 4` it cannot be told whose value is missing");
    assert_eq!(on.too_few(&[5, 5]).await, Ok(vec![Some(user(5))]));
    assert_eq!(on.asked(), [vec![5], vec![5, 5]]);
    assert_eq!(on.stats("too_few").unstored[&UnstoredReason::Unattributed], 5);
}

/// An id that stands in the key only in part.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Login {
    user: u64,
    device: &'static str,
}

async fn ids_with_one_key_are_each_in_the_map(on: Source) {
    #[redis_cached(key = "login:<login.user>", batch = logins, cache = cache, skip(cache, login))]
    async fn seen(logins: &[Login], cache: &Cache) -> HashMap<Login, usize> {
        logins.iter().map(|login| (login.clone(), login.device.len())).collect()
    }
    let [phone, desk] = ["phone", "desk"].map(|device| Login { user: 1, device });
    for _ in 0..2 {
        let got = seen(&[phone.clone(), desk.clone(), phone.clone()], &on.cache).await;
        assert_eq!(got, HashMap::from([(phone.clone(), 5), (desk.clone(), 4)]));
        on.cache.flush().await;
    }
}

/// Equal regardless of case, but not in the key.
#[derive(Debug, Clone, Eq, cached_core::CacheKey)]
struct AnyCase(String);

impl PartialEq for AnyCase {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Hash for AnyCase {
    fn hash<H: Hasher>(&self, to: &mut H) {
        self.0.to_ascii_lowercase().hash(to);
    }
}

async fn ids_that_are_equal_under_two_keys_do_not_become_absent(on: Source) {
    #[redis_cached(key = "any_case:<name>", batch = names, cache = cache, skip(cache))]
    async fn find(names: &[AnyCase], cache: &Cache) -> HashMap<AnyCase, u64> {
        names.iter().map(|name| (name.clone(), 1)).collect()
    }
    let [upper, lower] = ["ADA", "ada"].map(|name| AnyCase(name.to_owned()));
    let expected = HashMap::from([(upper.clone(), 1)]);
    assert_eq!(find(&[upper.clone(), lower.clone()], &on.cache).await, expected);
    on.cache.flush().await;
    for name in [upper, lower] {
        assert_eq!(find(&[name], &on.cache).await, expected);
    }
}

on_both!(
    ids_that_the_body_spells_otherwise_are_returned,
    an_id_that_is_absent_is_not_stored_as_such_beside_what_nobody_asked_for,
    further_entries_are_returned_and_not_stored,
    who_waits_for_an_id_is_not_told_that_it_is_absent,
    a_batch_that_waits_for_an_id_runs_its_own_body,
    calls_at_once_for_an_id_that_is_spelled_otherwise,
    a_function_s_strangers_are_not_another_s,
    calls_at_once_for_several_ids_that_are_spelled_otherwise,
    nobody_gets_what_others_have_asked_for,
    who_asks_for_fewer_ids_gets_no_more,
    single_calls_that_wait_for_it_share_one_load,
    ids_of_an_own_type_are_handed_over,
    ids_that_borrow_are_returned_as_without_a_cache,
    who_comes_while_it_loads_is_not_served_what_was_there_before,
    the_near_cache_keeps_no_absence_that_is_not_known,
    keys_without_an_attribute,
    a_list_of_another_length_is_returned_as_it_is,
    ids_with_one_key_are_each_in_the_map,
    ids_that_are_equal_under_two_keys_do_not_become_absent,
);

#[tokio::test]
async fn one_line_for_each_function_says_so() {
    let (log, _listening) = Log::listen(Level::WARN);
    let on = Source::memory();
    for id in 0..3 {
        on.unruly(&[id]).await.unwrap();
        on.too_few(&[id + 10, id + 20]).await.unwrap();
    }
    let lines = log.take();
    let about = |what: &str| lines.iter().filter(|line| line.contains(what)).collect::<Vec<_>>();
    let (strangers, misfit) = (about("none of the ids it was given"), about("another length than its ids"));
    assert_eq!((strangers.len(), misfit.len(), lines.len()), (1, 1, 2), "{lines:#?}");
    let has = |line: &str, words: &[&str]| words.iter().all(|word| line.contains(word));
    assert!(
        has(strangers[0], &["WARN", "unruly", "0 of 1 ids", "1 entries", "under the id as it was given"]),
        "{lines:#?}"
    );
    assert!(has(misfit[0], &["WARN", "too_few", "1 values for 2 ids", "one element for each id"]), "{lines:#?}");
}
