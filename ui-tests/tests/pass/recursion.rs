//! Recursion compiles, and the future can be spawned.

use cached_core::redis_cached;

#[redis_cached]
async fn fibonacci(n: u64) -> u64 {
    match n {
        0 | 1 => n,
        _ => fibonacci(n - 1).await + fibonacci(n - 2).await,
    }
}

struct Tree;

impl Tree {
    #[redis_cached(key = "depth:<node>")]
    async fn depth(&self, node: u64) -> Result<u64, String> {
        if node == 0 {
            return Ok(0);
        }
        Ok(self.depth(node / 2).await? + 1)
    }
}

#[redis_cached]
async fn is_even(n: u64) -> bool {
    if n == 0 { true } else { is_odd(n - 1).await }
}

#[redis_cached]
async fn is_odd(n: u64) -> bool {
    if n == 0 { false } else { is_even(n - 1).await }
}

fn main() {
    fn send<T: Send>(_: T) {}
    send(Tree.depth(3));
    send(fibonacci(3));
    send(is_even(3));
}
