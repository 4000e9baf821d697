//! Functions that answer for each other under one key are named, by the log at start-up and by the audit. (This is a
//! program of its own, because all other audits would find these functions.)

use cached_core::{AuditOptions, Cache, FindingKind, redis_cached};
use std::fmt::Display;
use tests::Log;

trait Repository {
    async fn find(&self, id: u64) -> String;
}

struct Shop;
struct Archive;

impl Repository for Shop {
    #[redis_cached(key = "user:<id>")]
    async fn find(&self, id: u64) -> String {
        format!("{id} of the shop")
    }
}

impl Repository for Archive {
    #[redis_cached(key = "user:<id>")]
    async fn find(&self, id: u64) -> String {
        format!("{id} of the archive")
    }
}

macro_rules! repositories {
    ($($name:ident)*) => {
        $(
            struct $name;

            impl Repository for $name {
                #[redis_cached(key = "order:<id>")]
                async fn find(&self, id: u64) -> String {
                    format!("{id} of {}", stringify!($name))
                }
            }
        )*
    };
}

// Both stand in one place.
repositories!(Paid Open);

/// One function, whatever type it is used with.
struct Of<T>(T);

impl<T: Display> Of<T> {
    #[redis_cached(key = "of:<self.0>:<id>")]
    async fn find(&self, id: u64) -> String
    where
        T: cached_core::KeySegment,
    {
        format!("{id} of {}", self.0)
    }
}

trait Table {
    const NAME: &'static str;

    async fn row(&self, id: u64) -> String;
}

impl Table for Shop {
    const NAME: &'static str = "shop";

    #[redis_cached(key = "<Self::NAME>:<id>")]
    async fn row(&self, id: u64) -> String {
        format!("{id} of the shop")
    }
}

impl Table for Archive {
    const NAME: &'static str = "archive";

    #[redis_cached(key = "<Self::NAME>:<id>")]
    async fn row(&self, id: u64) -> String {
        format!("{id} of the archive")
    }
}

#[tokio::test]
async fn impls_with_one_key_answer_for_each_other_which_is_said_at_start_up() {
    let (log, _listening) = Log::listen(tracing::Level::WARN);
    let cache = Cache::builder().build().unwrap();
    let mut lines = log.take_all();
    lines.retain(|line| line.contains("share their entries"));
    lines.sort();
    assert_eq!(lines.len(), 2, "{lines:#?}");
    let says = |line: &str, words: [&str; 4]| words.iter().all(|word| line.contains(word));
    assert!(
        says(&lines[0], ["<shared_keys::Paid", "<shared_keys::Open", "tests/shared_keys.rs:", "\"order:<id>\""]),
        "{lines:#?}"
    );
    assert!(
        says(&lines[1], ["<shared_keys::Shop", "<shared_keys::Archive", "tests/shared_keys.rs:", "\"user:<id>\""]),
        "{lines:#?}"
    );

    cache
        .scope(async {
            assert_eq!(Shop.find(1).await, "1 of the shop");
            cache.flush().await;
            assert_eq!(Archive.find(1).await, "1 of the shop", "so it is worth a line");
            assert_eq!(Paid.find(1).await, "1 of Paid");
            cache.flush().await;
            assert_eq!(Open.find(1).await, "1 of Paid", "and this");
            // A function that is not mentioned does not share.
            assert_eq!((Of(7).find(1).await, Of("seven").find(1).await), ("1 of 7".into(), "1 of seven".into()));
            assert_eq!(Shop.row(1).await, "1 of the shop");
            cache.flush().await;
            assert_eq!(Archive.row(1).await, "1 of the archive");
        })
        .await;
}

#[test]
fn the_audit_finds_them_unless_it_is_meant() {
    let found = |options: AuditOptions| {
        let audit = options.audit();
        audit.findings().iter().filter(|finding| finding.kind() == FindingKind::Shared).count()
    };
    assert_eq!(found(AuditOptions::new()), 2);
    assert_eq!(found(AuditOptions::new().allow("find")), 0);
}
