//! Rules for templates: every placeholder names something.

use std::collections::HashSet;
use std::ops::Range;

use proc_macro2::Span;
use syn::punctuated::Punctuated;
use syn::{Ident, Index, LitStr, Member, Path, PathSegment, Token};

use super::parts::{InKey, not_in_key, of_pieces};
use super::scope::{Scope, unknown};
use crate::diagnostics::Errors;
use crate::model::{Piece, Segment, Template, Value};
use crate::suggest::nearest;
use crate::template::{self, Form, Placeholder};

/// Checks the template of a tag; `option` is the option that it is in.
pub(super) fn tag(
    literal: &LitStr,
    option: &str,
    scope: &Scope<'_>,
    in_key: &InKey,
    errors: &mut Errors,
) -> Option<Template> {
    let split = match template::parse_tag(&literal.value()) {
        Ok(split) => split,
        Err(fault) => {
            if format_style(literal, |_| true, scope, Braces::Text, errors).is_empty() {
                errors.at(span_in(literal, &fault.at), fault.message);
            }
            return None;
        }
    };
    let pieces = resolved(&split, literal, option, scope, errors)?;
    Some(Template { not_in_key: not_in_key(of_pieces(&pieces), in_key), pieces })
}

/// Checks the template of a key that a write removes or stores. It need not name every argument.
pub(super) fn key(literal: &LitStr, scope: &Scope<'_>, errors: &mut Errors) -> Option<Template> {
    let split = match template::parse_written(&literal.value()) {
        Ok(split) => split,
        Err(fault) => {
            if format_style(literal, |_| true, scope, Braces::Tag, errors).is_empty() {
                errors.at(span_in(literal, &fault.at), fault.message);
            }
            return None;
        }
    };
    if split.contains(&template::Piece::All) {
        let message = "`<*>` would hash the arguments of this function, not those of the function that reads; name the \
                       same arguments in both keys, such as `<id>`, or name an event";
        errors.on(literal, message);
        return None;
    }
    let pieces = resolved(&split, literal, "key", scope, errors)?;
    let used = of_pieces(&pieces);
    format_style(literal, |name| !used.iter().any(|part| part.is_of(name)), scope, Braces::Tag, errors);
    Some(Template { pieces, not_in_key: Vec::new() })
}

fn resolved(
    split: &[template::Piece],
    literal: &LitStr,
    option: &str,
    scope: &Scope<'_>,
    errors: &mut Errors,
) -> Option<Vec<Piece>> {
    let mut pieces = Some(Vec::new());
    for piece in split {
        let resolved = match piece {
            template::Piece::Literal(text) => Some(Piece::Literal(text.clone())),
            template::Piece::Placeholder(placeholder) => {
                resolve(placeholder, literal, option, scope, errors).map(Piece::Segment)
            }
            template::Piece::All => None,
        };
        pieces = pieces.zip(resolved).map(|(mut pieces, piece)| {
            pieces.push(piece);
            pieces
        });
    }
    pieces
}

/// What braces mean in a template.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Braces {
    /// Around a hash tag.
    Tag,
    Text,
}

/// Reports `{id}`, written as in a format string, if an argument could be meant, and `{self.field}`. Returns the names
/// of the arguments that were meant.
pub(super) fn format_style(
    literal: &LitStr,
    is_meant: impl Fn(&str) -> bool,
    scope: &Scope<'_>,
    braces: Braces,
    errors: &mut Errors,
) -> HashSet<String> {
    let names = scope.names;
    let mut meant = HashSet::new();
    for (path, at) in template::braced(&literal.value()) {
        let root = path.split('.').next().unwrap_or_default();
        // With a field it is hardly a hash tag; without one it may be, as in `{user}:<user>`.
        let is_field = root != path && (names.argument(root).is_some() || root == "self" && names.receiver.is_some());
        let is_argument = names.argument(path).is_some() && is_meant(path);
        if is_field || is_argument {
            let what = if is_field { "field" } else { "argument" };
            let text = if braces == Braces::Tag { "text here (a Redis Cluster hash tag)" } else { "text here" };
            errors.at(span_in(literal, &at), format!("`{{{path}}}` is {text}; write `<{path}>` for the {what}"));
            meant.insert(root.to_owned());
        }
    }
    meant
}

/// "; of `self`: ..", if nothing else resembles the name: it may be a field of the receiver.
fn of_receiver(placeholder: &Placeholder, scope: &Scope<'_>) -> String {
    if scope.names.receiver.is_none() || may_be_meant(&placeholder.root, scope) {
        return String::new();
    }
    format!("; for a field of `self` write `<self.{}>`", placeholder.path())
}

/// What a placeholder stands for.
pub(super) fn resolve(
    placeholder: &Placeholder,
    literal: &LitStr,
    option: &str,
    scope: &Scope<'_>,
    errors: &mut Errors,
) -> Option<Segment> {
    let span = span_in(literal, &placeholder.at);
    let names = scope.names;
    let root = placeholder.root.as_str();
    let fault = |errors: &mut Errors, message: String| {
        errors.at(span, message);
        None
    };

    let value = if scope.is_ret(root) {
        if !scope.may_use_ret(span, errors) {
            return None;
        }
        let span = span.resolved_at(Span::mixed_site());
        members(placeholder, span).map(|fields| Value::Returned { fields })
    } else if root == "self" {
        match &names.receiver {
            Some(receiver) => place(receiver, placeholder, span),
            None => {
                return fault(errors, format!("no `self` here: the function is not a method{}", scope.available()));
            }
        }
    } else if let Some(argument) = names.argument(root) {
        place(&argument.name, placeholder, span)
    } else if let Some(parameter) = names.parameters().find(|parameter| **parameter == root) {
        if !placeholder.fields.is_empty() {
            return fault(errors, format!("`{root}` is a generic parameter and has no fields; write `<{root}>`"));
        }
        if names.types.contains(parameter) {
            return type_name(parameter.clone(), placeholder, span, errors);
        }
        Some(Value::Const { path: parameter.clone().into(), fields: Vec::new() })
    } else if root.contains("::") || is_constant(root) && !may_be_meant(root, scope) {
        constant(placeholder, span)
    } else if root == "N" && placeholder.fields.is_empty() {
        // It may be a parameter of the impl; a type is hardly called `N`.
        constant(placeholder, span)
    } else if root.starts_with(char::is_uppercase) && placeholder.fields.is_empty() && !may_be_meant(root, scope) {
        // It may be a parameter of the impl, which the attribute cannot see. The compiler reports it if there is none.
        return type_name(Ident::new(root, span), placeholder, span, errors);
    } else {
        let message = unknown(option, root, &scope.candidates());
        return fault(errors, message + &of_receiver(placeholder, scope));
    };
    let Some(value) = value else {
        return fault(
            errors,
            format!(
                "`<{}>` names a field that cannot exist; write `<arg.field>`, or `<arg.0>` for a tuple",
                placeholder.path()
            ),
        );
    };
    Some(Segment { path: placeholder.path(), value, form: placeholder.form, span })
}

/// The value of `<arg.field.0>`. Its tokens are resolved like the parameter itself, but located in the template, so
/// that rustc reports a type that cannot be a segment inside the attribute.
fn place(root: &Ident, placeholder: &Placeholder, span: Span) -> Option<Value> {
    let span = span.resolved_at(root.span());
    let fields = members(placeholder, span)?;
    let mut root = root.clone();
    root.set_span(span);
    Some(Value::Place { root, fields })
}

fn members(placeholder: &Placeholder, span: Span) -> Option<Vec<Member>> {
    placeholder.fields.iter().map(|field| member(field, span)).collect()
}

fn member(field: &str, span: Span) -> Option<Member> {
    if field.starts_with(|first: char| first.is_ascii_digit()) {
        return Some(Member::Unnamed(Index { index: field.parse().ok()?, span }));
    }
    name_at(field, span).map(Member::Named)
}

fn name_at(name: &str, span: Span) -> Option<Ident> {
    let plain = syn::parse_str::<Ident>(name);
    let mut name = plain.or_else(|_| syn::parse_str::<Ident>(&format!("r#{name}"))).ok()?;
    name.set_span(span);
    Some(name)
}

/// The name of a type parameter.
fn type_name(name: Ident, placeholder: &Placeholder, span: Span, errors: &mut Errors) -> Option<Segment> {
    if placeholder.form != Form::Plain {
        errors.at(
            span,
            format!(
                "the name of a type takes no modifier, since a long name is hashed anyway; write `<{}>`",
                placeholder.root
            ),
        );
        return None;
    }
    Some(Segment { path: placeholder.path(), value: Value::Type(name), form: placeholder.form, span })
}

/// `<E::TABLE>`, `<Self::TABLE>`, `<TABLE>`.
fn constant(placeholder: &Placeholder, span: Span) -> Option<Value> {
    let segment = |name: &str| match name {
        "Self" | "self" | "super" | "crate" => Some(Ident::new(name, span).into()),
        name => name_at(name, span).map(PathSegment::from),
    };
    let segments: Option<Punctuated<PathSegment, Token![::]>> = placeholder.root.split("::").map(segment).collect();
    Some(Value::Const { path: Path { leading_colon: None, segments: segments? }, fields: members(placeholder, span)? })
}

fn is_constant(name: &str) -> bool {
    // `T` and `DB` are types.
    name.len() > 2
        && name.chars().all(|letter| letter == '_' || letter.is_uppercase() || letter.is_ascii_digit())
        && name.starts_with(char::is_uppercase)
}

/// Whether the name resembles that of an argument or a parameter.
fn may_be_meant(name: &str, scope: &Scope<'_>) -> bool {
    nearest(name, scope.candidates().iter().map(String::as_str)).is_some()
}

/// The span of a part of a string literal, if the compiler can point at it; on stable it is the whole literal.
pub(super) fn span_in(literal: &LitStr, part: &Range<usize>) -> Span {
    let token = literal.token();
    // With escapes, positions in the value differ from positions in the source.
    let is_plain = token.to_string() == format!("\"{}\"", literal.value());
    let opening_quote = 1;
    let exact = token.subspan(part.start + opening_quote..part.end + opening_quote);
    exact.filter(|_| is_plain).unwrap_or_else(|| literal.span())
}
