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
mod trace;
mod transaction;
mod validate;

use proc_macro::TokenStream;

use role::Role;
use trace::traced;

/// Puts an async function behind the cache: on a hit its body does not run; on a miss the returned value is stored.
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
/// `Result<Option<T>, E>` or any alias of these; an `Err` is not stored unless `error_if` chooses it. The stored type must
/// implement `serde::Serialize` and `DeserializeOwned`. It needs no `Clone` and no `Send`, and the arguments need not be
/// `'static`.
///
/// The [guide](https://docs.rs/cached-core/latest/cached_core/guide/index.html) has a page for each problem that an
/// option solves.
///
/// # Options
///
/// | option | meaning | default |
/// |---|---|---|
/// | `key = "user:<id>"` | the template of the key, see below | the path of the function and `<*>` |
/// | `skip(db, span)` | arguments that are not part of the key | none |
/// | `uncommitted = "allow"` | a skipped argument may be a transaction, see below | does not compile |
/// | `ttl = "medium"` | how long a value lives: a class, a duration, an expression or a closure, see below | `"medium"` |
/// | `jitter = 0.1` | spread of the TTL, as a fraction from 0.0 to below 1.0; ± for a class or a duration, only shorter for an expression or a closure | the builder's: 0.1 |
/// | `none_ttl = "short"` | how long a `None` lives: a class, a duration, or `"off"` | `"short"` |
/// | `cache_if = \|value\| ..` | a closure or the path of a function; the value is stored only if it returns `true` | stores always |
/// | `error_if = \|error\| ..` | a closure or the path of a function; an error is stored if it returns `true`, see below | stores no error |
/// | `error_ttl = "30s"` | how long such an error lives: a class or a duration | `"short"` |
/// | `invalidate_on = UserUpdated { id }` | the events that invalidate the entry, one or a list, see below | none |
/// | `tags = "tenant:<tenant>"` | further tags of the entry, see below | none |
/// | `version = 2` | part of the type's fingerprint; raise it when the meaning of a value changes but its type does not, see below | none |
/// | `codec = "json"` | the serializer: `"json"`, `"msgpack"` or `"postcard"`; or `"bytes"`, which stores a `Bytes` or `Vec<u8>` as it is | the builder's |
/// | `batch = ids` | the function takes many ids and runs for the missing ones, see below | |
/// | `local = "30s"` | the near cache also keeps values in this process, for at most this long; or `"off"`, see below | the builder's: off |
/// | `on_gap = "serve"` | without contact to Redis, the near cache still serves values (`"serve"`) or is skipped (`"bypass"`) | `"bypass"` |
/// | `stale_while_revalidate = "5m"` | for this long after its end a value is still served, while one call refreshes it, see below | off |
/// | `stale_if_error = "1h"` | for this long after its end a value is served if the load fails | off |
/// | `refresh_ahead`, `refresh_ahead = 1.5` | a value is refreshed before its end, the earlier the longer it takes to load; the number is the β of `XFetch` | off |
/// | `refresh = "background"` | the call that refreshes a value waits for the new one (`"foreground"`), or is served the old one (`"background"`) | `"foreground"` |
/// | `spawn` | a load runs to its end, even if its caller is dropped | off |
/// | `load_timeout = "200ms"` | a value past its end is returned if the load takes longer; needs `spawn` | off |
/// | `cache = self.cache` | an expression for the cache to use | the ambient one |
/// | `crate = path` | the path of `cached-core`, if it is renamed or re-exported; `extern_crate!()` says it once per crate | `::cached_core` |
///
/// # Key
///
/// A template is text with placeholders:
///
/// | placeholder | stands for |
/// |---|---|
/// | `<id>` | an argument, or a name that the pattern of an argument binds (`<type>` for `r#type`) |
/// | `<filter.lang>`, `<pair.0>`, `<self.tenant>` | a field of an argument, whose other fields must be in the key as well or be left out by `skip(filter)`; or a field of `self` |
/// | `<query:hash>` | the SHA-256 of the value, for values that are long or private, and for floats |
/// | `<price:serde>` | the SHA-256 of what the value's `Serialize` writes, for types of other crates, see below |
/// | `<T>`, `<N>` | a type parameter of the function or its impl, by its full path; a const parameter of the function, or of its impl if it is called `N` (for any other, write `const SIZE: usize = M;` in the impl and `<Self::SIZE>`) |
/// | `<T::TABLE>`, `<Self::TABLE>`, `<TABLE>` | a constant; it stays the same when a type moves to another module |
/// | `<*>` | the hash of all arguments that neither `skip` nor `:serde` names |
///
/// Values must implement `KeySegment`, hashed ones `KeyIdentity`, which floats do as well; [`CacheKey`](macro@CacheKey)
/// derives both. `<<` and `>>` stand for `<` and `>`. One `{hash tag}` places the keys with this tag on one node of a
/// Redis Cluster.
///
/// Two different calls must never share an entry. So **every argument must be in the key or in `skip`**, and values in
/// a key must be separated; anything else does not compile:
///
/// ```text
/// error: argument `lang` is not part of the key: two calls that differ only in it would share an entry; add `<lang>` to the key or name it in `skip(lang)`
///  --> src/users.rs:12:38
///    |
/// 12 | async fn find_user(db: &Db, id: u64, lang: &str) -> Result<User, DbError> {
///    |                                      ^^^^
/// ```
///
/// **A field is not the whole argument**: `"page:<page.from>"` does not compile either, because two pages may differ in
/// `to`. Put all of it into the key (`<page>`, `<page:hash>`, all items of a tuple), or write `skip(page)` to say that
/// the rest makes no difference. Fields that the pattern of an argument leaves out, as in `Page { from, .. }: Page`,
/// are not needed: the function does not see them.
///
/// Two arguments are the same if their contents are: all fields, the name of the variant, and for a set or a map the
/// items in any order. What `Serialize` writes does not count, because it may skip a field, redact it, or write two
/// variants alike. If a type of another crate has nothing but `Serialize`, `<price:serde>` says that this is its
/// identity. Then the result depends on that `Serialize`:
///
/// | written by `Serialize` | calls that differ in it |
/// |---|---|
/// | fields, variants by name, the entries of maps in any order | have two entries |
/// | not at all, as with `#[serde(skip)]`; or alike, as variants of an enum with `#[serde(untagged)]` | **share an entry** |
/// | in an order that changes, as the items of a `HashSet` | have two entries though they are equal |
///
/// **What is read in a transaction may be rolled back**, but the cache would serve it to everybody. So an argument in
/// `skip` does not compile if its type contains `&mut`, or a type whose name ends in `Transaction`. Read outside of the
/// transaction; or put no attribute on the function that reads inside of one, and gather its writes in a `Deferred`; or
/// write `uncommitted = "allow"` if the argument is never a transaction. Two cases are not detected: a transaction
/// inside of `self` (`&mut self` compiles), and one that is passed to a generic function (`impl Executor<'_>`). Pass
/// pools to these.
///
/// `self` and type parameters are in the key only if the template names them. A service is usually not part of the
/// identity of its calls; if two services answer differently, as those of two tenants do, `<self.tenant>` must be in
/// the key. A generic function that returns different values for different `T` should have `<T>` in its key.
///
/// # The entry of a call
///
/// Values in a key are escaped (`42` as text is `'42`, `a:b` is `a%3Ab`) or hashed, so do not render keys by hand: a
/// call *is* the name of its entry. `entry!` takes the call without `.await`, and the body does not run:
///
/// ```ignore (cached-core depends on this crate)
/// let entry = cached_core::entry!(repo.find_user(42))?;
/// entry.set(&user).await?;         // as if the function had loaded it
/// let outcome = entry.invalidate().await; // or with others: `Invalidation::new().entry(&entry).event(..)`
/// println!("{}", entry.key());     // as it is in the store
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
/// Writes cause events ([`CacheEvent`](macro@CacheEvent)), and entries listen to them; neither needs to know the other.
///
/// | option | the entry is invalid after |
/// |---|---|
/// | `invalidate_on = UserUpdated { id }` | this event with this `id`: the argument, cloned |
/// | `invalidate_on = UserUpdated { id: order.user_id }` | this event with the value of any expression of the arguments |
/// | `invalidate_on = UserUpdated { tenant, .. }` | any event of that type with this `tenant`; the event declares `#[event(by(tenant))]` |
/// | `invalidate_on = UserUpdated { .. }` | any event of that type |
/// | `invalidate_on = CatalogueReloaded` | an event without fields |
/// | `invalidate_on = [UserUpdated { id }, CatalogueReloaded]` | each of these |
/// | `tags = "tenant:<tenant>"` | a write of the tag `tenant:7` |
/// | `tags = ["tenant:<tenant>", "all-users"]` | a write of one of them |
/// | `tags = \|user: &User\| [format!("author:{}", user.author)]` | a write of a tag that only the value names; a closure or the path of a function |
/// | `tags = \|page: &Page, tenant\| [format!("{tenant}:{}", page.author)]` | a write of a tag that the value and arguments name |
/// | `tags = ["tenant:<tenant>", \|user: &User\| ..]` | both |
///
/// Every call evaluates fields and tags, even on a hit. The template of a tag is written like that of a key, but need
/// not name every argument, and has neither `<*>` nor a hash tag. A closure runs only when a value was loaded. Behind
/// the value it may name up to four arguments, which it gets by reference (`&u64` for a `u64`, `&str` for a `&str`) as they
/// were before the body ran: a load clones them, so what they are or refer to must be `Clone + Send + Sync + 'static`. The tags are those of the call that loaded the value.
///
/// # Near cache
///
/// With `local = "30s"` this process also keeps the values that it reads, decoded. An `Arc<T>` is shared; any other
/// value is cloned, and needs `Clone + Send + Sync`. A near hit takes nanoseconds and contacts nobody, and yet no old
/// value is served: Redis announces every change of an entry and of the tags and events that it depends on, writes of
/// this process take effect before they return, and without contact to Redis calls skip the near cache. What remains is
/// the time that an announcement takes, and the builder's `near_heartbeat` if the network loses announcements.
/// Functions that share entries, such as one that takes an id and one that takes many, share the kept values too if
/// they keep them for the same time.
///
/// **A load does not use the near cache**, nor does a put: values of the functions that they call become part of what
/// is stored for everybody, so they are read from Redis. That holds for what the body awaits. A task that the body
/// spawns itself is not known to belong to it, and may get values as old as a near hit may be, unless it is spawned with
/// `in_current_scope`.
///
/// `on_gap = "serve"` gives this guarantee up: without contact to Redis, kept values are served for as long as `local`
/// says, whatever other processes write.
///
/// # Past its end
///
/// Without further options a value that has reached its `ttl` is a miss, and its caller waits for a load. With them it
/// stays in Redis for longer, and what happens depends on how long it has been past its end:
///
/// ```text
/// stored            ttl                                                          the longer window is over
/// |---- a hit ------|---- stale_while_revalidate ----|---- stale_if_error --------| a miss
///                    served; one call refreshes it    callers wait for one load;
///                                                     served if that fails
/// ```
///
/// The same goes for a `None` after its `none_ttl`. **No option ever serves an invalidated value**, and a loaded value
/// is stored only over the very value that was found: a write that completes meanwhile wins.
///
/// - One call in all processes refreshes a value; the others are served at once, at the cost of a hit.
/// - With `refresh_ahead` the same happens *before* the end: the more often a value is read and the longer it takes to
///   load, the less likely it ends. It has no effect on values that are rarely read.
/// - If a load fails, no process tries again before the builder's `refresh_cooldown` (5 s) is over, and the old value
///   is served without an error.
/// - If a load succeeds but its value is not to be stored (a `None` with `none_ttl = "off"`, `cache_if`, a `ttl` of
///   zero, too large, not encodable ..), the old value ends as well, because the source has answered. It is removed,
///   and not served instead of an error.
/// - `load_timeout` returns a value past its end when its load takes too long; the load continues.
///
/// ```ignore (cached-core depends on this crate)
/// #[redis_cached(key = "rates:<currency>", ttl = "1m", stale_while_revalidate = "5m", stale_if_error = "1d", refresh = "background")]
/// async fn rates(&self, currency: Currency) -> Result<Rates, ApiError> { .. }
/// ```
///
/// With `spawn` and `refresh = "background"` a load is a task of its own, in the scope and the span of the call that
/// began it. It can outlive that call. So arguments taken by value are moved into it (`Send + 'static`), and arguments
/// taken by reference, `&self` too, are cloned (`Clone + Send + Sync + 'static`) when a load is due, but not on a hit.
/// The returned value and error must be `Send`. `self: Arc<Self>` costs no clone. In the body, write `"{}", self`
/// instead of `"{self}"`: a format string cannot name the clone.
///
/// # Errors that are answers
///
/// Some errors are answers of the source, such as "not found"; others say that it has failed. `error_if` tells the answers:
///
/// ```ignore (cached-core depends on this crate)
/// #[redis_cached(key = "user:<id>", error_if = |error| matches!(error, ApiError::NotFound), error_ttl = "30s")]
/// async fn find_user(id: u64) -> Result<User, ApiError> { .. }
/// ```
///
/// Such an error is stored and served like a value, for `error_ttl` and no longer: it has no window, is not refreshed
/// ahead, and never replaces a failure. A refresh that brings one ends the old value, because the source has answered.
/// Any other error is a failure, and never stored. `cache_if` and the closures of `ttl` and `tags` run for values only,
/// not for errors. The error type must implement `serde::Serialize` and `DeserializeOwned`, and with `local` be `Clone + Send +
/// Sync`. A function with `error_if` shares its values with one without it, but not its errors.
///
/// # What is read is what was stored
///
/// **After a deployment**, a value of an old build is not read as a type that has changed: in its name, its fields,
/// variants or their types, at any depth and in any of serde's forms (`tag`, `content`, `untagged`, `flatten`). Such a
/// value is a miss. A few changes cannot be detected: variants of an enum with `#[serde(other)]`, optional fields among
/// flattened ones, and a different meaning in a `Deserialize` written by hand. For types of the first two kinds each
/// build has its own entries, and one line of the log says so (`INFO`), unless the attribute says `version = 1`. Then
/// builds share the entries, and you must raise the number when the type changes. The same holds for every type in a
/// program that is built with `panic = "abort"`, where types cannot be tried out safely.
///
/// **A value that its codec would not read back unchanged is not stored** but returned as it is, counted, and logged
/// once: site, type, field, and what to write. What a codec cannot represent is refused each time: with JSON `NaN` and
/// infinities, a `Some(None)`, maps whose keys are not text; with postcard, fields that `skip_serializing_if` leaves
/// out. What the type itself loses (`#[serde(skip)]`, untagged enums that are read as an earlier variant) is found by
/// reading back what was written: the first 16 values of each function, then one in 64, and all of them once one was
/// read back differently. Values are compared by the type's `PartialEq`, without one by its `Debug`, and without both
/// by their bytes when written again, which does not show a skipped field. If a field may change when it is read back,
/// for example because it is computed, leave it out of `PartialEq`. To find such types in a test, see
/// `cached_core::testing`.
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
/// The body runs once, with the missing ids; one command reads all the others. Each id has its own entry: the same as
/// that of a function that takes one id, `find_user(id: u64)`, with this key and these options. Batches and single
/// calls share loads in progress. An absent id is remembered like a `None`.
///
/// | | |
/// |---|---|
/// | the list | an argument of type `&[Id]` or `Vec<Id>`, where `Id` is `Clone`; may be empty, and may name an id twice |
/// | one of its ids | the name in the key that is not an argument: `<id>`, `<id:hash>`, `<id:serde>`; `<id.tenant>` with `skip(id)`, or all items of a tuple. In tags and events too: `{ id }` clones it, and in expressions it is a reference |
/// | the function returns | `HashMap<Id, T>`, `BTreeMap<Id, T>`, or `Vec<Option<T>>` in the order of the ids; or one of these in a `Result` |
/// | `ttl`, `cache_if` and `tags` with a closure | are about one value |
///
/// If another call is loading some of the ids, this call waits for it, and loads the others meanwhile. Ids that the
/// other call does not get are loaded by a second run of the body, so arguments that are not references must be
/// `Clone`. An `Err` is returned, and nothing of that run is stored. Batches do not support the options about values
/// near or past their end (`stale_while_revalidate` and the like).
///
/// A call returns everything that its body returned. Values that do not belong to an id that the body was given are not
/// stored: entries under other ids (a total; `ada` for `Ada`, from a database that ignores case), and a whole `Vec` of
/// another length. In this case absent ids are not stored either, because one of the other values may be theirs: they
/// are loaded each time, and one warning for each function says so. Batches that wait meanwhile share one run of the
/// body if they ask for all that it was given, and if the type of the ids is a common one without references or has
/// `#[derive(CacheKey)]` and no parameters. Make such ids uniform before the call, or return each value under the id as
/// it was given. If two ids of a map have one key (`<login.user>`), the second is loaded as without a cache.
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
/// `#[async_trait]` is on the whole `impl` and expands before anything inside of it. The macros understand the function
/// that it leaves: `self`, all arguments and the names that patterns bind can be used as usual (below `#[instrument]`,
/// too, except for patterns: give such an argument a name).
///
/// # What it expands to
///
/// A `static` that describes the function and is found at link time, and one call into the runtime with the body as a
/// closure. `CACHED_DEBUG=1 cargo check` prints the expansions to stderr.
#[proc_macro_attribute]
pub fn redis_cached(args: TokenStream, item: TokenStream) -> TokenStream {
    traced(attribute::attribute(Role::Read, args.into(), item.into())).into()
}

/// Puts an async function that changes data into a bracket: what it names is invalidated before its body begins, cannot
/// be stored again while it runs, and is invalidated again when it has ended.
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
/// Works on the same functions as [`macro@redis_cached`], and on functions that return nothing, a reference or an `impl
/// Trait`. The returned value is not changed.
///
/// # Options
///
/// At least one event, key or tag, and any number of each.
///
/// | option | meaning | default |
/// |---|---|---|
/// | `UserUpdated { id: user.id }` | an event that this function causes, with all its fields | none |
/// | `for user in users { UserUpdated { id: user.id } }` | events, keys and tags for each item of a list, see below | none |
/// | `key = "user:<id>"` | a key that it invalidates, written as in the function that reads | none |
/// | `tag = "tenant:<tenant>"` | a tag whose entries it invalidates | none |
/// | `mode = "bracket"` | when it invalidates: before and after the body (`"bracket"`), or only `"after"` | `"bracket"` |
/// | `on_unavailable = "proceed"` | what the function does if the bracket cannot begin, see below | `"proceed"` |
/// | `uncommitted = "allow"` | an argument with `&mut` in its type is not a transaction, or is committed in this function: it invalidates when it returns, and what is read between that and a later commit stays cached; `Cache::deferred` invalidates around the commit | does not compile |
/// | `cache = self.cache` | an expression for the cache to use | the ambient one |
/// | `crate = path` | the path of `cached-core`, if it is renamed or re-exported; `extern_crate!()` says it once per crate | `::cached_core` |
///
/// Fields are expressions of the arguments; `{ id }` stands for the argument of that name, cloned. Templates are those
/// of [`macro@redis_cached`], without `<*>`, and need not name every argument. A key names one entry, and a tag names
/// only itself: nothing is compared with patterns, so `*` does not compile.
///
/// # For each item of a list
///
/// ```ignore (cached-core depends on this crate)
/// #[redis_invalidate(for user in users { UserUpdated { id: user.id }, key = "profile:<user.id>" })]
/// async fn save_all(users: &[User]) -> Result<(), DbError> { .. }
/// ```
///
/// `for` is written as in Rust. The list is an argument or a field of it, which is borrowed, or any iterator:
/// `users.values()`. Each part between the braces names the item; everything else stands outside. With `mode = "after"`
/// the list may be part of `ret`; fields that name neither the item nor `ret` are evaluated before the body. All registers
/// are marked before the body begins, and an empty list asks nothing of the store.
///
/// # After, and `ret`
///
/// With `mode = "after"` the function does not contact Redis before its body runs, which saves a round trip. If the
/// process dies between the commit and the invalidation, old values stay until they expire: prefer the bracket where
/// that matters.
///
/// In return, fields and templates may use `ret`: a reference to the returned value, or to the value in its `Ok` if it
/// is a `Result`. Everything else is evaluated before the body, which may consume its arguments; an expression with
/// `ret` can use only what the body leaves. After an `Err`, everything that needs `ret` is left out and the rest is
/// applied, because a failed write may still have changed something. If an argument is called `ret`, `ret` means the
/// argument.
///
/// # When Redis is away
///
/// With `"proceed"` the body still runs, and the invalidations are queued. With `"fail"` it does not run; the function
/// must return a `Result` whose error is `From<CacheError>`. A bracket that has begun is always ended.
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
/// overlapped, the returned value is stored, otherwise the entry is removed; an `Err` is never stored. The function may
/// return the same types as under [`macro@redis_cached`].
///
/// The stored value is a hit for functions with the same key and type, the same `version` and `codec`, and the same
/// `invalidate_on` and `tags` in the same order; for all others it is a miss.
///
/// # Options
///
/// | option | meaning | default |
/// |---|---|---|
/// | `key = "user:<id>"` | the key, written as in the function that reads; need not name every argument | |
/// | `UserUpdated { id }` | an event that this function causes, for other entries; any number of them | none |
/// | `ttl`, `jitter`, `none_ttl` | as for [`macro@redis_cached`] | those of the function that reads |
/// | `cache_if`, `version`, `codec`, `invalidate_on`, `tags` | as for [`macro@redis_cached`] | as there |
/// | `uncommitted = "allow"` | an argument with `&mut` in its type is not a transaction: the value is stored when the function returns, even before a later commit | does not compile |
/// | `on_unavailable = "proceed"` | as for [`macro@redis_invalidate`] | `"proceed"` |
/// | `cache = self.cache` | an expression for the cache to use | the ambient one |
/// | `crate = path` | the path of `cached-core`, if it is renamed or re-exported; `extern_crate!()` says it once per crate | `::cached_core` |
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
/// All fields of all variants count; serde's attributes have no effect. The type implements `KeyIdentity` if all fields
/// do, and can be hashed: `<filter:hash>`, `<*>`, the default key. It also implements `KeySegment`, and can be in a key
/// as it is, if all fields are segments, which floats are not. Type parameters get these bounds. The type's `PartialEq`
/// is not used. Types may contain each other; therefore the derive does not check for floats in a type of your own
/// inside of a `Vec` or a `Box`.
///
/// ```ignore (cached-core depends on this crate)
/// #[derive(CacheKey)]
/// struct Filter {
///     text: String,
///     tags: HashSet<String>,  // in any order
///     #[cache_key(hash)]
///     max_price: Option<f64>, // hashed, a segment
///     #[cache_key(serde)]
///     area: geo::Polygon,     // of another crate
/// }
/// ```
///
/// | option | meaning |
/// |---|---|
/// | `#[cache_key(hash)]` on a field | the key has the SHA-256 of the field: for values that are long or private, and for floats |
/// | `#[cache_key(serde)]` on a field | the key has the SHA-256 of what the field's `Serialize` writes: as `<price:serde>` of [`macro@redis_cached`] |
/// | `#[cache_key(crate = path)]` on the type | the path of `cached-core`, if it is renamed or re-exported; `extern_crate!()` says it once per crate |
#[proc_macro_derive(CacheKey, attributes(cache_key))]
pub fn derive_cache_key(input: TokenStream) -> TokenStream {
    traced(derive::cache_key(input.into())).into()
}

/// Makes a struct an event: something that happens to the data, which writes cause and entries listen to.
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
/// Its fields need names. Each must be a key segment, which floats are not, or have `#[cache_key(hash)]` or
/// `#[cache_key(serde)]` as in a [`CacheKey`](macro@CacheKey). Type parameters get these bounds. Two events are the
/// same if their names and all their fields are.
///
/// `#[event(by(tenant))]` lets entries listen to all events that agree in some fields: `invalidate_on = UserUpdated {
/// tenant, .. }`. Add it to all programs that emit the event before a function listens by it.
///
/// | option | meaning | default |
/// |---|---|---|
/// | `#[event(name = "user_updated")]` | its name in the store: 1 to 64 characters out of `A-Z a-z 0-9 _ - .` | the name of the struct |
/// | `#[event(by(tenant), by(tenant & country))]` | fields by which entries can listen; at most 8 times | all fields, or none |
/// | `#[event(emitted = "by hand")]` | for the audit: it is emitted by code that has no attribute (`Cache::emit`, a `Deferred`), or by another program | attributes emit it |
/// | `#[event(heard = "by hand")]` | for the audit: entries listen to it without `invalidate_on` (value tags, `Entry::invalidate_on`), or another program does | attributes listen to it |
/// | `#[event(crate = path)]` | the path of `cached-core`, if it is renamed or re-exported; `extern_crate!()` says it once per crate | `::cached_core` |
#[proc_macro_derive(CacheEvent, attributes(event, cache_key))]
pub fn derive_cache_event(input: TokenStream) -> TokenStream {
    traced(derive::cache_event(input.into())).into()
}
