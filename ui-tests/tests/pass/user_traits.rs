//! Blanket methods of the user's do not take the place of ours.

use cached_core::redis_cached;

trait Everything {
    fn shape(&self) -> &'static str {
        "round"
    }

    fn policy(&self) -> u8 {
        1
    }

    fn call(&self) {}

    fn ttl(&self) {}

    fn cache_if(&self) {}

    fn write(&self) {}
}

impl<T: ?Sized> Everything for T {}

#[redis_cached(key = "f:<id>:<name:hash>", ttl = std::time::Duration::from_secs(id), cache_if = |value| *value > 0)]
async fn find(id: u64, name: &str) -> Result<u64, String> {
    name.call();
    Ok(id + name.shape().len() as u64 + u64::from(id.policy()))
}

#[redis_cached]
async fn plain(id: u64) -> Option<u64> {
    Some(id)
}

fn main() {
    drop(find(1, "a"));
    drop(plain(1));
    ().ttl();
    ().cache_if();
    ().write();
}
