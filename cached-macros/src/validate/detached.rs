//! What a body that becomes a task captures: it moves what the call owns, and clones what the call borrows.

use proc_macro2::Ident;
use syn::visit::{self, Visit};
use syn::{FnArg, Lifetime, ParenthesizedGenericArguments, Pat, ReceiverKind, Token, Type, TypeFnPtr, TypeReference};

use crate::ast::{Options, Setting};
use crate::diagnostics::Errors;
use crate::model::{Capture, TaskBody};
use crate::receiver;
use crate::signature::{AsyncForm, Function, Parameter, bare, parameters};

/// The option that turns loads into tasks.
pub(super) fn option(options: &Options) -> Option<Ident> {
    match (&options.spawn, &options.refresh) {
        (Setting::Given { name, .. }, _) => Some(name.clone()),
        (_, Setting::Given { name, value }) if value.value() == "background" => Some(name.clone()),
        _ => None,
    }
}

pub(super) fn captures(option: Ident, function: &Function, form: Option<&AsyncForm>, errors: &mut Errors) -> TaskBody {
    let sig = &function.sig;
    let mut detached = TaskBody { option, receiver: None, captures: Vec::new() };
    if let Some(FnArg::Receiver(receiver)) = sig.inputs.first() {
        let name = Ident::new("self", receiver.self_token.span);
        let is_borrowed = match &receiver.kind {
            ReceiverKind::Reference(_, _, mutability) => {
                exclusive(mutability.as_ref(), &detached.option, "`self`", errors);
                true
            }
            ReceiverKind::Typed(_, ty) => match bare(ty) {
                Type::Reference(reference) => {
                    exclusive(reference.mutability.as_ref(), &detached.option, "`self`", errors);
                    true
                }
                _ => false,
            },
            _ => false,
        };
        if is_borrowed {
            in_strings(&detached.option, function, errors);
        }
        detached.receiver = Some((name, is_borrowed));
    }
    for parameter in parameters(sig, form.and_then(|form| form.boxed.as_ref())) {
        let is_borrowed = borrowed(&parameter, &detached.option, errors);
        let Parameter { names, cfg, .. } = parameter;
        detached.captures.extend(names.into_iter().map(|name| Capture { name, is_borrowed, cfg: cfg.clone() }));
    }
    detached
}

/// Reports format strings that name `self`: the body uses a clone of `self`, and names in strings cannot be replaced.
fn in_strings(option: &Ident, function: &Function, errors: &mut Errors) {
    for literal in receiver::in_strings(function.body.stream()) {
        let message = format!(
            "`{option}` runs the load with a clone of `self`, which a format string cannot name; write `{{}}` in the \
             string and pass `self` after it"
        );
        errors.at(literal.span(), message);
    }
}

/// Whether the argument is a reference. Reports what a task cannot capture.
fn borrowed(parameter: &Parameter<'_>, option: &Ident, errors: &mut Errors) -> bool {
    let (ty, is_borrowed) = match bare(parameter.ty) {
        Type::Reference(reference) => {
            exclusive(reference.mutability.as_ref(), option, "this argument", errors);
            if !matches!(parameter.pat, Pat::Ident(_) | Pat::Wild(_)) && !parameter.names.is_empty() {
                let message = format!(
                    "`{option}` clones a borrowed argument as a whole; give it a name, and take it apart in the body"
                );
                errors.on(parameter.pat, message);
            }
            (&*reference.elem, true)
        }
        ty => (ty, false),
    };
    let mut finder = BorrowFinder { found: None };
    finder.visit_type(ty);
    if let (Some(name), false) = (finder.found, parameter.names.is_empty()) {
        let message = format!(
            "`{option}` runs the load as its own task, which may outlive this borrow (`{name}`); take an owned value"
        );
        errors.on(parameter.ty, message);
    }
    is_borrowed
}

/// Reports `&mut`.
fn exclusive(mutability: Option<&Token![mut]>, option: &Ident, what: &str, errors: &mut Errors) {
    if let Some(mutability) = mutability {
        let message = format!(
            "`{option}` runs the load as its own task, which cannot borrow {what} mutably; take it by `&`, or in an \
             `Arc<Mutex<..>>`"
        );
        errors.on(mutability, message);
    }
}

/// Finds a borrow inside of a type. If the name of the type hides it, rustc reports it.
struct BorrowFinder {
    found: Option<String>,
}

impl<'a> Visit<'a> for BorrowFinder {
    fn visit_type_reference(&mut self, ty: &'a TypeReference) {
        if ty.lifetime.as_ref().is_none_or(|lifetime| lifetime.ident != "static") {
            self.found.get_or_insert_with(|| "&".to_owned());
        }
        visit::visit_type_reference(self, ty);
    }

    fn visit_lifetime(&mut self, lifetime: &'a Lifetime) {
        if lifetime.ident != "static" {
            self.found.get_or_insert_with(|| lifetime.to_string());
        }
    }

    // The arguments of a function type are not borrowed here.
    fn visit_type_fn_ptr(&mut self, _: &'a TypeFnPtr) {}
    fn visit_parenthesized_generic_arguments(&mut self, _: &'a ParenthesizedGenericArguments) {}
}
