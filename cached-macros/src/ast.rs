//! What the user wrote between the parentheses of the attribute.

use syn::{Expr, Ident, LitStr, Path};

/// One option: left out, given, or given in a form that has already been reported.
///
/// A rule whose option is broken is skipped and not guessed at; so one fault makes one message.
#[derive(Default)]
pub(crate) enum Setting<T> {
    #[default]
    Absent,
    Broken,
    Given {
        /// The name of the option; messages about the option as a whole point here.
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

    pub(crate) fn into_value(self) -> Option<T> {
        match self {
            Self::Given { value, .. } => Some(value),
            Self::Absent | Self::Broken => None,
        }
    }

    /// The option was meant to be there: rules that depend on it must not complain that it is missing.
    pub(crate) fn not_missing(&mut self) {
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

/// All options of `#[redis_cached(..)]`.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) key: Setting<LitStr>,
    pub(crate) skip: Setting<Vec<Ident>>,
    pub(crate) ttl: Setting<Expr>,
    pub(crate) jitter: Setting<Expr>,
    pub(crate) none_ttl: Setting<LitStr>,
    pub(crate) cache_if: Setting<Expr>,
    pub(crate) version: Setting<Expr>,
    pub(crate) codec: Setting<LitStr>,
    pub(crate) cache: Setting<Expr>,
    pub(crate) crate_path: Setting<Path>,
}
