use cached_core::redis_cached;

use std::rc::Rc;

#[redis_cached]
async fn find(id: u64) -> u64 {
    let id = Rc::new(id);
    tokio::task::yield_now().await;
    *id
}

fn main() {
    tokio::spawn(find(1));
}
