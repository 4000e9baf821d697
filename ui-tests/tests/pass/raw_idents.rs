//! Keywords as names: of the function, its arguments, fields and type parameters.

use cached_core::{CacheKey, redis_cached};

#[derive(CacheKey)]
struct Node {
    r#type: u64,
    r#match: String,
}

#[derive(CacheKey)]
enum r#Kind {
    r#Self_,
    r#Loop { r#in: u64 },
}

#[redis_cached(key = "type:<type>:<node.match>:<node.type>:<node>", skip(r#async))]
async fn r#fn(r#type: u64, node: Node, r#async: u64) -> u64 {
    r#type + node.r#type + r#async
}

#[redis_cached(key = "kind:<r>", skip(type))]
async fn plain(r: Kind, r#type: u64) -> u64 {
    let _ = r;
    r#type
}

fn main() {}
