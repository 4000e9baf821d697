//! Rules for options about values near or past their end.

use syn::{Expr, ExprLit, Lit, LitStr};

use crate::ast::{Options, Setting};
use crate::diagnostics::Errors;
use crate::duration::{self, Fault};
use crate::model::{Freshness, Ttl};
use crate::suggest::did_you_mean;

/// Checks these options; `None` if none is given.
pub(super) fn freshness(options: &Options, ttl: Option<&Ttl>, errors: &mut Errors) -> Option<Freshness> {
    let fresh = Freshness {
        revalidate: time(&options.stale_while_revalidate, errors),
        if_error: time(&options.stale_if_error, errors),
        ahead: beta(&options.refresh_ahead, errors),
        background: is_background(&options.refresh, errors),
        spawn: options.spawn.value().is_some(),
        load_timeout: time(&options.load_timeout, errors),
        needs_failure: options.stale_if_error.name().filter(|_| options.load_timeout.is_absent()).cloned(),
    };
    contradictions(options, &fresh, errors);
    local_is_longer(options, ttl, &fresh, errors);
    (fresh != Freshness::default()).then_some(fresh)
}

/// `= "5m"`, in milliseconds.
fn time(setting: &Setting<LitStr>, errors: &mut Errors) -> Option<u64> {
    let Setting::Given { name, value: text } = setting else { return None };
    let value = text.value();
    if !value.starts_with(|first: char| first.is_ascii_digit()) {
        errors.on(text, format!("{value:?} is not a duration; write for example `{name} = \"30s\"`"));
        return None;
    }
    match duration::millis(&value) {
        Ok(millis) => return Some(millis),
        Err(Fault::Zero) => errors.on(text, format!("`{name}` of zero has no effect; remove it")),
        Err(fault) => errors.on(text, format!("{value:?}: {fault}")),
    }
    None
}

/// `refresh_ahead`, `refresh_ahead = 1.5`.
fn beta(setting: &Setting<Option<Expr>>, errors: &mut Errors) -> Option<f64> {
    let Setting::Given { value, .. } = setting else { return None };
    let Some(written) = value else { return Some(1.0) };
    let number: Option<f64> = match written {
        Expr::Lit(ExprLit { lit: Lit::Float(float), .. }) => float.base10_parse().ok(),
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) => int.base10_parse().ok(),
        _ => None,
    };
    let number = number.filter(|number| *number > 0.0 && number.is_finite());
    if number.is_none() {
        let message = "`refresh_ahead` is a number above zero; write `refresh_ahead` for the usual 1.0, or \
                       `refresh_ahead = 1.5` to refresh earlier";
        errors.on(written, message);
    }
    number
}

/// `refresh = "foreground"` or `"background"`.
fn is_background(setting: &Setting<LitStr>, errors: &mut Errors) -> bool {
    let Some(text) = setting.value() else { return false };
    match text.value().as_str() {
        "foreground" => false,
        "background" => true,
        other => {
            let known = || ["foreground", "background"].into_iter();
            let suggestion = did_you_mean(other, known());
            let message = format!(
                "unknown value `{other}` of `refresh`; {suggestion}values: `foreground` (the call that refreshes a \
                 value waits for the new one), `background` (it is served the old one)"
            );
            errors.on(text, message);
            false
        }
    }
}

/// Reports options that contradict each other, at the option that would have no effect.
fn contradictions(options: &Options, fresh: &Freshness, errors: &mut Errors) {
    let (revalidate, if_error) = (&options.stale_while_revalidate, &options.stale_if_error);
    if fresh.background && revalidate.is_absent() && options.refresh_ahead.is_absent() {
        let message = "`refresh` says how values are refreshed, but no option says when; add `stale_while_revalidate = \
                       \"5m\"` or `refresh_ahead`";
        given(&options.refresh, message, errors);
    }
    if options.spawn.is_absent() {
        let message = "after `load_timeout` the load continues without its caller, so it must be a task; add `spawn`";
        given(&options.load_timeout, message, errors);
    }
    if revalidate.is_absent() && if_error.is_absent() {
        let message = "`load_timeout` returns an old value if the load takes longer, but none is kept; add \
                       `stale_if_error = \"1h\"`";
        given(&options.load_timeout, message, errors);
    }
    if let (Some(window), Some(longer)) = (fresh.revalidate, fresh.if_error)
        && longer <= window
    {
        let message = "`stale_while_revalidate` serves old values at least as long, even if loads succeed; make \
                       `stale_if_error` longer, or remove it";
        given(if_error, message, errors);
    }
}

/// Reports a fault at the name of an option, if that is given.
fn given<T>(setting: &Setting<T>, message: &str, errors: &mut Errors) {
    if let Setting::Given { name, .. } = setting {
        errors.on(name, message);
    }
}

/// Reports a near cache that keeps values for longer than they live.
fn local_is_longer(options: &Options, ttl: Option<&Ttl>, fresh: &Freshness, errors: &mut Errors) {
    let (Some(text), Some(Ttl::Millis(ttl))) = (options.local.value(), ttl) else { return };
    let window = fresh.revalidate.max(fresh.if_error).unwrap_or_default();
    if duration::millis(&text.value()).is_ok_and(|local| local > ttl.saturating_add(window)) {
        errors.on(text, "values do not live this long; make `local` at most as long as `ttl`");
    }
}
