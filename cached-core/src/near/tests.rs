use super::capacity::ENTRY_OVERHEAD;
use super::*;
use crate::key::{KeySegment, Piece};

const HEARTBEAT: Duration = Duration::from_secs(2);
const LOCAL: Duration = Duration::from_secs(30);
const FINGERPRINT: u64 = 7;

fn name_ref(key: &str) -> NameRef<'_> {
    NameRef::Text(FINGERPRINT, key)
}

fn near(capacity: u64) -> (Near, Clock) {
    let clock = Clock::manual();
    let settings = NearSettings { time: None, capacity, heartbeat: HEARTBEAT };
    let near = Near::new(&settings, clock.clone());
    near.regained();
    near.confirmed(Instant::now());
    (near, clock)
}

fn kept(value: u64) -> KeptValue {
    Arc::new(value)
}

fn keep(near: &Near, keys: &[Key], value: u64, time: Duration) {
    let reservation = near.reserve(keys).unwrap();
    near.keep(name_ref(&keys[0]).name(), reservation, kept(value), Keeping { time, bytes: 8, fresh: None });
}

/// The answer for a site without `refresh_ahead`.
fn served(near: &Near, name_ref: &NameRef<'_>, tags: &[Key], through_gaps: bool) -> Option<KeptValue> {
    match near.get(name_ref, tags, through_gaps, |_, _| false) {
        Answer::Value(value) => Some(value),
        Answer::Early => panic!("this site does not refresh ahead"),
        Answer::Nothing => None,
    }
}

fn get_with(near: &Near, keys: &[Key], through_gaps: bool) -> Option<u64> {
    let value = served(near, &name_ref(&keys[0]), &keys[1..], through_gaps)?;
    Some(*value.downcast_ref::<u64>().unwrap())
}

fn get(near: &Near, keys: &[Key]) -> Option<u64> {
    get_with(near, keys, false)
}

fn keys(names: &[&str]) -> Vec<Key> {
    names.iter().map(|name| Key::from(*name)).collect()
}

/// How this process learns of a change.
type Notification = fn(&Near, &Key);

/// One step of a read or of a write, which run at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The reader's first step.
    Reserve,
    Read,
    Keep,
    /// The writer's first step.
    Write,
    Notify,
}

/// All orders of a reader's and a writer's steps.
fn orders() -> Vec<Vec<Step>> {
    fn merge(reader: &[Step], writer: &[Step], begun: &mut Vec<Step>, all: &mut Vec<Vec<Step>>) {
        if reader.is_empty() && writer.is_empty() {
            all.push(begun.clone());
        }
        for (mine, other, is_reader) in [(reader, writer, true), (writer, reader, false)] {
            if let Some((step, rest)) = mine.split_first() {
                begun.push(*step);
                let (reader, writer) = if is_reader { (rest, other) } else { (other, rest) };
                merge(reader, writer, begun, all);
                begun.pop();
            }
        }
    }
    let mut all = Vec::new();
    merge(&[Step::Reserve, Step::Read, Step::Keep], &[Step::Write, Step::Notify], &mut Vec::new(), &mut all);
    assert_eq!(all.len(), 10);
    all
}

/// Once this process is notified of a change, it does not serve the old value; and it keeps a value that it reads after
/// the notification.
#[test]
fn a_read_and_a_change_in_every_order() {
    let notifications: [(&str, Notification); 6] = [
        ("its own", |near, _| near.changed("key")),
        ("its tag", |near, _| near.changed("tag")),
        ("written here", |near, key| near.wrote([key])),
        ("all", |near, _| near.all_changed()),
        ("a gap that was not announced", |near, _| {
            near.regained();
            near.confirmed(Instant::now());
        }),
        ("a gap", |near, _| {
            near.lost();
            near.regained();
            near.confirmed(Instant::now());
        }),
    ];
    for (what, notify) in notifications {
        for order in orders() {
            let ((near, _), keys) = (near(1 << 20), keys(&["key", "tag"]));
            let (mut stored, mut reservation, mut read) = (1, None, 0);
            for step in &order {
                match step {
                    Step::Reserve => reservation = near.reserve(&keys),
                    Step::Read => read = stored,
                    Step::Keep => {
                        let keeping = Keeping { time: LOCAL, bytes: 8, fresh: None };
                        near.keep(name_ref(&keys[0]).name(), reservation.take().unwrap(), kept(read), keeping);
                    }
                    Step::Write => stored = 2,
                    Step::Notify => notify(&near, &keys[0]),
                }
            }
            let found = get(&near, &keys);
            assert_ne!(found, Some(1), "{what}: {order:?}");
            if order[..2] == [Step::Write, Step::Notify] {
                assert_eq!(found, Some(2), "{what}: {order:?}");
            }
        }
    }
}

#[test]
fn every_change_counts_not_only_the_first() {
    let ((near, _), keys) = (near(1 << 20), keys(&["key", "tag"]));
    for round in 0..4 {
        for changed in ["key", "tag"] {
            keep(&near, &keys, round, LOCAL);
            assert_eq!(get(&near, &keys), Some(round));
            near.changed(changed);
            assert_eq!(get(&near, &keys), None, "{changed}, round {round}");
        }
    }
}

#[test]
fn a_value_read_before_a_gap_is_not_kept_during_the_gap() {
    let ((near, _), keys) = (near(1 << 20), keys(&["key"]));
    let reservation = near.reserve(&keys).unwrap();
    near.lost();
    near.keep(name_ref("key").name(), reservation, kept(1), Keeping { time: LOCAL, bytes: 8, fresh: None });
    assert_eq!(get_with(&near, &keys, true), None, "not even by a site that serves through gaps");
}

#[test]
fn different_integers_have_different_names() {
    let far = 1u64 << 32;
    let segments: [&[&dyn KeySegment]; 8] =
        [&[&0u64], &[&far], &[&(far + 1)], &[&1u64], &[&-1i64], &[&u64::MAX], &[&0u64, &far], &[&far, &0u64]];
    let names: Vec<_> = segments.iter().map(|segments| Words::of(segments)).collect();
    for (at, name) in names.iter().enumerate() {
        let alike = names.iter().filter(|other| *other == name).count();
        // One integer and the same integer followed by a 0 never belong to one template.
        let is_pair = at == 1 || at == 7;
        assert_eq!(alike, if is_pair { 2 } else { 1 }, "{at}: {name:?}");
    }
    assert_eq!(names[5], None, "it does not fit into an `i64`");
}

/// A value tag is added to the reservation before its register is read.
#[test]
fn a_change_of_a_tag_that_is_added_later_counts() {
    let ((near, _), keys) = (near(1 << 20), keys(&["key", "tag"]));
    for changes in [false, true] {
        let mut reservation = near.reserve(&keys[..1]).unwrap();
        reservation.extend(&near, &keys[1..]);
        if changes {
            near.changed("tag");
        }
        near.keep(name_ref(&keys[0]).name(), reservation, kept(1), Keeping { time: LOCAL, bytes: 8, fresh: None });
        assert_eq!(get(&near, &keys[..1]).is_none(), changes);
        near.changed("key");
    }
}

#[test]
fn a_value_is_kept_with_all_of_its_tags() {
    for tag in ["one", "two", "three"] {
        let ((near, _), keys) = (near(1 << 20), keys(&["key", "one", "two", "three"]));
        keep(&near, &keys, 1, LOCAL);
        assert_eq!(get(&near, &keys), Some(1));
        near.changed(tag);
        assert_eq!(get(&near, &keys), None, "{tag}");
    }
}

#[test]
fn nothing_is_served_after_the_heartbeat() {
    let ((near, clock), keys) = (near(1 << 20), keys(&["key"]));
    keep(&near, &keys, 1, LOCAL);
    clock.advance(Duration::from_millis(1_800));
    assert_eq!(get(&near, &keys), Some(1));
    clock.advance(Duration::from_millis(200));
    assert_eq!(get(&near, &keys), None);
    assert!(!near.stats().coherent);
    // Contact was not lost: once it is confirmed again, the value may be served as before.
    near.confirmed(Instant::now());
    assert_eq!(get(&near, &keys), Some(1));
    assert!(near.stats().coherent && near.stats().drops.is_empty());
}

/// However late the answer comes. And a late confirmation does not undo a later one.
#[test]
fn a_confirmation_counts_from_when_it_was_asked_for() {
    let ((near, clock), keys) = (near(1 << 20), keys(&["key"]));
    keep(&near, &keys, 1, LOCAL);
    clock.advance(HEARTBEAT);
    near.confirmed(Instant::now().checked_sub(HEARTBEAT).unwrap());
    assert_eq!(get(&near, &keys), None);
    near.confirmed(Instant::now().checked_sub(HEARTBEAT / 2).unwrap());
    assert_eq!(get(&near, &keys), Some(1));
    near.confirmed(Instant::now().checked_sub(HEARTBEAT).unwrap());
    assert_eq!(get(&near, &keys), Some(1));
    clock.advance(HEARTBEAT / 2);
    assert_eq!(get(&near, &keys), None);
}

#[test]
fn without_contact_values_are_bypassed_or_served_and_with_contact_they_are_dropped() {
    let ((near, clock), keys) = (near(1 << 20), keys(&["key"]));
    keep(&near, &keys, 1, LOCAL);
    near.lost();
    assert!(!near.is_coherent());
    assert_eq!((get(&near, &keys), get_with(&near, &keys, true)), (None, Some(1)));
    clock.advance(Duration::from_secs(29));
    assert_eq!(get_with(&near, &keys, true), Some(1));
    // This process needs no contact to know of its own write.
    near.wrote(&keys);
    assert_eq!(get_with(&near, &keys, true), None);
    near.regained();
    near.confirmed(Instant::now());
    keep(&near, &keys, 2, LOCAL);
    near.lost();
    clock.advance(LOCAL);
    assert_eq!(get_with(&near, &keys, true), None, "its time is over");
    near.regained();
    keep(&near, &keys, 3, LOCAL);
    near.lost();
    near.regained();
    near.confirmed(Instant::now());
    assert_eq!((get(&near, &keys), get_with(&near, &keys, true)), (None, None));
}

#[test]
fn a_values_time_is_counted_from_before_it_was_read() {
    let ((near, clock), keys) = (near(1 << 20), keys(&["key"]));
    let reservation = near.reserve(&keys).unwrap();
    clock.advance(Duration::from_millis(600));
    let keeping = Keeping { time: Duration::from_secs(1), bytes: 8, fresh: None };
    near.keep(name_ref(&keys[0]).name(), reservation, kept(1), keeping);
    clock.advance(Duration::from_millis(399));
    assert_eq!(get(&near, &keys), Some(1));
    clock.advance(Duration::from_millis(1));
    assert_eq!(get(&near, &keys), None);
}

#[test]
fn a_value_is_kept_for_its_time() {
    let ((near, clock), keys) = (near(1 << 20), keys(&["key"]));
    keep(&near, &keys, 1, Duration::from_secs(1));
    clock.advance(Duration::from_millis(999));
    assert_eq!(get(&near, &keys), Some(1));
    clock.advance(Duration::from_millis(1));
    assert_eq!(get(&near, &keys), None);
    assert_eq!(near.stats().drops[&DropReason::Expired], 1);
    assert_eq!(near.stats().entries, 0);
    keep(&near, &keys, 1, Duration::ZERO);
    assert_eq!((get(&near, &keys), near.stats().entries), (None, 0));
    assert_eq!(near.stats().overtaken, 0);
}

#[test]
fn the_near_cache_stays_within_its_capacity() {
    let capacity = 64 << 10;
    let (near, _) = near(capacity);
    for n in 0..10_000 {
        let keys = keys(&[&format!("key:{n}"), "tag"]);
        let reservation = near.reserve(&keys).unwrap();
        let bytes = [8, 500, 4_000, 100_000][n % 4];
        near.keep(name_ref(&keys[0]).name(), reservation, kept(1), Keeping { time: LOCAL, bytes, fresh: None });
        let stats = near.stats();
        assert!(stats.bytes <= capacity && stats.entries * ENTRY_OVERHEAD <= stats.bytes, "{stats:?}");
    }
    let stats = near.stats();
    assert!(stats.bytes > capacity / 2, "{stats:?}");
    assert!(stats.drops[&DropReason::Evicted] > 5_000, "{stats:?}");
}

#[test]
fn replacing_a_value_is_not_counted_as_an_eviction() {
    let (near, _) = near(1 << 20);
    let all = keys(&["key"]);
    for value in 0..3 {
        keep(&near, &all, value, LOCAL);
        assert_eq!(get(&near, &all), Some(value));
    }
    assert_eq!((near.stats().entries, near.stats().drops.len()), (1, 0));
}

/// Even if the site would refresh every value.
#[test]
fn only_a_value_that_may_be_served_is_early() {
    let asks = |near: &Near, key: &Key, through_gaps| near.get(&name_ref(key), &[], through_gaps, |_, _| true);
    let begin = || {
        let (near, clock) = near(1 << 20);
        let all = keys(&["key"]);
        let keeping = Keeping { time: LOCAL, bytes: 8, fresh: Some((2 * LOCAL, 1_000)) };
        near.keep(name_ref("key").name(), near.reserve(&all).unwrap(), kept(1), keeping);
        assert!(matches!(asks(&near, &all[0], false), Answer::Early));
        (near, clock, Key::clone(&all[0]))
    };

    let (near, clock, key) = begin();
    clock.advance(LOCAL);
    near.confirmed(Instant::now());
    assert!(matches!(asks(&near, &key, false), Answer::Nothing), "its time is over");
    assert_eq!(near.stats().drops[&DropReason::Expired], 1);

    let (near, _, key) = begin();
    near.changed("key");
    assert!(matches!(asks(&near, &key, false), Answer::Nothing), "it has changed");
    assert_eq!(near.stats().drops[&DropReason::Changed], 1);

    let (near, _, key) = begin();
    near.lost();
    assert!(matches!(asks(&near, &key, false), Answer::Nothing), "there is no contact");
    assert!(matches!(asks(&near, &key, true), Answer::Value(_)), "what is read now could not be kept");
}

#[test]
fn a_value_of_another_type_key_or_tag_is_not_served() {
    let ((near, _), all) = (near(1 << 20), keys(&["key", "a", "b"]));
    keep(&near, &all, 1, LOCAL);
    assert_eq!(get(&near, &all), Some(1));
    assert_eq!(get(&near, &all[..2]), Some(1));
    assert!(served(&near, &NameRef::Text(FINGERPRINT + 1, "key"), &all[1..], false).is_none());
    assert_eq!(get(&near, &keys(&["key", "b"])), None);
    assert_eq!(get(&near, &keys(&["key", "a", "b", "c"])), None);
    let words = Words::of(&[&1u64]);
    assert!(served(&near, &NameRef::new(FINGERPRINT, words, "key"), &all[1..], false).is_none());
}

#[test]
fn integers_stand_for_a_key_of_one_kind_of_value() {
    let ((near, _), keys) = (near(1 << 20), keys(&["key"]));
    let name_ref = |kind, numbers: &[u64]| {
        let segments: Vec<&dyn KeySegment> = numbers.iter().map(|number| number as _).collect();
        NameRef::new(kind, Words::of(&segments), "key")
    };
    let reservation = near.reserve(&keys).unwrap();
    let keeping = Keeping { time: LOCAL, bytes: 8, fresh: None };
    near.keep(name_ref(FINGERPRINT, &[1, 2]).name(), reservation, kept(7), keeping);
    let is_kept = |name_ref: NameRef<'_>| served(&near, &name_ref, &[], false).is_some();
    assert!(is_kept(name_ref(FINGERPRINT, &[1, 2])));
    assert!(!is_kept(name_ref(FINGERPRINT + 1, &[1, 2])));
    assert!(!is_kept(NameRef::new(FINGERPRINT, None, "key")));
    for numbers in [&[2, 1][..], &[1, 0], &[1], &[3, 2], &[]] {
        assert!(!is_kept(name_ref(FINGERPRINT, numbers)), "{numbers:?}");
    }
    assert!(Words::of(&[&1u64, &2u64, &3u64]).is_none());
    assert!(Words::of(&[&"1"]).is_none());
}

/// Functions that share entries share their values in the near cache, so the integers must identify the entry.
#[test]
fn integers_stand_only_for_keys_that_they_identify() {
    let (user, id, name) = (Piece::Literal("user:"), Piece::Segment("id"), Piece::Segment("name"));
    for template in [&[user][..], &[id], &[user, id], &[id, user, name]] {
        assert!(may_be_words(template), "{template:?}");
    }
    for template in [&[user, Piece::All][..], &[user, Piece::Hash("id")], &[Piece::Path, id], &[id, user, id, user, id]]
    {
        assert!(!may_be_words(template), "{template:?}");
    }
}

#[tokio::test]
async fn a_waiter_is_woken_by_every_change_since_it_was_made() {
    let ((near, _), keys) = (near(1 << 20), keys(&["key", "other"]));
    let notifications: [(bool, Notification); 4] = [
        (true, |near, _| near.changed("key")),
        (false, |near, _| near.changed("other")),
        (true, |near, _| near.all_changed()),
        (true, |near, _| near.lost()),
    ];
    for (wakes, notify) in notifications {
        let waiters = [near.waiter(&keys[0]), near.waiter(&keys[0])];
        // Before any waiter has begun to wait.
        notify(&near, &keys[0]);
        for waiter in &waiters {
            let woken = tokio::time::timeout(Duration::ZERO, waiter.changed()).await.is_ok();
            assert_eq!(woken, wakes);
        }
    }
    assert_eq!(format!("{:?}", near.waiters), format!("{:?}", Waiters::default()), "no waiter is left behind");
}
