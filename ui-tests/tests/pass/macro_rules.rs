//! Under `macro_rules!`, with fragments as values.

use cached_core::redis_cached;

macro_rules! cached {
    ($name:ident, $key:literal, $ttl:expr, $check:expr, $ty:ty, |$arg:ident| $body:expr) => {
        #[redis_cached(key = $key, ttl = $ttl, cache_if = $check)]
        async fn $name($arg: u64) -> $ty {
            $body
        }
    };
}

cached!(one, "one:<id>", "5m", |value: &u64| *value > 0, u64, |id| id + 1);
cached!(two, "two:<n>", |_: &String| std::time::Duration::from_secs(1), |_: &String| true, Result<String, u8>, |n| {
    let text = n.to_string();
    if text.is_empty() { return Err(1) }
    Ok(text)
});

fn main() {
    drop(one(1));
    drop(two(1));
}
