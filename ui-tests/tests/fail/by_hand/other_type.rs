use cached_core::{Cache, entry, redis_cached};

#[redis_cached(key = "name:<id>")]
async fn name(id: u64) -> Result<String, std::io::Error> {
    Ok(id.to_string())
}

async fn set() {
    entry!(name(42)).unwrap().set(&42).await.unwrap();
}

async fn two_types(cache: &Cache) {
    let entry = cache.entry("name:42").cache_if(|name: &String| !name.is_empty());
    entry.ttl_of(|_: &u64| std::time::Duration::from_secs(1)).remove().await.unwrap();
}

fn main() {}
