//! What templates and events may name.

use proc_macro2::Span;
use syn::Ident;
use syn::ext::IdentExt;

use crate::ast::Setting;
use crate::diagnostics::{Errors, list};
use crate::role::Role;
use crate::signature::Names;
use crate::suggest::did_you_mean;

use crate::model::Mode;

/// The names of the function, and `ret`.
pub(super) struct Scope<'a> {
    pub(super) names: &'a Names,
    ret: Ret,
    /// The names of one item in a `for`; `names` has them as well.
    items: &'a [Ident],
    /// Whether a `for` may stand here.
    pub(super) may_repeat: bool,
}

/// What `ret` means, unless an argument has this name.
#[derive(Clone, Copy)]
enum Ret {
    /// Nothing special.
    Nothing,
    /// The value that the function returned.
    Returned,
    /// The value that the function returns, which is not known yet. The message says why, and what to write instead.
    Later(&'static str),
}

impl<'a> Scope<'a> {
    /// The names in `#[redis_cached]` and `#[redis_put]`.
    pub(super) fn of_entry(role: Role, names: &'a Names) -> Self {
        let ret = if role == Role::Put {
            Ret::Later(
                "`ret` is what the function returns, but a put needs its key, tags and events before the function \
                 runs; name arguments, or write `#[redis_invalidate(.., mode = \"after\")]` in place of the put",
            )
        } else {
            Ret::Nothing
        };
        Self { names, ret, items: &[], may_repeat: false }
    }

    /// The names in `#[redis_invalidate]`.
    pub(super) fn of_invalidation(mode: &Setting<Mode>, names: &'a Names) -> Self {
        let ret = match mode.value() {
            None if mode.is_broken() => Ret::Returned,
            Some(Mode::After) => Ret::Returned,
            Some(Mode::Bracket) | None => Ret::Later(
                "`ret` is what the function returns, but a bracket begins before the function runs; write `mode = \
                 \"after\"`",
            ),
        };
        Self { names, ret, items: &[], may_repeat: true }
    }

    /// The names between the braces of a `for` in this scope. `names` are those of this scope and the items;
    /// `is_of_ret` says whether the items are part of what the function returned.
    pub(super) fn of_items<'i>(&self, names: &'i Names, items: &'i [Ident], is_of_ret: bool) -> Scope<'i> {
        let ret = match self.ret {
            Ret::Returned if !is_of_ret => Ret::Later(
                "`ret` is what the function returns, and this list is read before the function runs; name `ret` outside \
                 of the `for`, or go through a list in it: `for order in ret.orders { .. }`",
            ),
            ret => ret,
        };
        Scope { names, ret, items, may_repeat: false }
    }

    /// Whether the name means an item of a list.
    pub(super) fn is_item(&self, name: &Ident) -> bool {
        self.items.iter().any(|item| spelled(item) == spelled(name))
    }

    /// Whether the name means the returned value.
    pub(super) fn is_ret(&self, name: &str) -> bool {
        name == "ret" && !matches!(self.ret, Ret::Nothing) && self.names.argument("ret").is_none()
    }

    /// Reports `ret` where the returned value is not known yet.
    pub(super) fn may_use_ret(&self, at: Span, errors: &mut Errors) -> bool {
        if let Ret::Later(message) = self.ret {
            errors.at(at, message);
            return false;
        }
        true
    }

    /// The arguments among these names, without duplicates.
    pub(super) fn arguments<'n>(&self, names: impl IntoIterator<Item = &'n Ident>) -> Vec<Ident> {
        let mut found: Vec<Ident> = Vec::new();
        for name in names {
            if self.names.argument(&spelled(name)).is_some() && !found.contains(name) {
                found.push(name.clone());
            }
        }
        found
    }

    /// Everything a placeholder can name, except `self` and `ret`.
    pub(super) fn candidates(&self) -> Vec<String> {
        self.names.argument_names().chain(self.names.parameters().map(spelled)).collect()
    }

    /// "; available: ..", or nothing.
    pub(super) fn available(&self) -> String {
        match self.candidates().as_slice() {
            [] => String::new(),
            candidates => format!("; available: {}", list(candidates)),
        }
    }
}

/// The message for a name that is not an argument; `place` is the option that it is in.
pub(super) fn unknown(place: &str, name: &str, known: &[String]) -> String {
    let suggestion = did_you_mean(name, known.iter().map(String::as_str));
    match known {
        [] => format!("no argument `{name}`: the function has no arguments; remove it from `{place}`"),
        known => format!("no argument `{name}`; {suggestion}available: {}", list(known)),
    }
}

/// A name as templates write it: `type` for `r#type`.
pub(super) fn spelled(name: &Ident) -> String {
    name.unraw().to_string()
}
