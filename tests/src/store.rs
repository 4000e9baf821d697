//! Stores around another one: methods that are not written by hand are forwarded.

/// Steps of [`Store`](cached_core::store::Store) that are forwarded to `self.$inner`, inside an `impl Store`.
#[macro_export]
macro_rules! forward {
    ($inner:ident: $($step:ident),* $(,)?) => {
        $($crate::forward!(@ $inner $step);)*
    };
    (@ $inner:ident name) => {
        fn name(&self) -> &'static str {
            self.$inner.name()
        }
    };
    (@ $inner:ident get) => {
        $crate::forward!(@@ $inner get(key: &'a Key) -> Option<Bytes>);
    };
    (@ $inner:ident acquire) => {
        $crate::forward!(@@ $inner acquire(key: &'a Key, lease: Head, ttl: Duration, replace: Replace) -> Acquired);
    };
    (@ $inner:ident renew) => {
        $crate::forward!(@@ $inner renew(key: &'a Key, lease: Head, ttl: Duration) -> bool);
    };
    (@ $inner:ident fill) => {
        $crate::forward!(@@ $inner fill(key: &'a Key, expected: Head, value: Bytes, ttl: Duration) -> bool);
    };
    (@ $inner:ident release) => {
        $crate::forward!(@@ $inner release(key: &'a Key, lease: Head) -> bool);
    };
    (@ $inner:ident put) => {
        $crate::forward!(@@ $inner put(key: &'a Key, value: Bytes, ttl: Duration) -> bool);
    };
    (@ $inner:ident remove) => {
        $crate::forward!(@@ $inner remove(key: &'a Key) -> bool);
    };
    (@ $inner:ident get_all) => {
        $crate::forward!(@@ $inner get_all(keys: &'a [Key]) -> Vec<Option<Bytes>>);
    };
    (@ $inner:ident watch) => {
        fn watch(&self, watcher: std::sync::Weak<dyn cached_core::store::Watcher>) {
            self.$inner.watch(watcher);
        }
    };
    (@ $inner:ident get_watched) => {
        $crate::forward!(@@ $inner get_watched(keys: &'a [Key], timed: usize) -> Option<cached_core::store::Watched>);
    };
    (@ $inner:ident remove_all) => {
        $crate::forward!(@@ $inner remove_all(keys: &'a [Key]) -> ());
    };
    (@ $inner:ident tag) => {
        $crate::forward!(@@ $inner tag(tags: &'a [Key], fresh: Head, ttl: Duration) -> Option<Vec<Head>>);
    };
    (@ $inner:ident begin) => {
        $crate::forward!(@@ $inner begin(writer: Head, keys: &'a [Key], marker: Duration, token: bool) -> ());
    };
    (@ $inner:ident end) => {
        $crate::forward!(@@ $inner end(writer: Head, written: &'a [Written]) -> bool);
    };
    (@ $inner:ident sweep) => {
        $crate::forward!(@@ $inner sweep(prefix: &'a str, from: Option<u64>) -> Swept);
    };
    (@ $inner:ident ping) => {
        fn ping(&self, within: Duration) -> StoreFuture<'_, ()> {
            self.$inner.ping(within)
        }
    };
    (@@ $inner:ident $step:ident($($name:ident: $ty:ty),*) -> $answer:ty) => {
        fn $step<'a>(&'a self, $($name: $ty,)* within: Duration) -> StoreFuture<'a, $answer> {
            self.$inner.$step($($name,)* within)
        }
    };
}
