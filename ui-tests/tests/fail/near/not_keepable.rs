use cached_core::redis_cached;
use serde::{Deserialize, Serialize};
use std::rc::Rc;

#[derive(Serialize, Deserialize)]
struct User {
    id: u64,
}

#[derive(Clone, Serialize, Deserialize)]
struct Unshared {
    id: Rc<u64>,
}

#[redis_cached(key = "user:<id>", local = "30s")]
async fn neither_arc_nor_clone(id: u64) -> Result<Option<User>, String> {
    Ok(Some(User { id }))
}

#[redis_cached(key = "unshared:<id>", local = "30s")]
async fn of_one_thread(id: u64) -> Unshared {
    Unshared { id: Rc::new(id) }
}

#[redis_cached(key = "generic:<id>", local = "30s")]
async fn without_a_bound<T: Serialize + serde::de::DeserializeOwned + Default + 'static>(id: u64) -> T {
    T::default()
}

fn main() {}
