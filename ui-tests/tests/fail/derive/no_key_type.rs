use cached_core::CacheKey;

struct Opaque;

#[derive(CacheKey)]
struct Id {
    tenant: u64,
    opaque: Opaque,
}

fn main() {}
