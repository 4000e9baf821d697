//! The macros of [`cached-core`](https://docs.rs/cached-core); use them from there.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod ast;
mod attribute;
mod derive;
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

/// Puts an async function behind the cache: on a hit its body does not run, on a miss the value it returns is stored.
///
/// ```ignore (cached-core depends on this crate)
/// #[redis_cached(ttl = "medium", key = "user:<id>", skip(db))]
/// async fn find_user(db: &Db, id: u64) -> Result<Option<User>, DbError> {
///     db.query("SELECT ..", id).await
/// }
/// ```
///
/// Works on async functions and methods with any receiver, with generics, borrowed arguments and patterns, and in
/// traits (with and without `#[async_trait]`). The function may return `T`, `Option<T>`, `Result<T, E>`,
/// `Result<Option<T>, E>` or any alias of these; an `Err` is never stored. What is stored must implement
/// `serde::Serialize` and `DeserializeOwned`. Nothing else is asked of it: no `Clone`, no `Send`, no `'static` arguments.
///
/// # Options
///
/// | option | meaning | default |
/// |---|---|---|
/// | `key = "user:<id>"` | the template of the key, see below | the path of the function and `<*>` |
/// | `skip(db, span)` | arguments that are not part of the key | none |
/// | `ttl = "medium"` | how long a value lives: a class, a duration, an expression or a closure, see below | `"medium"` |
/// | `jitter = 0.1` | spread of the TTL, as a fraction: from 0.0 up to, but not including, 1.0 | 0.1 |
/// | `none_ttl = "short"` | how long a `None` lives: a class, a duration, or `"off"` | `"short"` |
/// | `cache_if = \|value\| ..` | a closure or the path of a function; stores the value only if it returns `true` | stores always |
/// | `version = 2` | part of the type's fingerprint; raise it when the meaning of a value changes and its type does not | 1 |
/// | `codec = "json"` | the serializer: `"json"`, `"msgpack"` or `"postcard"` | the builder's |
/// | `cache = self.cache` | an expression for the cache to use | the ambient one |
/// | `crate = path` | the path of `cached-core`, if it is renamed or re-exported | `::cached_core` |
///
/// # Key
///
/// A template is text with placeholders:
///
/// | placeholder | stands for |
/// |---|---|
/// | `<id>` | an argument, or a name that the pattern of an argument binds (`<type>` for `r#type`) |
/// | `<filter.lang>`, `<pair.0>`, `<self.tenant>` | a field of an argument or of `self` |
/// | `<query:hash>` | the SHA-256 of the value, for what is long or private or no key segment |
/// | `<T>`, `<N>` | a type parameter, a const parameter |
/// | `<*>` | all arguments that are not skipped, hashed |
///
/// Values must implement `KeySegment` (derive it by [`CacheKey`](macro@CacheKey)); hashed ones `serde::Serialize`.
/// `<<` and `>>` stand for `<` and `>`. One `{hash tag}` places the keys of a tag on one node of a Redis Cluster.
///
/// Two different calls must never share an entry. So **every argument is in the key or in `skip`**, anything else does
/// not compile, and so does a key whose values nothing separates:
///
/// ```text
/// error: argument `lang` is not part of the key: two calls that differ only in it would share an entry; add `<lang>` to the key or name it in `skip(lang)`
///  --> src/users.rs:12:38
///    |
/// 12 | async fn find_user(db: &Db, id: u64, lang: &str) -> Result<User, DbError> {
///    |                                      ^^^^
/// ```
///
/// `self` and type parameters are in the key only where the template says so. A generic function that returns different
/// values for different `T` should have `<T>` in its key.
///
/// # Time to live
///
/// - A class, such as `"short"` (60 s), `"medium"` (10 min) and `"long"` (6 h); the builder sets and adds classes.
/// - A duration: `"250ms"`, `"90s"`, `"5m"`, `"1h30m"`, `"2d"`; at most 365 days.
/// - An expression of the arguments, of type `Duration`: `ttl = config.user_ttl`.
/// - A closure of the stored value: `ttl = |user: &User| user.session_length()`. It cannot capture arguments.
///
/// # With other attributes
///
/// Of two attributes the upper one expands first and becomes the *inner* layer:
///
/// ```ignore (cached-core depends on this crate)
/// #[redis_cached(key = "user:<id>")] // a span around the whole call, hits included
/// #[tracing::instrument]
/// async fn find_user(id: u64) -> Result<User, DbError> { .. }
///
/// #[tracing::instrument]             // a span around the load only
/// #[redis_cached(key = "user:<id>")]
/// async fn find_user(id: u64) -> Result<User, DbError> { .. }
/// ```
///
/// `#[async_trait]` stands on the whole `impl` and expands before anything inside it; the function it leaves is
/// understood, and `self`, all arguments and the names that patterns bind can be used as if it were not there (below
/// `#[instrument]`, too, except for patterns: bind such an argument by a name).
///
/// # What it expands to
///
/// A `static` that describes the function and is found at link time, and one call into the runtime with the body as a
/// closure. `CACHED_DEBUG=1 cargo check` prints the expansions to stderr.
#[proc_macro_attribute]
pub fn redis_cached(args: TokenStream, item: TokenStream) -> TokenStream {
    traced(attribute::redis_cached(args.into(), item.into())).into()
}

/// Makes a struct or an enum usable as a segment of a key.
///
/// ```ignore (cached-core depends on this crate)
/// #[derive(CacheKey)]
/// struct UserId(u64);                // written like its field: `42`
///
/// #[derive(CacheKey)]
/// struct Page { from: u64, to: u64 } // `(1,20)`
///
/// #[derive(CacheKey)]
/// enum Scope { All, Of(UserId) }     // `All`, `Of(42)`
/// ```
///
/// All fields must be key segments themselves, which floats are not. For type parameters the bound is added.
///
/// `#[cache_key(crate = path)]` names `cached-core` if it is renamed or re-exported.
#[proc_macro_derive(CacheKey, attributes(cache_key))]
pub fn derive_cache_key(input: TokenStream) -> TokenStream {
    traced(derive::cache_key(input.into())).into()
}

/// Makes a struct an event: something that has happened to the data, which entries depend on and writes cause.
///
/// ```ignore (cached-core depends on this crate)
/// #[derive(CacheEvent)]
/// struct UserUpdated {
///     id: u64,
/// }
///
/// #[derive(CacheEvent)]
/// struct CatalogueReloaded;
///
/// #[redis_cached(key = "user:<id>", invalidate_on = UserUpdated { id })]
/// async fn find_user(id: u64) -> Result<User, DbError> { .. }
///
/// #[redis_invalidate(UserUpdated { id: user.id })]
/// async fn update_user(user: &User) -> Result<(), DbError> { .. }
/// ```
///
/// Its fields have names and are key segments, which floats are not; for type parameters the bound is added. Two events
/// are the same if their names and all their fields are.
///
/// | option | meaning | default |
/// |---|---|---|
/// | `#[event(name = "user_updated")]` | its name in the store: 1 to 64 of the letters `A-Z a-z 0-9 _ - .` | the name of the struct |
/// | `#[event(crate = path)]` | the path of `cached-core`, if it is renamed or re-exported | `::cached_core` |
#[proc_macro_derive(CacheEvent, attributes(event))]
pub fn derive_cache_event(input: TokenStream) -> TokenStream {
    traced(derive::cache_event(input.into())).into()
}

/// With `CACHED_DEBUG=1` in the environment of the compiler, expansions go to stderr.
fn traced(expansion: proc_macro2::TokenStream) -> proc_macro2::TokenStream {
    if std::env::var_os("CACHED_DEBUG").is_some_and(|value| value == "1") {
        eprintln!("{expansion}\n");
    }
    expansion
}
