use cached_core::redis_cached;

struct Repo;

impl Repo {
    #[redis_cached(key = "a:<id>", spawn)]
    async fn exclusive(&mut self, id: u64) -> u64 {
        id
    }

    #[redis_cached(key = "b:<id>", spawn)]
    async fn typed(self: &mut Self, id: u64) -> u64 {
        id
    }
}

#[redis_cached(key = "c:<id>", skip(buffer), stale_while_revalidate = "5m", refresh = "background")]
async fn argument(buffer: &mut Vec<u8>, id: u64) -> u64 {
    id
}

#[redis_cached(key = "d:<a>:<b>", spawn)]
async fn taken_apart((a, b): &(u64, u64)) -> u64 {
    a + b
}

#[redis_cached(spawn)]
async fn inside(names: Vec<&str>) -> u64 {
    names.len() as u64
}

#[redis_cached(spawn)]
async fn named<'a>(name: std::borrow::Cow<'a, str>) -> u64 {
    name.len() as u64
}

fn main() {}
