use cached_core::redis_cached;

#[redis_cached]
async fn find(name: String) -> String {
    drop(name);
    name
}

fn main() {}
