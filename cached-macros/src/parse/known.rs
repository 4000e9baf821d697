//! Which attribute has which options, and the messages for all others.

use proc_macro2::Ident;

use crate::diagnostics::list;
use crate::role::Role::{self, Invalidate, Put, Read};
use crate::suggest::option_meant;

/// Every option, an example of it, and the attributes that have it. Messages and suggestions are made from this table;
/// add new options here first.
const OPTIONS: [(&str, &str, &[Role]); 28] = [
    ("key", "key = \"user:<id>\"", &[Read, Invalidate, Put]),
    ("tag", "tag = \"tenant:<tenant>\"", &[Invalidate]),
    ("skip", "skip(db)", &[Read]),
    ("uncommitted", "uncommitted = \"allow\"", &[Read, Put, Invalidate]),
    ("ttl", "ttl = \"5m\"", &[Read, Put]),
    ("jitter", "jitter = 0.1", &[Read, Put]),
    ("none_ttl", "none_ttl = \"30s\"", &[Read, Put]),
    ("cache_if", "cache_if = |value| value.is_final", &[Read, Put]),
    ("error_if", "error_if = |error| matches!(error, ApiError::NotFound)", &[Read]),
    ("error_ttl", "error_ttl = \"30s\"", &[Read]),
    ("invalidate_on", "invalidate_on = UserUpdated { id }", &[Read, Put]),
    ("tags", "tags = \"tenant:<tenant>\"", &[Read, Put]),
    ("version", "version = 2", &[Read, Put]),
    ("codec", "codec = \"json\"", &[Read, Put]),
    ("batch", "batch = ids", &[Read]),
    ("local", "local = \"30s\"", &[Read]),
    ("on_gap", "on_gap = \"serve\"", &[Read]),
    ("stale_while_revalidate", "stale_while_revalidate = \"5m\"", &[Read]),
    ("stale_if_error", "stale_if_error = \"1h\"", &[Read]),
    ("refresh_ahead", "refresh_ahead = 1.5", &[Read]),
    ("refresh", "refresh = \"background\"", &[Read]),
    ("spawn", "spawn", &[Read]),
    ("load_timeout", "load_timeout = \"200ms\"", &[Read]),
    ("mode", "mode = \"after\"", &[Invalidate]),
    ("on_unavailable", "on_unavailable = \"fail\"", &[Invalidate, Put]),
    ("cache", "cache = self.cache", &[Read, Invalidate, Put]),
    ("crate", "crate = ::cached_core", &[Read, Invalidate, Put]),
    // Not an option, but written in the same place.
    ("event", "UserUpdated { id }", &[]),
];

/// The options of an attribute.
pub(super) fn names(role: Role) -> impl Iterator<Item = &'static str> {
    OPTIONS.iter().filter(move |(_, _, roles)| roles.contains(&role)).map(|(name, ..)| *name)
}

/// Whether the attribute has this option.
pub(super) fn has(role: Role, name: &str) -> bool {
    names(role).any(|known| known == name)
}

/// An example of the option.
pub(super) fn example(name: &Ident) -> &'static str {
    OPTIONS.iter().find(|(option, ..)| name == option).map_or("", |(_, example, _)| example)
}

/// Names that people put in front of an event of a write.
const EVENTS: [&str; 9] =
    ["on", "event", "events", "emit", "emits", "causes", "invalidate", "invalidates", "invalidate_on"];

/// Names that people give to what a write does for each item of a list.
const EACH: [&str; 5] = ["each", "for_each", "foreach", "all", "many"];

/// Whether no attribute has an option of this name, nor of a similar one.
pub(super) fn is_unheard(wanted: &str) -> bool {
    !EACH.contains(&wanted) && option_meant(wanted, OPTIONS.iter().map(|(name, ..)| *name)).is_none()
}

/// The message for the call of a function where a write names what it invalidates.
pub(super) fn call(function: &str) -> String {
    format!(
        "a write names what it changes, and not a function that reads it; write an event that `{function}` listens to, \
         such as `UserUpdated {{ id }}`, or the key of `{function}`, `key = \"..\"`"
    )
}

/// The message for an option of another library that needs none here.
fn elsewhere(role: Role, wanted: &str) -> Option<&'static str> {
    Some(match (role, wanted) {
        (Read, "result") => "`result` is not needed: an `Err` is not stored unless `error_if` chooses it; remove it",
        (Read | Put, "map_error" | "map_err") => {
            "`map_error` is not needed: a fault of Redis is never an error of the function; remove it"
        }
        (Read | Put, "ty" | "create") => {
            "the cache is made once, at start-up: `Cache::from_env(\"shop\")?.install()`; remove this option"
        }
        (Read | Put, "sync" | "sync_writes") => "calls of one key share one load, without an option; remove it",
        (_, "namespace") => {
            "a namespace is the first part of all keys, and is given to the cache, `Cache::from_env(\"shop\")`; remove it"
        }
        (Invalidate, "all_entries" | "allEntries") => {
            "to invalidate all entries of a function, give them a tag there, `tags = \"users\"`, and write `tag = \
             \"users\"` here"
        }
        (Invalidate, "keys") => "several keys are written one by one; write `key = \"..\", key = \"..\"`",
        _ => return None,
    })
}

/// The message for an option that the attribute does not have, and the option that is meant.
pub(super) fn unknown(role: Role, wanted: &str) -> (String, Option<&'static str>) {
    if role.is_write() && EVENTS.contains(&wanted) {
        let name = role.name();
        let key = if role == Put { ", key = .." } else { "" };
        let message = format!("an event is not the value of an option; write `#[{name}(UserUpdated {{ id }}{key})]`");
        return (message, None);
    }
    if role == Invalidate && EACH.contains(&wanted) {
        let message = "for each item of a list write `for user in users { UserUpdated { id: user.id } }`";
        return (message.to_owned(), None);
    }
    if let Some(message) = of_another(role, wanted).or_else(|| elsewhere(role, wanted).map(str::to_owned)) {
        return (message, None);
    }
    let meant = option_meant(wanted, names(role));
    let suggestion = meant.map(|name| format!("did you mean `{name}`? ")).unwrap_or_default();
    (format!("unknown option `{wanted}`; {suggestion}options: {}", list(names(role))), meant)
}

/// What to write where a put would invalidate entries by something else than an event; the advice ends a sentence about
/// them.
pub(super) fn of_others(what: &str) -> String {
    format!(
        "name an event that they listen to, `#[redis_put(UserUpdated {{ id }}, key = ..)]`, or write \
         `#[redis_invalidate(key = .., {what})]` in place of the put, and the next read stores the value"
    )
}

/// The message for an option of another attribute, unless this attribute has a similar one.
fn of_another(role: Role, wanted: &str) -> Option<String> {
    Some(match (role, wanted) {
        (Read, "mode" | "on_unavailable") => {
            format!("`{wanted}` is for writes; remove it, or write `#[redis_invalidate]` if this function writes")
        }
        (Invalidate | Put, "skip") => {
            "`skip` is for `#[redis_cached]`: the key of a write need not name every argument; remove it".to_owned()
        }
        (Invalidate, "batch") => {
            "`batch` is for `#[redis_cached]`; for each id write `for id in ids { UserUpdated { id } }`".to_owned()
        }
        (Put, "batch") => {
            "`batch` is for `#[redis_cached]`; call this function once for each id, or write `#[redis_invalidate(for id \
             in ids { .. })]` in place of the put"
                .to_owned()
        }
        (Invalidate | Put, "local" | "on_gap") => {
            format!("`{wanted}` is for `#[redis_cached]`: the near cache keeps only values that were read; remove it")
        }
        (
            Invalidate | Put,
            "stale_while_revalidate" | "stale_if_error" | "refresh_ahead" | "refresh" | "spawn" | "load_timeout",
        ) => {
            format!(
                "`{wanted}` is for `#[redis_cached]`: a write runs on every call and never serves an old value; remove \
                 it"
            )
        }
        (Put, "error_if" | "error_ttl") => format!(
            "`{wanted}` is for `#[redis_cached]`: a write that fails stores nothing; remove it, and write it on the \
             function that reads"
        ),
        (Invalidate, "error_if" | "error_ttl") => format!(
            "`{wanted}` is for stored errors, and `#[redis_invalidate]` stores nothing; remove it, and write it on the \
             function that reads"
        ),
        (Invalidate, wanted) if wanted != "tags" && has(Put, wanted) => format!(
            "`{wanted}` is for stored values, and `#[redis_invalidate]` stores nothing; remove it, or write \
             `#[redis_put]` to store what this function returns"
        ),
        (Put, "mode") => "`mode` is for `#[redis_invalidate]`: a put is always a bracket; remove it".to_owned(),
        (Put, "tag") => format!(
            "a put invalidates no tag; for the tags of its own entry write `tags`; for other entries {}",
            of_others("tag = ..")
        ),
        _ => return None,
    })
}
