//! Rules about rows that are not committed: what a transaction reads or writes may be rolled back, and the cache would serve
//! it to everybody.

use syn::{Ident, LitStr};

use super::detached;
use super::scope::spelled;
use crate::ast::{Options, Setting};
use crate::diagnostics::Errors;
use crate::role::Role;
use crate::signature::Names;
use crate::transaction::Sign;

/// Arguments that may be a transaction, unless the site says that it means them. `&mut self` is none of them: it is how a
/// repository is borrowed, and what is in it no type of an argument tells.
pub(super) fn uncommitted(role: Role, options: &Options, names: &Names, errors: &mut Errors) {
    if options.skip.is_broken() || options.uncommitted.is_broken() {
        return;
    }
    let suspects = suspects(role, options, names);
    let Setting::Given { name, value } = &options.uncommitted else {
        // What a load borrows mutably that is a task has been refused already.
        let is_task = detached::option(options).is_some();
        let is_said = |sign: &Sign| is_task && matches!(sign, Sign::Exclusive);
        for (at, sign) in suspects.into_iter().filter(|(_, sign)| !is_said(sign)) {
            errors.on(at, message(role, at, &sign));
        }
        return;
    };
    if allows(value, errors) && suspects.is_empty() {
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

fn message(role: Role, name: &Ident, sign: &Sign) -> String {
    let name = spelled(name);
    let (is, unless) = match sign {
        Sign::Exclusive => ("borrowed mutably, as a transaction is".to_owned(), format!("`{name}` is never one")),
        Sign::Named(ty) => (format!("a `{ty}`"), "it is right to serve such rows".to_owned()),
    };
    let (harm, cure) = match role {
        Role::Read => (
            "rows that are read in one may be rolled back, and everybody would get them from the cache",
            "read outside of it, through `&` of the pool, and pass the transaction to a function without an attribute, whose writes \
             a `Deferred` gathers",
        ),
        Role::Put => (
            "what is stored before its commit may be rolled back, and everybody would get it from the cache",
            "put the attribute on the function that commits, or take it off and invalidate the entry by a `Deferred`",
        ),
        Role::Invalidate => (
            "its commit comes after this function, so whoever reads in between has the old row cached once the cache was told",
            "put the attribute on the function that commits, or take it off and have a `Deferred` tell the cache around the commit",
        ),
    };
    format!("`{name}` is {is}: {harm}; {cure}; if {unless}, write `uncommitted = \"allow\"`")
}
