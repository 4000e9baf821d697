//! The commands that a batch sends.

use super::source::{Source, user, users};

/// The commands that the library has sent since the monitor was started.
fn sent(commands: &[String]) -> Vec<&str> {
    commands.iter().filter(|command| !command.contains(" lua] ")).filter_map(|at| at.split('"').nth(1)).collect()
}

/// A source whose scripts the server knows.
async fn warm() -> Source {
    let on = Source::redis();
    for first in [1_000, 2_000] {
        on.find_many(&[first, first + 1, first + 2]).await.unwrap();
        on.tagged(9, &[first, first + 1, first + 2]).await.unwrap();
        on.cache.flush().await;
    }
    on.asked();
    on
}

#[tokio::test]
async fn hits_are_one_command() {
    let on = warm().await;
    let ids: Vec<u64> = (0..100).collect();
    on.find_many(&ids).await.unwrap();
    on.cache.flush().await;
    let monitor = on.server().monitor().await;
    assert_eq!(on.find_many(&ids).await.unwrap().len(), 100);
    let commands = monitor.stop(on.server()).await;
    assert_eq!(sent(&commands), ["MGET"], "{commands:#?}");
}

/// The server answers each read in one step, and others wait meanwhile.
#[tokio::test]
async fn no_look_asks_for_more_than_512_registers() {
    let on = warm().await;
    let ids: Vec<u64> = (10_000..11_300).collect();
    on.tagged(1, &ids).await.unwrap();
    on.cache.flush().await;
    let monitor = on.server().monitor().await;
    assert_eq!(on.tagged(1, &ids).await.unwrap().len(), ids.len());
    let commands = monitor.stop(on.server()).await;
    let looks = commands.iter().filter(|command| command.contains("\"MGET\""));
    let registers: Vec<_> = looks.map(|command| command.matches("\" \"").count()).collect();
    assert!(registers.iter().all(|registers| (1..=512).contains(registers)), "{registers:?}");
    assert!(registers.iter().sum::<usize>() > 2 * ids.len(), "{registers:?}");
}

#[tokio::test]
async fn hits_with_a_value_tag_are_two_commands() {
    let on = warm().await;
    let ids: Vec<u64> = (0..100).collect();
    on.tagged(1, &ids).await.unwrap();
    on.cache.flush().await;
    let monitor = on.server().monitor().await;
    assert_eq!(on.tagged(1, &ids).await.unwrap().len(), 100);
    let commands = monitor.stop(on.server()).await;
    assert_eq!(sent(&commands), ["MGET", "MGET"], "{commands:#?}");
    // 100 entries, 100 events, one tag; then 100 tags.
    let words: Vec<_> = commands.iter().map(|command| command.matches("\" \"").count()).collect();
    assert_eq!(words, [201, 100]);
}

#[tokio::test]
async fn misses_are_few_commands() {
    let on = warm().await;
    let ids: Vec<u64> = (0..100).collect();
    let monitor = on.server().monitor().await;
    assert_eq!(on.find_many(&ids).await.unwrap().len(), 100);
    on.cache.flush().await;
    let commands = monitor.stop(on.server()).await;
    let sent = sent(&commands);
    assert_eq!(sent[0], "MGET");
    // ACQUIRE and FILL: each alone for the first id, and for the others in two calls.
    assert!(sent.len() <= 7 && sent[1..].iter().all(|command| *command == "EVALSHA"), "{sent:?}");
    assert_eq!(on.asked(), [ids]);
}

#[tokio::test]
async fn misses_with_tags_are_few_commands() {
    let on = warm().await;
    let ids: Vec<u64> = (0..100).collect();
    let monitor = on.server().monitor().await;
    assert_eq!(on.tagged(1, &ids).await.unwrap().len(), 100);
    on.cache.flush().await;
    let commands = monitor.stop(on.server()).await;
    let sent = sent(&commands);
    // ACQUIRE, TAG; TAG of the value tags, FILL, and TAG once more to prove the values current.
    assert!(sent.len() <= 20, "{} commands: {sent:?}", sent.len());
    assert_eq!(on.asked(), [ids]);
}

#[tokio::test]
async fn a_batch_that_is_given_up_releases_its_leases_by_few_commands() {
    let on = warm().await;
    let ids: Vec<u64> = (0..1_000).collect();
    on.close();
    let mut batch = Box::pin(on.find_many(&ids));
    tokio::select! {
        _ = &mut batch => panic!("it cannot end"),
        () = on.loading(1) => {}
    }
    let monitor = on.server().monitor().await;
    drop(batch);
    on.open();
    tests::eventually("the leases are released", async || {
        on.server().send::<u64>(&[b"EXISTS", b"cache:k:user:0", b"cache:k:user:999"]).await == 0
    })
    .await;
    let commands = monitor.stop(on.server()).await;
    let scripts = sent(&commands).iter().filter(|command| command.starts_with("EVAL")).count();
    assert!(scripts <= 30, "{scripts} calls");
    on.asked();
    assert_eq!(on.find_many(&[0, 999]).await, Ok(users([0, 999])));
    assert_eq!(on.stats("find_many").lease_waits, 0);
}

#[tokio::test]
async fn the_leases_of_a_long_load_are_renewed_together() {
    let server = tests::RedisServer::start();
    // Long enough that on a busy machine neither the lease nor a call's time on the store runs out.
    let lease = std::time::Duration::from_secs(4);
    let cache = cached_core::Cache::builder().namespace("cache").redis(server.url()).budget(lease).lease_ttl(lease);
    let cache = cache.build().unwrap();
    let on = Source::of(cache);
    let ids: Vec<u64> = (0..300).collect();
    on.close();
    let load = on.find_many(&ids);
    let look = async {
        on.loading(1).await;
        let monitor = server.monitor().await;
        // Time passes in the server, whose clock cannot be set.
        tokio::time::sleep(lease * 3 / 2).await;
        let commands = monitor.stop(&server).await;
        let held: u64 = server.send(&[b"EXISTS", b"cache:k:user:0", b"cache:k:user:299"]).await;
        on.open();
        (commands, held)
    };
    let (found, (commands, held)) = tokio::join!(load, look);
    assert_eq!((found.unwrap().len(), held), (300, 2));
    let renewals = sent(&commands).len();
    assert!((2..=60).contains(&renewals), "{renewals} calls renew 300 leases five times");
    on.cache.flush().await;
    assert_eq!(on.stats("find_many").stored, 300);
    assert_eq!(on.find(0).await, Ok(Some(user(0))));
}
