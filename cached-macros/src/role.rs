//! The attributes, by what their functions do.

use std::fmt;

/// What a function does, as its attribute says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// `#[redis_cached]`
    Read,
    /// `#[redis_invalidate]`
    Invalidate,
    /// `#[redis_put]`
    Put,
}

impl Role {
    const ALL: [Self; 3] = [Self::Read, Self::Invalidate, Self::Put];

    /// The name of the attribute.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Read => "redis_cached",
            Self::Invalidate => "redis_invalidate",
            Self::Put => "redis_put",
        }
    }

    /// The role of an attribute, if it is one of ours.
    pub(crate) fn of(attr: &syn::Attribute) -> Option<Self> {
        let last = attr.path().segments.last()?;
        Self::ALL.into_iter().find(|role| last.ident == role.name())
    }

    /// Whether the function changes data.
    pub(crate) fn is_write(self) -> bool {
        self != Self::Read
    }
}

/// The attribute as messages name it.
impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`#[{}]`", self.name())
    }
}
