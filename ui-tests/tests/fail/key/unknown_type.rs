use cached_core::redis_cached;

struct Repo<E>(E);

trait Entity {
    const TABLE: &'static str;
}

impl<E: Entity> Repo<E> {
    #[redis_cached(key = "user:<Rows>:<id>")]
    async fn no_such_type(&self, id: u64) -> u64 {
        id
    }

    #[redis_cached(key = "user:<E::TABEL>:<id>")]
    async fn no_such_constant(&self, id: u64) -> u64 {
        id
    }

    #[redis_cached(key = "user:<E:hash>:<id>")]
    async fn hashed_type(&self, id: u64) -> u64 {
        id
    }

    #[redis_cached(key = "user:<Id>")]
    async fn nearly_an_argument(&self, id: u64) -> u64 {
        id
    }

    #[redis_cached(key = "user:<E::TABLE:hsh>:<id>")]
    async fn unknown_modifier(&self, id: u64) -> u64 {
        id
    }
}

fn main() {}
