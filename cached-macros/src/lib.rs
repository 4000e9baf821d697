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
mod receiver;
mod role;
mod signature;
mod spelling;
mod suggest;
mod template;
#[cfg(test)]
mod tests;
mod transaction;
mod validate;

use proc_macro::TokenStream;

use role::Role;

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
/// | `uncommitted = "allow"` | a skipped argument may be a transaction, see below | does not compile |
/// | `ttl = "medium"` | how long a value lives: a class, a duration, an expression or a closure, see below | `"medium"` |
/// | `jitter = 0.1` | spread of the TTL, as a fraction: from 0.0 up to, but not including, 1.0; ± for a class or a duration, only shorter for an expression or a closure | 0.1 |
/// | `none_ttl = "short"` | how long a `None` lives: a class, a duration, or `"off"` | `"short"` |
/// | `cache_if = \|value\| ..` | a closure or the path of a function; stores the value only if it returns `true` | stores always |
/// | `invalidate_on = UserUpdated { id }` | events that make the entry invalid, one or a list, see below | none |
/// | `tags = "tenant:<tenant>"` | further tags of the entry, see below | none |
/// | `version = 2` | part of the type's fingerprint; raise it when the meaning of a value changes and its type does not, see below | 1 |
/// | `codec = "json"` | the serializer: `"json"`, `"msgpack"` or `"postcard"` | the builder's |
/// | `batch = ids` | the function is over many ids: it runs for those that are missing, see below | |
/// | `local = "30s"` | the near cache: keeps values in this process as well, for so long at most; or `"off"`, see below | the builder's: off |
/// | `on_gap = "serve"` | while Redis is out of contact, the near cache goes on (`"serve"`) or not (`"bypass"`) | `"bypass"` |
/// | `stale_while_revalidate = "5m"` | for so long after its end a value is served, while one call renews it, see below | off |
/// | `stale_if_error = "1h"` | for so long after its end a value is served if the load fails | off |
/// | `refresh_ahead`, `refresh_ahead = 1.5` | a value is renewed ahead of its end, the sooner the longer it takes to load; the number is `XFetch`'s β | off |
/// | `refresh = "background"` | the call that renews a value waits for it (`"foreground"`), or is served the one there is (`"background"`) | `"foreground"` |
/// | `spawn` | a load runs to its end, whatever becomes of its caller | off |
/// | `load_timeout = "200ms"` | a value past its end is returned if the load takes longer; needs `spawn` | off |
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
/// | `<filter.lang>`, `<pair.0>`, `<self.tenant>` | a field of an argument, whose other fields are then in the key as well or left out by `skip(filter)`; or of `self` |
/// | `<query:hash>` | the SHA-256 of the value, for what is long or private, and for floats |
/// | `<price:serde>` | the SHA-256 of what the value's `Serialize` writes, for types of other crates, see below |
/// | `<T>`, `<N>` | a type parameter of the function or of its impl, by its full path; a const parameter of the function, or of its impl if it is called `N` (any other by `const SIZE: usize = M;` in there and `<Self::SIZE>`) |
/// | `<T::TABLE>`, `<Self::TABLE>`, `<TABLE>` | a constant; it stays what it is when a type moves to another module |
/// | `<*>` | all arguments that are neither skipped nor named by `:serde`, hashed |
///
/// Values must implement `KeySegment`, hashed ones `KeyIdentity`, which floats do as well; [`CacheKey`](macro@CacheKey) derives
/// both. `<<` and `>>` stand for `<` and `>`. One `{hash tag}` places the keys of a tag on one node of a Redis Cluster.
///
/// Two different calls must never share an entry. So **every argument is in the key or in `skip`**, anything else does
/// not compile, and neither does a key whose values nothing separates:
///
/// ```text
/// error: argument `lang` is not part of the key: two calls that differ only in it would share an entry; add `<lang>` to the key or name it in `skip(lang)`
///  --> src/users.rs:12:38
///    |
/// 12 | async fn find_user(db: &Db, id: u64, lang: &str) -> Result<User, DbError> {
///    |                                      ^^^^
/// ```
///
/// **A field is not the whole**: `"page:<page.from>"` does not compile either, since two pages may differ in `to`. Put all of it into the
/// key (`<page>`, `<page:hash>`, all items of a tuple), or say by `skip(page)` that what the key does not have of it makes no
/// difference. What the pattern of an argument leaves out, as in `Page { from, .. }: Page`, the function does not see.
///
/// What tells two arguments apart is what they hold: all fields, the variant's name, and of a set or a map the items,
/// whatever their order. It is not what `Serialize` writes, which may skip a field, redact it, or write two variants alike.
/// Of a type of another crate that has nothing but `Serialize`, `<price:serde>` says that this is its identity. Then it is
/// up to that `Serialize`:
///
/// | written by `Serialize` | calls that differ in it |
/// |---|---|
/// | fields, variants by name, the entries of maps in any order | have two entries |
/// | not at all, as with `#[serde(skip)]`; or alike, as variants of an enum with `#[serde(untagged)]` | **share an entry** |
/// | in an order that changes, as the items of a `HashSet` | have two entries though they are equal |
///
/// **What is read inside of a transaction may be rolled back**, and would be cached for everybody. So an argument in `skip` does not
/// compile if `&mut` stands in its type, or a type whose name ends in `Transaction`. Read outside of it; or leave the attribute off
/// the function that reads inside of one, whose writes a `Deferred` gathers; or, if the argument never is a transaction, write
/// `uncommitted = "allow"`. Not seen are a transaction inside of `self` (`&mut self` compiles) and one that is passed to a generic
/// function (`impl Executor<'_>`): pass pools to these.
///
/// `self` and type parameters are in the key only where the template says so. A service has no part in the identity of its calls; where
/// two of them answer differently, as those of two tenants do, `<self.tenant>` has to be in the key. A generic function that returns different
/// values for different `T` should have `<T>` in its key.
///
/// # The entry of a call
///
/// Values are escaped in a key (`42` as text is `'42`, `a:b` is `a%3Ab`) or hashed, so keys are not to be rendered by hand: a call
/// *is* the name of its entry. `entry!` takes it, not awaited, and the body does not run:
///
/// ```ignore (cached-core depends on this crate)
/// let entry = cached_core::entry!(repo.find_user(42))?;
/// entry.set(&user).await?;         // as if the function had loaded it
/// entry.invalidate().await;        // or together with more: `Invalidation::new().entry(&entry).event(&UserUpdated { id })`
/// println!("{}", entry.key());     // as it stands in the store
///
/// let entries = cached_core::entries!(repo.find_users(&[1, 2]))?; // of a batch: one for each id
/// ```
///
/// # Time to live
///
/// - A class, such as `"short"` (60 s), `"medium"` (10 min) and `"long"` (6 h); the builder sets and adds classes.
/// - A duration: `"250ms"`, `"90s"`, `"5m"`, `"1h30m"`, `"2d"`; at most 365 days.
/// - An expression of the arguments, of type `Duration`: `ttl = config.user_ttl`.
/// - A closure of the stored value: `ttl = |user: &User| user.session_length()`. It cannot capture arguments.
///
/// # Events and tags
///
/// An event ([`CacheEvent`](macro@CacheEvent)) is what writes cause and reads listen to; neither knows of the other.
///
/// | option | the entry is invalid after |
/// |---|---|
/// | `invalidate_on = UserUpdated { id }` | that event of this `id`: the argument, cloned |
/// | `invalidate_on = UserUpdated { id: order.user_id }` | that of any expression of the arguments |
/// | `invalidate_on = UserUpdated { .. }` | any event of that type |
/// | `invalidate_on = CatalogueReloaded` | an event without fields |
/// | `invalidate_on = [UserUpdated { id }, CatalogueReloaded]` | each of these |
/// | `tags = "tenant:<tenant>"` | a write of the tag `tenant:7` |
/// | `tags = ["tenant:<tenant>", "all-users"]` | a write of one of them |
/// | `tags = \|user: &User\| [format!("author:{}", user.author)]` | a write of a tag that only the value tells; a closure or the path of a function |
/// | `tags = ["tenant:<tenant>", \|user: &User\| ..]` | both |
///
/// Fields and tags are evaluated on every call, hits included. A tag's template is written like that of a key, but need
/// not name every argument, and has neither `<*>` nor a hash tag.
///
/// # Near cache
///
/// With `local = "30s"` a value that was read is kept in this process, decoded. An `Arc<T>` is given out as it is; any other
/// value is cloned, and needs `Clone + Send + Sync`. A near hit takes nanoseconds and asks nobody, and yet no old value is
/// served: Redis tells of every change of an entry and of the tags and events that it depends on, writes of this process take
/// effect before they return, and while Redis is out of contact calls go there and not to the near cache. What remains is
/// the time that a message takes on its way, and when the network swallows messages, the builder's `heartbeat`. Functions that
/// share entries, such as one over an id and one over many, share what is kept too if they keep it for the same time.
///
/// **A load does not use the near cache**, nor does a put: what the functions called inside of them return gets into what is stored
/// for everybody, so they read it from Redis. That holds for what the body awaits; a task that it spawns by hand is not known to
/// belong to it, and may be given what is as old as a near hit may be.
///
/// `on_gap = "serve"` gives that up: while there is no contact, what is kept is served for as long as `local` says, whatever
/// other processes write.
///
/// # Past its end
///
/// Without further options a value that has reached its `ttl` is a miss: somebody waits for a load. With them it stays in Redis
/// for longer, and what happens depends on how long it has been past its end:
///
/// ```text
/// stored            ttl                                                          the longer window is over
/// |---- a hit ------|---- stale_while_revalidate ----|---- stale_if_error --------| a miss
///                    served; one call renews it       callers wait for one load;
///                                                     served if that fails
/// ```
///
/// The same goes for a `None` after its `none_ttl`. **What was invalidated is never served again**, by none of these options, and
/// what is loaded is stored only over the very value that was found: a write that completes meanwhile wins.
///
/// - Of all calls in all processes one renews; the others are served at once, at the cost of a hit.
/// - With `refresh_ahead` the same happens *before* the end: the more often a value is read and the longer it takes to load, the
///   surer it never ends. It does nothing for what is rarely read.
/// - If a load fails, no process tries again before the builder's `throttle` (5 s) is over, and the value that is there is served
///   without an error.
/// - If a load succeeds and its value is not to be stored (a `None` with `none_ttl = "off"`, `cache_if`, a `ttl` of zero, too large,
///   not encodable ..), the old value ends as well: the source has answered. It is removed, and not served in place of an error.
/// - `load_timeout` returns a value past its end when its load takes too long; the load goes on.
///
/// ```ignore (cached-core depends on this crate)
/// #[redis_cached(key = "rates:<currency>", ttl = "1m", stale_while_revalidate = "5m", stale_if_error = "1d", refresh = "background")]
/// async fn rates(&self, currency: Currency) -> Result<Rates, ApiError> { .. }
/// ```
///
/// With `spawn` and `refresh = "background"` a load is a task of its own, in the scope and the span of the call that began it. So
/// that it can outlive that call, arguments taken by value are moved into it (`Send + 'static`), and what is taken by reference,
/// `&self` too, is cloned (`Clone + Send + Sync + 'static`), when a load is due and not on a hit; the value and the error that it
/// returns are `Send`. `self: Arc<Self>` costs no clone. In the body, write `"{}", self` for
/// `"{self}"`: a format string cannot name the clone.
///
/// # What is read is what was stored
///
/// **After a deployment**, no value of an old build is taken for one of this build's type if the type has changed: not its name,
/// nor its fields, variants and their types, at any depth and in any of serde's forms (`tag`, `content`, `untagged`, `flatten`).
/// Then it is a miss. A few things cannot be seen: variants of an enum with `#[serde(other)]`, optional fields among those that are
/// flattened, and whether a `Deserialize` written by hand means something else by what it reads. For types of the first two kinds
/// each build has entries of its own, which one line of the log says (`INFO`), unless the attribute says `version = 1`. Then builds
/// share them, and it is for you to raise the number when the type changes. So it is for every type in a program that is built with
/// `panic = "abort"`, where nothing can be tried safely.
///
/// **A value that its codec would bring back as another one is not stored** but returned as it is, counted, and said once: site,
/// type, field, and what to write. What the codec has no form for is refused each time: with JSON `NaN` and infinities, a
/// `Some(None)`, maps with keys that are no text; with postcard, fields that `skip_serializing_if` leaves out. What the type itself
/// loses (`#[serde(skip)]`, untagged enums that come back as an earlier variant) is found by reading back what was written: of
/// each function the first 16 values, then one of 64, and all of them once one has come back as another. Values are compared by
/// the type's `PartialEq`, without one by its `Debug`, and without both by what is written again, which does not show a skipped
/// field. A field that may come back as another one, such as something computed on the way, is left out of `PartialEq`.
/// To find such types in a test, see `cached_core::testing`.
///
/// # Batches
///
/// ```ignore (cached-core depends on this crate)
/// #[redis_cached(key = "user:<id>", batch = ids)]
/// async fn find_users(&self, ids: &[u64]) -> Result<HashMap<u64, User>, DbError> {
///     self.db.query("SELECT .. WHERE id = ANY(..)", ids).await
/// }
/// ```
///
/// The body runs once, with the ids that are missing; all others are read by one command. Each id has an entry of its own: the
/// same as that of a function over one id, `find_user(id: u64)` with this key and these options, and batches and single calls
/// share loads that are under way. An id that is absent is remembered as a `None` is.
///
/// | | |
/// |---|---|
/// | the list | an argument of type `&[Id]` or `Vec<Id>`, where `Id` is `Clone`; may be empty, and name an id twice |
/// | one of its ids | the name in the key that is no argument: `<id>`, `<id:hash>`, `<id:serde>`; `<id.tenant>` with `skip(id)`, or all items of a tuple. In tags and events too: `{ id }` clones it, and in expressions it is a reference |
/// | the function returns | `HashMap<Id, T>`, `BTreeMap<Id, T>`, or `Vec<Option<T>>` in the order of the ids; or one of these in a `Result` |
/// | `ttl`, `cache_if` and `tags` with a closure | are about one value |
///
/// When another call is loading some of the ids, this one waits for it, and loads the others meanwhile. What the other call does
/// not bring is loaded by a second run of the body; so arguments that are no references have to be `Clone`. An `Err` is
/// returned, and of that run nothing is stored. What is renewed ahead of its end or served past it
/// (`stale_while_revalidate` and the like) is not for batches.
///
/// A call returns all that its body returned for it. What cannot be attributed to an id that the body was given is not stored:
/// entries under other ids (a total; `ada` for `Ada`, from a database that ignores case), a `Vec` of another length, of which
/// nothing is stored. Nor is it stored then that an id without an entry is absent, since one of the others may be its value: it is
/// loaded each time, and a warning says so once for each function. Batches that wait meanwhile share one run of the body, if they ask
/// for all that it was given, and if the type of the ids is a common one without references or has `#[derive(CacheKey)]`, without
/// parameters. Make such ids uniform before the call, or return each value
/// under the id as it was given. If two ids of a map have one key (`<login.user>`), the second is loaded as without a cache.
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
    traced(attribute::attribute(Role::Read, args.into(), item.into())).into()
}

/// Puts an async function that changes data into a bracket: what it names is invalid before its body begins, cannot be
/// stored anew while it runs, and is invalid once more when it has ended.
///
/// ```ignore (cached-core depends on this crate)
/// #[redis_invalidate(UserUpdated { id: user.id })]
/// async fn update_user(&self, user: &User) -> Result<(), DbError> {
///     self.db.execute("UPDATE ..", user).await
/// }
///
/// #[redis_invalidate(OrderPlaced { user, order: ret.id }, mode = "after")]
/// async fn place_order(user: u64, cart: Cart) -> Result<Order, DbError> { .. }
/// ```
///
/// Works on the same functions as [`macro@redis_cached`], and on those that return nothing, a reference or an `impl
/// Trait`. What the function returns is returned as it is.
///
/// # Options
///
/// At least one event, key or tag; of each as many as there are.
///
/// | option | meaning | default |
/// |---|---|---|
/// | `UserUpdated { id: user.id }` | an event that this function causes; all its fields are named | none |
/// | `key = "user:<id>"` | a key that it makes invalid, written as the function that reads has it | none |
/// | `tag = "tenant:<tenant>"` | a tag whose entries it makes invalid | none |
/// | `mode = "bracket"` | when the cache is told: before and after the body (`"bracket"`), or only `"after"` | `"bracket"` |
/// | `on_unavailable = "proceed"` | what becomes of the function when the bracket cannot be opened, see below | `"proceed"` |
/// | `uncommitted = "allow"` | an argument with `&mut` in its type is no transaction, or is committed in here: the cache is told when the function returns, and what is read between that and a later commit stays cached; `Cache::deferred` tells it around the commit | does not compile |
/// | `cache = self.cache` | an expression for the cache to use | the ambient one |
/// | `crate = path` | the path of `cached-core`, if it is renamed or re-exported | `::cached_core` |
///
/// Fields are expressions of the arguments; `{ id }` stands for the argument of that name, cloned. Templates are those of
/// [`macro@redis_cached`], without `<*>`; they need not name every argument. A key is that of one entry and a tag is one text:
/// nothing is compared with patterns, so `*` does not compile.
///
/// # After, and `ret`
///
/// With `mode = "after"` nothing is said before the body runs, which saves a round trip. If the process dies between the
/// commit and the invalidation, old values stay until they expire: prefer the bracket where that matters.
///
/// In return, `ret` may stand in fields and templates: the value that the function returned, that in its `Ok` if it is a
/// `Result`, by reference. All else is evaluated before the body, which may consume its arguments; an expression with
/// `ret` in it can use only what the body leaves. After an `Err`, what
/// needs `ret` is left out and the rest is applied: whether a failed write has changed anything nobody knows. Of an
/// argument named `ret`, the argument is meant.
///
/// # When Redis is away
///
/// With `"proceed"` the body runs all the same, and what it makes invalid is queued. With `"fail"` it does not run; the
/// function must return a `Result` whose error is `From<CacheError>`. A bracket that was opened is closed in any case.
#[proc_macro_attribute]
pub fn redis_invalidate(args: TokenStream, item: TokenStream) -> TokenStream {
    traced(attribute::attribute(Role::Invalidate, args.into(), item.into())).into()
}

/// Stores what an async function that changes data returns, as the entry of a key: write-through.
///
/// ```ignore (cached-core depends on this crate)
/// #[redis_put(key = "user:<id>", ttl = "medium", UserUpdated { id })]
/// async fn rename_user(&self, id: u64, name: String) -> Result<User, DbError> {
///     self.db.query("UPDATE .. RETURNING ..", id, name).await
/// }
/// ```
///
/// The function runs on every call, in a bracket as under [`macro@redis_invalidate`]. If no other write of the entry
/// overlapped, what it returned is stored, else removed; an `Err` is never stored. It may return what
/// [`macro@redis_cached`] may.
///
/// What it stores is found by functions with the same key and type, the same `version` and `codec`, and the same
/// `invalidate_on` and `tags` in the same order; to all others it is a miss.
///
/// # Options
///
/// | option | meaning | default |
/// |---|---|---|
/// | `key = "user:<id>"` | the key, written as the function that reads has it; need not name every argument | |
/// | `UserUpdated { id }` | an event that this function causes, for other entries; as many as there are | none |
/// | `ttl`, `jitter`, `none_ttl`, `cache_if`, `version`, `codec`, `invalidate_on`, `tags` | as for [`macro@redis_cached`] | |
/// | `uncommitted = "allow"` | an argument with `&mut` in its type is no transaction: what is put is stored when the function returns, before a commit that comes later | does not compile |
/// | `on_unavailable = "proceed"` | as for [`macro@redis_invalidate`] | `"proceed"` |
/// | `cache = self.cache` | an expression for the cache to use | the ambient one |
/// | `crate = path` | the path of `cached-core`, if it is renamed or re-exported | `::cached_core` |
#[proc_macro_attribute]
pub fn redis_put(args: TokenStream, item: TokenStream) -> TokenStream {
    traced(attribute::attribute(Role::Put, args.into(), item.into())).into()
}

/// Makes a struct or an enum usable in a key: as a segment, and in a hash.
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
/// All fields of all variants count, whatever serde's attributes say of them. The type has a `KeyIdentity` if all fields have
/// one, and can be hashed: `<filter:hash>`, `<*>`, the default key. It is a `KeySegment` too, and can stand in a key as it is,
/// if all fields are segments, which floats are not. For type parameters the bound is added. Its own `PartialEq` is not asked. Types
/// may contain each other; so of a type of your own that stands in a `Vec` or a `Box`, it is not asked whether there are floats in it.
///
/// ```ignore (cached-core depends on this crate)
/// #[derive(CacheKey)]
/// struct Filter {
///     text: String,
///     tags: HashSet<String>,  // in any order
///     #[cache_key(hash)]
///     max_price: Option<f64>, // hashed, a segment
///     #[cache_key(serde)]
///     since: DateTime<Utc>,   // of another crate
/// }
/// ```
///
/// | option | meaning |
/// |---|---|
/// | `#[cache_key(hash)]` on a field | its SHA-256 stands in the key: for what is long or private, and for floats |
/// | `#[cache_key(serde)]` on a field | the SHA-256 of what its `Serialize` writes: as `<price:serde>` of [`macro@redis_cached`] |
/// | `#[cache_key(crate = path)]` on the type | the path of `cached-core`, if it is renamed or re-exported |
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
/// Its fields have names and are key segments, which floats are not, or have `#[cache_key(hash)]` or `#[cache_key(serde)]`, as
/// those of a [`CacheKey`](macro@CacheKey); for type parameters the bound is added. Two events are the same if their names and
/// all their fields are.
///
/// | option | meaning | default |
/// |---|---|---|
/// | `#[event(name = "user_updated")]` | its name in the store: 1 to 64 of the letters `A-Z a-z 0-9 _ - .` | the name of the struct |
/// | `#[event(crate = path)]` | the path of `cached-core`, if it is renamed or re-exported | `::cached_core` |
#[proc_macro_derive(CacheEvent, attributes(event, cache_key))]
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
