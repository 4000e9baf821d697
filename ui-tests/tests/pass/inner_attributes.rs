//! Attributes at the head of the body, and outer attributes.

#![deny(warnings)]

use cached_core::redis_cached;

/// Kept.
#[redis_cached(key = "one")]
/// Kept, too.
#[allow(non_snake_case)]
#[cfg(all())]
#[inline]
async fn One() -> u64 {
    #![allow(unused_variables)]
    //! Kept as well.
    let unused = 1;
    1
}

#[cfg_attr(all(), redis_cached(key = "two"))]
#[deprecated = "kept"]
async fn two() -> u64 {
    2
}

fn main() {
    drop(One());
    #[allow(deprecated)]
    drop(two());
}
