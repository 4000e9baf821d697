use cached_core::redis_cached;

use std::borrow::Cow;

#[redis_cached(key = "name:<name>")]
async fn find(name: &str) -> Result<Cow<'_, str>, String> {
    Ok(Cow::Borrowed(name))
}

fn main() {}
