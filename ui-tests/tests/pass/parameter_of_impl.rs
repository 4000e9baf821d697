//! Names from around the function can be in its key: type parameters of the impl, associated constants, constants.

use cached_core::{Cache, redis_cached, redis_invalidate};

trait Entity {
    const TABLE: &'static str;
    const SHARD: (u8, &'static str) = (7, "north");
}

struct User;
struct Order;

impl Entity for User {
    const TABLE: &'static str = "users";
}

impl Entity for Order {
    const TABLE: &'static str = "orders";
}

const REGION: &str = "eu";

struct Repo<E>(std::marker::PhantomData<E>);

impl<E: Entity> Repo<E> {
    const KIND: u8 = 3;

    #[redis_cached(key = "row:<E::TABLE>:<Self::KIND>:<REGION>:<E::SHARD.1>:<id>")]
    async fn by_constant(&self, id: u64) -> String {
        format!("{} {id}", E::TABLE)
    }

    #[redis_cached(key = "type:<E>:<id>", tags = ["table:<E::TABLE>"])]
    async fn by_type(&self, id: u64) -> String {
        format!("{} {id}", E::TABLE)
    }

    #[redis_cached(key = "hashed:<E::TABLE:hash>:<id>")]
    async fn hashed(id: u64) -> String {
        format!("{} {id}", E::TABLE)
    }

    #[redis_invalidate(key = "row:<E::TABLE>:<Self::KIND>:<crate::REGION>:<E::SHARD.1>:<id>", tag = "table:<E::TABLE>")]
    async fn change(&self, id: u64) {
        let _ = id;
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let cache = Cache::memory();
    let all = async {
        let (users, orders) = (Repo::<User>(std::marker::PhantomData), Repo::<Order>(std::marker::PhantomData));
        for _ in 0..2 {
            assert_eq!((users.by_constant(1).await, orders.by_constant(1).await), ("users 1".into(), "orders 1".into()));
            assert_eq!((users.by_type(1).await, orders.by_type(1).await), ("users 1".into(), "orders 1".into()));
            assert_eq!((Repo::<User>::hashed(1).await, Repo::<Order>::hashed(1).await), ("users 1".into(), "orders 1".into()));
        }
        users.change(1).await;
        users.by_constant(1).await;
        orders.by_constant(1).await;
    };
    cache.scope(all).await;
    let stats = cache.stats();
    // The types have different keys: all hits are read under the key itself, and a write for one leaves the other alone.
    let by_constant = stats.site("by_constant").unwrap();
    assert_eq!((by_constant.loads, by_constant.hits), (3, 3));
    assert_eq!(stats.site("by_type").unwrap().loads, 2);
    assert_eq!(stats.site("hashed").unwrap().loads, 2);
}
