//! Writes of ids of a batch: before, during and after its load.

use super::source::{Source, User, UserUpdated, on_both, user, users};
use cached_core::{Invalidation, Outcome};
use std::collections::HashMap;

fn renamed(id: u64, name: &str) -> User {
    User { id, name: name.to_owned() }
}

async fn one_id_is_invalidated_during_the_load(on: Source) {
    for round in 0..200 {
        let ids = [4 * round, 4 * round + 1, 4 * round + 2];
        let written = ids[1];
        let new = renamed(written, "new");
        on.close();
        let writer = async {
            on.loading(1).await;
            on.set(written, Some(new.clone()));
            on.cache.entry(format!("user:{written}")).remove().await.unwrap();
            // From here on no caller may get the old row. This one waits for the load, learns that its value is not
            // proved current, and loads for itself.
            let opens = async {
                tokio::task::yield_now().await;
                on.open();
            };
            tokio::join!(on.find(written), opens).0
        };
        let (found, read) = tokio::join!(on.find_many(&ids), writer);
        assert_eq!(found, Ok(users(ids)), "it began before the write");
        assert_eq!(read, Ok(Some(new.clone())), "round {round}: stale");
        on.cache.flush().await;
        let after = HashMap::from([(ids[0], user(ids[0])), (written, new), (ids[2], user(ids[2]))]);
        assert_eq!(on.find_many(&ids).await, Ok(after), "round {round}: stale");
        assert_eq!(on.asked(), [vec![ids[0], ids[1], ids[2]], vec![written]], "the others were stored");
    }
}

async fn events_and_tags_are_of_each_id(on: Source) {
    let ids = [1, 2, 3];
    let all = || async { on.tagged(7, &ids).await.unwrap() };
    assert_eq!(all().await, users(ids));
    on.cache.flush().await;
    assert_eq!(on.tagged_one(7, 2).await, Ok(Some(user(2))), "the entries are those of the single function");
    assert_eq!(on.asked().len(), 1);

    on.set(2, Some(renamed(2, "new")));
    assert_eq!(on.cache.emit(&UserUpdated { id: 2 }).await, Outcome::Applied);
    assert_eq!(all().await[&2].name, "new");
    on.cache.flush().await;
    assert_eq!(on.asked(), [[2]], "only the one");

    assert_eq!(on.cache.invalidate(Invalidation::new().tag("name:new")).await, Outcome::Applied);
    all().await;
    on.cache.flush().await;
    assert_eq!(on.asked(), [[2]], "a tag that only the value tells");

    assert_eq!(on.cache.invalidate(Invalidation::new().tag("tenant:7")).await, Outcome::Applied);
    all().await;
    on.cache.flush().await;
    assert_eq!(on.asked(), [[1, 2, 3]], "a tag of all");
    all().await;
    assert_eq!(on.asked().len(), 0);
}

async fn an_event_during_the_load_keeps_the_old_value_out(on: Source) {
    on.close();
    let writer = async {
        on.loading(1).await;
        on.set(2, Some(renamed(2, "new")));
        assert_eq!(on.cache.emit(&UserUpdated { id: 2 }).await, Outcome::Applied);
        on.open();
    };
    let (found, ()) = tokio::join!(on.listens(&[1, 2, 3]), writer);
    assert_eq!(found, Ok(users([1, 2, 3])), "it began before the write");
    on.cache.flush().await;
    on.asked();
    assert_eq!(on.listens(&[1, 2, 3]).await.unwrap()[&2].name, "new");
    assert_eq!(on.asked(), [[2]], "the others were stored");
}

/// While a writer works on one id, that id is loaded in the same run as the others, and not stored.
async fn a_writer_at_work_on_one_id(on: Source) {
    let during = async {
        assert_eq!(on.find_many(&[1, 2, 3]).await, Ok(users([1, 2, 3])));
        on.cache.flush().await;
    };
    let ((), outcome) = on.cache.write(Invalidation::new().key("user:2"), during).await;
    assert_eq!(outcome, Outcome::Applied);
    let stats = on.stats("find_many");
    assert_eq!((stats.stored, stats.bypassed), (2, 1), "{stats:?}");
    on.find_many(&[1, 2, 3]).await.unwrap();
    assert_eq!(on.asked(), [vec![1, 2, 3], vec![2]]);
}

on_both!(
    one_id_is_invalidated_during_the_load,
    events_and_tags_are_of_each_id,
    an_event_during_the_load_keeps_the_old_value_out,
    a_writer_at_work_on_one_id,
);
