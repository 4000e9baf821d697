//! Any mix of calls and writes against a plain map.

use super::source::{Source, User, UserUpdated, users};
use cached_core::Outcome;
use proptest::prelude::*;
use std::collections::HashMap;

#[derive(Debug, Clone)]
enum Step {
    One(u64),
    Many(Vec<u64>),
    List(Vec<u64>),
    Tagged(Vec<u64>),
    TaggedOne(u64),
    Near(Vec<u64>),
    /// Two batches at once.
    Both(Vec<u64>, Vec<u64>),
    Write(u64, Option<u8>),
    /// This number of entries is lost.
    Lost(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let id = 0..12_u64;
    let ids = || prop::collection::vec(0..12_u64, 0..20);
    prop_oneof![
        1 => id.clone().prop_map(Step::One),
        3 => ids().prop_map(Step::Many),
        2 => ids().prop_map(Step::List),
        2 => ids().prop_map(Step::Tagged),
        1 => id.clone().prop_map(Step::TaggedOne),
        2 => ids().prop_map(Step::Near),
        2 => (ids(), ids()).prop_map(|(a, b)| Step::Both(a, b)),
        3 => (id.clone(), prop::option::of(any::<u8>())).prop_map(|(id, name)| Step::Write(id, name)),
        1 => id.prop_map(Step::Lost),
    ]
}

fn among(rows: &HashMap<u64, User>, ids: &[u64]) -> HashMap<u64, User> {
    ids.iter().filter_map(|id| Some((*id, rows.get(id)?.clone()))).collect()
}

async fn write(on: &Source, id: u64, row: Option<User>) {
    on.set(id, row);
    assert_eq!(on.cache.emit(&UserUpdated { id }).await, Outcome::Applied);
    for kind in ["user", "near"] {
        on.cache.entry(format!("{kind}:{id}")).remove().await.unwrap();
    }
}

async fn run(on: &Source, steps: Vec<Step>) {
    let mut rows = users(0..12);
    for step in steps {
        match step.clone() {
            Step::One(id) => assert_eq!(on.find(id).await, Ok(rows.get(&id).cloned()), "{step:?}"),
            Step::Many(ids) => assert_eq!(on.find_many(&ids).await, Ok(among(&rows, &ids)), "{step:?}"),
            Step::List(ids) => {
                let list = ids.iter().map(|id| rows.get(id).cloned()).collect();
                assert_eq!(on.find_all(ids).await, Ok(list), "{step:?}");
            }
            Step::Tagged(ids) => assert_eq!(on.tagged(1, &ids).await, Ok(among(&rows, &ids)), "{step:?}"),
            Step::TaggedOne(id) => assert_eq!(on.tagged_one(1, id).await, Ok(rows.get(&id).cloned()), "{step:?}"),
            Step::Near(ids) => {
                let found = on.near(&ids).await.unwrap();
                let found = found.into_iter().map(|(id, user)| (id, (*user).clone())).collect();
                assert_eq!(among(&rows, &ids), found, "{step:?}");
            }
            Step::Both(a, b) => {
                let found = tokio::join!(on.find_many(&a), on.find_many(&b));
                assert_eq!(found, (Ok(among(&rows, &a)), Ok(among(&rows, &b))), "{step:?}");
            }
            Step::Write(id, name) => {
                let row = name.map(|name| User { id, name: format!("name {name}") });
                match &row {
                    Some(row) => rows.insert(id, row.clone()),
                    None => rows.remove(&id),
                };
                write(on, id, row).await;
            }
            Step::Lost(id) => on.cache.entry(format!("user:{id}")).remove().await.unwrap(),
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn in_memory(steps in prop::collection::vec(step(), 1..30)) {
        runtime().block_on(async { run(&Source::memory(), steps).await });
    }
}

#[test]
fn on_redis() {
    let runtime = runtime();
    let on = runtime.block_on(async { Source::redis() });
    let mut cases = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(60));
    cases
        .run(&prop::collection::vec(step(), 1..30), |steps| {
            runtime.block_on(async {
                for (id, row) in users(0..12) {
                    write(&on, id, Some(row)).await;
                }
                run(&on, steps).await;
            });
            Ok(())
        })
        .unwrap();
}
