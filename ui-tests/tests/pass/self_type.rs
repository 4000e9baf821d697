//! `Self` in signatures, bodies, options and `where` clauses.

#![deny(warnings)]

use std::marker::PhantomData;
use std::time::Duration;

use cached_core::{CacheKey, KeyIdentity, redis_cached};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

#[derive(Serialize, Deserialize, CacheKey, Clone)]
struct User {
    id: u64,
    parent: Option<u64>,
}

impl User {
    const TTL: Duration = Duration::from_secs(5);

    #[redis_cached(key = "user:<id>", ttl = Self::TTL, cache_if = Self::is_root)]
    async fn find(id: u64) -> Result<Option<Self>, String> {
        let Self { id, parent } = Self { id, parent: None };
        Ok(Some(Self { id, parent }))
    }

    fn is_root(&self) -> bool {
        self.parent.is_none()
    }

    #[redis_cached(key = "children:<self>:<other>:<self.parent>", ttl = |children: &Vec<Self>| Self::ttl(children))]
    async fn children(&self, other: &Self) -> Vec<Self>
    where
        Self: Clone,
    {
        vec![self.clone(), other.clone()]
    }

    fn ttl(children: &[Self]) -> Duration {
        Duration::from_secs(children.len() as u64)
    }

    #[redis_cached(key = "owned:<self.id>")]
    async fn into_owned(self) -> Self {
        self
    }
}

struct Table<'t, T, const N: usize> {
    name: &'t str,
    rows: PhantomData<T>,
}

trait Row: Serialize + DeserializeOwned + Send + 'static {
    type Id: KeyIdentity;
    const NAME: &'static str;
}

impl<'t, T, const N: usize> Table<'t, T, N>
where
    T: Row,
    T::Id: Clone,
{
    #[redis_cached(key = "table:<self.name>:<id:hash>")]
    async fn get(&self, id: &T::Id) -> Result<Option<T>, String>
    where
        Self: 't,
        T: Default,
    {
        let _: T::Id = id.clone();
        if N == 0 { Err(Self::missing()) } else { Ok(Some(T::default())) }
    }

    #[redis_cached(key = "first:<self.name>")]
    async fn first(&self) -> [Option<T>; N]
    where
        [Option<T>; N]: Serialize + DeserializeOwned,
    {
        [const { None }; N]
    }

    fn missing() -> String {
        T::NAME.to_owned()
    }
}

impl Row for u8 {
    type Id = u8;
    const NAME: &'static str = "u8";
}

fn main() {
    drop(User::find(1));
    let user = User { id: 1, parent: None };
    drop(user.children(&user));
    drop(user.into_owned());
    let table = Table::<u8, 1> { name: "a", rows: PhantomData };
    drop(table.get(&1));
    drop(table.first());
}
