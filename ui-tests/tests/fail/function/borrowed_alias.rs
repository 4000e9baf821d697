use cached_core::redis_cached;

use std::borrow::Cow;

type Name<'a> = &'a str;

type Found<'a> = Result<Name<'a>, String>;

#[redis_cached(key = "name:<name>")]
async fn alias(name: &str) -> Name<'_> {
    name
}

#[redis_cached(key = "inside:<name>")]
async fn inside<'a>(name: &'a str) -> Result<Option<Name<'a>>, String> {
    Ok(Some(name))
}

#[redis_cached(key = "found:<name>")]
async fn found(name: &str) -> Found<'_> {
    Ok(name)
}

#[redis_cached(key = "cow:<name>")]
async fn cow(name: &str) -> Vec<Cow<'_, str>> {
    vec![Cow::Borrowed(name)]
}

fn main() {}
