use cached_core::redis_cached;

#[redis_cached(key = "row:<r#type>")]
async fn find(r#type: u64) -> u64 {
    r#type
}

fn main() {}
