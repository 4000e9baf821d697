use cached_core::redis_cached;

#[redis_cached(key = "user:<id>")]
async fn find((id, lang): (u64, String), _: u8) -> u64 {
    id + lang.len() as u64
}

fn main() {}
