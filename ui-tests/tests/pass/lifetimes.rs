//! Borrowed arguments, named and elided lifetimes.

use std::borrow::Cow;

use cached_core::redis_cached;

struct Request<'r> {
    path: Cow<'r, str>,
}

#[redis_cached(key = "a:<name>:<other>")]
async fn elided(name: &str, other: &&str) -> String {
    name.to_owned() + other
}

#[redis_cached(key = "b:<a>:<b>")]
async fn named<'a, 'b: 'a>(a: &'a str, b: Option<&'b str>) -> Result<String, &'static str> {
    b.map(|b| a.to_owned() + b).ok_or("none")
}

#[redis_cached(key = "c:<request.path>")]
async fn inside(request: &Request<'_>) -> usize {
    request.path.len()
}

#[redis_cached(skip(buffer))]
async fn exclusive(buffer: &mut Vec<u8>, id: u64) -> u64 {
    buffer.push(1);
    id
}

#[redis_cached]
async fn slices(ids: &[u64], names: &[String]) -> usize {
    ids.len() + names.len()
}

fn main() {}
