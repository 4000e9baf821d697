//! A second attribute of ours on one function.

use syn::Attribute;

use super::mentions;
use crate::ast::{self, Options};
use crate::diagnostics::Errors;
use crate::parse;
use crate::role::Role;
use crate::signature::Function;
use crate::spelling::spell_event;

/// Reports the other attributes of the function; `options` are those of the attribute that is read.
pub(super) fn others(role: Role, options: &Options, function: &Function, errors: &mut Errors) {
    for (other, attr) in &function.others {
        errors.on(attr, second(role, options, *other, attr));
    }
}

fn second(role: Role, options: &Options, other: Role, attr: &Attribute) -> String {
    match (role, other) {
        (Role::Invalidate, Role::Invalidate) => {
            "this function has `#[redis_invalidate]` already; write all events, keys and tags into one attribute"
                .to_owned()
        }
        _ if role == other => format!("this function has {role} already; remove one of the two"),
        (Role::Read, _) | (_, Role::Read) => {
            "a function with `#[redis_cached]` does not run on a hit, so it cannot write; split it into one function \
             that reads and one that writes"
                .to_owned()
        }
        (Role::Invalidate, Role::Put) => beside_put(options, &read(other, attr)),
        (Role::Put, _) => beside_put(&read(other, attr), options),
    }
}

/// The options of another attribute. Its faults are reported when it stands alone.
fn read(role: Role, attr: &Attribute) -> Options {
    let tokens = attr.meta.require_list().map(|list| list.tokens.clone()).unwrap_or_default();
    parse::options(role, tokens, &mut Errors::default())
}

/// The message for `#[redis_invalidate]` beside `#[redis_put]`.
fn beside_put(invalidate: &Options, put: &Options) -> String {
    let events = &invalidate.emits.0;
    let around = |what: &str| format!("wrap the write in `cache.write(Invalidation::new(){what}, async {{ .. }})`");
    let (what, by_hand) = if !invalidate.tag.0.is_empty() {
        ("no tags", around(".tag(\"..\")"))
    } else if !invalidate.removes.0.is_empty() {
        ("no keys beside its own", around(".key(\"..\")"))
    } else if !invalidate.each.0.is_empty() {
        ("not the items of a list", around(".keys(..)"))
    } else if events.iter().any(names_ret) {
        (
            "nothing that is known only from `ret`",
            "call `cache.emit(&UserUpdated { id }).await` after the write".to_owned(),
        )
    } else {
        let written: Vec<String> = events.iter().map(spell_event).collect();
        let written = if written.is_empty() { "UserUpdated { id }".to_owned() } else { written.join(", ") };
        return format!(
            "`#[redis_put]` can invalidate other entries as well; move the events into it, `#[redis_put({written}, key = \
             ..)]`, and remove `#[redis_invalidate]`"
        );
    };
    let key = put.key.value().map_or_else(|| "..".to_owned(), syn::LitStr::value);
    format!(
        "`#[redis_put]` invalidates its own entry and those that listen to its events, but {what}; remove it and add its \
         key to `#[redis_invalidate]`, `key = \"{key}\"`, so that the next read stores the value; or remove \
         `#[redis_invalidate]`, and {by_hand} in the body, or name an event of arguments that the other entries listen to, \
         `#[redis_put(UserUpdated {{ id }}, key = ..)]`"
    )
}

fn names_ret(event: &ast::Event) -> bool {
    let ast::Event::Fields(event) = event else { return false };
    event.fields.iter().flat_map(|field| mentions::values(&field.expr)).any(|name| name == "ret")
}
