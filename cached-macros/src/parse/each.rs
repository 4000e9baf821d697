//! `for user in users { UserUpdated { id: user.id }, key = "user:<user.id>" }`: what a write invalidates for each item.
//!
//! It is written as Rust writes a loop: the braces show what is repeated, the item is any pattern and the list any
//! expression, and both mean what they mean in a body.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Expr, Ident, Pat, Token};

use super::value::{one_text, unfinished, up_to_comma};
use super::{ends, event, skip_to_comma};
use crate::ast::Each;
use crate::diagnostics::Errors;
use crate::role::Role;

/// Whether a `for` comes next.
pub(super) fn is_ahead(input: ParseStream<'_>) -> bool {
    input.peek(Token![for])
}

/// Reads a `for`. Reports what is wrong in its braces.
pub(super) fn each(role: Role, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Each> {
    let written = input.fork();
    let (token, pattern, list) = head(input).map_err(|_| {
        let message = "a `for` is written as in Rust; write `for user in users { UserUpdated { id: user.id } }`";
        syn::Error::new_spanned(up_to_comma(&written), message)
    })?;
    let content;
    syn::braced!(content in input);
    let message = match role {
        Role::Invalidate => None,
        Role::Read => Some("`for` is for `#[redis_invalidate]`; for the entries of many ids write `batch = ids`"),
        Role::Put => Some(
            "`for` is for `#[redis_invalidate]`: a put stores one value; write `#[redis_invalidate(for .. in .. { .. }, \
                 key = ..)]` in place of the put, and the next read stores the value",
        ),
    };
    if let Some(message) = message {
        content.parse::<TokenStream>()?;
        return Err(syn::Error::new_spanned(quote!(#token #pattern in #list), message));
    }
    let mut each = Each { pattern, list, emits: Vec::new(), removes: Vec::new(), tags: Vec::new() };
    if content.is_empty() {
        let Each { pattern, list, .. } = &each;
        let message = "this `for` names nothing; write an event, a key or a tag between its braces, such as \
                       `UserUpdated { id: user.id }`";
        return Err(syn::Error::new_spanned(quote!(#token #pattern in #list), message));
    }
    while !content.is_empty() {
        if let Err(error) = part(&content, &mut each) {
            errors.push(error);
            skip_to_comma(&content)?;
        }
        if !content.is_empty() {
            content.parse::<Token![,]>()?;
        }
    }
    Ok(each)
}

/// `for user in users`, and the braces to come.
fn head(input: ParseStream<'_>) -> syn::Result<(Token![for], Pat, Expr)> {
    let token = input.parse()?;
    let pattern = Pat::parse_single(input)?;
    input.parse::<Token![in]>()?;
    let list = Expr::parse_without_eager_brace(input)?;
    if input.peek(syn::token::Brace) { Ok((token, pattern, list)) } else { Err(input.error("expected `{`")) }
}

/// One event, key or tag, up to the comma that ends it.
fn part(input: ParseStream<'_>, each: &mut Each) -> syn::Result<()> {
    let written = input.fork();
    if is_ahead(input) {
        let message = "a `for` stands in no other; write one whose list has all items, such as `for line in \
                       orders.iter().flat_map(|order| &order.lines) { .. }`";
        return Err(syn::Error::new_spanned(up_to_comma(&written), message));
    }
    if event::is_ahead(input) {
        each.emits.push(event::positional(input)?);
        return ends(input);
    }
    let name = input.call(Ident::parse_any).ok().filter(|name| name == "key" || name == "tag");
    let Some(name) = name else {
        let message = "between the braces of a `for` stand events, `key = \"..\"` and `tag = \"..\"`; write anything else \
                       outside of it";
        return Err(syn::Error::new_spanned(up_to_comma(&written), message));
    };
    let value = input.fork();
    let text = one_text(input, &name).map_err(|error| unfinished(error, &name, &value))?;
    if name == "key" {
        each.removes.push(text);
    } else {
        each.tags.push(text);
    }
    ends(input)
}
