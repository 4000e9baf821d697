use cached_core::redis_cached;

#[redis_cached(ttl = "5 minutes", none_ttl = "0s", key = "user:<uid>", jiter = 0.1)]
unsafe fn find(id: u64, lang: &str) {
    let _ = (id, lang);
}

fn main() {}
