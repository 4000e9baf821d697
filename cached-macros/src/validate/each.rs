//! Rules for the `for` of a write.

use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{Expr, Ident, Pat, PatIdent, Type};

use super::event::{self, Purpose};
use super::mentions;
use super::scope::{Scope, spelled, unknown};
use super::template;
use crate::ast;
use crate::diagnostics::{Errors, list};
use crate::model::{Each, Invalidation, List, Listed};
use crate::signature::{Argument, bare};

/// `for user in users { .. }`
pub(super) fn each(written: ast::Each, scope: &Scope<'_>, errors: &mut Errors) -> Option<Each> {
    let ast::Each { pattern, list, emits, removes, tags } = written;
    let list = of(list, scope, errors);
    let items = items(&pattern, scope, errors);
    let (list, items) = (list?, items?);
    let mut names = scope.names.clone();
    let whole = whole(&pattern, &list.code, scope);
    names.arguments.extend(items.iter().map(|item| Argument::element(item.clone(), whole.cloned())));
    let inner = scope.of_items(&names, &items, list.ret.is_some());

    let mut what = Invalidation::default();
    for event in emits {
        let at = event_tokens(&event);
        let event = event::event(event, Purpose::Emit, &inner, &None, errors);
        what.events.extend(event.filter(|event| uses_item(at, event.uses.iter(), &inner, &items, errors)));
    }
    for literal in &removes {
        let key = template::key(literal, &inner, errors);
        what.keys.extend(key.filter(|key| uses_item(literal, key.roots(), &inner, &items, errors)));
    }
    for literal in &tags {
        let tag = template::tag(literal, "tag", &inner, &None, errors);
        what.tags.extend(tag.filter(|tag| uses_item(literal, tag.roots(), &inner, &items, errors)));
    }
    Some(Each { pattern, items, list, what })
}

/// The type of an item that is not taken apart.
fn whole<'a>(pattern: &Pat, list: &Expr, scope: &Scope<'a>) -> Option<&'a Type> {
    match (pattern, list) {
        (Pat::Ident(_), Expr::Path(_)) => scope.names.argument(&spelled(root(list)?))?.item(),
        _ => None,
    }
}

/// Reports a part that is the same for every item.
fn uses_item<'n>(
    at: impl ToTokens,
    mut names: impl Iterator<Item = &'n Ident>,
    scope: &Scope<'_>,
    items: &[Ident],
    errors: &mut Errors,
) -> bool {
    let uses = names.any(|name| scope.is_item(name));
    if !uses {
        let message = format!(
            "this does not name {}, so it is the same for every item; write it outside of the `for`",
            any_of(items)
        );
        errors.on(at, message);
    }
    uses
}

fn any_of(items: &[Ident]) -> String {
    match items {
        [item] => format!("`{}`", spelled(item)),
        items => format!("any of {}", list(items.iter().map(spelled))),
    }
}

/// The names that the pattern binds. Reports those that mean something else already.
fn items(pattern: &Pat, scope: &Scope<'_>, errors: &mut Errors) -> Option<Vec<Ident>> {
    let mut bound = Bound(Vec::new());
    bound.visit_pat(pattern);
    let Bound(items) = bound;
    if items.is_empty() {
        errors.on(pattern, "this names no item; write a name, as in `for user in users { .. }`");
        return None;
    }
    let mut are_new = true;
    for item in &items {
        let name = spelled(item);
        let taken = if scope.names.argument(&name).is_some() {
            "the name of an argument"
        } else if scope.is_ret(&name) {
            "what the function returns"
        } else {
            continue;
        };
        errors.on(item, format!("`{name}` is {taken} already; give the item another name"));
        are_new = false;
    }
    are_new.then_some(items)
}

/// The names that a pattern binds.
struct Bound(Vec<Ident>);

impl Visit<'_> for Bound {
    fn visit_pat_ident(&mut self, pat: &PatIdent) {
        // `None` and constants are not bound.
        if !spelled(&pat.ident).starts_with(char::is_uppercase) {
            self.0.push(pat.ident.clone());
        }
        visit::visit_pat_ident(self, pat);
    }
}

/// What the `for` goes through.
fn of(code: Expr, scope: &Scope<'_>, errors: &mut Errors) -> Option<List> {
    // `&users` means the same as `users`.
    let code = match code {
        Expr::Reference(reference) if reference.mutability.is_none() && root(&reference.expr).is_some() => {
            *reference.expr
        }
        code => code,
    };
    let ret = mentions::values(&code).into_iter().find(|name| scope.is_ret(&spelled(name)));
    if let Some(ret) = &ret
        && !scope.may_use_ret(ret.span(), errors)
    {
        return None;
    }
    let Some(root) = root(&code) else { return Some(List { code, is: Listed::Value, ret }) };
    let name = spelled(root);
    let argument = scope.names.argument(&name);
    let is_self = name == "self" && scope.names.receiver.is_some();
    let is_constant = name.starts_with(char::is_uppercase);
    if argument.is_none() && ret.is_none() && !is_self && !is_constant {
        errors.on(root, unknown("for", &name, &scope.names.argument_names().collect::<Vec<_>>()));
        return None;
    }
    let is_whole = matches!(code, Expr::Path(_));
    let is_reference =
        |argument: &Argument| argument.whole.as_ref().is_some_and(|ty| matches!(bare(ty), Type::Reference(_)));
    // What the function returned is bound by reference.
    let is_reference = is_whole && (ret.is_some() || is_self || argument.is_some_and(is_reference));
    Some(List { code, is: if is_reference { Listed::Reference } else { Listed::Place }, ret })
}

/// `page` in `page`, `page.users` and `(page).0`.
fn root(code: &Expr) -> Option<&Ident> {
    match code {
        Expr::Path(path) => path.path.get_ident(),
        Expr::Field(field) => root(&field.base),
        Expr::Paren(code) => root(&code.expr),
        Expr::Group(code) => root(&code.expr),
        _ => None,
    }
}

fn event_tokens(event: &ast::Event) -> proc_macro2::TokenStream {
    match event {
        ast::Event::Unit(path) => path.to_token_stream(),
        ast::Event::Fields(event) => event.to_token_stream(),
    }
}
