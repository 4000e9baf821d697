use cached_core::CacheKey;

#[derive(CacheKey)]
union Bits {
    int: u32,
    other: u32,
}

fn main() {}
