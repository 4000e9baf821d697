//! Bytes are stored as they are, and `FORMAT.md` says how programs in other languages read a register.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use bytes::Bytes;
use cached_core::{BuildError, Cache, Codec, Entry, EntryError, entry, redis_cached, redis_put};
use std::collections::HashMap;
use std::process::Command;
use std::sync::Arc;
use tests::{RedisServer, patient_cache};

/// Bytes that are no text, and have a quote and the letter of a value among them.
fn picture(id: u8) -> Vec<u8> {
    vec![0x89, b'P', b'"', 0, 0xff, b'V', id]
}

#[redis_cached(key = "raw-vec:<id>", codec = "bytes")]
async fn vec(id: u8) -> Vec<u8> {
    picture(id)
}

#[redis_cached(key = "raw-bytes:<id>", codec = "bytes", local = "1m")]
async fn bytes(id: u8) -> Result<Option<Bytes>, String> {
    Ok((id > 0).then(|| picture(id).into()))
}

#[redis_cached(key = "raw-shared:<id>", codec = "bytes", spawn, stale_while_revalidate = "1m", tags = ["a", |_: &Arc<[u8]>| ["b"]])]
async fn shared(id: u8) -> Option<Arc<[u8]>> {
    Some(picture(id).into())
}

#[redis_cached(key = "raw-vec:<id>", codec = "bytes", batch = ids)]
async fn vecs(ids: &[u8]) -> HashMap<u8, Vec<u8>> {
    ids.iter().map(|id| (*id, picture(*id))).collect()
}

#[redis_put(key = "raw-vec:<id>", codec = "bytes")]
async fn upload(id: u8, content: &[u8]) -> Vec<u8> {
    let _ = id;
    content.to_vec()
}

#[redis_cached(key = "raw-json:<id>", stale_while_revalidate = "1m", tags = "a")]
async fn json(id: u8) -> Vec<String> {
    vec![format!("row {id}"), "\u{fc}".to_owned()]
}

/// The key as it stands in Redis.
fn key<T>(entry: Result<Entry<T>, EntryError>) -> String {
    entry.unwrap().redis_key().to_owned()
}

async fn register(server: &RedisServer, key: &str) -> Vec<u8> {
    server.send(&[b"GET", key.as_bytes()]).await
}

#[tokio::test]
async fn bytes_come_back_and_stand_in_the_register_as_they_are() {
    let server = RedisServer::start();
    let cache = patient_cache(&server.url());
    let call = async {
        for _ in 0..2 {
            assert_eq!(vec(1).await, picture(1));
            assert_eq!(bytes(1).await, Ok(Some(picture(1).into())));
            assert_eq!(bytes(0).await, Ok(None));
            assert_eq!(shared(1).await.as_deref(), Some(&*picture(1)));
            assert_eq!(vecs(&[1, 2]).await, HashMap::from([(1, picture(1)), (2, picture(2))]));
            cache.flush().await;
        }
        assert_eq!(upload(3, b"").await, b"");
        assert_eq!(vec(3).await, b"", "what was put, not a picture");
        [key(entry!(vec(1))), key(entry!(bytes(1))), key(entry!(vec(2)))]
    };
    for key in cache.scope(call).await {
        let register = register(&server, &key).await;
        let id = key.bytes().last().unwrap() - b'0';
        assert_eq!(register[24..], picture(id), "{key}");
    }
    let stats = cache.stats();
    let loads: Vec<_> = ["vec", "bytes", "shared"].map(|name| stats.site(name).unwrap().loads).into();
    assert_eq!(loads, [1, 2, 1]);
}

#[test]
fn bytes_are_not_the_codec_of_a_whole_cache() {
    let error = Cache::builder().codec(Codec::Bytes).build().unwrap_err();
    assert!(matches!(error, BuildError::Field { field: "codec", .. }), "{error}");
}

/// The code in `FORMAT.md`.
fn reader() -> &'static str {
    let format = include_str!("../../../cached-core/FORMAT.md");
    format.split_once("```python\n").unwrap().1.split_once("```").unwrap().0
}

#[tokio::test]
async fn a_program_in_another_language_reads_what_was_stored() {
    if Command::new("python3").arg("--version").output().is_err() {
        println!("SKIPPED: there is no python3");
        return;
    }
    let server = RedisServer::start();
    let cache = patient_cache(&server.url());
    let keys = cache
        .scope(async {
            drop((vec(1).await, bytes(0).await, shared(1).await, json(7).await));
            cache.flush().await;
            [key(entry!(vec(1))), key(entry!(bytes(0))), key(entry!(shared(1))), key(entry!(json(7)))]
        })
        .await;
    let mut program = vec![reader().to_owned()];
    for key in &keys {
        let register = register(&server, key).await;
        program.push(format!("print(ascii(read(bytes({register:?}))))"));
    }
    program.push("try:\n    read(b'L0123456789abcdef')\nexcept LookupError:\n    print('lease')\n".to_owned());
    let output = Command::new("python3").args(["-c", &program.join("\n")]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    let picture = r#"b'\x89P"\x00\xffV\x01'"#;
    let expected = [picture, "None", picture, r"['row 7', '\xfc']", "lease"];
    assert_eq!(printed.lines().collect::<Vec<_>>(), expected, "{keys:?}");
}
