use cached_core::redis_cached;

use std::borrow::Cow;

type Res<T> = Result<T, String>;

// Only rustc knows which argument of an alias is stored.
#[redis_cached(key = "name:<name>")]
async fn find(name: &str) -> Res<Cow<'_, str>> {
    Ok(Cow::Borrowed(name))
}

fn main() {}
