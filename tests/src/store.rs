//! Stores around another one: methods that are not written by hand are forwarded.

/// Methods of [`Store`](cached_core::store::Store) that are forwarded to `self.$inner`, inside an `impl Store`.
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
    (@ $inner:ident capabilities) => {
        fn capabilities(&self) -> cached_core::store::Capabilities<'_> {
            self.$inner.capabilities()
        }
    };
    (@ $inner:ident domain) => {
        fn domain(&self, key: &cached_core::store::Key) -> cached_core::store::Domain {
            self.$inner.domain(key)
        }
    };
    (@ $inner:ident get) => {
        $crate::forward!(@@ $inner get Get -> Option<bytes::Bytes>);
    };
    (@ $inner:ident acquire) => {
        $crate::forward!(@@ $inner acquire Acquire -> cached_core::store::Acquired);
    };
    (@ $inner:ident renew) => {
        $crate::forward!(@@ $inner renew Renew -> bool);
    };
    (@ $inner:ident fill) => {
        $crate::forward!(@@ $inner fill Fill -> bool);
    };
    (@ $inner:ident release) => {
        $crate::forward!(@@ $inner release Release -> bool);
    };
    (@ $inner:ident put) => {
        $crate::forward!(@@ $inner put Put -> bool);
    };
    (@ $inner:ident remove) => {
        $crate::forward!(@@ $inner remove Remove -> bool);
    };
    (@ $inner:ident get_all) => {
        $crate::forward!(@@ $inner get_all GetAll -> cached_core::store::Each<Option<bytes::Bytes>>);
    };
    (@ $inner:ident remove_all) => {
        $crate::forward!(@@ $inner remove_all RemoveAll -> cached_core::store::Each<()>);
    };
    (@ $inner:ident tag) => {
        $crate::forward!(@@ $inner tag TagAll -> cached_core::store::Each<Option<cached_core::store::Head>>);
    };
    (@ $inner:ident begin) => {
        $crate::forward!(@@ $inner begin Begin -> cached_core::store::Each<()>);
    };
    (@ $inner:ident end) => {
        $crate::forward!(@@ $inner end End -> cached_core::store::Ended);
    };
    (@ $inner:ident sweep) => {
        $crate::forward!(@@ $inner sweep Sweep -> cached_core::store::Swept);
    };
    (@ $inner:ident ping) => {
        fn ping(&self, request: cached_core::store::Ping) -> cached_core::store::StoreFuture<'_, ()> {
            self.$inner.ping(request)
        }
    };
    (@@ $inner:ident $step:ident $request:ident -> $answer:ty) => {
        fn $step<'a>(
            &'a self,
            request: cached_core::store::$request<'a>,
        ) -> cached_core::store::StoreFuture<'a, $answer> {
            self.$inner.$step(request)
        }
    };
}
