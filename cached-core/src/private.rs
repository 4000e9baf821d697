//! The items that generated code may name. They are not public API and not covered by semantic versioning, and
//! `cached-macros` is pinned to this very version.

pub use crate::cache::entry::asked::{Callable, ManyEntries, NoQuestion, Question};
pub use crate::codec::{ByteValue, Codec as CodecName};
pub use crate::engine::batch::{batch, missing, run, settle};
pub use crate::engine::call::near::near;
pub use crate::engine::call::spawn::{Borrowed, Borrowing, Moved, Owned, Returns, Unclonable, moved};
pub use crate::engine::call::{Call, read};
pub use crate::engine::handle::Cache;
pub use crate::engine::policy::{Named, NamedArgument, NamedWhole, Policy, TagList};
pub use crate::engine::write::Write;
pub use crate::engine::{Bracket, Put};
pub use crate::event::{CacheEvent, Declared, EventField, EventSpec, EventUse, RegisteredEvent, TagUse, Topic};
pub use crate::invalidation::Tag;
pub use crate::key::{
    Hashed, KeyIdentity, KeySegment, Piece, Rendered, SegmentWriter, Serialized, SerializedIdentity, TypeName,
};
pub use crate::many::{
    IdsProbe, ManyInResult, ManyPlain, ManyProbe, ManyRefused, OwnedId, PassNone, PassOwned, Passage, ids, lend, one,
};
pub use crate::near::keep::{
    Keep, KeepBoth, KeepCloned, KeepErrorRefused, KeepNone, KeepRefused, KeepShared, NearError, NearValue, Unkept,
    Values,
};
pub use crate::outcome::{
    ErrorValue, ErrorsProbe, FindErrors, Probe, Refuse, RefuseErrors, Returned, Shape, ShapeOfOption, ShapeOfResult,
    ShapeOfResultOption, ShapeOfValue, WithoutValue,
};
pub use crate::round_trip::{Compared, ComparedByBoth, ComparedByBytes, ComparedByDebug, ComparedByEq, Comparison};
pub use crate::site::{Freshness, Local, Registered, Role, Site, SiteSpec};
pub use crate::ttl::{NoneTtl, TtlSpec};
pub use core::clone::Clone;
pub use core::ops::FnOnce;
pub use core::option::Option::{None, Some};
pub use core::result::Result::{Err, Ok};
pub use core::{assert, column, file, line, module_path, primitive};
pub use inventory;

use crate::engine::ambient;
use crate::engine::asking;
use crate::error::EntryError;
use crate::event::Topics;
use crate::outcome::{RefusedErrors, WithErrors};

/// Makes a site known before its function's first call.
#[doc(hidden)]
#[macro_export]
macro_rules! __register {
    ($site:ident) => {
        $crate::__private::inventory::submit! { $crate::__private::Registered(&$site) }
    };
}
pub use crate::__register as register;

/// Whether the path of a module is that of a crate's root.
#[must_use]
pub const fn is_root(module: &str) -> bool {
    let (mut rest, mut is_root) = (module.as_bytes(), true);
    while let [first, others @ ..] = rest {
        is_root &= *first != b':';
        rest = others;
    }
    is_root
}

/// A function that returns the path of the closure's place.
#[must_use]
pub const fn inside<F>(_: &F) -> fn() -> &'static str {
    std::any::type_name::<F>
}

/// The path of the function whose body holds the closure, generic arguments included.
#[must_use]
pub fn name_of<F>(_: &F) -> &'static str {
    std::any::type_name::<F>()
}

/// Makes an event known to the audit.
#[doc(hidden)]
#[macro_export]
macro_rules! __register_event {
    ($spec:expr) => {
        $crate::__private::inventory::submit! { $crate::__private::RegisteredEvent($spec) }
    };
}
pub use crate::__register_event as register_event;

/// An argument that is cloned for every run of a batch's body.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be cloned for each run of a batch's body",
    label = "needs `Clone`, or to be taken by reference",
    note = "ids that another call was loading and did not get are loaded by a second run of the body, with the same arguments"
)]
pub trait Again: Clone {}

#[diagnostic::do_not_recommend]
impl<T: Clone> Again for T {}

/// An argument for one run of a batch's body.
pub fn again<T: Again>(argument: &T) -> T {
    argument.clone()
}

/// The value of `ret`: what the function returned, unless it is an `Err`.
pub fn ret<S: Returned>(_: S, returned: &S::Of) -> Option<&S::Ok> {
    S::ok(returned)
}

/// The return value of a write that was not begun.
#[must_use]
pub fn refused<R: Refuse>(error: crate::error::CacheError) -> R {
    R::refused(error)
}

/// A segment rendered before the body runs, which may consume what it was rendered from.
#[must_use]
pub fn rendered(segment: &dyn KeySegment) -> Rendered {
    Rendered::of(segment)
}

/// Fixes the type of an `async` block to the return type of the function around it.
#[must_use]
pub fn returns<R>() -> R {
    unreachable!("stands behind `if false`")
}

/// The policy for values of a shape, which gives closures the type of their argument.
#[must_use]
pub fn policy<S: Shape>(_: S) -> Policy<S::Item, S::Error> {
    Policy::default()
}

/// The shape of a function that can fail, which `stale_if_error` needs.
#[diagnostic::on_unimplemented(
    message = "`stale_if_error` is for loads that fail, and this function cannot fail",
    label = "the function returns no `Result`",
    note = "return a `Result` whose `Err` says that the source is down, or leave `stale_if_error` out",
    note = "for old values while one call loads a new one write `stale_while_revalidate`; for loads that take too long, \
            `load_timeout` beside `stale_if_error`"
)]
pub trait Fallible {}

#[diagnostic::do_not_recommend]
impl<T, E> Fallible for crate::outcome::ResultOption<T, E> {}

#[diagnostic::do_not_recommend]
impl<T, E> Fallible for crate::outcome::ResultValue<T, E> {}

// `error_if` requires by itself that the function can fail, and the user shall see that message once.
#[diagnostic::do_not_recommend]
impl<S> Fallible for WithErrors<S> {}

#[diagnostic::do_not_recommend]
impl<S> Fallible for RefusedErrors<S> {}

/// Compiles only if values of this shape are bytes.
pub fn are_bytes<S: Shape<Item: ByteValue>>(_: S) {}

/// Compiles only if a function of this shape can fail.
pub fn can_fail<S: Fallible>(_: S) {}

/// An argument that is about to be hashed.
#[derive(Debug)]
pub struct Argument<'a, T: ?Sized>(pub &'a T);

impl<'a, T: KeyIdentity + ?Sized> Argument<'a, T> {
    /// The argument.
    #[must_use]
    pub fn __cached_core_hashed(self) -> &'a T {
        self.0
    }
}

/// Method resolution finds this for an argument that has no identity. It makes the one error, and returns something
/// that can be hashed: otherwise the hash of all arguments would be a second error.
pub trait Unhashable<T: ?Sized> {
    /// Never called.
    fn __cached_core_hashed(self) -> &'static ()
    where
        T: KeyIdentity;
}

impl<T: ?Sized> Unhashable<T> for Argument<'_, T> {
    fn __cached_core_hashed(self) -> &'static ()
    where
        T: KeyIdentity,
    {
        &()
    }
}

/// The name of the event that the function takes. In a parameter's pattern, the name of a struct resolves as it does in
/// an expression that makes one.
#[must_use]
pub const fn name_of_event<E: CacheEvent>(_: fn(E)) -> &'static str {
    E::NAME
}

/// An event that is about to be added to a call.
#[derive(Debug)]
pub struct Occurrence<'a, E>(pub &'a E);

impl<'a, E: CacheEvent> Occurrence<'a, E> {
    /// The event.
    #[must_use]
    pub fn __cached_core_event(self) -> &'a E {
        self.0
    }
}

/// Method resolution finds this for a type that is no event. The site's descriptor has made the error for it, which
/// must not be repeated.
pub trait NoEvent {
    /// Never called.
    fn __cached_core_event(self) -> &'static Nothing;
}

impl<E> NoEvent for Occurrence<'_, E> {
    fn __cached_core_event(self) -> &'static Nothing {
        &Nothing
    }
}

/// An event that never occurs.
#[derive(Debug)]
pub struct Nothing;

impl CacheEvent for Nothing {
    const NAME: &'static str = "";
    const FIELDS: &'static [&'static str] = &[];

    fn with_segments<R>(&self, read: impl FnOnce(&[&dyn KeySegment]) -> R) -> R {
        read(&[])
    }
}

/// Goes through the items of a list.
pub fn items<I: IntoIterator>(list: I) -> I::IntoIter {
    list.into_iter()
}

impl Call {
    /// Finds the cache and renders the key.
    #[must_use]
    pub fn new(site: &'static Site, cache: Option<&Cache>, path: &'static str, segments: &[&dyn KeySegment]) -> Self {
        ambient::in_cache(cache, |cache| Self::after_near(cache.engine(), site, path, segments, None))
            .unwrap_or_else(|| Self::without_cache(site))
    }

    /// The entry depends on this event.
    #[must_use]
    pub fn event<E: CacheEvent>(self, event: &E) -> Self {
        self.tagged(|prefix| prefix.render_event(event))
    }

    /// The entry depends on all events of this name.
    #[must_use]
    pub fn any_event(self, name: &'static str) -> Self {
        self.tagged(|prefix| Ok(prefix.event(name, "")))
    }

    /// The entry depends on all events of this name that agree in these fields, which are sorted.
    #[must_use]
    pub fn some_events(self, name: &'static str, fields: &[&str], values: &[&dyn KeySegment]) -> Self {
        self.tagged(|prefix| prefix.render_topic(name, fields, values))
    }

    /// The entry has this tag.
    #[must_use]
    pub fn tag(self, template: &[Piece], segments: &[&dyn KeySegment]) -> Self {
        self.tagged(|prefix| prefix.render_tag(template, segments))
    }
}

impl Write {
    /// Finds the cache.
    #[must_use]
    pub fn new(site: &'static Site, cache: Option<&Cache>) -> Self {
        if asking::refuse(|| EntryError::Write { function: site.path() }) {
            return Self::of(None, site);
        }
        Self::of(cache.cloned().or_else(ambient::current).map(Cache::into_engine), site)
    }

    /// Adds something for each of the items.
    #[must_use]
    pub fn each<I: Iterator>(self, items: I, add: impl FnMut(Self, I::Item) -> Self) -> Self {
        if self.is_without_cache() { self } else { items.fold(self, add) }
    }

    /// The write causes this event.
    #[must_use]
    pub fn event<E: CacheEvent>(self, event: &E) -> Self {
        self.with(|registers, prefix| registers.event(prefix, &Topics::of(event)))
    }

    /// The write invalidates the entry under this key.
    #[must_use]
    pub fn key(self, template: &[Piece], segments: &[&dyn KeySegment]) -> Self {
        self.with(|registers, prefix| prefix.render(template, "", segments).map(|key| registers.key(key)))
    }

    /// The write invalidates all entries with this tag.
    #[must_use]
    pub fn tag(self, template: &[Piece], segments: &[&dyn KeySegment]) -> Self {
        self.with(|registers, prefix| prefix.render_tag(template, segments).map(|tag| registers.tag(prefix, tag)))
    }
}
