//! Rules about the key of a cached function: every argument is named or skipped.

use std::collections::HashSet;

use syn::{Ident, LitStr};

use super::scope::{Scope, spelled, unknown};
use super::template::{Braces, format_style, resolve, span_in};
use crate::ast::Setting;
use crate::diagnostics::Errors;
use crate::model::Piece;
use crate::signature::{Argument, Names};
use crate::suggest::nearest;
use crate::template::{self, Form};

/// The pieces of the key; complete only if nothing was reported.
pub(super) fn pieces(
    key: &Setting<LitStr>,
    skip: &Setting<Vec<Ident>>,
    scope: &Scope<'_>,
    errors: &mut Errors,
) -> Vec<Piece> {
    let names = scope.names;
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
        Setting::Given { value: literal, .. } => written(literal, skip, &kept, scope, errors),
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
    scope: &Scope<'_>,
    errors: &mut Errors,
) -> Vec<Piece> {
    let is_kept = |name: &str| kept.iter().any(|kept| spelled(kept) == name);
    let template = match template::parse(&literal.value()) {
        Ok(template) => template,
        Err(fault) => {
            // It may be the second `{argument}` that makes no hash tag.
            if format_style(literal, is_kept, scope, Braces::Tag, errors).is_empty() {
                errors.at(span_in(literal, &fault.at), fault.message);
            }
            return Vec::new();
        }
    };
    // Of these, a hash cannot be made otherwise.
    let by_serde = |name: &Ident| {
        template.iter().filter_map(template::Piece::placeholder).any(|placeholder| {
            placeholder.form == Form::Serde && placeholder.fields.is_empty() && spelled(name) == placeholder.root
        })
    };
    let mut pieces = Vec::new();
    // What the key depends on; `None` as soon as that is unclear.
    let mut used = Some(HashSet::new());
    for piece in &template {
        match piece {
            template::Piece::Literal(text) => pieces.push(Piece::Literal(text.clone())),
            template::Piece::All => {
                let arguments = kept.iter().filter(|name| !by_serde(name)).cloned().collect();
                pieces.push(Piece::All { arguments, span: Some(literal.span()) });
            }
            template::Piece::Placeholder(placeholder) => {
                let resolved = resolve(placeholder, literal, "key", scope, errors);
                // Of a misspelt `<uid>`, `id` was meant: it must not be reported as missing as well.
                let meant = match resolved {
                    Some(_) => Some(placeholder.root.clone()),
                    None => {
                        nearest(&placeholder.root, scope.candidates().iter().map(String::as_str)).map(str::to_owned)
                    }
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
            let may_be_meant = |name: &str| is_kept(name) && !used.contains(name);
            let meant = format_style(literal, may_be_meant, scope, Braces::Tag, errors);
            used.extend(meant);
            missing(kept, scope.names, &used, errors);
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
