//! A body that is not `Send`, on a single thread.

use std::cell::RefCell;
use std::rc::Rc;

use cached_core::redis_cached;

#[redis_cached(skip(seen))]
async fn find(seen: Rc<RefCell<Vec<u64>>>, id: u64) -> u64 {
    seen.borrow_mut().push(id);
    std::future::ready(()).await;
    seen.borrow().len() as u64
}

fn main() {}
