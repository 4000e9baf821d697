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

#[redis_cached(key = "c:<request.path>", skip(request))]
async fn inside(request: &Request<'_>) -> usize {
    request.path.len()
}

#[redis_cached(skip(buffer), uncommitted = "allow")]
async fn exclusive(buffer: &mut Vec<u8>, id: u64) -> u64 {
    buffer.push(1);
    id
}

#[redis_cached]
async fn slices(ids: &[u64], names: &[String]) -> usize {
    ids.len() + names.len()
}

struct Reader<'r> {
    source: &'r str,
}

impl<'r> Reader<'r> {
    #[redis_cached(key = "d:<self.source>:<name>")]
    async fn of_impl(&self, name: &'r str) -> Result<String, &'r str> {
        if name.is_empty() { Err(self.source) } else { Ok(name.to_owned()) }
    }
}

impl Reader<'_> {
    #[redis_cached(key = "e:<self.source>")]
    async fn elided_in_impl<'a>(&'a mut self, _: &'a str) -> Option<u64> {
        self.source.parse().ok()
    }
}

#[redis_cached(key = "f:<name>", skip(map, object))]
async fn higher_ranked<F>(name: &str, map: F, object: &(dyn Fn(&str) -> String + Sync)) -> String
where
    F: for<'a> Fn(&'a str) -> &'a str,
{
    object(map(name))
}

type Wrapped<'s, T> = Result<T, &'s str>;

#[redis_cached(key = "g:<name>")]
async fn of_static(name: &str) -> Wrapped<'static, String> {
    if name.is_empty() { Err("empty") } else { Ok(name.to_owned()) }
}

#[redis_cached(key = "h:<name>")]
async fn error_that_borrows(name: &str) -> Result<u64, Cow<'_, str>> {
    name.parse().map_err(|_| Cow::Borrowed(name))
}

fn main() {}
