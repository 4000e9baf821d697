//! Rules for closures: they are stored as `fn` pointers, so they cannot capture anything. The closure of `tags` may name
//! arguments as parameters.

use std::collections::HashSet;

use proc_macro2::Span;
use syn::{Expr, ExprClosure, Ident, Pat};

use super::mentions;
use super::scope::{spelled, unknown};
use crate::diagnostics::Errors;
use crate::signature::Names;

/// The most arguments that the closure of `tags` can name.
const MOST_ARGUMENTS: usize = 4;

/// The arguments that the closure of `tags` names behind the value, and where.
///
/// `element` is the name of one id in a batch.
// Input:  |page: &Page, tenant, lang: &str| ..
// Output: [tenant, lang]
pub(super) fn arguments(
    code: &Expr,
    names: &Names,
    element: Option<&Ident>,
    errors: &mut Errors,
) -> Vec<(Ident, Span)> {
    let Expr::Closure(ExprClosure { inputs, .. }) = code else { return Vec::new() };
    let mut arguments = Vec::new();
    for (place, parameter) in inputs.iter().skip(1).enumerate() {
        let Some(name) = simple_name(parameter) else {
            let message = "behind the value, the parameters of the closure of `tags` are names of arguments; write \
                           `|value: &T, tenant| ..`";
            errors.on(parameter, message);
            continue;
        };
        let spelling = spelled(name);
        if element.is_some_and(|element| spelled(element) == spelling) {
            let message = format!(
                "a batch makes the tags of all its values with one closure, which cannot see their ids; add a template, \
                 `tags = [\"..:<{spelling}>\", |value: &T| ..]`"
            );
            errors.on(name, message);
            continue;
        }
        let Some(argument) = names.argument(&spelling) else {
            errors.on(name, unknown("tags", &spelling, &names.argument_names().collect::<Vec<_>>()));
            continue;
        };
        if let Some(cfg) = &argument.cfg {
            let message = format!(
                "`#[cfg]` on `{spelling}` is evaluated after the closure of `tags` is read, so it cannot name \
                 `{spelling}`; return the tag from the value"
            );
            errors.on(cfg, message);
        }
        if place == MOST_ARGUMENTS {
            let message = format!(
                "the closure of `tags` can name {MOST_ARGUMENTS} arguments beside the value; pass several as one tuple \
                 or struct, or add a template"
            );
            errors.on(name, message);
        }
        arguments.push((argument.name.clone(), name.span()));
    }
    arguments
}

/// The name of a parameter that is nothing but a name, with or without a type.
fn simple_name(parameter: &Pat) -> Option<&Ident> {
    match parameter {
        Pat::Ident(name) if name.by_ref.is_none() && name.subpat.is_none() => Some(&name.ident),
        Pat::Type(typed) => simple_name(&typed.pat),
        _ => None,
    }
}

/// Reports arguments in a closure of the value. rustc only says "expected fn pointer, found closure", and not what to
/// write.
///
/// Finds simple captures only. Names inside of a macro, and names that the closure binds itself, are left to rustc.
pub(super) fn captures(option: &Ident, code: &Expr, names: &Names, errors: &mut Errors) {
    let Expr::Closure(_) = code else { return };
    let of = if option == "error_if" { "error" } else { "value" };
    let advice = if option == "ttl" {
        "write an expression of the arguments instead"
    } else if option == "tags" {
        "name it behind the value, `|value: &T, argument| ..`"
    } else {
        &format!("decide in the function, or store it in the {of}")
    };
    let of_self =
        if option == "tags" { "add a template, `tags = [\"tenant:<self.tenant>\", |value: &T| ..]`" } else { advice };
    let mut reported = HashSet::new();
    for name in mentions::values(code) {
        let spelling = spelled(&name);
        let what = if spelling == "self" && names.receiver.is_some() { "the receiver" } else { "an argument" };
        let captured = names.argument(&spelling).is_some() || what == "the receiver";
        if captured && reported.insert(name.clone()) {
            let advice = if what == "the receiver" { of_self } else { advice };
            let message =
                format!("the closure of `{option}` can use only the {of}, and `{spelling}` is {what}; {advice}");
            errors.on(name, message);
        }
    }
}
