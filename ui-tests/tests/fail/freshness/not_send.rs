use std::cell::Cell;
use std::rc::Rc;

use cached_core::redis_cached;

#[redis_cached(key = "a:<id>", skip(counter), spawn)]
async fn moved(counter: Rc<u64>, id: u64) -> u64 {
    id + *counter
}

#[redis_cached(key = "b:<id>", skip(counter), spawn)]
async fn borrowed(counter: &Cell<u64>, id: u64) -> u64 {
    id + counter.get()
}

#[redis_cached(key = "c:<id>", spawn)]
async fn returned(id: u64) -> Result<u64, Rc<str>> {
    Ok(id)
}

#[redis_cached(key = "d:<id>", spawn)]
async fn inside(id: u64) -> u64 {
    let held = Rc::new(id);
    std::future::ready(()).await;
    *held
}

fn main() {}
