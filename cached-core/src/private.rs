//! What generated code may call. Not public API: no part of it is covered by semantic versioning, and
//! `cached-macros` is pinned to this very version.

pub use crate::cache::Cache;
pub use crate::codec::Codec as CodecName;
pub use crate::engine::shell::{Call, Policy, look};
pub use crate::key::{Hashed, KeySegment, Piece, TypeName};
pub use crate::outcome::{Probe, Shape, ShapeOfOption, ShapeOfResult, ShapeOfResultOption, ShapeOfValue};
pub use crate::site::{Registered, Site, SiteSpec};
pub use crate::ttl::{NoneTtl, TtlSpec};
pub use core::option::Option::{None, Some};
pub use core::result::Result::{Err, Ok};
pub use core::{file, line, module_path};
pub use inventory;

use crate::ambient;

/// Makes a site known before its function's first call.
#[doc(hidden)]
#[macro_export]
macro_rules! __register {
    ($site:ident) => {
        $crate::__private::inventory::submit! { $crate::__private::Registered(&$site) }
    };
}
pub use crate::__register as register;

/// The path of the function whose body holds the closure, generic arguments included.
#[must_use]
pub fn name_of<F>(_: &F) -> &'static str {
    std::any::type_name::<F>()
}

/// Pins the type of an `async` block that only its caller's signature tells.
#[must_use]
pub fn returns<R>() -> R {
    unreachable!("stands behind `if false`")
}

/// The policy of values of a shape, so that closures know the type of their argument.
#[must_use]
pub fn policy<S: Shape>(_: S) -> Policy<S::Item> {
    Policy::default()
}

/// What a hash can be made of: `Serialize`, with a message that knows what to do about the rest.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be hashed into the cache key",
    label = "not `Serialize`",
    note = "if it is not part of the call's identity (a connection, a context), leave it out by name: `skip(..)`",
    note = "else derive `serde::Serialize`, or write a `key` template of its fields"
)]
pub trait HashedArgument: serde::Serialize {}

// So that the message above is what the compiler says, and not one about the bound.
#[diagnostic::do_not_recommend]
impl<T: serde::Serialize + ?Sized> HashedArgument for T {}

/// An argument on its way into a hash.
#[derive(Debug)]
pub struct Argument<'a, T: ?Sized>(pub &'a T);

impl<'a, T: serde::Serialize + ?Sized> Argument<'a, T> {
    /// The argument.
    #[must_use]
    pub fn __cached_core_hashed(self) -> &'a T {
        self.0
    }
}

/// What method resolution finds for an argument that is not `Serialize`. It makes the one error, and something that can
/// be hashed: otherwise the hash of all arguments would be an error as well.
pub trait Unhashable<T: ?Sized> {
    /// Never to be called.
    fn __cached_core_hashed(self) -> &'static ()
    where
        T: HashedArgument;
}

impl<T: ?Sized> Unhashable<T> for Argument<'_, T> {
    fn __cached_core_hashed(self) -> &'static ()
    where
        T: HashedArgument,
    {
        &()
    }
}

impl Call {
    /// Finds the cache and renders the key.
    #[must_use]
    pub fn new(site: &'static Site, cache: Option<&Cache>, path: &'static str, segments: &[&dyn KeySegment]) -> Self {
        let Some(cache) = cache.cloned().or_else(ambient::current) else { return Self::uncached() };
        let engine = cache.into_engine();
        let key = engine.settings.prefix.render(site.spec().template, path, segments);
        let site = engine.site(site);
        Self::of(engine, site, key, path)
    }
}
