use cached_core::CacheKey;

#[derive(CacheKey)]
#[cache_key(krate = ::cached_core)]
struct Unknown(u64);

#[derive(CacheKey)]
#[cache_key(crate = "cached_core")]
struct Text(u64);

#[derive(CacheKey)]
#[cache_key(crate = ::cached_core, crate = ::cached_core)]
struct Twice(u64);

fn main() {}
