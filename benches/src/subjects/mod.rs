//! The subjects of the comparison: one file each, all used as their documentation says.

mod cachekit;
mod contender;
mod floor;
mod hitbox;
mod memoized;
pub(crate) mod near;
mod ours;

pub(crate) use contender::{Contender, Hits};
pub(crate) use floor::{Floor, connection};
pub(crate) use ours::Ours;

use crate::user::User;

/// The name of our own figures.
pub(crate) const OURS: &str = "ours";
/// The hand-written subject, to which all are compared.
pub(crate) const FLOOR: &str = "floor";

/// A way to cache `user::load`. Clones share everything.
pub(crate) trait Subject: Clone + Send + Sync + 'static {
    const NAME: &'static str;

    /// A cache-aside call.
    fn find(&self, id: u64) -> impl Future<Output = User> + Send;

    /// Waits until the loaded values are stored, if the subject stores in the background.
    fn settled(&self) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// Ours and the floor.
pub(crate) async fn both(url: &str) -> Vec<Box<dyn Contender>> {
    vec![Box::new(Ours::connect(url).await), Box::new(Floor::connect(url).await)]
}

/// All of them, each with its own connections.
pub(crate) async fn all(url: &str) -> Vec<Box<dyn Contender>> {
    let mut all = both(url).await;
    all.push(Box::new(memoized::Memoized::connect(url)));
    all.push(Box::new(cachekit::CacheKit::connect(url).await));
    all.push(Box::new(cachekit::CacheKitNear::connect(url).await));
    all.push(Box::new(hitbox::Hitbox::connect(url)));
    all
}
