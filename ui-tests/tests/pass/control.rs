//! Calls that their caller controls, of every kind of future.
#![deny(warnings)]

use cached_core::{CacheStatus, bypass, redis_cached, with_status};
use std::pin::Pin;

#[redis_cached(key = "user:<id>")]
async fn find_user(id: u64) -> Result<String, String> {
    Ok(id.to_string())
}

struct Repo<T>(T);

impl<T: Clone + Send + Sync> Repo<T> {
    #[redis_cached(key = "row:<id>")]
    async fn row(&self, id: &str) -> Option<String> {
        Some(id.to_owned())
    }

    async fn fresh(&self, id: &str) -> Option<String> {
        bypass(self.row(id)).await
    }
}

async fn generic<F: Future<Output = u8>>(future: F) -> (u8, CacheStatus) {
    with_status(bypass(future)).await
}

fn boxed<'a>(id: &'a str) -> Pin<Box<dyn Future<Output = Option<String>> + Send + 'a>> {
    Box::pin(async move { Repo(1).fresh(id).await })
}

fn is_send<T: Send>(value: T) -> T {
    value
}

fn main() {
    let _ = is_send(async {
        let user: Result<String, String> = bypass(find_user(1)).await;
        let (again, status) = with_status(find_user(1)).await;
        let _ = (user?, again?, status.is_hit());
        let _ = bypass(boxed("7")).await;
        let _ = generic(async { 7 }).await;
        let (row, _) = bypass(with_status(Repo(()).row("7"))).await;
        Ok::<_, String>(row)
    });
}
