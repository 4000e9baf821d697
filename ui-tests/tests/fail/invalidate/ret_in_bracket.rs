#![allow(unused)]

use cached_core::{CacheEvent, redis_invalidate};

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

#[redis_invalidate(UserUpdated { id: ret.id })]
async fn field() -> User {
    User { id: 1 }
}

#[redis_invalidate(key = "user:<ret.id>", tag = "user:<ret.id>", mode = "bracket")]
async fn templates() -> User {
    User { id: 1 }
}

#[redis_invalidate(UserUpdated { id: max!(ret.id, 1) })]
async fn in_a_macro() -> User {
    User { id: 1 }
}

// While the mode is misspelt, it is not known whether `ret` may be used.
#[redis_invalidate(UserUpdated { id: ret.id }, mod = "after")]
async fn misspelt() -> User {
    User { id: 1 }
}

struct User {
    id: u64,
}

fn main() {}
