//! The entry of a call in every place of an expression, and its type.

#![deny(warnings, clippy::pedantic)]
#![forbid(unsafe_code)]

use cached_core::{CacheValue, Entry, EntryError, redis_cached};
use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::io;

type Rows<T> = Result<Option<T>, io::Error>;

#[redis_cached(key = "row:<T>:<name>")]
async fn row<T: CacheValue + Default>(name: &str) -> Rows<T> {
    let _ = name;
    Ok(Some(T::default()))
}

#[redis_cached(key = "rows:<id>", batch = ids)]
async fn rows(ids: &[u64]) -> Result<HashMap<u64, String>, io::Error> {
    let _ = ids;
    Ok(HashMap::new())
}

#[redis_cached(key = "sorted:<id>", batch = ids)]
async fn sorted(ids: Vec<u64>) -> BTreeMap<u64, String> {
    let _ = ids;
    BTreeMap::new()
}

#[redis_cached(key = "listed:<id>", batch = ids)]
async fn listed(ids: &[u64]) -> io::Result<Vec<Option<String>>> {
    Ok(vec![None; ids.len()])
}

trait Find {
    type Error;

    fn find(&self, id: u64) -> impl Future<Output = Result<String, Self::Error>> + Send;
}

fn generic<T: CacheValue + Default>() -> Result<Entry<T>, EntryError> {
    cached_core::entry!(row::<T>(&String::from("a temporary")))
}

fn of_a_trait<F: Find>(find: &F) -> Result<Entry<String>, EntryError> {
    cached_core::entry!(find.find(7),)
}

fn many() -> Result<Vec<Entry<String>>, EntryError> {
    let mut all = cached_core::entries!(rows(&[1, 2]))?;
    all.extend(cached_core::entries!(sorted(vec![1, 2]))?);
    all.extend(cached_core::entries!(listed(&[1, 2]),)?);
    Ok(all)
}

fn is_send_and_static<T: Send + Sync + Clone + std::fmt::Debug + 'static>(_: &Result<T, EntryError>) {}

fn main() {
    is_send_and_static(&generic::<Vec<u64>>());
    is_send_and_static(&many());
    let _ = of_a_trait::<Never>;
}

enum Never {}

impl Find for Never {
    type Error = io::Error;

    #[redis_cached(key = "never:<id>")]
    async fn find(&self, id: u64) -> Result<String, io::Error> {
        let _ = id;
        match *self {}
    }
}
