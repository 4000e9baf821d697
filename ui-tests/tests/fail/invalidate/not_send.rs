#![allow(unused)]

use cached_core::{CacheEvent, redis_invalidate};

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

use std::rc::Rc;

#[redis_invalidate(UserUpdated { id })]
async fn write(id: u64) -> Rc<u64> {
    Rc::new(id)
}

fn send<T: Send>(_: T) {}

fn caller() {
    send(write(1));
}

fn main() {}
