//! Requests in the scope of a cache: a layer for services of tower.

use crate::engine::ambient::{self, Scoped};
use crate::engine::handle::Cache;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// Runs each request in the [`scope`](crate::Cache::scope) of a cache: for a server of axum, tonic or hyper, or any other
/// service of tower. Needs the feature `tower`.
///
/// It stores no responses. The functions that a request calls use this cache, whatever is installed. So a process can
/// have several caches, one for each router, and tests can run side by side.
///
/// ```
/// use axum::{Router, extract::Path, routing::get};
/// use cached_core::{Cache, ScopeLayer, redis_cached};
///
/// #[redis_cached(key = "layer-name:<id>")]
/// async fn name_of(id: u64) -> String {
///     format!("user {id}") // SELECT ..
/// }
///
/// async fn user(Path(id): Path<u64>) -> String {
///     name_of(id).await
/// }
///
/// fn router(cache: Cache) -> Router {
///     Router::new().route("/users/{id}", get(user)).layer(ScopeLayer::new(cache))
/// }
/// # let _router = router(Cache::memory());
/// ```
///
/// The scope lasts from the call of the service to its response. These are outside of it:
///
/// - Tasks that a handler spawns, unless it takes the cache along with
///   [`in_current_scope`](crate::in_current_scope).
/// - The body of a response that is made while it is sent, such as a stream or server-sent events, and a connection
///   after its upgrade to a WebSocket. Take the cache along with [`Cache::current`](crate::Cache::current).
/// - Layers around this one. In axum that is what `layer` adds later; all layers of a `tower::ServiceBuilder` above it.
#[derive(Debug, Clone)]
pub struct ScopeLayer {
    cache: Cache,
}

impl ScopeLayer {
    /// The layer for the scope of this cache.
    ///
    /// ```
    /// use cached_core::{Cache, ScopeLayer};
    ///
    /// let layer = ScopeLayer::new(Cache::memory());
    /// ```
    #[must_use]
    pub fn new(cache: Cache) -> Self {
        Self { cache }
    }
}

impl<S> Layer<S> for ScopeLayer {
    type Service = ScopeService<S>;

    fn layer(&self, inner: S) -> ScopeService<S> {
        ScopeService { cache: self.cache.clone(), inner }
    }
}

/// A service whose requests run in the scope of a cache: what [`ScopeLayer`] makes of a service.
///
/// ```
/// use cached_core::{Cache, ScopeLayer, ScopeService};
/// use tower::{Layer, service_fn};
///
/// async fn answer(question: u64) -> Result<u64, String> {
///     Ok(question + 1) // calls annotated functions
/// }
///
/// let service = ScopeLayer::new(Cache::memory()).layer(service_fn(answer));
/// ```
#[derive(Debug, Clone)]
pub struct ScopeService<S> {
    cache: Cache,
    inner: S,
}

impl<S: Service<R>, R> Service<R> for ScopeService<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = ScopeFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        // A service may do much of its work before it returns its future, for instance spawn a task.
        let response = ambient::scope_sync(self.cache.clone(), || self.inner.call(request));
        ambient::scoped_future(self.cache.clone(), response)
    }
}

/// The future of a request in the scope of a cache.
///
/// ```
/// use cached_core::{ScopeFuture, ScopeService};
/// use tower::Service;
///
/// fn ask<S: Service<u64>>(service: &mut ScopeService<S>) -> ScopeFuture<S::Future> {
///     service.call(42)
/// }
/// ```
pub type ScopeFuture<F> = Scoped<F>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::scope::in_current_scope;
    use std::convert::Infallible;
    use std::sync::Arc;
    use tower::{ServiceBuilder, ServiceExt, service_fn};

    /// Whether the cache of this place is this one.
    fn is_current(cache: &Cache) -> bool {
        Cache::current().is_some_and(|current| Arc::ptr_eq(current.engine(), cache.engine()))
    }

    #[tokio::test]
    async fn the_scope_holds_in_the_call_and_in_its_future() {
        let cache = Cache::memory();
        let service = service_fn(|()| {
            let in_call = is_current(&cache);
            let (task, cache) = (in_current_scope(async { Cache::current() }), cache.clone());
            async move {
                tokio::task::yield_now().await;
                let in_task = tokio::spawn(task).await.unwrap().is_some();
                Ok::<_, Infallible>([in_call, is_current(&cache), in_task])
            }
        });
        let service = ScopeLayer::new(cache.clone()).layer(service);
        assert_eq!(service.oneshot(()).await, Ok([true; 3]));
        assert!(!is_current(&cache), "it has ended");
    }

    #[tokio::test]
    async fn the_innermost_layer_decides() {
        let (outer, inner) = (Cache::memory(), Cache::memory());
        let service = service_fn(|()| std::future::ready(Ok::<_, Infallible>(is_current(&inner))));
        let layers = ServiceBuilder::new().layer(ScopeLayer::new(outer)).layer(ScopeLayer::new(inner.clone()));
        assert_eq!(layers.service(service).oneshot(()).await, Ok(true));
    }

    #[tokio::test]
    async fn requests_of_two_services_in_turn_each_have_their_cache() {
        let caches = [Cache::memory(), Cache::memory()];
        let asked = caches.each_ref().map(|cache| {
            let service = service_fn(async |()| {
                for _ in 0..3 {
                    assert!(is_current(cache));
                    tokio::task::yield_now().await;
                }
                Ok::<_, Infallible>(())
            });
            ScopeLayer::new(cache.clone()).layer(service).oneshot(())
        });
        // Both are polled in turn, by one task.
        let [one, other] = asked;
        assert_eq!(tokio::join!(one, other), (Ok(()), Ok(())));
    }
}
