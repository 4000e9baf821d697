//! What the user wrote between the parentheses of an attribute.

use syn::{Expr, ExprStruct, Ident, LitStr, Pat, Path};

/// One option: absent, given, or broken in a way that was already reported.
///
/// Rules skip a broken option and do not guess its value, so one fault makes one message.
#[derive(Default)]
pub(crate) enum Setting<T> {
    #[default]
    Absent,
    Broken,
    Given {
        /// The name of the option, where messages about the whole option point.
        name: Ident,
        value: T,
    },
}

impl<T> Setting<T> {
    pub(crate) fn value(&self) -> Option<&T> {
        match self {
            Self::Given { value, .. } => Some(value),
            Self::Absent | Self::Broken => None,
        }
    }

    /// The name of the option, if it is given.
    pub(crate) fn name(&self) -> Option<&Ident> {
        match self {
            Self::Given { name, .. } => Some(name),
            Self::Absent | Self::Broken => None,
        }
    }

    pub(crate) fn into_value(self) -> Option<T> {
        match self {
            Self::Given { value, .. } => Some(value),
            Self::Absent | Self::Broken => None,
        }
    }

    /// Marks an absent option as broken: the user has misspelt it, so rules must not report that it is missing.
    pub(crate) fn mark_misspelt(&mut self) {
        if self.is_absent() {
            *self = Self::Broken;
        }
    }

    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    pub(crate) fn is_broken(&self) -> bool {
        matches!(self, Self::Broken)
    }
}

/// The values of an option that may be repeated, or values without an option name.
pub(crate) struct Many<T>(pub(crate) Vec<T>);

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// An event, parsed as an expression.
pub(crate) enum Event {
    /// `CatalogueReloaded`
    Unit(Path),
    /// `UserUpdated { id }`, `UserUpdated { .. }`
    Fields(ExprStruct),
}

/// `for user in users { UserUpdated { id: user.id }, key = "user:<user.id>" }`
pub(crate) struct Each {
    pub(crate) pattern: Pat,
    pub(crate) list: Expr,
    pub(crate) emits: Vec<Event>,
    pub(crate) removes: Vec<LitStr>,
    pub(crate) tags: Vec<LitStr>,
}

/// `tags = ["tenant:<tenant>", |user: &User| ..]`
pub(crate) struct Tags {
    pub(crate) templates: Vec<LitStr>,
    /// Closures and paths of functions.
    pub(crate) of_value: Vec<Expr>,
}

/// The options of all attributes. [`crate::parse`] knows which attribute has which.
#[derive(Default)]
pub(crate) struct Options {
    /// The events that a write causes, which have no option name.
    pub(crate) emits: Many<Event>,
    pub(crate) key: Setting<LitStr>,
    /// The `key`s of `#[redis_invalidate]`.
    pub(crate) removes: Many<LitStr>,
    pub(crate) tag: Many<LitStr>,
    /// What a write invalidates for each item of a list.
    pub(crate) each: Many<Each>,
    pub(crate) skip: Setting<Vec<Ident>>,
    pub(crate) uncommitted: Setting<LitStr>,
    pub(crate) ttl: Setting<Expr>,
    pub(crate) jitter: Setting<Expr>,
    pub(crate) none_ttl: Setting<LitStr>,
    pub(crate) cache_if: Setting<Expr>,
    pub(crate) error_if: Setting<Expr>,
    pub(crate) error_ttl: Setting<LitStr>,
    pub(crate) invalidate_on: Setting<Vec<Event>>,
    pub(crate) tags: Setting<Tags>,
    pub(crate) version: Setting<Expr>,
    pub(crate) codec: Setting<LitStr>,
    pub(crate) batch: Setting<Ident>,
    pub(crate) local: Setting<LitStr>,
    pub(crate) on_gap: Setting<LitStr>,
    pub(crate) stale_while_revalidate: Setting<LitStr>,
    pub(crate) stale_if_error: Setting<LitStr>,
    /// The value is β, if one is given.
    pub(crate) refresh_ahead: Setting<Option<Expr>>,
    pub(crate) refresh: Setting<LitStr>,
    pub(crate) spawn: Setting<()>,
    pub(crate) load_timeout: Setting<LitStr>,
    pub(crate) mode: Setting<LitStr>,
    pub(crate) on_unavailable: Setting<LitStr>,
    pub(crate) cache: Setting<Expr>,
    pub(crate) crate_path: Setting<Path>,
}
