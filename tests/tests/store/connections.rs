//! Every way to reach a Redis server that a URL can name.

use cached_core::{BuildError, Cache};
use tests::RedisServer;

async fn works(url: &str) -> Cache {
    let cache = Cache::connect("cache", url).await.unwrap_or_else(|error| panic!("{url}: {error}"));
    cache.entry("k").set(&"value".to_owned()).await.unwrap_or_else(|error| panic!("{url}: {error}"));
    assert_eq!(cache.entry("k").get::<String>().await.as_deref(), Some("value"), "{url}");
    cache
}

#[tokio::test]
async fn tcp_with_a_database_number() {
    let server = RedisServer::start();
    works(&format!("{}5", server.url())).await;
    assert_eq!(server.send::<i64>(&[b"DBSIZE"]).await, 0, "nothing stands in database 0");
    let keyspace: String = server.send(&[b"INFO", b"keyspace"]).await;
    assert!(keyspace.contains("db5:keys=1"), "{keyspace}");
}

#[tokio::test]
async fn user_and_password() {
    let server = RedisServer::start_with(&[
        "--user",
        "shop",
        "on",
        ">s3cr%t",
        "~cache:*",
        "~{cache:*",
        "+@all",
        "--user",
        "default",
        "off",
    ]);
    works(&format!("redis://shop:s3cr%25t@127.0.0.1:{}/", server.port())).await;
}

#[tokio::test]
async fn a_user_who_may_only_what_the_cache_needs() {
    let rights = ["+get", "+set", "+unlink", "+evalsha", "+eval", "+pttl", "+exists", "+del", "+pexpire", "+getrange"];
    let user = [&["--user", "cache", "on", ">pw", "~cache:*", "~{cache:*"][..], &rights].concat();
    let server = RedisServer::start_with(&user);
    let cache = works(&format!("redis://cache:pw@127.0.0.1:{}/", server.port())).await;
    let load = || async { Ok::<_, String>(1u8) };
    cache.entry("loaded").get_or_load(load).await.unwrap();
    cache.flush().await;
    let stats = cache.stats();
    let site = stats.site("Cache::entry").unwrap();
    assert_eq!((site.stored, site.bypassed), (1, 0), "{site:?}");
}

#[tokio::test]
async fn a_unix_socket() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("redis.sock");
    let _server = RedisServer::start_with(&["--unixsocket", socket.to_str().unwrap()]);
    works(&format!("unix://{}", socket.display())).await;
    works(&format!("unix://{}?db=3", socket.display())).await;
}

/// It trusts its own certificate for 127.0.0.1 through `SSL_CERT_FILE`, so it has a process of its own.
#[tokio::test]
async fn tls() {
    let program = env!("CARGO_BIN_EXE_over_tls");
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    std::fs::write(file("cert.pem"), certified.cert.pem()).unwrap();
    std::fs::write(file("key.pem"), certified.signing_key.serialize_pem()).unwrap();
    let port = tests::free_port().to_string();
    let cert = file("cert.pem");
    let server = RedisServer::start_with(&[
        "--tls-port",
        &port,
        "--tls-cert-file",
        &cert,
        "--tls-key-file",
        &file("key.pem"),
        "--tls-ca-cert-file",
        &cert,
        "--tls-auth-clients",
        "no",
    ]);
    let run = |trusted: &str| {
        let url = format!("rediss://127.0.0.1:{port}/");
        std::process::Command::new(program).arg(url).env("SSL_CERT_FILE", trusted).output().unwrap()
    };
    let output = run(&cert);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(server.send::<i64>(&[b"DBSIZE"]).await, 2);
    assert!(!run("/dev/null").status.success(), "a certificate that nobody trusts");
}

/// A connection lives on the runtime that made it, and a cache may outlive that runtime.
#[test]
fn a_cache_that_outlives_its_runtime() {
    let server = RedisServer::start();
    let cache = Cache::builder().namespace("cache").redis(server.url()).build().unwrap();
    for round in 0..3u8 {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            cache.entry("k").set(&round).await.unwrap();
            assert_eq!(cache.entry("k").get::<u8>().await, Some(round));
        });
        // In every other round, an attempt to connect is still under way.
        if round == 1 {
            server.freeze();
            runtime.block_on(async { cache.entry("k").remove().await.unwrap_err() });
            server.thaw();
        }
    }
}

#[test]
fn a_url_that_cannot_work_is_refused_with_the_field_and_the_right_form() {
    for url in ["", "localhost", "http://localhost/", "redis://", "redis://host:99999/", "redis://host/not-a-number"] {
        let error = Cache::builder().namespace("cache").redis(url).build().expect_err(url);
        assert!(matches!(error, BuildError::Field { field: "redis", .. }), "{url}: {error}");
        assert!(error.to_string().contains("redis://[user:password@]host"), "{url}: {error}");
    }
}
