use cached_core::redis_cached;

#[redis_cached]
extern "C" fn find(id: u64) -> u64 {
    id
}

fn main() {}
