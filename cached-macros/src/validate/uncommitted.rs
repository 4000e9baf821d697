//! Rules about rows that are not committed: what a transaction reads or writes may be rolled back, and the cache would serve
//! it to everybody.

use syn::{Ident, LitStr};

use super::detached;
use super::scope::spelled;
use crate::ast::{Options, Setting};
use crate::diagnostics::Errors;
use crate::role::Role;
use crate::signature::{Argument, Names};
use crate::transaction::Sign;

/// Arguments that may be a transaction, unless the site says that it means them. `&mut self` is none of them: it is how a
/// repository is borrowed, and what is in it no type of an argument tells. Of those that are `left_out` of the key without a word
/// it has been said already.
pub(super) fn uncommitted(role: Role, options: &Options, names: &Names, left_out: &[Ident], errors: &mut Errors) {
    if options.skip.is_broken() || options.uncommitted.is_broken() {
        return;
    }
    let suspects = suspects(role, options, names);
    let Setting::Given { name, value } = &options.uncommitted else {
        for (at, sign) in suspects.into_iter().filter(|(_, sign)| !is_said(sign, options)) {
            let name = spelled(at);
            let (is, harm) = (is(&sign), harm(role));
            let unless = unless(&name, &sign);
            errors.on(at, format!("`{name}` {is}: {harm}; if {unless}, write `uncommitted = \"allow\"`"));
        }
        return;
    };
    let is_left_out = |argument: &Argument| argument.sign.is_some() && left_out.contains(&argument.name);
    if allows(value, errors) && suspects.is_empty() && !names.arguments.iter().any(is_left_out) {
        let message = "`uncommitted` is about arguments that may be a transaction, and there is none here; remove it";
        errors.on(name, message);
    }
}

fn allows(value: &LitStr, errors: &mut Errors) -> bool {
    let is_known = value.value() == "allow";
    if !is_known {
        errors.on(value, "`uncommitted` has one value; write `uncommitted = \"allow\"`, or leave it out");
    }
    is_known
}

/// Of a function that reads, what is in `skip`: nothing else has no place in the key. A write has no `skip`, and what is only called
/// a transaction there may be the row that it writes.
fn suspects<'a>(role: Role, options: &'a Options, names: &'a Names) -> Vec<(&'a Ident, Sign)> {
    let skipped = options.skip.value().into_iter().flatten();
    if role == Role::Read {
        return skipped.filter_map(|name| Some((name, names.argument(&spelled(name))?.sign.clone()?))).collect();
    }
    let is_exclusive = |sign: &Sign| matches!(sign, Sign::Exclusive);
    let signs = names.arguments.iter().filter_map(|argument| Some((&argument.name, argument.sign.clone()?)));
    signs.filter(|(_, sign)| is_exclusive(sign)).collect()
}

/// What to say of an argument of a function that reads, if it may be a transaction and is neither in the key nor skipped:
/// that it is to be skipped would be half the truth.
pub(super) fn left_out(argument: &Argument, options: &Options) -> Option<String> {
    let sign = argument.sign.as_ref().filter(|sign| options.uncommitted.is_absent() && !is_said(sign, options))?;
    let name = spelled(&argument.name);
    let (is, harm, unless) = (is(sign), harm(Role::Read), unless(&name, sign));
    Some(format!(
        "{is}: {harm}; if `{name}` tells calls apart, add `<{name}>` to the key; if {unless}, write \
         `skip({name}), uncommitted = \"allow\"`"
    ))
}

/// What a load borrows mutably that is a task is refused for that.
fn is_said(sign: &Sign, options: &Options) -> bool {
    matches!(sign, Sign::Exclusive) && detached::option(options).is_some()
}

fn is(sign: &Sign) -> String {
    match sign {
        Sign::Exclusive => "is borrowed mutably, as a transaction is".to_owned(),
        Sign::Named(ty) => format!("is a `{ty}`"),
    }
}

fn unless(name: &str, sign: &Sign) -> String {
    match sign {
        Sign::Exclusive => format!("`{name}` is never one"),
        Sign::Named(_) => "it is right to serve such rows".to_owned(),
    }
}

/// What may become of the rows, and the cure.
fn harm(role: Role) -> &'static str {
    match role {
        Role::Read => {
            "rows that are read in one may be rolled back, and everybody would get them from the cache; read outside of it, \
             through `&` of the pool, and pass the transaction to a function without an attribute, whose writes a `Deferred` gathers"
        }
        Role::Put => {
            "what is stored before its commit may be rolled back, and everybody would get it from the cache; put the attribute \
             on the function that commits, or take it off and invalidate the entry by a `Deferred`"
        }
        Role::Invalidate => {
            "its commit comes after this function, so whoever reads in between has the old row cached once the cache was told; \
             put the attribute on the function that commits, or take it off and have a `Deferred` tell the cache around the commit"
        }
    }
}
