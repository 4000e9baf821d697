use cached_core::redis_cached;

#[redis_cached]
async fn elided(id: u64) {
    let _ = id;
}

#[redis_cached]
async fn unit(id: u64) -> () {
    let _ = id;
}

#[redis_cached]
async fn never(id: u64) -> ! {
    panic!("{id}")
}

fn main() {}
