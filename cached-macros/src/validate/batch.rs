//! Rules for a function over many ids: the key names one of them.

use proc_macro2::Span;
use syn::{Ident, LitStr};

use super::scope::{spelled, unknown};
use super::stored_errors;
use super::template::span_in;
use crate::ast::{Options, Setting};
use crate::diagnostics::{Errors, list};
use crate::model::{Batch, Event, EventFields, FieldValue};
use crate::signature::{Argument, Names};
use crate::suggest::nearest;
use crate::template::{self, Piece, Placeholder};

/// Checks `batch = ids`. Afterwards `names` holds the element in place of the list.
pub(super) fn batch(options: &mut Options, names: &mut Names, errors: &mut Errors) -> Option<Batch> {
    if options.batch.is_absent() {
        return None;
    }
    freshness(options, errors);
    stored_errors::not_in_a_batch(options, errors);
    // `key` reports what is wrong with the template itself.
    let key = options.key.value().cloned();
    let template = key.as_ref().and_then(|key| template::parse(&key.value()).ok()).unwrap_or_default();
    let placeholders: Vec<&Placeholder> = template.iter().filter_map(Piece::placeholder).collect();
    let list = list_of(options, names, errors);
    let elements = elements(&placeholders, list.as_ref(), names);
    if let (Some(list), Setting::Given { name: option, .. }) = (&list, &options.batch) {
        let list = spelled(&list.name);
        skipped(&mut options.skip, &list, errors);
        match &key {
            Some(key) => named(key, &template, &elements, &list, errors),
            None if options.key.is_absent() => {
                let example = singular(&list);
                let message = format!(
                    "a batch stores one entry for each id, so the key must name the id; write `key = \
                     \"..:<{example}>\"`"
                );
                errors.on(option, message);
            }
            None => {}
        }
    }
    if list.is_none() {
        // Any argument that is named nowhere may be the list.
        let skipped: Vec<String> = options.skip.value().into_iter().flatten().map(spelled).collect();
        names.arguments.retain(|argument| {
            let name = spelled(&argument.name);
            skipped.contains(&name) || placeholders.iter().any(|placeholder| placeholder.root == name)
        });
    }
    // Adds all elements, even if too many of them were reported: one fault makes one message.
    let others = names.arguments.clone();
    let at = list.as_ref().map_or_else(Span::call_site, |list| list.written);
    let elements: Vec<Ident> = elements.iter().map(|element| Ident::new(element, at)).collect();
    let item =
        list.as_ref().and_then(|list| names.arguments.iter().find(|argument| argument.name == list.name)?.item());
    let item = item.cloned();
    names.arguments.extend(elements.iter().map(|element| Argument::element(element.clone(), item.clone())));
    let is_named = list.as_ref().is_some_and(|list| placeholders.iter().any(|at| at.root == spelled(&list.name)));
    let List { name, written: _ } = list?;
    let at = others.iter().position(|argument| argument.name == name)?;
    if !is_named {
        names.arguments.remove(at);
    }
    let (ids, others) = take(others, at)?;
    Some(Batch { ids, element: elements.into_iter().next()?, others })
}

/// The argument that lists the ids.
struct List {
    name: Ident,
    /// Where `batch` names it.
    written: Span,
}

fn list_of(options: &Options, names: &Names, errors: &mut Errors) -> Option<List> {
    let written = options.batch.value()?;
    let spelling = spelled(written);
    let argument = names.argument(&spelling);
    if argument.is_none() {
        let known: Vec<String> = names.argument_names().collect();
        errors.on(written, unknown("batch", &spelling, &known));
    }
    Some(List { name: argument?.name.clone(), written: written.span() })
}

fn take(mut arguments: Vec<Argument>, at: usize) -> Option<(Argument, Vec<Argument>)> {
    (at < arguments.len()).then(|| (arguments.remove(at), arguments))
}

/// Checks that the key names one id of the list, and nothing else that is not an argument.
fn named(key: &LitStr, template: &[Piece], elements: &[String], of: &str, errors: &mut Errors) {
    let example = singular(of);
    let is_all = template.contains(&Piece::All);
    if let Some(list) = template.iter().filter_map(Piece::placeholder).find(|placeholder| placeholder.root == of) {
        let message =
            format!("a batch stores one entry for each id; write `<{example}>` for one id instead of the list");
        errors.at(span_in(key, &list.at), message);
    } else if is_all {
        let message = format!(
            "`<*>` hashes all arguments, the whole list included; write `<{example}>` for one id, and name the other \
             arguments"
        );
        errors.on(key, message);
    } else if elements.is_empty() {
        let message = format!(
            "the key names no id of `{of}`, so all ids would share one entry; add `<{example}>`: a placeholder that is \
             not an argument stands for one id"
        );
        errors.on(key, message);
    } else if elements.len() > 1 {
        let message = format!(
            "{} are not arguments, and only one placeholder can stand for an id of `{of}`; keep one of them, and write \
             arguments for the others",
            list(elements.iter().map(|element| format!("<{element}>")))
        );
        errors.on(key, message);
    }
}

/// The placeholders of the key that are neither arguments nor items. If there are several, those that misspell an
/// argument are left out, because `resolve` reports them.
fn elements(placeholders: &[&Placeholder], list: Option<&List>, names: &Names) -> Vec<String> {
    let mut unknown: Vec<&str> = Vec::new();
    for root in placeholders.iter().map(|placeholder| placeholder.root.as_str()) {
        let is_parameter = names.parameters().any(|parameter| *parameter == root);
        // Types and constants begin with a capital letter, and a path leads to one of them.
        let is_item = root.contains("::") || root.starts_with(char::is_uppercase);
        let is_known = root == "self" || is_item || is_parameter || names.argument(root).is_some();
        if !is_known && !unknown.contains(&root) {
            unknown.push(root);
        }
    }
    if unknown.len() > 1 {
        let arguments: Vec<String> = names.argument_names().collect();
        let is_named = |name: &str| placeholders.iter().any(|placeholder| placeholder.root == name);
        let missing = || {
            arguments
                .iter()
                .map(String::as_str)
                .filter(|name| list.is_none_or(|list| spelled(&list.name) != *name) && !is_named(name))
        };
        let is_slip = |root: &str| nearest(root, missing()).is_some();
        let meant: Vec<&str> = unknown.iter().copied().filter(|root| !is_slip(root)).collect();
        if !meant.is_empty() {
            unknown = meant;
        }
    }
    unknown.into_iter().map(str::to_owned).collect()
}

/// `id` of `ids`.
pub(super) fn singular(list: &str) -> &str {
    list.strip_suffix('s').filter(|one| !one.is_empty()).unwrap_or("id")
}

/// Rejects options that refresh values: a batch would refresh each value on its own.
fn freshness(options: &Options, errors: &mut Errors) {
    let given = [
        options.stale_while_revalidate.name(),
        options.stale_if_error.name(),
        options.refresh_ahead.name(),
        options.refresh.name(),
        options.spawn.name(),
        options.load_timeout.name(),
    ];
    for name in given.into_iter().flatten() {
        let message = format!("`{name}` does not work with `batch`, which loads all missing ids together; remove it");
        errors.on(name, message);
    }
}

/// Reports the list in `skip(..)` and removes it there.
fn skipped(skip: &mut Setting<Vec<Ident>>, list: &str, errors: &mut Errors) {
    let Setting::Given { value: names, .. } = skip else { return };
    names.retain(|name| {
        let is_list = spelled(name) == list;
        if is_list {
            let message =
                format!("`{list}` is the list of the batch, and each of its ids is in a key; remove it from `skip`");
            errors.on(name, message);
        }
        !is_list
    });
}

/// Marks `{ id }` where it names the element, which is bound by reference.
pub(super) fn of_element(events: &mut [Event], element: &Ident) {
    for event in events {
        let EventFields::Named { fields, .. } = &mut event.fields else { continue };
        for field in fields {
            if let FieldValue::Argument(name) = &field.value
                && spelled(name) == spelled(element)
            {
                field.value = FieldValue::Element(name.clone());
            }
        }
    }
}
