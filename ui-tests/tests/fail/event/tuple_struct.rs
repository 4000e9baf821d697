#![allow(unused)]

use cached_core::CacheEvent;

#[derive(CacheEvent)]
struct UserUpdated(u64);

#[derive(CacheEvent)]
pub struct Moved(String, Vec<u8>);

#[derive(CacheEvent)]
struct Reloaded();

fn main() {}
