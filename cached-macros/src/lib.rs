//! The macros of [`cached-core`](https://docs.rs/cached-core); use them from there.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod ast;
mod attribute;
mod derive_key;
mod diagnostics;
mod duration;
mod expand;
mod fallback;
mod model;
mod parse;
mod paths;
mod signature;
mod spelling;
mod suggest;
mod template;
#[cfg(test)]
mod tests;
mod validate;

use proc_macro::TokenStream;

/// Caches.
#[proc_macro_attribute]
pub fn redis_cached(args: TokenStream, item: TokenStream) -> TokenStream {
    traced(attribute::redis_cached(args.into(), item.into())).into()
}

/// Keys.
#[proc_macro_derive(CacheKey, attributes(cache_key))]
pub fn derive_cache_key(input: TokenStream) -> TokenStream {
    traced(derive_key::derive(input.into())).into()
}

/// With `CACHED_DEBUG=1` in the environment of the compiler, expansions go to stderr.
fn traced(expansion: proc_macro2::TokenStream) -> proc_macro2::TokenStream {
    if std::env::var_os("CACHED_DEBUG").is_some_and(|value| value == "1") {
        eprintln!("{expansion}\n");
    }
    expansion
}
