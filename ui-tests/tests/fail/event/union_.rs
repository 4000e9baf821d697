#![allow(unused)]

use cached_core::CacheEvent;

#[derive(CacheEvent)]
union Bits {
    int: u32,
    byte: u8,
}

fn main() {}
