use cached_core::{entries, entry, redis_cached};

#[redis_cached(key = "user:<id>")]
async fn find(id: u64) -> Option<String> {
    Some(id.to_string())
}

fn main() {
    let _ = entry!(find, 7);
    let _ = entries!();
    let _ = entry!(find);
}
