//! Errors: what is wrong, and what to do about it.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// Why a cache could not be built. Nothing has been connected or installed.
///
/// Its text says what is wrong and what to write instead, for all annotated functions at once.
///
/// ```
/// use cached_core::{BuildError, Cache};
///
/// match Cache::builder().namespace("my shop").build() {
///     Err(BuildError::Field { field, problem }) => assert!(field == "namespace" && problem.contains("my shop")),
///     other => panic!("{other:?}"),
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A setting of the builder cannot work.
    #[error("{field}: {problem}")]
    Field {
        /// The builder's method that set it.
        field: &'static str,
        /// What is wrong and what to write instead.
        problem: String,
    },
    /// Annotated functions of this program do not fit this cache or each other.
    #[error("{} of the annotated functions cannot be cached:{}", .0.len(), ProblemList(.0))]
    Sites(Vec<SiteProblem>),
}

/// Something wrong with an annotated function, or with two of them, found when the cache is built. Its text names their
/// places in the source.
///
/// ```
/// use cached_core::{BuildError, Cache};
///
/// if let Err(BuildError::Sites(problems)) = Cache::builder().build() {
///     for problem in problems {
///         eprintln!("{problem}"); // src/users.rs:12 `find_user`: no TTL class "medum"; there are ..
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SiteProblem(pub(crate) String);

struct ProblemList<'a>(&'a [SiteProblem]);

impl fmt::Display for ProblemList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl BuildError {
    pub(crate) fn field(field: &'static str, problem: impl Into<String>) -> Self {
        Self::Field { field, problem: problem.into() }
    }
}

/// Why [`Entry::set`](crate::Entry::set), [`prime`](crate::Entry::prime) or [`remove`](crate::Entry::remove) did not take
/// effect, or [`Cache::try_write`](crate::Cache::try_write) did not begin.
///
/// Reads never return an error: for them every fault is a miss.
///
/// The text of [`Store`](Self::Store) contains that of the store's error, and its
/// [source](std::error::Error::source) is the cause of that error, if the store gave one. So whoever prints a chain of
/// errors prints nothing twice.
///
/// ```
/// use cached_core::{Cache, CacheError};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let cache = Cache::builder().max_value_bytes(10).build().unwrap();
/// let text = String::from("more than ten bytes");
/// match cache.entry("text").set(&text).await {
///     Err(CacheError::TooLarge { bytes: 21, max: 10 }) => {} // with the quotes that JSON adds
///     other => panic!("{other:?}"),
/// }
/// # }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum CacheError {
    /// The store did not answer, or answered with an error. Whether the command took effect is unknown.
    Store(StoreError),
    /// The store has failed repeatedly and is left alone until a probe succeeds.
    BreakerOpen,
    /// There is no tokio runtime here, whose timers and tasks the cache needs.
    NoRuntime,
    /// The cache is shut down ([`Cache::shutdown`](crate::Cache::shutdown)), so nothing was stored.
    ShutDown,
    /// A write is in progress on the value's key or on one of its tags. Nothing was stored, because a value made before
    /// the write's commit would look like one made after it.
    Writing,
    /// The operating system has no random bits to give, so the value has no stamp and is not stored.
    NoRandomness,
    /// The value has more tags and events than are allowed.
    TooManyTags {
        /// The limit.
        max: usize,
    },
    /// The value could not be serialized, or would be read back as another one.
    Encode {
        /// The codec that refused it.
        codec: crate::Codec,
    },
    /// The serialized value is larger than the builder's `max_value_bytes`.
    TooLarge {
        /// The size of the value in bytes.
        bytes: usize,
        /// The limit in bytes.
        max: usize,
    },
    /// The options of the entry, or of its function, do not store this value.
    Policy,
    /// A pattern was given to a call that is about one key: [`Entry::set`](crate::Entry::set),
    /// [`Entry::remove`](crate::Entry::remove), or the invalidation of [`Cache::try_write`](crate::Cache::try_write). A
    /// pattern is a key of which a part, between `:`, is nothing but a `*`.
    ///
    /// A `*` that comes from a function's argument is no pattern: name that entry by [`entry!`](crate::entry).
    KeyPattern {
        /// The key as it was given.
        key: String,
    },
    /// A pattern was given as a tag to the invalidation of [`Cache::try_write`](crate::Cache::try_write). A pattern is
    /// a tag of which a part, between `:`, is nothing but a `*`.
    TagPattern {
        /// The tag as it was given.
        tag: String,
    },
    /// The write did not begin, because a part of what it changes cannot be rendered: its `Serialize` or its
    /// `KeyIdentity` fails.
    Unrenderable,
}

impl fmt::Display for CacheError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => write!(f, "the cache's store failed: {error}"),
            Self::BreakerOpen => f.write_str("the cache's store is not in use: its breaker is open"),
            Self::NoRuntime => f.write_str("there is no tokio runtime here: call the cache from inside of one"),
            Self::ShutDown => f.write_str("the cache is shut down, so nothing was stored"),
            Self::Writing => {
                f.write_str("a write is in progress on the value's key or on one of its tags, so nothing was stored")
            }
            Self::NoRandomness => f.write_str("no random bits for the value's stamp"),
            Self::TooManyTags { max } => write!(f, "more than {max} tags and events"),
            Self::Encode { codec } => write!(f, "the value could not be serialized as {codec}"),
            Self::TooLarge { bytes, max } => {
                write!(f, "the value takes {bytes} bytes, more than the {max} of `max_value_bytes`")
            }
            Self::Policy => f.write_str(
                "the entry's own options do not store this value: its `ttl` is zero, `cache_if` says no, or its \
                 `tags` fail",
            ),
            Self::KeyPattern { key } => write!(
                f,
                "`{key}` is a pattern, and this call is about one key: to remove all keys that begin alike, call \
                 `delete_matching({:?})`; to invalidate entries together, give them a tag (`tags = \"..\"`) or an \
                 event (`invalidate_on = ..`) and name that; for an argument that is a `*`, name the call, \
                 `entry!(call)`; in a key that you render yourself, write `%2A` for a `*`",
                key.split('*').next().unwrap_or_default()
            ),
            Self::TagPattern { tag } => write!(
                f,
                "`{tag}` is a pattern, and an invalidation by tag is of one tag: give the entries a tag for all of \
                 them as well (`tags = [..]`), or let them listen to any event of a type (`invalidate_on = Event {{ \
                 .. }}`)"
            ),
            Self::Unrenderable => f.write_str(
                "a part of what this write changes cannot be rendered into a key: its `Serialize` or its \
                 `KeyIdentity` fails",
            ),
        }
    }
}

impl Error for CacheError {
    /// The cause of the store's error. The store's error itself is in the text, so a chain of errors shows it once.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Store(error) => error.source(),
            _ => None,
        }
    }
}

impl From<StoreError> for CacheError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Why a call has no [`Entry`](crate::Entry): [`entry!`](crate::entry) and [`entries!`](crate::entries).
///
/// Its text names the function, and says what to write instead.
///
/// ```
/// use cached_core::EntryError;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// async fn not_annotated(id: u64) -> u64 {
///     id
/// }
///
/// let error = cached_core::entry!(not_annotated(42)).unwrap_err();
/// assert!(matches!(error, EntryError::NoCall));
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// The first poll of the future did not reach a `#[redis_cached]` function.
    #[error(
        "this is no call of a `#[redis_cached]` function that is about to begin: the future has been polled before, \
         waits for something else first, or ends without such a call; pass the call itself, `entry!(find_user(42))`"
    )]
    NoCall,
    /// The future makes several calls at once.
    #[error(
        "this future calls several `#[redis_cached]` functions at once, `{first}` and `{second}`; pass one \
         call, `entry!(find_user(42))`"
    )]
    Several {
        /// The path of one of the functions.
        first: &'static str,
        /// The path of another one.
        second: &'static str,
    },
    /// No cache is installed, and the call is in no scope.
    #[error(
        "there is no cache for the call of `{function}`: call `cache.install()` at start-up, or `cache.scope(..)` \
         around this; a spawned task is in the scope only with `tokio::spawn(cached_core::in_current_scope(..))`"
    )]
    NoCache {
        /// The path of the function.
        function: &'static str,
    },
    /// An argument cannot be part of a key: its `Serialize` or its `KeySegment` has failed.
    #[error("`{argument}` of this call of `{function}` cannot be rendered into its key, so the call is never cached")]
    Key {
        /// The path of the function.
        function: &'static str,
        /// The argument as the key names it (`filter.lang`), `<*>` if it is one of all, or the event that is made of
        /// it.
        argument: &'static str,
    },
    /// The function writes: it has no entry of its own to be asked for.
    #[error("`{function}` is a write; pass a call of the `#[redis_cached]` function whose entry is meant")]
    Write {
        /// The path of the function.
        function: &'static str,
    },
    /// The function is over many ids, each of which has an entry.
    #[error("`{function}` is a batch, with an entry for each id; write `entries!(..)`")]
    Batch {
        /// The path of the function.
        function: &'static str,
    },
    /// The function is no batch.
    #[error("`{function}` has one entry and is no batch; write `entry!(..)`")]
    NoBatch {
        /// The path of the function.
        function: &'static str,
    },
    /// What the future returns is not what the entry holds: another function is around the call.
    #[error(
        "the entry of `{function}` holds a `{holds}`, and this future returns a `{returns}`; pass the call of \
         `{function}` itself"
    )]
    Type {
        /// The path of the function.
        function: &'static str,
        /// The type that is stored.
        holds: &'static str,
        /// The type that the future returns.
        returns: &'static str,
    },
}

/// A store could not do what it was asked to.
///
/// ```
/// use cached_core::{FaultKind, StoreError};
///
/// let error = StoreError::new(FaultKind::OutOfMemory, "OOM command not allowed");
/// assert_eq!(error.to_string(), "server is out of memory: OOM command not allowed");
/// ```
#[derive(Debug, Clone, thiserror::Error)]
#[error("{kind}: {message}")]
#[non_exhaustive]
pub struct StoreError {
    /// The kind of the fault, which decides what the cache does.
    pub kind: FaultKind,
    /// The store's own words.
    pub message: String,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl StoreError {
    /// An error of the given kind, for stores of your own. `message` is for people.
    ///
    /// ```
    /// use cached_core::{FaultKind, StoreError};
    ///
    /// let error = StoreError::new(FaultKind::Timeout, "no answer in 100 ms");
    /// assert!(error.kind.is_outage());
    /// ```
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// The same error, with the error that caused it as its [source](std::error::Error::source). `message` should not
    /// repeat what the cause says, since who prints a chain of errors prints both.
    ///
    /// ```
    /// use cached_core::{FaultKind, StoreError};
    /// use std::error::Error;
    /// use std::io;
    ///
    /// let cause = io::Error::from(io::ErrorKind::ConnectionRefused);
    /// let error = StoreError::new(FaultKind::Disconnected, "no connection to the store").with_source(cause);
    /// assert_eq!(error.source().unwrap().to_string(), "connection refused");
    /// ```
    #[must_use]
    pub fn with_source(self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: Some(cause.into().into()), ..self }
    }
}

/// Kinds of faults of a store.
///
/// ```
/// use cached_core::FaultKind;
///
/// assert_eq!(FaultKind::ReadOnly.to_string(), "server is read-only");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FaultKind {
    /// No answer within the deadline.
    Timeout,
    /// There is no connection, or it broke.
    Disconnected,
    /// The tokio runtime that drove the connection has ended or stands still. This says nothing about the server.
    Abandoned,
    /// The server refuses the user or the password.
    Auth,
    /// The server is loading its data set.
    Loading,
    /// The server takes no writes.
    ReadOnly,
    /// The server is a replica or a Sentinel: its values may be old, and it takes no writes.
    NotPrimary,
    /// The server is busy with a script that takes long, and answers nobody meanwhile.
    Busy,
    /// The server's memory is full and its policy evicts nothing.
    OutOfMemory,
    /// Another data type stands under the key.
    WrongType,
    /// The server refused the command for another reason.
    Refused,
}

impl FaultKind {
    /// Whether the store as a whole is out of reach (which the breaker counts), not just this command or key.
    ///
    /// ```
    /// use cached_core::FaultKind;
    ///
    /// assert!(FaultKind::Disconnected.is_outage());
    /// assert!(!FaultKind::WrongType.is_outage());
    /// ```
    #[must_use]
    pub fn is_outage(self) -> bool {
        matches!(self, Self::Timeout | Self::Disconnected | Self::Auth | Self::Loading | Self::NotPrimary | Self::Busy)
    }
}

impl FaultKind {
    /// Whether the server itself has refused the command, so that it was not carried out and will not be.
    pub(crate) fn is_answer(self) -> bool {
        !self.is_outage() && self != Self::Abandoned
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout => "no answer in time",
            Self::Disconnected => "not connected",
            Self::Abandoned => "connection abandoned",
            Self::Auth => "user or password refused",
            Self::Loading => "server is loading its data",
            Self::ReadOnly => "server is read-only",
            Self::NotPrimary => "server is not the primary",
            Self::Busy => "server is busy with a script",
            Self::OutOfMemory => "server is out of memory",
            Self::WrongType => "another data type stands under the key",
            Self::Refused => "command refused",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    /// As who prints a chain of errors shows it, for instance by `{:#}` of an `anyhow::Error`.
    fn chain(error: &(dyn Error + 'static)) -> String {
        let errors = std::iter::successors(Some(error), |error| (**error).source());
        errors.map(ToString::to_string).collect::<Vec<_>>().join(": ")
    }

    #[test]
    fn a_chain_says_everything_once() {
        let cause = io::Error::from(io::ErrorKind::ConnectionRefused);
        let error = StoreError::new(FaultKind::Disconnected, "no way to cache.internal");
        let plain = "the cache's store failed: not connected: no way to cache.internal";
        assert_eq!(chain(&CacheError::from(error.clone())), plain);
        let error = CacheError::from(error.with_source(cause));
        assert_eq!((error.to_string(), chain(&error)), (plain.to_owned(), format!("{plain}: connection refused")));
    }
}
