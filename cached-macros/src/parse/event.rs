//! Events: `UserUpdated { id: user.id }`, `CatalogueReloaded`, `UserUpdated { .. }`.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Expr, ExprCall, ExprField, ExprLit, Ident, Lit, Member, Token, token};

use super::value::{bare_expression, expression, one_or_list, up_to_comma};
use crate::ast::Event;
use crate::spelling::spell;

/// `= UserUpdated { id }`, `= [UserUpdated { id }, CatalogueReloaded]`.
pub(super) fn events(input: ParseStream<'_>, name: &Ident) -> syn::Result<Vec<Event>> {
    let ahead = input.fork();
    let written = expression(input, name).map_err(|error| misread(error, &ahead))?;
    match &written {
        Expr::Array(list) if list.elems.is_empty() => {
            let message = format!("`{name}` names no event; write `{name} = UserUpdated {{ id }}`, or remove it");
            Err(syn::Error::new_spanned(list, message))
        }
        Expr::Tuple(list) => {
            let message = format!("several events are a list in brackets; write `{name} = [A {{ id }}, B {{ id }}]`");
            Err(syn::Error::new_spanned(list, message))
        }
        _ => one_or_list(written).into_iter().map(event).collect(),
    }
}

/// Whether an event comes next, and not the name of an option.
pub(super) fn is_ahead(input: ParseStream<'_>) -> bool {
    if input.peek(token::Bracket) || input.peek(Token![::]) {
        return true;
    }
    let ahead = input.fork();
    let Ok(name) = ahead.call(Ident::parse_any) else { return false };
    if ahead.peek(token::Brace) || ahead.peek(Token![::]) {
        return true;
    }
    // `UserUpdated`, `UserUpdated(id)`; a lower-case word is an option whose value is missing.
    name.unraw().to_string().starts_with(char::is_uppercase) && !ahead.peek(Token![=])
}

/// Reads an event that is not the value of an option.
pub(super) fn positional(input: ParseStream<'_>) -> syn::Result<Event> {
    let written = input.fork();
    let parsed = bare_expression(input).map_err(|error| {
        if !error.to_string().starts_with("unexpected end") {
            return misread(error, &written);
        }
        let message = "this event is not finished; write for example `UserUpdated { id: user.id }`";
        syn::Error::new_spanned(up_to_comma(&written), message)
    });
    match parsed? {
        Expr::Array(list) => {
            let message = "events are written one after the other, without brackets; write `A { id }, B { id }`";
            Err(syn::Error::new_spanned(list, message))
        }
        other => event(other),
    }
}

/// Translates what the expression parser says about an event, so that it says what to write.
fn misread(error: syn::Error, written: ParseStream<'_>) -> syn::Error {
    let field;
    let message = match error.to_string().as_str() {
        // `UserUpdated { user.id }`, `UserUpdated { "id" }`
        "expected `,`" | "expected identifier or integer" => {
            let tokens = written.parse::<TokenStream>().unwrap_or_default();
            field = format!(
                "a field of an event has a name and a value; write `{}`; a name alone means the argument with that name",
                unnamed(tokens).unwrap_or_else(|| "id: user.id".to_owned())
            );
            &field
        }
        // `Moved<u64> { from }`
        "comparison operators cannot be chained" => {
            "the types of a generic event follow `::`; write `Moved::<T> { from }`"
        }
        _ => return error,
    };
    syn::Error::new(error.span(), message)
}

/// How to write the first field in braces whose name is missing.
// Input:  UserUpdated { name.to_string() }, UserUpdated { user.id }, UserUpdated { id = user.id }
// Output: "name: name.to_string()", "id: user.id", "id: user.id"
fn unnamed(tokens: TokenStream) -> Option<String> {
    let in_braces = tokens.into_iter().find_map(|token| match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(group.stream()),
        _ => None,
    })?;
    let tokens: Vec<TokenTree> = in_braces.into_iter().collect();
    let is = |token: &TokenTree, letter: char| matches!(token, TokenTree::Punct(punct) if punct.as_char() == letter);
    let value = tokens.split(|token| is(token, ',')).find(|field| !field.get(1).is_some_and(|token| is(token, ':')))?;
    let (TokenTree::Ident(first), rest) = value.split_first()? else { return None };
    if let Some((sign, value)) = rest.split_first()
        && is(sign, '=')
        && !value.is_empty()
    {
        return Some(format!("{first}: {}", spell(value.iter().cloned().collect())));
    }
    if !rest.first().is_some_and(|token| is(token, '.')) {
        return None;
    }
    let name = match rest.last()? {
        TokenTree::Ident(last) => last,
        // `user.`, while it is typed.
        TokenTree::Punct(_) => return None,
        _ => first,
    };
    Some(format!("{name}: {}", spell(value.iter().cloned().collect())))
}

fn event(written: Expr) -> syn::Result<Event> {
    let message = match &written {
        Expr::Path(unit) if unit.qself.is_none() => return Ok(Event::Unit(unit.path.clone())),
        Expr::Struct(event) if event.qself.is_none() => return Ok(Event::Fields(event.clone())),
        Expr::Call(call) => called(call),
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
            let name = text.value();
            let name = if syn::parse_str::<Ident>(&name).is_ok() { name } else { "UserUpdated".to_owned() };
            format!("an event is a struct, not a string; write `{name} {{ id }}`")
        }
        _ => "an event is a struct; write `UserUpdated { id: user.id }`, or `CatalogueReloaded` if it has no fields"
            .to_owned(),
    };
    Err(syn::Error::new_spanned(written, message))
}

/// `UserUpdated(id)`
fn called(call: &ExprCall) -> String {
    let name = spell(call.func.to_token_stream());
    let arguments: Vec<String> = call
        .args
        .iter()
        .map(|argument| match argument {
            Expr::Path(variable) if variable.path.get_ident().is_some() => spell(variable.to_token_stream()),
            Expr::Field(ExprField { member: Member::Named(name), .. }) => {
                format!("{name}: {}", spell(argument.to_token_stream()))
            }
            other => format!("id: {}", spell(other.to_token_stream())),
        })
        .collect();
    if arguments.is_empty() {
        return format!("an event without fields is just its name; write `{name}`");
    }
    format!("the fields of an event have names; write `{name} {{ {} }}`", arguments.join(", "))
}
