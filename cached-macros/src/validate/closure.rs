//! Rules for closures: they are stored as `fn` pointers, so they cannot capture anything.

use std::collections::HashSet;

use syn::{Expr, Ident};

use super::mentions;
use super::scope::spelled;
use crate::diagnostics::Errors;
use crate::signature::Names;

/// Reports arguments in a closure of the value. rustc only says "expected fn pointer, found closure", and not what to
/// write.
///
/// Finds simple captures only. Names inside of a macro, and names that the closure binds itself, are left to rustc.
pub(super) fn captures(option: &Ident, code: &Expr, names: &Names, errors: &mut Errors) {
    let Expr::Closure(_) = code else { return };
    let advice = if option == "ttl" {
        "write an expression of the arguments instead"
    } else if option == "tags" {
        "add a template, `tags = [\"tenant:<tenant>\", |value: &T| ..]`"
    } else {
        "decide in the function, or store it in the value"
    };
    let mut reported = HashSet::new();
    for name in mentions::values(code) {
        let spelling = spelled(&name);
        let what = if spelling == "self" && names.receiver.is_some() { "the receiver" } else { "an argument" };
        let captured = names.argument(&spelling).is_some() || what == "the receiver";
        if captured && reported.insert(name.clone()) {
            let message =
                format!("the closure of `{option}` can use only the value, and `{spelling}` is {what}; {advice}");
            errors.on(name, message);
        }
    }
}
