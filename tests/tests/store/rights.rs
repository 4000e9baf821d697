//! A user with exactly the rights that the chapter on guarantees lists.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use cached_core::{Cache, Outcome, refresh};
use std::fs;
use std::path::Path;
use tests::{KeptRows, RedisServer, Row, Way, patient_cache};

/// The commands of the list, and the one for databases other than 0.
fn listed() -> (Vec<String>, String) {
    let chapter = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cached-core/GUARANTEES.md");
    let chapter = fs::read_to_string(chapter).unwrap();
    let (_, list) = chapter.split_once("For a user with few rights: `").unwrap();
    let (commands, rest) = list.split_once('`').unwrap();
    let commands: Vec<_> = commands.split_whitespace().map(str::to_lowercase).collect();
    assert!(commands.len() > 15, "{commands:?}");
    (commands, rest.split('`').nth(1).unwrap().to_lowercase())
}

fn server(commands: &[String], more: &[&str]) -> RedisServer {
    let rights = commands.iter().map(|command| format!("+{command}"));
    let user = ["--user", "app", "on", ">pw", "~cache:*", "~{cache:*"].map(str::to_owned).into_iter();
    let user: Vec<_> = user.chain(rights).chain(more.iter().map(ToString::to_string)).collect();
    RedisServer::start_with(&user.iter().map(String::as_str).collect::<Vec<_>>())
}

fn url(server: &RedisServer, database: &str) -> String {
    format!("redis://app:pw@127.0.0.1:{}/{database}", server.port())
}

/// Uses all parts of the library, in turn.
async fn everything_works(cache: &Cache, server: &RedisServer) {
    let row = Row::new(1);
    for n in 0..6 {
        assert_eq!(row.read_and_store(cache).await, row.now());
        row.read(cache).await;
        let outcome = match n {
            0..3 => {
                row.commit();
                cache.invalidate(row.way(n)).await
            }
            _ => cache.write(row.way(n), async { row.commit() }).await.1,
        };
        assert_eq!(outcome, Outcome::Applied);
        assert_eq!(row.read_and_store(cache).await, row.now());
    }
    // Over a stored value, which is served until the new one is stored.
    row.commit();
    assert_eq!(refresh(row.read(cache)).await, row.now());
    assert_eq!(row.read(cache).await, row.now(), "the new one is stored");
    cache.entry("k").set(&1).await.unwrap();
    cache.entry("k").remove().await.unwrap();
    assert!(cache.clear().await.unwrap() > 0);
    let stats = cache.stats();
    let site = stats.site("Cache::entry").unwrap();
    assert!(site.hits >= 6 && site.bypassed == 0, "{stats:?}");
    // The server notes there what it refused.
    let denied: Vec<redis::Value> = server.send(&[b"ACL", b"LOG"]).await;
    assert!(denied.is_empty(), "{denied:?}");
}

#[tokio::test]
async fn a_user_with_the_rights_of_this_list() {
    let (commands, choose) = listed();
    let on = server(&commands, &[]);
    everything_works(&patient_cache(&url(&on, "")), &on).await;
    let on = server(&commands, &[&format!("+{choose}")]);
    everything_works(&patient_cache(&url(&on, "1")), &on).await;
    let on = server(&commands, &["+client|tracking"]);
    let (cache, rows) = (patient_cache(&url(&on, "")), KeptRows::new(1));
    for way in Way::ALL {
        rows.warm(&cache, way, 0).await;
    }
    let denied: Vec<redis::Value> = on.send(&[b"ACL", b"LOG"]).await;
    assert!(denied.is_empty(), "{denied:?}");
}
