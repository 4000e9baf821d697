//! A body that is not `Send`, on a single thread.

use std::cell::RefCell;
use std::rc::Rc;

use cached_core::{redis_cached, redis_invalidate, redis_put};

#[redis_cached(skip(seen))]
async fn find(seen: Rc<RefCell<Vec<u64>>>, id: u64) -> u64 {
    seen.borrow_mut().push(id);
    std::future::ready(()).await;
    seen.borrow().len() as u64
}

#[redis_invalidate(key = "a:<id>")]
async fn write(seen: Rc<RefCell<Vec<u64>>>, id: u64) -> Rc<u64> {
    seen.borrow_mut().push(id);
    std::future::ready(()).await;
    Rc::new(id)
}

#[redis_put(key = "a:<id>")]
async fn put(seen: Rc<RefCell<Vec<u64>>>, id: u64) -> u64 {
    std::future::ready(()).await;
    seen.borrow().len() as u64 + id
}

fn main() {}
