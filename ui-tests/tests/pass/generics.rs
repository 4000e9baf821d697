//! Type parameters, const parameters and bounds, which a `static` cannot name.

use std::fmt::Debug;
use std::marker::PhantomData;

use cached_core::{KeyIdentity, redis_cached};
use serde::Serialize;
use serde::de::DeserializeOwned;

trait Row: Serialize + DeserializeOwned + 'static {
    const TABLE: &'static str;
}

#[redis_cached(key = "rows:<T>:<N>:<offset>")]
async fn rows<T: Row, const N: usize>(offset: u64) -> Result<Vec<T>, String>
where
    T: Debug,
{
    Err(format!("{} {offset}", T::TABLE))
}

#[redis_cached(key = "named:<T>:<N:hash>", skip(value))]
async fn named<T: Debug, const N: usize>(value: T) -> String {
    format!("{value:?}")
}

#[redis_cached]
async fn default_key<'a, T: KeyIdentity + 'a, const N: usize>(items: [T; N]) -> usize
where
    [T; N]: Debug,
{
    items.len()
}

struct Repo<T>(PhantomData<T>);

impl<T: Row> Repo<T> {
    #[redis_cached(key = "all")]
    async fn all(&self) -> Vec<T> {
        Vec::new()
    }

    #[redis_cached]
    async fn count(&self, limit: u64) -> u64 {
        limit
    }
}

struct Ring<const N: usize>;

impl<const N: usize> Ring<N> {
    #[redis_cached(key = "ring:<N>:<id>")]
    async fn const_of_the_impl(&self, id: u64) -> u64 {
        id
    }
}

fn main() {}
