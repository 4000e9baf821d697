#![allow(unused)]

use cached_core::CacheEvent;

#[derive(CacheEvent)]
#[event(nam = "x")]
struct Unknown;

#[derive(CacheEvent)]
#[event(name = "a", name = "b")]
struct Twice;

#[derive(CacheEvent)]
#[event(name = 5)]
struct Number;

#[derive(CacheEvent)]
#[event(crate = "cached_core")]
struct Text;

#[derive(CacheEvent)]
#[event(name)]
struct NoValue;

fn main() {}
