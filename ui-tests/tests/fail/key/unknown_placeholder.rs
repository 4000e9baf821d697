use cached_core::redis_cached;

#[redis_cached(key = "user:<uid>:<lang>")]
async fn find(id: u64, lang: &str) -> u64 {
    id + lang.len() as u64
}

fn main() {}
