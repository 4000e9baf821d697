//! Rules about closures: they are stored as `fn` pointers, so they capture nothing.

use std::collections::HashSet;

use syn::ext::IdentExt;
use syn::visit::{self, Visit};
use syn::{Expr, ExprPath, Ident, PatIdent};

use crate::diagnostics::Errors;
use crate::signature::Names;

/// An argument in a closure of the value. rustc says "expected fn pointer, found closure" and not what to do about it.
///
/// Simple captures only: what stands inside a macro, or has the name of something that the closure binds itself, is left
/// to rustc.
pub(super) fn captures(option: &Ident, code: &Expr, names: &Names, errors: &mut Errors) {
    let Expr::Closure(closure) = code else { return };
    let mut seen = Seen::default();
    seen.visit_expr_closure(closure);

    let advice = if option == "ttl" {
        "write an expression of the arguments instead"
    } else {
        "decide in the function, or put it into the value"
    };
    let mut reported = HashSet::new();
    for name in seen.used {
        let spelling = name.unraw().to_string();
        let what = if spelling == "self" && names.receiver.is_some() { "the receiver" } else { "an argument" };
        let captured = names.argument(&spelling).is_some() || what == "the receiver";
        if captured && !seen.bound.contains(name) && reported.insert(name) {
            let message = format!("the closure of `{option}` sees only the value; `{spelling}` is {what}: {advice}");
            errors.on(name, message);
        }
    }
}

/// The names in a closure.
#[derive(Default)]
struct Seen<'c> {
    /// Bound by its parameters, by a `let`, or by any other pattern.
    bound: HashSet<&'c Ident>,
    /// Standing alone as a value.
    used: Vec<&'c Ident>,
}

impl<'c> Visit<'c> for Seen<'c> {
    fn visit_pat_ident(&mut self, pat: &'c PatIdent) {
        self.bound.insert(&pat.ident);
        visit::visit_pat_ident(self, pat);
    }

    fn visit_expr_path(&mut self, path: &'c ExprPath) {
        self.used.extend(path.path.get_ident());
    }
}
