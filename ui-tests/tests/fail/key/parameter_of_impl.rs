use cached_core::redis_cached;

struct Repo<T>(T);

impl<T: 'static> Repo<T> {
    #[redis_cached(key = "user:<T>:<id>")]
    async fn method(&self, id: u64) -> u64 {
        id
    }

    #[redis_cached(key = "user:<T>:<id>")]
    async fn function(id: u64) -> u64 {
        id
    }
}

fn main() {}
