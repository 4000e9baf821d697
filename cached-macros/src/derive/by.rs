//! `#[event(by(tenant))]`: some fields of an event, by which entries can listen to it.

use std::collections::BTreeSet;

use proc_macro2::Ident;
use syn::Field;
use syn::ext::IdentExt;

use super::By;
use crate::diagnostics::{Errors, list};
use crate::suggest::did_you_mean;

/// The most that an event declares. Whatever emits it touches one more register for each.
const MOST: usize = 8;

/// The names of each, sorted. Reports all faults, and leaves out what has one.
pub(super) fn by(written: &[By], fields: &[Field], errors: &mut Errors) -> Vec<Vec<String>> {
    let known: Vec<String> = fields.iter().filter_map(|field| field.ident.as_ref()).map(spelled).collect();
    let mut found: Vec<Vec<String>> = Vec::new();
    for By { option, fields } in written {
        if fields.is_empty() {
            errors.on(option, "`by` names no field; write `by(tenant)`, or remove it");
            continue;
        }
        let Some(names) = names(fields, &known, errors) else { continue };
        if names.len() == known.len() {
            let message = "these are all fields, and entries always can listen by all of them; leave some out, or \
                           remove this `by`";
            errors.on(option, message);
        } else if found.contains(&names) {
            errors.on(option, "there is a `by` of the same fields already; remove one of the two");
        } else if found.len() == MOST {
            let message = format!(
                "an event has at most {MOST} `by`, because whatever emits it touches one more register for each; make \
                 a second event of it"
            );
            errors.on(option, message);
            break;
        } else {
            found.push(names);
        }
    }
    found
}

fn names(fields: &[Ident], known: &[String], errors: &mut Errors) -> Option<Vec<String>> {
    let mut names = BTreeSet::new();
    let mut are_right = true;
    for field in fields {
        let name = spelled(field);
        if !known.contains(&name) {
            errors.on(field, unknown(&name, known));
            are_right = false;
        } else if !names.insert(name.clone()) {
            errors.on(field, format!("`{name}` is listed twice; remove one of the two"));
            are_right = false;
        }
    }
    are_right.then(|| names.into_iter().collect())
}

fn unknown(name: &str, known: &[String]) -> String {
    if known.is_empty() {
        return format!("no field `{name}`: the event has no fields; remove this `by`");
    }
    let suggestion = did_you_mean(name, known.iter().map(String::as_str));
    format!("no field `{name}`; {suggestion}fields: {}", list(known))
}

fn spelled(name: &Ident) -> String {
    name.unraw().to_string()
}
