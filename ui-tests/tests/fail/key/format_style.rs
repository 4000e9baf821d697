use cached_core::redis_cached;

struct Repo {
    tenant: u64,
}

#[redis_cached(key = "user:{id}")]
async fn one(id: u64) -> u64 {
    id
}

#[redis_cached(key = "user:{id}:{lang}")]
async fn two(id: u64, lang: &str) -> u64 {
    id + lang.len() as u64
}

#[redis_cached(key = "user:{id}:<lang>")]
async fn mixed(id: u64, lang: &str, page: u64) -> u64 {
    id + lang.len() as u64 + page
}

impl Repo {
    #[redis_cached(key = "user:{self.tenant}:<id>")]
    async fn field(&self, id: u64) -> u64 {
        id + self.tenant
    }
}

// A hash tag that has the same name as an argument.
#[redis_cached(key = "{id}:<id>")]
async fn tag(id: u64) -> u64 {
    id
}

fn main() {}
