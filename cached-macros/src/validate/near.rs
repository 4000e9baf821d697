//! Rules for the near cache.

use syn::LitStr;

use crate::ast::Setting;
use crate::diagnostics::Errors;
use crate::duration;
use crate::model::Local;
use crate::suggest::did_you_mean;

/// `local = "30s"` or `"off"`.
pub(super) fn local(setting: Setting<LitStr>, errors: &mut Errors) -> Option<Local> {
    let Setting::Given { name, value: text } = setting else { return None };
    let value = text.value();
    if value == "off" {
        return Some(Local::Off);
    }
    if !value.starts_with(|first: char| first.is_ascii_digit()) {
        let message = format!(
            "{value:?} is not a duration; write how long this process may keep a value, such as `local = \"30s\"`, or \
             `local = \"off\"`"
        );
        errors.on(text, message);
        return None;
    }
    match duration::millis(&value) {
        Ok(millis) => Some(Local::Millis(millis, name)),
        Err(fault) => {
            errors.on(text, format!("{value:?}: {fault}"));
            None
        }
    }
}

/// `on_gap = "bypass"` or `"serve"`.
pub(super) fn serves_in_gap(setting: &Setting<LitStr>, errors: &mut Errors) -> bool {
    let Some(text) = setting.value() else { return false };
    match text.value().as_str() {
        "bypass" => false,
        "serve" => true,
        other => {
            let known = || ["bypass", "serve"].into_iter();
            let suggestion = did_you_mean(other, known());
            let message = format!(
                "unknown value `{other}` of `on_gap`; {suggestion}values: `bypass` (without contact to Redis, calls \
                 skip the near cache), `serve` (it serves values that may be old)"
            );
            errors.on(text, message);
            false
        }
    }
}
