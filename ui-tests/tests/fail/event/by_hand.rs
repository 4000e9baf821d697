#![allow(unused)]

use cached_core::CacheEvent;

#[derive(CacheEvent)]
#[event(emitted)]
struct NoValue;

#[derive(CacheEvent)]
#[event(emitted = "elsewhere")]
struct Other;

#[derive(CacheEvent)]
#[event(heard = true)]
struct Flag;

fn main() {}
