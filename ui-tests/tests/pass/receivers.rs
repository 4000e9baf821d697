//! Every receiver, with fields of `self` in the key.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use cached_core::redis_cached;

#[derive(Clone)]
struct Repo {
    tenant: u64,
    loads: u64,
}

impl Repo {
    #[redis_cached(key = "a:<self.tenant>:<id>")]
    async fn by_reference(&self, id: u64) -> Result<u64, String> {
        Ok(self.tenant + id)
    }

    #[redis_cached(key = "b:<self.tenant>:<id>")]
    async fn by_mutable_reference(&mut self, id: u64) -> Option<u64> {
        self.loads += 1;
        Some(id)
    }

    #[redis_cached(key = "c:<self.tenant>")]
    async fn by_value(self) -> u64 {
        self.loads
    }

    #[redis_cached(key = "d:<self.tenant>")]
    async fn by_mutable_value(mut self) -> u64 {
        self.loads += 1;
        self.loads
    }

    #[redis_cached(key = "e:<self.tenant>:<id>")]
    async fn by_arc(self: Arc<Self>, id: u64) -> u64 {
        self.loads + id
    }

    #[redis_cached(key = "f:<self.tenant>")]
    async fn by_reference_to_rc(self: &Rc<Self>) -> u64 {
        Rc::strong_count(self) as u64
    }

    #[redis_cached(key = "g:<self.tenant>")]
    async fn by_pin(self: Pin<&mut Self>) -> u64 {
        self.loads
    }

    #[redis_cached(key = "h:<self.tenant>")]
    async fn by_rc(self: Rc<Self>) -> u64 {
        self.loads
    }

    #[redis_cached(key = "i:<self.tenant>")]
    async fn by_box(mut self: Box<Self>) -> u64 {
        self.loads += 1;
        self.loads
    }

    #[redis_cached(key = "j:<self.tenant>")]
    async fn by_pinned_box(self: Pin<Box<Self>>) -> u64 {
        self.loads
    }

    #[redis_cached(key = "k:<self.tenant>")]
    async fn by_mutable_pin(mut self: Pin<&mut Self>) -> u64 {
        self.loads += 1;
        self.loads
    }

    #[redis_cached(key = "l:<self.tenant>:<id>")]
    async fn by_named_reference<'a>(&'a self, id: &'a u64) -> u64 {
        self.loads + id
    }

    #[redis_cached(key = "m:<self.tenant>")]
    async fn by_written_type(self: &Self) -> u64 {
        self.loads
    }

    #[redis_cached]
    async fn without(id: u64) -> u64 {
        Self::offset() + id
    }

    fn offset() -> u64 {
        1
    }
}

fn main() {}
