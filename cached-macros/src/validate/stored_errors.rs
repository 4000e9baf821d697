//! Rules for the options about errors that are stored.

use proc_macro2::Span;
use syn::{Expr, LitStr};

use super::closure::captures;
use super::options::{Lifetime, lifetime};
use crate::ast::{Options, Setting};
use crate::diagnostics::Errors;
use crate::model::{Codec, Policy, StoredErrors, Ttl};
use crate::signature::Names;

/// `error_if = |error| ..`, `error_ttl = "30s"`.
pub(super) fn stored_errors(
    error_if: Setting<Expr>,
    error_ttl: &Setting<LitStr>,
    codec: Option<(Codec, Span)>,
    names: &Names,
    errors: &mut Errors,
) -> Option<StoredErrors> {
    let ttl = error_ttl.value().and_then(|text| ttl(text, errors));
    let (option, code) = match error_if {
        Setting::Given { name, value } => (name, value),
        Setting::Broken => return None,
        Setting::Absent => {
            if let Some(name) = error_ttl.name() {
                let message = "`error_ttl` says how long errors are stored, but no option says which; add `error_if = \
                               |error| matches!(error, ApiError::NotFound)`";
                errors.on(name, message);
            }
            return None;
        }
    };
    if let Some((Codec::Bytes, at)) = codec {
        let message = "`codec = \"bytes\"` cannot write errors, which `error_if` stores; write \"json\", \"msgpack\" or \
                       \"postcard\", or leave `error_if` out";
        errors.at(at, message);
    }
    if !matches!(code, Expr::Closure(_) | Expr::Path(_)) {
        let message = "`error_if` decides by the error; write a closure, `|error: &E| ..`, or the path of a function \
                       that takes `&E`";
        errors.on(code, message);
        return None;
    }
    captures(&option, &code, names, errors);
    Some(StoredErrors { error_if: Policy { option, code }, ttl })
}

/// A class or a duration.
fn ttl(text: &LitStr, errors: &mut Errors) -> Option<Ttl> {
    if text.value() == "off" {
        errors.on(text, "without `error_if` no error is stored; leave both options out");
        return None;
    }
    Some(match lifetime(text, errors)? {
        Lifetime::Class(name) => Ttl::Class(name),
        Lifetime::Millis(millis) => Ttl::Millis(millis),
    })
}

/// Rejects these options at a batch, whose error is about all of its ids.
pub(super) fn not_in_a_batch(options: &mut Options, errors: &mut Errors) {
    let given = [options.error_if.name(), options.error_ttl.name()];
    for name in given.into_iter().flatten() {
        let message = format!(
            "`{name}` does not work with `batch`, whose error is of no single id; remove it, and leave ids without a \
             value out of what the function returns: they are stored for `none_ttl`"
        );
        errors.on(name, message);
    }
    (options.error_if, options.error_ttl) = (Setting::Broken, Setting::Broken);
}
