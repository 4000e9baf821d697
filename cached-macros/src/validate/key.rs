//! Rules about the key: every placeholder names something, and every argument is named or skipped.

use std::collections::HashSet;
use std::ops::Range;

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::{Ident, Index, LitStr, Member};

use crate::ast::Setting;
use crate::diagnostics::{Errors, list};
use crate::model::{Piece, Segment, Value};
use crate::signature::{Argument, Names};
use crate::suggest::{did_you_mean, nearest};
use crate::template::{self, Placeholder};

/// The pieces of the key; complete only if nothing was reported.
pub(super) fn pieces(
    key: &Setting<LitStr>,
    skip: &Setting<Vec<Ident>>,
    names: &Names,
    errors: &mut Errors,
) -> Vec<Piece> {
    let skipped = skipped(skip, names, errors);
    let is_skipped = |argument: &&Argument| skipped.contains(&spelled(&argument.name));
    if !skip.is_broken() {
        names
            .arguments
            .iter()
            .filter(|argument| !is_skipped(argument))
            .for_each(|argument| existence(argument, errors));
    }

    let kept: Vec<Ident> =
        names.arguments.iter().filter(|argument| !is_skipped(argument)).map(|argument| argument.name.clone()).collect();
    match key {
        Setting::Given { value: literal, .. } => written(literal, skip, &kept, names, errors),
        Setting::Absent if kept.is_empty() => vec![Piece::Path],
        Setting::Absent => {
            vec![Piece::Path, Piece::Literal(":".to_owned()), Piece::All { arguments: kept, span: None }]
        }
        Setting::Broken => Vec::new(),
    }
}

/// The names in `skip(..)`, once each.
fn skipped(skip: &Setting<Vec<Ident>>, names: &Names, errors: &mut Errors) -> HashSet<String> {
    let mut skipped = HashSet::new();
    for name in skip.value().into_iter().flatten() {
        let spelling = spelled(name);
        if spelling == "self" {
            errors.on(name, "`self` is part of the key only where `<self.field>` says so; remove it from `skip`");
        } else if !names.argument_names().chain(names.parameters().map(spelled)).any(|known| known == spelling) {
            let known: Vec<String> = names.argument_names().collect();
            errors.on(name, unknown("skip", &spelling, &known));
        } else if !skipped.insert(spelling) {
            errors.on(name, format!("`{name}` is skipped twice; remove one of the two"));
        }
    }
    skipped
}

/// An argument under `#[cfg]`.
fn existence(argument: &Argument, errors: &mut Errors) {
    let Some(cfg) = &argument.cfg else { return };
    let name = &argument.name;
    let message = format!(
        "whether `{name}` exists is decided only after the key has been made, so it cannot be part of it; \
         name it in `skip({name})`"
    );
    errors.on(cfg, message);
}

/// The pieces of a template.
fn written(
    literal: &LitStr,
    skip: &Setting<Vec<Ident>>,
    kept: &[Ident],
    names: &Names,
    errors: &mut Errors,
) -> Vec<Piece> {
    let template = match template::parse(&literal.value()) {
        Ok(template) => template,
        Err(fault) => {
            // It may be the second `{argument}` that makes no hash tag.
            if format_style(literal, kept, names, &HashSet::new(), errors).is_empty() {
                errors.at(span_in(literal, &fault.at), fault.message);
            }
            return Vec::new();
        }
    };
    let mut pieces = Vec::new();
    // What the key depends on; `None` as soon as that is unclear.
    let mut used = Some(HashSet::new());
    for piece in &template {
        match piece {
            template::Piece::Literal(text) => pieces.push(Piece::Literal(text.clone())),
            template::Piece::All => {
                pieces.push(Piece::All { arguments: kept.to_vec(), span: Some(literal.span()) });
            }
            template::Piece::Placeholder(placeholder) => {
                let resolved = resolve(placeholder, literal, names, errors);
                // Of a misspelt `<uid>`, `id` was meant: it must not be reported as missing as well.
                let meant = match resolved {
                    Some(_) => Some(placeholder.root.clone()),
                    None => nearest(&placeholder.root, candidates(names).iter().map(String::as_str)).map(str::to_owned),
                };
                used = used.zip(meant).map(|(mut used, name)| {
                    used.insert(name);
                    used
                });
                pieces.extend(resolved.map(Piece::Segment));
            }
        }
    }
    if let Some(mut used) = used {
        contradictions(skip, &used, errors);
        if !skip.is_broken() && !template.contains(&template::Piece::All) {
            used.extend(format_style(literal, kept, names, &used, errors));
            missing(kept, names, &used, errors);
        }
    }
    pieces
}

/// Skipped, but in the key.
fn contradictions(skip: &Setting<Vec<Ident>>, used: &HashSet<String>, errors: &mut Errors) {
    for name in skip.value().into_iter().flatten().filter(|name| used.contains(&spelled(name))) {
        let spelling = spelled(name);
        errors.on(name, format!("`{spelling}` is skipped, but `<{spelling}>` is in the key; remove one of the two"));
    }
}

/// `{id}`, as Rust's format strings have it, for an argument that is not in the key otherwise, or `{self.field}`. Returns
/// the names of what was meant.
fn format_style(
    literal: &LitStr,
    kept: &[Ident],
    names: &Names,
    used: &HashSet<String>,
    errors: &mut Errors,
) -> HashSet<String> {
    let mut meant = HashSet::new();
    for (path, at) in template::braced(&literal.value()) {
        let root = path.split('.').next().unwrap_or_default();
        // With a field it is hardly a tag; without one it may be, as in `{user}:<user>`.
        let is_field = root != path && (names.argument(root).is_some() || root == "self" && names.receiver.is_some());
        let is_argument = kept.iter().any(|name| spelled(name) == path) && !used.contains(path);
        if is_field || is_argument {
            let what = if is_field { "field" } else { "argument" };
            let message =
                format!("`{{{path}}}` is text here (a Redis Cluster hash tag); write `<{path}>` for the {what}");
            errors.at(span_in(literal, &at), message);
            meant.insert(root.to_owned());
        }
    }
    meant
}

/// Neither skipped nor in the key.
fn missing(kept: &[Ident], names: &Names, used: &HashSet<String>, errors: &mut Errors) {
    for name in kept {
        let spelling = spelled(name);
        let reported = names.argument(&spelling).is_some_and(|argument| argument.cfg.is_some());
        if !used.contains(&spelling) && !reported {
            let message = format!(
                "argument `{spelling}` is not part of the key: two calls that differ only in it would share an entry; \
                 add `<{spelling}>` to the key or name it in `skip({spelling})`"
            );
            errors.on(name, message);
        }
    }
}

/// What a placeholder stands for.
fn resolve(placeholder: &Placeholder, literal: &LitStr, names: &Names, errors: &mut Errors) -> Option<Segment> {
    let span = span_in(literal, &placeholder.at);
    let root = placeholder.root.as_str();
    let fault = |errors: &mut Errors, message: String| {
        errors.at(span, message);
        None
    };

    let value = if root == "self" {
        match &names.receiver {
            Some(receiver) => place(receiver, placeholder, span),
            None => return fault(errors, format!("no `self` here: the function is no method{}", available(names))),
        }
    } else if let Some(argument) = names.argument(root) {
        place(&argument.name, placeholder, span)
    } else if let Some(parameter) = names.parameters().find(|parameter| **parameter == root) {
        if !placeholder.fields.is_empty() {
            return fault(errors, format!("`{root}` is a generic parameter and has no fields; write `<{root}>`"));
        }
        let is_type = names.types.contains(parameter);
        if is_type && placeholder.hashed {
            return fault(errors, format!("the name of a type is hashed when it is long; write `<{root}>`"));
        }
        Some(if is_type { Value::Type(parameter.clone()) } else { Value::Const(parameter.clone()) })
    } else {
        return fault(errors, unknown_in_key(root, names));
    };
    let Some(value) = value else {
        return fault(errors, format!("`<{}>` names a field that cannot exist", placeholder.path()));
    };
    Some(Segment { path: placeholder.path(), value, hashed: placeholder.hashed, span })
}

/// `<arg.field.0>`. The tokens are resolved like the parameter itself, but located in the template, so that a type that
/// cannot be a segment is reported inside the attribute.
fn place(root: &Ident, placeholder: &Placeholder, span: Span) -> Option<Value> {
    let span = span.resolved_at(root.span());
    let fields = placeholder.fields.iter().map(|field| member(field, span)).collect::<Option<_>>()?;
    let mut root = root.clone();
    root.set_span(span);
    Some(Value::Place { root, fields })
}

fn member(field: &str, span: Span) -> Option<Member> {
    if field.starts_with(|first: char| first.is_ascii_digit()) {
        return Some(Member::Unnamed(Index { index: field.parse().ok()?, span }));
    }
    let plain = syn::parse_str::<Ident>(field);
    let mut name = plain.or_else(|_| syn::parse_str::<Ident>(&format!("r#{field}"))).ok()?;
    name.set_span(span);
    Some(Member::Named(name))
}

fn unknown(place: &str, name: &str, known: &[String]) -> String {
    let suggestion = did_you_mean(name, known.iter().map(String::as_str));
    match known {
        [] => format!("no argument `{name}`: the function has none to name in `{place}`; remove it"),
        known => format!("no argument `{name}`; {suggestion}available: {}", list(known)),
    }
}

fn unknown_in_key(root: &str, names: &Names) -> String {
    let known = candidates(names);
    let looks_like_type = root.starts_with(char::is_uppercase);
    if !looks_like_type || nearest(root, known.iter().map(String::as_str)).is_some() {
        return unknown("key", root, &known);
    }
    let field = if names.receiver.is_some() { ", or name a field, `<self.field>`" } else { "" };
    format!(
        "no argument or type parameter `{root}` of this function; \
         a type parameter of the impl is part of the type's fingerprint already: leave it out{field}"
    )
}

/// Everything a placeholder can name but `self`.
fn candidates(names: &Names) -> Vec<String> {
    names.argument_names().chain(names.parameters().map(spelled)).collect()
}

fn available(names: &Names) -> String {
    match candidates(names).as_slice() {
        [] => String::new(),
        candidates => format!("; available: {}", list(candidates)),
    }
}

/// A name as templates write it: `type` for `r#type`.
fn spelled(name: &Ident) -> String {
    name.unraw().to_string()
}

/// A part of a string literal, as far as the compiler lets us point at it; on stable that is the whole literal.
fn span_in(literal: &LitStr, part: &Range<usize>) -> Span {
    let token = literal.token();
    // With escapes, positions in the value are not positions in the source.
    let is_plain = token.to_string() == format!("\"{}\"", literal.value());
    let opening_quote = 1;
    let exact = token.subspan(part.start + opening_quote..part.end + opening_quote);
    exact.filter(|_| is_plain).unwrap_or_else(|| literal.span())
}
