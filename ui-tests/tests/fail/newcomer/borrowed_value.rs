use cached_core::redis_cached;

#[redis_cached(key = "user-name:<id>")]
async fn find_user(id: u64) -> Result<&'static str, String> {
    if id == 42 { Ok("Ada") } else { Err("nobody".to_owned()) }
}

fn main() {}
