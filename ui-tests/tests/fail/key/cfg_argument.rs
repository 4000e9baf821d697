use cached_core::redis_cached;

#[redis_cached(key = "user:<id>")]
async fn find(id: u64, #[cfg(all())] span: u64) -> u64 {
    id + span
}

#[redis_cached(key = "user:<id>:<span.0>", skip(span))]
async fn field(id: u64, #[cfg(all())] span: (u64, u64)) -> u64 {
    id + span.0
}

fn main() {}
