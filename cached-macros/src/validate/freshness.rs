//! Rules about what happens when a value's time is over, and before.

use syn::{Expr, ExprLit, Lit, LitStr};

use crate::ast::{Options, Setting};
use crate::diagnostics::{Errors, list};
use crate::duration::{self, Fault};
use crate::model::{Freshness, Ttl};
use crate::suggest::did_you_mean;

/// All options that are about it; `None` if none is given.
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
        Err(Fault::Zero) => errors.on(text, format!("`{name}` of no time at all does nothing; leave it out")),
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
        let message = "`refresh_ahead` alone is right for most; more than 1.0 renews earlier, less renews later, \
                       and it is above zero: write `refresh_ahead`, or `refresh_ahead = 1.5`";
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
                "unknown `refresh` `{other}`; {suggestion}the call that renews a value waits for it \
                 (`\"foreground\"`), or is served the one there is (`\"background\"`); known: {}",
                list(known())
            );
            errors.on(text, message);
            false
        }
    }
}

/// What does not go together, each at the option that would do nothing.
fn contradictions(options: &Options, fresh: &Freshness, errors: &mut Errors) {
    let (revalidate, if_error) = (&options.stale_while_revalidate, &options.stale_if_error);
    if fresh.background && revalidate.is_absent() && options.refresh_ahead.is_absent() {
        let message = "nothing is renewed in the background: `refresh` says how, and \
                       `stale_while_revalidate = \"5m\"` or `refresh_ahead` when; add one of them";
        given(&options.refresh, message, errors);
    }
    if options.spawn.is_absent() {
        let message = "a load that is not waited for has to run on without its caller; add `spawn`";
        given(&options.load_timeout, message, errors);
    }
    if revalidate.is_absent() && if_error.is_absent() {
        let message = "there is nothing to return when a load takes longer; add `stale_if_error = \"1h\"`, \
                       so that old values are kept for it";
        given(&options.load_timeout, message, errors);
    }
    if let (Some(window), Some(longer)) = (fresh.revalidate, fresh.if_error)
        && longer <= window
    {
        let message = "`stale_while_revalidate` serves old values for longer, whether loads fail or not; \
                       make `stale_if_error` the longer one, or leave it out";
        given(if_error, message, errors);
    }
}

/// Reports a fault at the name of an option, if that is given.
fn given<T>(setting: &Setting<T>, message: &str, errors: &mut Errors) {
    if let Setting::Given { name, .. } = setting {
        errors.on(name, message);
    }
}

/// A near cache that keeps values for longer than they live.
fn local_is_longer(options: &Options, ttl: Option<&Ttl>, fresh: &Freshness, errors: &mut Errors) {
    let (Some(text), Some(Ttl::Millis(ttl))) = (options.local.value(), ttl) else { return };
    let window = fresh.revalidate.max(fresh.if_error).unwrap_or_default();
    if duration::millis(&text.value()).is_ok_and(|local| local > ttl.saturating_add(window)) {
        errors.on(text, "values do not live so long; make `local` at most as long as `ttl`");
    }
}
