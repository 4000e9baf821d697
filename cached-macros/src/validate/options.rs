//! Rules for single options.

use proc_macro2::Span;
use syn::{Expr, ExprLit, Ident, Lit, LitStr, Path, UnOp};

use crate::ast::{Setting, Tags};
use crate::diagnostics::{Errors, list};
use crate::model::{Codec, NoneTtl, Policy, Template, Ttl, ValueTags};
use crate::signature::Names;
use crate::suggest::did_you_mean;
use crate::{duration, paths};

use super::closure::{self, captures};
use super::parts::InKey;
use super::scope::Scope;
use super::template;

const CODECS: [(&str, Codec); 4] =
    [("json", Codec::Json), ("msgpack", Codec::MessagePack), ("postcard", Codec::Postcard), ("bytes", Codec::Bytes)];

/// `crate = path`: the module that generated code calls.
pub(super) fn support(crate_path: Setting<Path>) -> Path {
    paths::support(&crate_path.into_value().unwrap_or_else(paths::runtime))
}

/// `ttl = "medium"`, `"90s"`, an expression of the arguments, or a closure of the value.
pub(super) fn ttl(setting: Setting<Expr>, names: &Names, errors: &mut Errors) -> Option<Ttl> {
    let Setting::Given { name: option, value: code } = setting else { return None };
    match &code {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(match lifetime(text, errors)? {
            Lifetime::Class(name) => Ttl::Class(name),
            Lifetime::Millis(millis) => Ttl::Millis(millis),
        }),
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => {
            let digits = number.base10_digits();
            errors.on(number, format!("a duration needs a unit; write `ttl = \"{digits}s\"` for seconds"));
            None
        }
        Expr::Lit(literal) => {
            let message = "`ttl` takes a class, a duration, an expression of the arguments, or a closure of the value; \
                           write for example `ttl = \"5m\"`";
            errors.on(literal, message);
            None
        }
        Expr::Closure(_) => {
            captures(&option, &code, names, errors);
            Some(Ttl::OfValue(Policy { option, code }))
        }
        _ => Some(Ttl::Expr(Policy { option, code })),
    }
}

/// `none_ttl = "short"`, `"30s"` or `"off"`.
pub(super) fn none_ttl(setting: &Setting<LitStr>, errors: &mut Errors) -> Option<NoneTtl> {
    let text = setting.value()?;
    if text.value() == "off" {
        return Some(NoneTtl::Off);
    }
    Some(match lifetime(text, errors)? {
        Lifetime::Class(name) => NoneTtl::Class(name),
        Lifetime::Millis(millis) => NoneTtl::Millis(millis),
    })
}

/// A time to live that is written as a text.
pub(super) enum Lifetime {
    Class(String),
    Millis(u64),
}

/// A class begins with a letter, a duration with a digit.
pub(super) fn lifetime(text: &LitStr, errors: &mut Errors) -> Option<Lifetime> {
    let value = text.value();
    let first = value.chars().next().unwrap_or(' ');
    if first.is_ascii_digit() {
        return match duration::millis(&value) {
            Ok(millis) => Some(Lifetime::Millis(millis)),
            Err(fault) => {
                errors.on(text, format!("{value:?}: {fault}"));
                None
            }
        };
    }
    let in_class = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    if (first.is_ascii_alphabetic() || first == '_') && value.chars().all(in_class) {
        return Some(Lifetime::Class(value));
    }
    let message = format!(
        "{value:?} is neither a class nor a duration; write a class such as `medium`, or a duration such as `90s` or \
         `1h30m`"
    );
    errors.on(text, message);
    None
}

/// `jitter = 0.1`.
pub(super) fn jitter(setting: &Setting<Expr>, errors: &mut Errors) -> Option<f64> {
    let written = setting.value()?;
    let (negative, literal) = match written {
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => (true, &*unary.expr),
        other => (false, other),
    };
    let number: Option<f64> = match literal {
        Expr::Lit(ExprLit { lit: Lit::Float(float), .. }) => float.base10_parse().ok(),
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) => int.base10_parse().ok(),
        _ => None,
    };
    match number {
        Some(number) if !negative && (0.0..1.0).contains(&number) => Some(number),
        _ => {
            let message = "`jitter` is a number from 0.0 to below 1.0; write `jitter = 0.1` for ±10 %";
            errors.on(written, message);
            None
        }
    }
}

/// `cache_if = |value| ..`, or a path to a function.
pub(super) fn cache_if(setting: Setting<Expr>, names: &Names, errors: &mut Errors) -> Option<Policy> {
    let Setting::Given { name: option, value: code } = setting else { return None };
    if matches!(code, Expr::Closure(_) | Expr::Path(_)) {
        captures(&option, &code, names, errors);
        return Some(Policy { option, code });
    }
    errors.on(
        code,
        "`cache_if` decides by the value; write a closure, `|value: &T| ..`, or the path of a function that takes `&T`",
    );
    None
}

/// `tags = ["tenant:<tenant>", |user: &User| ..]`. `element` is the name of one id in a batch.
pub(super) fn tags(
    setting: Setting<Tags>,
    scope: &Scope<'_>,
    in_key: &InKey,
    element: Option<&Ident>,
    errors: &mut Errors,
) -> (Vec<Template>, Option<ValueTags>) {
    let Setting::Given { name: option, value: Tags { templates, of_value } } = setting else {
        return (Vec::new(), None);
    };
    let templates: Vec<Template> =
        templates.iter().filter_map(|literal| template::tag(literal, "tags", scope, in_key, errors)).collect();
    let mut of_value = of_value.into_iter();
    let code = of_value.next();
    for second in of_value {
        let message = "one closure can return several tags; write `|value: &T| [a, b]` for both";
        errors.on(second, message);
    }
    let tags_of = code.map(|code| {
        captures(&option, &code, scope.names, errors);
        let arguments = closure::arguments(&code, scope.names, element, errors);
        ValueTags { policy: Policy { option, code }, arguments }
    });
    (templates, tags_of)
}

/// `cache = self.cache`.
pub(super) fn cache(setting: Setting<Expr>, errors: &mut Errors) -> Option<Expr> {
    let code = setting.into_value()?;
    if !matches!(code, Expr::Lit(_)) {
        return Some(code);
    }
    let message = "`cache` takes an expression of type `&Cache`, such as `self.cache`; the builder chooses the store";
    errors.on(code, message);
    None
}

/// `version = 2`.
pub(super) fn version(setting: &Setting<Expr>, errors: &mut Errors) -> Option<u32> {
    let written = setting.value()?;
    let number = match written {
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) => int.base10_parse::<u32>().ok(),
        _ => None,
    };
    if number.is_none_or(|number| number == 0) {
        errors.on(written, format!("`version` is a whole number from 1 to {}; write `version = 2`", u32::MAX));
    }
    number
}

/// `codec = "json"`.
pub(super) fn codec(setting: &Setting<LitStr>, errors: &mut Errors) -> Option<(Codec, Span)> {
    let text = setting.value()?;
    let value = text.value();
    let known = CODECS.iter().find(|(name, _)| *name == value);
    if known.is_none() {
        let names = || CODECS.iter().map(|(name, _)| *name);
        let suggestion = did_you_mean(&value, names());
        errors.on(text, format!("unknown value `{value}` of `codec`; {suggestion}values: {}", list(names())));
    }
    known.map(|(_, codec)| (*codec, text.span()))
}
