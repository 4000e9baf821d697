use cached_core::redis_cached;

struct Filter {
    lang: String,
}

#[redis_cached(key = "user:<filter.language>", skip(filter))]
async fn find(filter: Filter) -> u64 {
    1
}

fn main() {}
