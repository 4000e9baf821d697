//! Rules for events. rustc checks that the struct exists, has these fields, and is an event.

use proc_macro2::Ident;
use quote::quote;
use syn::{ExprStruct, FieldValue as Written, Member, Path, Type};

use super::example::not_an_argument;
use super::mentions::{self, Mention};
use super::parts::{InKey, not_in_key, of_mention};
use super::scope::{Scope, spelled};
use crate::ast;
use crate::diagnostics::Errors;
use crate::model::{Event, EventField, EventFields, FieldValue};
use crate::signature::bare;
use crate::spelling::spell_event;

/// Why an event is named.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Listen,
    Emit,
}

/// Checks one event.
pub(super) fn event(
    written: ast::Event,
    purpose: Purpose,
    scope: &Scope<'_>,
    in_key: &InKey,
    errors: &mut Errors,
) -> Option<Event> {
    let text = spell_event(&written);
    let (path, fields) = match written {
        ast::Event::Unit(path) => (path, EventFields::Unit),
        ast::Event::Fields(event) => {
            let path = event.path.clone();
            (path, fields(event, purpose, scope, errors)?)
        }
    };
    let mentioned: Vec<Mention> = match &fields {
        EventFields::Unit | EventFields::Any => Vec::new(),
        EventFields::Named { fields, .. } => fields.iter().flat_map(|field| mentioned(&field.value)).collect(),
    };
    let uses = scope.arguments(mentioned.iter().map(|mention| &mention.name));
    let arguments = mentioned.iter().filter(|mention| uses.contains(&mention.name));
    let not_in_key = not_in_key(arguments.map(of_mention), in_key);
    Some(Event { path, fields, text, uses, not_in_key })
}

fn fields(event: ExprStruct, purpose: Purpose, scope: &Scope<'_>, errors: &mut Errors) -> Option<EventFields> {
    let are_some = event.dot2_token.is_some();
    if let Some(dots) = event.dot2_token {
        let rest = &event.rest;
        let is_any = event.fields.is_empty() && rest.is_none();
        let message = match purpose {
            Purpose::Listen if is_any => return Some(EventFields::Any),
            Purpose::Listen if rest.is_none() => None,
            Purpose::Listen => {
                Some("an entry listens to all events that agree in the fields before `..`; write `..` without a value")
            }
            Purpose::Emit if is_any => Some(
                "a write says exactly what it has changed; write the fields, such as `{ id: user.id }`: `{ .. }` is \
                 for `invalidate_on`",
            ),
            Purpose::Emit => {
                Some("a write says exactly what it has changed; write every field of the event, without `..`")
            }
        };
        if let Some(message) = message {
            errors.on(quote!(#dots #rest), message);
            return None;
        }
    }
    let mut complete = true;
    let mut fields: Vec<EventField> = Vec::new();
    for written in event.fields {
        // rustc reports it where it sees a struct, and at the wrong place where it sees a pattern.
        if are_some && fields.iter().any(|field| field.member == written.member) {
            let member = &written.member;
            errors.on(member, format!("the field `{}` is written twice; remove one of the two", quote!(#member)));
            complete = false;
            continue;
        }
        match field(written, &event.path, scope, errors) {
            Some(field) => fields.push(field),
            None => complete = false,
        }
    }
    complete.then_some(EventFields::Named { brace: event.brace_token, fields, are_some })
}

fn field(written: Written, event: &Path, scope: &Scope<'_>, errors: &mut Errors) -> Option<EventField> {
    let Written { member, colon_token, expr, .. } = written;
    let value = match (&member, colon_token) {
        (Member::Named(name), None) if scope.is_item(name) => FieldValue::Item(name.clone()),
        (Member::Named(name), None) if is_text(name, scope) => FieldValue::Text(name.clone()),
        (Member::Named(name), None) => FieldValue::Argument(name.clone()),
        _ => FieldValue::Code(expr),
    };
    let is_of_item = mentioned(&value).iter().any(|mention| scope.is_item(&mention.name));
    let mut names = mentioned(&value).into_iter().map(|mention| mention.name);
    let ret = names.find(|name| scope.is_ret(&spelled(name)));
    if let Some(ret) = &ret
        && !scope.may_use_ret(ret.span(), errors)
    {
        return None;
    }
    if let FieldValue::Argument(name) = &value
        && ret.is_none()
        && !is_known(name, scope)
    {
        errors.on(name, not_an_argument(&spelled(name), event, scope));
        return None;
    }
    Some(EventField { member, value, ret, is_of_item })
}

/// Whether it is an argument whose type is `&str`.
fn is_text(name: &Ident, scope: &Scope<'_>) -> bool {
    let argument = scope.names.argument(&spelled(name)).filter(|argument| !argument.is_item);
    let Some(Type::Reference(reference)) = argument.and_then(|argument| argument.whole.as_ref()).map(bare) else {
        return false;
    };
    matches!(bare(&reference.elem), Type::Path(path) if path.path.is_ident("str"))
}

fn is_known(name: &Ident, scope: &Scope<'_>) -> bool {
    scope.candidates().contains(&spelled(name))
}

fn mentioned(value: &FieldValue) -> Vec<Mention> {
    match value {
        FieldValue::Argument(name) | FieldValue::Text(name) | FieldValue::Element(name) | FieldValue::Item(name) => {
            vec![Mention { name: name.clone(), fields: Vec::new() }]
        }
        FieldValue::Code(code) => mentions::values_and_macros(code),
    }
}
