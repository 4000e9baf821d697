#![allow(unused)]

use cached_core::CacheEvent;

#[derive(CacheEvent)]
#[event(name = "user updated")]
struct Blank;

#[derive(CacheEvent)]
#[event(name = "")]
struct Empty;

#[derive(CacheEvent)]
struct Größer;

#[derive(CacheEvent)]
struct AnEventWhoseNameTakesMoreRoomInEveryKeyThanAnyOfItsFieldsEverWould;

fn main() {}
