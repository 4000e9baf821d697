//! Rules for uncommitted rows: what a transaction reads or writes may be rolled back, and the cache would serve it to
//! everybody.

use syn::{Ident, LitStr};

use super::detached;
use super::scope::spelled;
use crate::ast::{Options, Setting};
use crate::diagnostics::Errors;
use crate::role::Role;
use crate::signature::{Argument, Names};
use crate::transaction::Sign;

/// Reports arguments that may be a transaction, unless the site allows them. `&mut self` is not reported: repositories
/// are borrowed like this, and no type shows what they contain. Arguments in `left_out` were reported already.
pub(super) fn uncommitted(role: Role, options: &Options, names: &Names, left_out: &[Ident], errors: &mut Errors) {
    if options.skip.is_broken() || options.uncommitted.is_broken() {
        return;
    }
    let suspects = suspects(role, options, names);
    let Setting::Given { name, value } = &options.uncommitted else {
        for (at, sign) in suspects.into_iter().filter(|(_, sign)| !is_reported(sign, options)) {
            let name = spelled(at);
            let (is, harm) = (is(&sign), harm(role));
            let unless = unless(&name, &sign);
            errors.on(at, format!("`{name}` {is}: {harm}; if {unless}, write `uncommitted = \"allow\"`"));
        }
        return;
    };
    let is_left_out = |argument: &Argument| argument.sign.is_some() && left_out.contains(&argument.name);
    if allows(value, errors) && suspects.is_empty() && !names.arguments.iter().any(is_left_out) {
        let message = "`uncommitted` is for arguments that may be a transaction, and this function has none; remove it";
        errors.on(name, message);
    }
}

fn allows(value: &LitStr, errors: &mut Errors) -> bool {
    let is_known = value.value() == "allow";
    if !is_known {
        errors.on(value, "the only value of `uncommitted` is `allow`; write `uncommitted = \"allow\"`, or remove it");
    }
    is_known
}

/// The arguments that may be a transaction. In a function that reads, only those in `skip` can be: all others are in
/// the key. A write has no `skip`, and a type with this name may be the row that it writes, so only `&mut` counts
/// there.
fn suspects<'a>(role: Role, options: &'a Options, names: &'a Names) -> Vec<(&'a Ident, Sign)> {
    let skipped = options.skip.value().into_iter().flatten();
    if role == Role::Read {
        return skipped.filter_map(|name| Some((name, names.argument(&spelled(name))?.sign.clone()?))).collect();
    }
    let is_exclusive = |sign: &Sign| matches!(sign, Sign::Exclusive);
    let signs = names.arguments.iter().filter_map(|argument| Some((&argument.name, argument.sign.clone()?)));
    signs.filter(|(_, sign)| is_exclusive(sign)).collect()
}

/// The message for an argument of a function that reads, if it may be a transaction and is neither in the key nor
/// skipped. To suggest only `skip` would lead to a second error.
pub(super) fn left_out(argument: &Argument, options: &Options) -> Option<String> {
    let sign = argument.sign.as_ref().filter(|sign| options.uncommitted.is_absent() && !is_reported(sign, options))?;
    let name = spelled(&argument.name);
    let (is, harm, unless) = (is(sign), harm(Role::Read), unless(&name, sign));
    Some(format!(
        "{is}: {harm}; if the value depends on `{name}`, add `<{name}>` to the key; if {unless}, write `skip({name}), \
         uncommitted = \"allow\"`"
    ))
}

/// Whether `detached` reports it: a load that is a task cannot borrow mutably.
fn is_reported(sign: &Sign, options: &Options) -> bool {
    matches!(sign, Sign::Exclusive) && detached::option(options).is_some()
}

fn is(sign: &Sign) -> String {
    match sign {
        Sign::Exclusive => "is borrowed mutably, like a transaction".to_owned(),
        Sign::Named(ty) => format!("is a `{ty}`"),
    }
}

fn unless(name: &str, sign: &Sign) -> String {
    match sign {
        Sign::Exclusive => format!("`{name}` is never a transaction"),
        Sign::Named(_) => "it is fine to serve uncommitted rows".to_owned(),
    }
}

/// What may happen to the rows, and what to do.
fn harm(role: Role) -> &'static str {
    match role {
        Role::Read => {
            "what is read in a transaction may be rolled back, and the cache would serve it to everybody; read outside \
             of the transaction, through `&` of the pool; inside of it, call a function without an attribute and \
             gather its writes in a `Deferred`"
        }
        Role::Put => {
            "what is stored before the commit may be rolled back, and the cache would serve it to everybody; put the \
             attribute on the function that commits, or remove it and invalidate the entry with a `Deferred`"
        }
        Role::Invalidate => {
            "the commit comes after this function, so a call in between caches the old row again; put the attribute on \
             the function that commits, or remove it and invalidate around the commit with a `Deferred`"
        }
    }
}
