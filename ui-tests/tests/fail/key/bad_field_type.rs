use cached_core::redis_cached;

struct Filter {
    factor: f64,
}

#[redis_cached(key = "price:<filter.factor>", skip(filter))]
async fn find(filter: Filter) -> u64 {
    1
}

fn main() {}
