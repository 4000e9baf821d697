use cached_core::{CacheEvent, redis_invalidate};

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

struct Transaction;

#[redis_invalidate(UserUpdated { id })]
async fn update_user(tx: &mut Transaction, id: u64) {
    let _ = (tx, id);
}

#[redis_invalidate(UserUpdated { id }, uncommitted = "allow")]
async fn nothing_to_allow(tx: &Transaction, id: u64) {
    let _ = (tx, id);
}

#[redis_invalidate(UserUpdated { id }, uncommitted = "allow")]
async fn commits_itself(tx: &mut Transaction, id: u64) {
    let _ = (tx, id);
}

fn main() {}
