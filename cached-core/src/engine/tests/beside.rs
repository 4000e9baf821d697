//! Values of different types under one key.

use super::*;
use crate::store::{Begin, End, Remove};

/// A call for "k" by a build whose values are texts.
async fn text(on: &Subject, value: &str) -> String {
    let load = || async { Ok::<_, ()>(value.to_owned()) };
    on.cache.entry("k").get_or_load(load).await.unwrap()
}

async fn set_text(on: &Subject, value: &str) -> Result<(), crate::CacheError> {
    on.cache.entry("k").set(&value.to_owned()).await
}

/// As [`Subject::calling`], by a build whose values are texts.
async fn calling_text(on: &Subject, value: &'static str, takes: Duration) -> JoinHandle<String> {
    let subject = on.clone();
    let call = tokio::spawn(async move {
        let load = || async {
            sleep(takes).await;
            Ok::<_, ()>(value.to_owned())
        };
        subject.cache.entry("k").get_or_load(load).await.unwrap()
    });
    tasks().await;
    call
}

fn loads(on: &Subject) -> u64 {
    on.stats().loads
}

#[tokio::test(start_paused = true)]
async fn each_type_loads_once_and_hits_from_then_on() {
    let on = Subject::new();
    for n in 0..5 {
        assert_eq!(on.call(n, AT_ONCE).await, 0);
        assert_eq!(text(&on, &n.to_string()).await, "0");
        on.cache.flush().await;
    }
    assert_eq!((loads(&on), on.stats().hits), (2, 8));
    assert_eq!(on.misses(), [(MissReason::Absent, 1), (MissReason::Type, 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_companion_ends_with_its_base() {
    let on = Subject::new();
    for (round, ends) in ["delete", "set", "eviction", "foreign bytes"].into_iter().enumerate() {
        let new = round as u64 + 1;
        on.call(0, AT_ONCE).await;
        text(&on, "old").await;
        on.cache.flush().await;
        match ends {
            "delete" => assert!(on.cache.entry("k").remove().await.is_ok()),
            "set" => on.cache.entry("k").set(&new).await.unwrap(),
            "eviction" => assert!(on.store.memory.remove(Remove::new(&on.key(), BUDGET)).await.unwrap()),
            _ => on.plant(b"V, and then what no cache has written").await,
        }
        assert_eq!(text(&on, "new").await, "new", "{ends}");
        assert_eq!(on.call(new, AT_ONCE).await, new, "{ends}");
        on.cache.flush().await;
        on.cache.entry("k").remove().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_companion_of_a_former_base_does_not_come_back_with_the_next() {
    let on = Subject::new();
    on.call(0, AT_ONCE).await;
    text(&on, "old").await;
    on.cache.flush().await;
    on.cache.entry("k").remove().await.unwrap();
    on.call(1, AT_ONCE).await;
    on.cache.flush().await;
    assert_eq!(text(&on, "new").await, "new");
}

#[tokio::test(start_paused = true)]
async fn a_value_invalidated_during_its_load_is_not_stored_beside() {
    let on = Subject::new();
    on.call(0, AT_ONCE).await;
    on.cache.flush().await;
    let load = calling_text(&on, "old", ms(50)).await;
    on.cache.entry("k").remove().await.unwrap();
    on.call(1, AT_ONCE).await;
    assert_eq!(load.await.unwrap(), "old", "its own value");
    on.cache.flush().await;
    assert_eq!(text(&on, "new").await, "new");
}

#[tokio::test(start_paused = true)]
async fn a_caller_after_an_invalidation_does_not_share_an_older_load() {
    for is_replaced in [true, false] {
        let on = Subject::new();
        on.call(0, AT_ONCE).await;
        on.cache.flush().await;
        let load = calling_text(&on, "old", ms(50)).await;
        if is_replaced {
            on.cache.entry("k").set(&1u64).await.unwrap();
        } else {
            on.cache.entry("k").remove().await.unwrap();
        }
        let late = calling_text(&on, "new", AT_ONCE).await;
        assert_eq!((load.await.unwrap(), late.await.unwrap()), ("old".to_owned(), "new".to_owned()));
    }
}

#[tokio::test(start_paused = true)]
async fn calls_beside_a_base_share_one_load() {
    let on = Subject::new();
    on.call(0, AT_ONCE).await;
    on.cache.flush().await;
    let mut calls = Vec::new();
    for _ in 0..10 {
        calls.push(calling_text(&on, "one", ms(20)).await);
    }
    for call in calls {
        assert_eq!(call.await.unwrap(), "one");
    }
    assert_eq!(loads(&on), 2);
}

/// The other build fills the key between this call's read and its ACQUIRE.
#[tokio::test(start_paused = true)]
async fn a_value_is_stored_beside_a_base_that_only_acquire_finds() {
    let on = Subject::new();
    on.store.plan(Step::Get, [Act::LateAnswer(ms(5))]);
    let call = on.calling(Ok(7), AT_ONCE).await;
    set_text(&on, "theirs").await.unwrap();
    assert_eq!(call.await.unwrap(), Ok(7));
    on.cache.flush().await;
    assert_eq!(on.call(8, AT_ONCE).await, 7, "it was stored beside");
    assert_eq!(text(&on, "new").await, "theirs", "which was left where it was");
}

/// `found_with_kept_base` of the protocol's model: the value that ACQUIRE finds beside a base would be right for this
/// call, which has seen the base, but is too old for a call that follows it.
#[tokio::test(start_paused = true)]
async fn a_companion_that_acquire_finds_is_not_shared_on_the_word_of_an_older_read() {
    let on = Subject::new();
    on.store.plan(Step::Get, [Act::LateAnswer(ms(5))]);
    on.store.plan(Step::GetAll, [Act::LateAnswer(ms(20))]);
    let leader = on.calling(Ok(2), AT_ONCE).await;
    set_text(&on, "theirs").await.unwrap();
    // By now its ACQUIRE has found the base, and its read has found nothing beside it.
    sleep(ms(10)).await;
    let another = another(&on);
    let load = || async { Ok::<_, ()>(1_u64) };
    assert_eq!(another.entry("k").get_or_load(load).await, Ok(1));
    another.flush().await;
    another.entry("k").remove().await.unwrap();
    let follower = on.calling(Ok(3), AT_ONCE).await;
    assert_eq!((leader.await.unwrap(), follower.await.unwrap()), (Ok(2), Ok(2)));
}

/// The cache of another process on the same store.
fn another(on: &Subject) -> Cache {
    Cache::builder().namespace("cache").store(Arc::clone(&on.store) as _).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_load_of_another_build_is_not_waited_for() {
    let on = Subject::new();
    let theirs = calling_text(&on, "theirs", ms(30)).await;
    let began = Instant::now();
    assert_eq!(on.call(7, AT_ONCE).await, 7);
    on.cache.flush().await;
    assert_eq!(on.call(8, AT_ONCE).await, 7, "it stands beside the lease");
    assert_eq!(began.elapsed(), ms(0));
    assert_eq!(theirs.await.unwrap(), "theirs");
    on.cache.flush().await;
    assert_eq!((on.call(8, AT_ONCE).await, text(&on, "new").await), (7, "theirs".to_owned()), "and beside its value");
    assert_eq!((loads(&on), on.stats().lease_waits), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_build_has_one_load_beside_the_load_of_another() {
    let on = Subject::new();
    let theirs = calling_text(&on, "theirs", ms(100)).await;
    let first = on.calling(Ok(7), ms(50)).await;
    let load = || async { Ok::<_, ()>(8_u64) };
    assert_eq!(another(&on).entry("k").get_or_load(load).await, Ok(7), "another process waits for it");
    assert_eq!((first.await.unwrap(), theirs.await.unwrap()), (Ok(7), "theirs".to_owned()));
}

/// The other load never stores its value.
#[tokio::test(start_paused = true)]
async fn what_stands_beside_a_load_that_fails_ends_with_it() {
    let on = Subject::new();
    let subject = on.clone();
    let theirs = tokio::spawn(async move {
        let load = || async {
            sleep(ms(30)).await;
            Err::<String, ()>(())
        };
        subject.cache.entry("k").get_or_load(load).await
    });
    tasks().await;
    assert_eq!(on.call(7, AT_ONCE).await, 7);
    on.cache.flush().await;
    assert!(theirs.await.unwrap().is_err());
    assert_eq!(on.call(8, AT_ONCE).await, 8);
    on.cache.flush().await;
    assert_eq!(on.call(9, AT_ONCE).await, 8, "under the key");
}

/// `beside_token` of the protocol's model: a token looks like a lease, and the value that is put in its place is newer.
#[tokio::test(start_paused = true)]
async fn nothing_is_stored_beside_a_writer_s_token() {
    let on = Subject::new();
    let writer = crate::lease::writer().unwrap();
    let keys = [on.key()];
    let begun = on.store.memory.begin(Begin::new(writer, &keys, ms(1000), BUDGET).with_token(true)).await.unwrap();
    begun.whole().unwrap();
    assert_eq!(text(&on, "old").await, "old");
    on.cache.flush().await;
    // As a put does it: the writer's bits also identify the value.
    let value = [Head::value(writer.id()).as_bytes(), &on.register_of(b"1")[Head::LEN..]].concat();
    let put = crate::store::Written::value(on.key(), value.into(), ms(1000));
    assert!(on.store.memory.end(End::new(writer, &[put], BUDGET)).await.unwrap().put);
    assert_eq!(text(&on, "new").await, "new");
    assert_eq!(on.call(2, AT_ONCE).await, 1, "the value that was put");
}

/// The base has been replaced, so the value that is loaded beside the former one will be unusable.
#[tokio::test(start_paused = true)]
async fn a_load_beside_a_base_that_is_over_is_not_waited_for() {
    let on = Subject::new();
    set_text(&on, "theirs").await.unwrap();
    let (other, takes) = (another(&on), ms(10_000));
    let slow = tokio::spawn(async move {
        let load = || async {
            sleep(takes).await;
            Ok::<_, ()>(0_u64)
        };
        other.entry("k").get_or_load(load).await
    });
    tasks().await;
    set_text(&on, "newer").await.unwrap();
    let began = Instant::now();
    assert_eq!(on.call(7, AT_ONCE).await, 7);
    assert!(began.elapsed() < ms(100), "{:?}", began.elapsed());
    on.cache.flush().await;
    assert_eq!(on.call(8, AT_ONCE).await, 7);
    assert_eq!(slow.await.unwrap(), Ok(0));
}

#[tokio::test(start_paused = true)]
async fn a_companion_depends_on_its_tags() {
    let on = Subject::new();
    let read = async |value: u64| {
        let load = || async move { Ok::<_, ()>(value) };
        on.cache.entry("k").tag("t").get_or_load(load).await.unwrap()
    };
    set_text(&on, "theirs").await.unwrap();
    assert_eq!((read(1).await, on.cache.flush().await, read(2).await), (1, (), 1));
    assert_eq!(on.cache.invalidate(crate::Invalidation::new().tag("t")).await, crate::Outcome::Applied);
    assert_eq!((read(3).await, on.cache.flush().await, read(4).await), (3, (), 3));
    assert_eq!(text(&on, "new").await, "theirs");
}

#[tokio::test(start_paused = true)]
async fn a_read_by_hand_finds_what_stands_beside() {
    let on = Subject::new();
    set_text(&on, "theirs").await.unwrap();
    on.call(7, AT_ONCE).await;
    on.cache.flush().await;
    assert_eq!(on.cache.entry("k").get::<u64>().await, Some(7));
    assert_eq!(on.cache.entry("k").get::<String>().await.as_deref(), Some("theirs"));
    on.cache.entry("k").remove().await.unwrap();
    assert_eq!(on.cache.entry("k").get::<u64>().await, None);
}

/// The call ends, however often others replace the base.
#[tokio::test(start_paused = true)]
async fn a_call_gives_up_on_a_base_that_changes_at_every_read() {
    let on = Subject::new();
    on.store.plan(Step::Get, [Act::LateAnswer(ms(1))]);
    on.store.plan(Step::GetAll, (0..20).map(|_| Act::Late(ms(3))));
    let call = on.calling(Ok(7), AT_ONCE).await;
    for n in 0..100 {
        set_text(&on, &n.to_string()).await.unwrap();
        sleep(ms(1)).await;
    }
    assert_eq!(call.await.unwrap(), Ok(7));
    assert_eq!(on.misses(), [(MissReason::Foreign, 1)]);
    assert_eq!(on.store.count(Step::GetAll), 3, "reads");
}

/// A register contains two bytes of the fingerprint. If they are equal by chance, the checksum keeps the types apart,
/// but it cannot distinguish another type from damage.
#[tokio::test(start_paused = true)]
async fn a_register_that_seems_damaged_again_and_again_is_taken_for_another_type_s() {
    let on = Subject::new();
    let mut foreign = on.register_of(b"7").to_vec();
    foreign[20] ^= 1;
    let mut others_last = 0;
    for n in 0..40 {
        on.plant(&foreign).await;
        on.call(n, AT_ONCE).await;
        on.cache.flush().await;
        if on.register().await.unwrap() == foreign[..] {
            others_last += 1;
        }
    }
    assert_eq!(others_last, 40 - 8, "damage is repaired, if it does not come all the time");
    assert!(on.misses().contains(&(MissReason::Corrupt, 8 + 1)), "{:?}", on.misses());
}

/// The other type's values are never stored, so nothing can stand beside them for long.
#[tokio::test(start_paused = true)]
async fn a_type_has_a_value_although_another_is_loaded_without_pause() {
    let on = Subject::new();
    let text_loads = std::cell::Cell::new(0);
    for _ in 0..6 {
        let subject = on.clone();
        let other = tokio::spawn(async move {
            let load = || async {
                sleep(ms(20)).await;
                Err::<u64, ()>(())
            };
            subject.cache.entry("k").get_or_load(load).await
        });
        tasks().await;
        let load = || {
            text_loads.set(text_loads.get() + 1);
            async { Ok::<_, ()>("text".to_owned()) }
        };
        on.cache.entry("k").get_or_load(load).await.unwrap();
        assert!(other.await.unwrap().is_err());
        on.cache.flush().await;
    }
    assert_eq!(text_loads.get(), 3, "two beside leases, and one under the key");
}
