use cached_core::redis_cached;

struct Repo {
    limit: u64,
}

#[redis_cached(key = "user:<id>", skip(limit), cache_if = |value: &u64| *value < limit && limit > 1)]
async fn find(id: u64, limit: u64) -> u64 {
    id + limit
}

impl Repo {
    #[redis_cached(key = "user:<id>", cache_if = |value: &u64| *value < self.limit)]
    async fn method(&self, id: u64) -> u64 {
        id
    }
}

// Inside a macro, rustc reports it.
#[redis_cached(key = "user:<id>", cache_if = |value: &u64| format!("{id}").len() as u64 == *value)]
async fn in_macro(id: u64) -> u64 {
    id
}

// A parameter of the closure is not a capture.
#[redis_cached(key = "user:<id>", cache_if = |id: &u64| *id > 0)]
async fn shadowed(id: u64) -> u64 {
    id
}

fn main() {}
