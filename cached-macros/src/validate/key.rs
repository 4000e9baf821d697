//! Rules for the key of a cached function: it names every argument as a whole, or `skip` does.

use std::collections::HashSet;

use syn::{Ident, LitStr};

use super::parts::{Part, Parts};
use super::scope::{Scope, spelled, unknown};
use super::template::{Braces, format_style, resolve, span_in};
use super::uncommitted;
use crate::ast::{Options, Setting};
use crate::diagnostics::Errors;
use crate::model::Piece;
use crate::signature::{Argument, Names};
use crate::suggest::nearest;
use crate::template::{self, Form};

/// The key, and the arguments that are missing in it.
#[derive(Default)]
pub(super) struct Key {
    /// Incomplete if anything was reported.
    pub(super) pieces: Vec<Piece>,
    /// The arguments that were reported as neither in the key nor in `skip`.
    pub(super) left_out: Vec<Ident>,
}

/// The key of a function that reads.
pub(super) fn key(options: &Options, scope: &Scope<'_>, errors: &mut Errors) -> Key {
    let names = scope.names;
    let skipped = skipped(&options.skip, names, errors);
    let is_skipped = |argument: &&Argument| skipped.contains(&spelled(&argument.name));
    if !options.skip.is_broken() {
        names
            .arguments
            .iter()
            .filter(|argument| !is_skipped(argument))
            .for_each(|argument| existence(argument, errors));
    }

    let kept: Vec<&Argument> = names.arguments.iter().filter(|argument| !is_skipped(argument)).collect();
    let all = || kept.iter().map(|argument| argument.name.clone()).collect();
    match &options.key {
        Setting::Given { value: literal, .. } => written(literal, options, &kept, scope, errors),
        Setting::Absent if kept.is_empty() => Key { pieces: vec![Piece::Path], ..Key::default() },
        Setting::Absent => {
            let all = Piece::All { arguments: all(), span: None };
            Key { pieces: vec![Piece::Path, Piece::Literal(":".to_owned()), all], ..Key::default() }
        }
        Setting::Broken => Key::default(),
    }
}

/// The names in `skip(..)`, without duplicates.
fn skipped(skip: &Setting<Vec<Ident>>, names: &Names, errors: &mut Errors) -> HashSet<String> {
    let mut skipped = HashSet::new();
    for name in skip.value().into_iter().flatten() {
        let spelling = spelled(name);
        if spelling == "self" {
            errors.on(
                name,
                "`self` is not part of the key unless the key names a field, `<self.field>`; remove it from `skip`",
            );
        } else if !names.argument_names().chain(names.parameters().map(spelled)).any(|known| known == spelling) {
            let known: Vec<String> = names.argument_names().collect();
            errors.on(name, unknown("skip", &spelling, &known));
        } else if !skipped.insert(spelling) {
            errors.on(name, format!("`{name}` is skipped twice; remove one of the two"));
        }
    }
    skipped
}

/// Reports `#[cfg]` on an argument.
fn existence(argument: &Argument, errors: &mut Errors) {
    let Some(cfg) = &argument.cfg else { return };
    let name = &argument.name;
    let message = format!(
        "`#[cfg]` on `{name}` is evaluated after the key is made, so `{name}` cannot be in the key; name it in \
         `skip({name})`"
    );
    errors.on(cfg, message);
}

/// Checks a key that is written as a template.
fn written(literal: &LitStr, options: &Options, kept: &[&Argument], scope: &Scope<'_>, errors: &mut Errors) -> Key {
    let is_kept = |name: &str| kept.iter().any(|kept| spelled(&kept.name) == name);
    let template = match template::parse(&literal.value()) {
        Ok(template) => template,
        Err(fault) => {
            // The fault may be a second `{argument}`, which is not a hash tag.
            if format_style(literal, is_kept, scope, Braces::Tag, errors).is_empty() {
                errors.at(span_in(literal, &fault.at), fault.message);
            }
            return Key::default();
        }
    };
    // `<*>` cannot hash these arguments, since `:serde` is their only form.
    let by_serde = |name: &Ident| {
        template.iter().filter_map(template::Piece::placeholder).any(|placeholder| {
            placeholder.form == Form::Serde && placeholder.fields.is_empty() && spelled(name) == placeholder.root
        })
    };
    let mut key = Key::default();
    // The arguments that the key depends on; `None` as soon as that is unclear.
    let mut used = Some(Parts::default());
    for piece in &template {
        match piece {
            template::Piece::Literal(text) => key.pieces.push(Piece::Literal(text.clone())),
            template::Piece::All => {
                let arguments = kept.iter().map(|kept| &kept.name).filter(|name| !by_serde(name)).cloned().collect();
                key.pieces.push(Piece::All { arguments, span: Some(literal.span()) });
            }
            template::Piece::Placeholder(placeholder) => {
                let resolved = resolve(placeholder, literal, "key", scope, errors);
                // `<uid>` is a misspelt `<id>`, so `id` must not be reported as missing as well.
                let meant = match resolved {
                    Some(_) => Some(Part::of(&placeholder.root, &placeholder.fields)),
                    None => nearest(&placeholder.root, scope.candidates().iter().map(String::as_str))
                        .map(|name| Part::of(name, &[])),
                };
                used = used.zip(meant).map(|(mut used, part)| {
                    used.insert(part);
                    used
                });
                key.pieces.extend(resolved.map(Piece::Segment));
            }
        }
    }
    if let Some(mut used) = used {
        contradictions(&options.skip, scope.names, &used, errors);
        if !options.skip.is_broken() && !template.contains(&template::Piece::All) {
            let may_be_meant = |name: &str| is_kept(name) && !used.has_any_of(name);
            for meant in format_style(literal, may_be_meant, scope, Braces::Tag, errors) {
                used.insert(Part::of(&meant, &[]));
            }
            key.left_out = missing(kept, options, &used, errors);
        }
    }
    key
}

/// Reports arguments that are skipped but also in the key.
fn contradictions(skip: &Setting<Vec<Ident>>, names: &Names, used: &Parts, errors: &mut Errors) {
    for name in skip.value().into_iter().flatten() {
        let spelling = spelled(name);
        let argument = names.argument(&spelling);
        if used.names(&spelling) {
            let message = format!("`{spelling}` is skipped, but `<{spelling}>` is in the key; remove one of the two");
            errors.on(name, message);
        } else if argument.is_some_and(|argument| used.has_all_of(argument)) {
            errors.on(
                name,
                format!("`{spelling}` is skipped, but every item of it is in the key; remove it from `skip`"),
            );
        } else if let (Some(cfg), Some(field)) = (argument.and_then(|at| at.cfg.as_ref()), used.field_of(&spelling)) {
            let message = format!(
                "`#[cfg]` on `{spelling}` is evaluated after the key is made, so no part of `{spelling}` can be in the \
                 key; remove `<{field}>`"
            );
            errors.on(cfg, message);
        }
    }
}

/// Reports arguments that are neither skipped nor in the key as a whole.
fn missing(kept: &[&Argument], options: &Options, used: &Parts, errors: &mut Errors) -> Vec<Ident> {
    let missing = kept.iter().filter(|argument| argument.cfg.is_none() && !used.has_all_of(argument));
    let mut left_out = Vec::new();
    for argument in missing {
        let name = spelled(&argument.name);
        let field = used.field_of(&name);
        let is = match field {
            Some(field) => format!("only `<{field}>` of `{name}` is part of the key"),
            None => format!("argument `{name}` is not part of the key"),
        };
        let message = match (uncommitted::left_out(argument, options), field) {
            (Some(message), _) => format!("{is}, and `{name}` {message}"),
            (None, None) => format!(
                "{is}: two calls that differ only in it would share an entry; add `<{name}>` to the key or name it in \
                 `skip({name})`"
            ),
            (None, Some(_)) => format!(
                "{is}: two calls that differ in the rest of it would share an entry; add `<{name}>` or `<{name}:hash>` \
                 to the key, or name it in `skip({name})` if the rest does not matter"
            ),
        };
        errors.on(&argument.name, message);
        left_out.push(argument.name.clone());
    }
    left_out
}
