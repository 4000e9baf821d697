//! The arguments that the closure of `tags` names behind the value.
//!
//! The closure runs after the body, which may have consumed its arguments, and a load may be a task that outlives its
//! caller. So a load clones them before its body runs; a hit does not.

use std::borrow::Borrow;

/// Required of each argument that the closure of `tags` names.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be kept for the closure of `tags`",
    label = "needs `Clone + Send + Sync + 'static`",
    note = "the closure runs after the body, which may consume its arguments: a load clones those that the closure names",
    note = "write `#[derive(Clone)]` on the type, or a template of its fields: `tags = [\"tenant:<filter.tenant>\", |value: &T| ..]`"
)]
pub trait NamedArgument: 'static {
    /// The clone.
    type Kept: Send + Sync + 'static;

    /// Clones it.
    fn keep(&self) -> Self::Kept;

    /// The clone, borrowed.
    fn lend(kept: &Self::Kept) -> &Self;
}

#[diagnostic::do_not_recommend]
impl<T: ToOwned<Owned: Send + Sync + 'static> + ?Sized + 'static> NamedArgument for T {
    type Kept = T::Owned;

    fn keep(&self) -> T::Owned {
        self.to_owned()
    }

    fn lend(kept: &T::Owned) -> &T {
        kept.borrow()
    }
}

/// An argument that the closure of `tags` names. The closure gets a reference to what the argument is or refers to.
#[derive(Debug)]
pub struct Named<'a, T: ?Sized>(pub &'a T);

impl<'a, T: ?Sized> Named<'a, &'a T> {
    /// What the argument refers to.
    #[must_use]
    pub fn __cached_core_named(self) -> &'a T {
        self.0
    }
}

impl<'a, T: ?Sized> Named<'a, &mut T> {
    /// What the argument refers to.
    #[must_use]
    pub fn __cached_core_named(self) -> &'a T {
        self.0
    }
}

/// Method resolution finds this for an argument that is no reference.
pub trait NamedWhole<'a, T: ?Sized> {
    /// The argument.
    fn __cached_core_named(self) -> &'a T;
}

impl<'a, T: ?Sized> NamedWhole<'a, T> for Named<'a, T> {
    fn __cached_core_named(self) -> &'a T {
        self.0
    }
}
