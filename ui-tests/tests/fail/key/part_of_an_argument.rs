use cached_core::{CacheKey, redis_cached};

#[derive(CacheKey)]
struct Page {
    from: u64,
    to: u64,
}

#[redis_cached(key = "page:<page.from>")]
async fn page(page: Page) -> u64 {
    page.to
}

#[redis_cached(key = "page:<page.from:hash>:<page.to>")]
async fn all_that_there_is_today(page: &Page) -> u64 {
    page.to
}

#[redis_cached(key = "pair:<pair.1>")]
async fn tuple(pair: (u64, u64)) -> u64 {
    pair.0
}

#[redis_cached(key = "nested:<pair.0>:<pair.1.0>")]
async fn tuple_in_a_tuple(pair: &(u64, (u64, u64))) -> u64 {
    pair.0
}

#[redis_cached(key = "pattern:<page.from>:<id>")]
async fn in_a_pattern((id, page): (u64, Page)) -> u64 {
    id + page.to
}

#[redis_cached(key = "batch:<page.from>", batch = pages)]
async fn batch(pages: &[Page]) -> Vec<Option<u64>> {
    pages.iter().map(|page| Some(page.to)).collect()
}

// Only the fault of the placeholder is reported.
#[redis_cached(key = "page:<pgae.from>")]
async fn misspelt(page: Page) -> u64 {
    page.to
}

fn main() {}
