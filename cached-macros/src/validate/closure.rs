//! Rules about closures: they are stored as `fn` pointers, so they capture nothing.

use std::collections::HashSet;

use syn::{Expr, Ident};

use super::mentions;
use super::scope::spelled;
use crate::diagnostics::Errors;
use crate::signature::Names;

/// An argument in a closure of the value. rustc says "expected fn pointer, found closure" and not what to do about it.
///
/// Simple captures only: what stands inside a macro, or has the name of something that the closure binds itself, is left
/// to rustc.
pub(super) fn captures(option: &Ident, code: &Expr, names: &Names, errors: &mut Errors) {
    let Expr::Closure(_) = code else { return };
    let advice = if option == "ttl" {
        "write an expression of the arguments instead"
    } else if option == "tags" {
        "write a template beside it, `tags = [\"tenant:<tenant>\", |value: &T| ..]`"
    } else {
        "decide in the function, or put it into the value"
    };
    let mut reported = HashSet::new();
    for name in mentions::values(code) {
        let spelling = spelled(&name);
        let what = if spelling == "self" && names.receiver.is_some() { "the receiver" } else { "an argument" };
        let captured = names.argument(&spelling).is_some() || what == "the receiver";
        if captured && reported.insert(name.clone()) {
            let message = format!("the closure of `{option}` sees only the value; `{spelling}` is {what}: {advice}");
            errors.on(name, message);
        }
    }
}
