//! What is `Send` without the cache is `Send` with it.

use std::rc::Rc;

use cached_core::redis_cached;

struct Filter {
    lang: String,
}

#[redis_cached(key = "a:<id>:<filter.lang>:<id:hash>")]
async fn find(id: u64, filter: &Filter) -> Result<u64, String> {
    std::future::ready(()).await;
    Ok(id + filter.lang.len() as u64)
}

// The key is made before the first await; its parts need not be `Send`.
#[redis_cached(key = "b:<id>")]
async fn before(id: u64) -> usize {
    let length = Rc::new(id).to_string().len();
    std::future::ready(()).await;
    length
}

fn main() {
    fn send<T: Send>(_: T) {}
    send(find(1, &Filter { lang: String::new() }));
    send(before(1));
}
