//! Reads what follows the name of an option.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::parse::discouraged::Speculative;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Ident, Lit, LitStr, Macro, Path, Token, token};

use super::known::example;
use crate::ast::Tags;

/// `= expr`.
pub(super) fn expression(input: ParseStream<'_>, name: &Ident) -> syn::Result<Expr> {
    equals(input, name)?;
    bare_expression(input)
}

/// `= expr`, or nothing.
pub(super) fn optional(input: ParseStream<'_>, name: &Ident) -> syn::Result<Option<Expr>> {
    if input.is_empty() || input.peek(Token![,]) { Ok(None) } else { expression(input, name).map(Some) }
}

/// Nothing: the name alone is the option.
pub(super) fn flag(input: ParseStream<'_>, name: &Ident) -> syn::Result<()> {
    if input.is_empty() || input.peek(Token![,]) {
        return Ok(());
    }
    let value = up_to_comma(input);
    Err(syn::Error::new_spanned(value, format!("`{name}` takes no value; write `{name}` alone, or remove it")))
}

/// An expression. If it cannot be read, nothing is consumed: otherwise the rest inside its brackets would be reported
/// as well.
pub(super) fn bare_expression(input: ParseStream<'_>) -> syn::Result<Expr> {
    let ahead = input.fork();
    let expr = ahead.parse()?;
    input.advance_to(&ahead);
    Ok(ungroup(expr))
}

/// `= "text"`.
pub(super) fn text(input: ParseStream<'_>, name: &Ident) -> syn::Result<LitStr> {
    string(expression(input, name)?, name)
}

/// `= "text"`, of an option that may be repeated.
pub(super) fn one_text(input: ParseStream<'_>, name: &Ident) -> syn::Result<LitStr> {
    match expression(input, name)? {
        Expr::Array(list) => {
            let message =
                format!("`{name}` takes one string; for several, repeat it: `{name} = \"..\", {name} = \"..\"`");
            Err(syn::Error::new_spanned(list, message))
        }
        other => string(other, name),
    }
}

fn string(value: Expr, name: &Ident) -> syn::Result<LitStr> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Ok(text),
        Expr::Macro(call) if is_concat(&call.mac) => concatenated(&call.mac, name),
        other => {
            let message = format!("`{name}` takes a string literal; write `{}`", example(name));
            Err(syn::Error::new_spanned(other, message))
        }
    }
}

/// `concat!`, which `macro_rules!` need for a key with a part of their own. An attribute gets the call and not what it
/// expands to.
fn is_concat(call: &Macro) -> bool {
    call.path.segments.last().is_some_and(|last| last.ident == "concat")
}

/// The text of a `concat!`, located at its name.
// Input:  concat!("user", ":<id>"), concat!(stringify!(user), ":<id>")
// Output: "user:<id>"
fn concatenated(call: &Macro, name: &Ident) -> syn::Result<LitStr> {
    let parts = call.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated)?;
    let mut text = String::new();
    for part in parts {
        text.push_str(&part_of_concat(ungroup(part), name)?);
    }
    Ok(LitStr::new(&text, call.path.span()))
}

fn part_of_concat(part: Expr, name: &Ident) -> syn::Result<String> {
    match &part {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => return Ok(text.value()),
        Expr::Lit(ExprLit { lit: Lit::Char(letter), .. }) => return Ok(letter.value().to_string()),
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => return Ok(number.base10_digits().to_owned()),
        Expr::Macro(call) if is_concat(&call.mac) => return concatenated(&call.mac, name).map(|text| text.value()),
        // Of one name only: with several, rustc decides about the spaces between them.
        Expr::Macro(call) if call.mac.path.is_ident("stringify") => {
            if let Ok(only) = call.mac.parse_body_with(Ident::parse_any) {
                return Ok(only.to_string());
            }
        }
        _ => {}
    }
    let message = format!(
        "`concat!` in `{name}` joins string literals and `stringify!` of one name, since the attribute reads it before \
         rustc expands it"
    );
    Err(syn::Error::new_spanned(part, message))
}

/// `= ::path::to::the_crate`.
pub(super) fn path(input: ParseStream<'_>, name: &Ident) -> syn::Result<Path> {
    equals(input, name)?;
    if input.peek(syn::LitStr) {
        let message = format!("`{name}` takes a path, without quotes; write `{}`", example(name));
        return Err(input.error(message));
    }
    input.call(Path::parse_mod_style)
}

/// `= name`.
pub(super) fn one_name(input: ParseStream<'_>, name: &Ident) -> syn::Result<Ident> {
    let value = expression(input, name)?;
    if let Expr::Path(path) = &value
        && let Some(argument) = path.path.get_ident()
    {
        return Ok(argument.clone());
    }
    let message = format!("`{name}` takes the name of an argument; write `{}`", example(name));
    Err(syn::Error::new_spanned(value, message))
}

/// `(a, b)`.
pub(super) fn names(input: ParseStream<'_>, name: &Ident) -> syn::Result<Vec<Ident>> {
    if !input.peek(token::Paren) {
        let message = format!("`{name}` lists arguments in parentheses; write `{}`", example(name));
        return Err(syn::Error::new(name.span(), message));
    }
    let content;
    syn::parenthesized!(content in input);
    match Punctuated::<Ident, Token![,]>::parse_terminated_with(&content, Ident::parse_any) {
        Ok(names) => Ok(names.into_iter().collect()),
        Err(error) => {
            // Consumes the rest inside the parentheses, which would be reported as well.
            content.parse::<TokenStream>()?;
            let message = format!("`{name}` lists names of arguments; write `{}`", example(name));
            Err(syn::Error::new(error.span(), message))
        }
    }
}

/// `= "tenant:<tenant>"`, `= ["tenant:<tenant>", |user: &User| ..]`, `= |user: &User| ..`
pub(super) fn tags(input: ParseStream<'_>, name: &Ident) -> syn::Result<Tags> {
    let mut tags = Tags { templates: Vec::new(), of_value: Vec::new() };
    for tag in one_or_list(expression(input, name)?) {
        match tag {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => tags.templates.push(text),
            Expr::Macro(call) if is_concat(&call.mac) => tags.templates.push(concatenated(&call.mac, name)?),
            tag @ (Expr::Closure(_) | Expr::Path(_)) => tags.of_value.push(tag),
            other => {
                let message = format!(
                    "a tag is a string literal, or a closure of the value that returns tags; write `{}` or `tags = \
                     |value: &T| ..`",
                    example(name)
                );
                return Err(syn::Error::new_spanned(other, message));
            }
        }
    }
    Ok(tags)
}

/// The elements of `[a, b]`; any other expression is one.
pub(super) fn one_or_list(expr: Expr) -> Vec<Expr> {
    match expr {
        Expr::Array(list) => list.elems.into_iter().map(ungroup).collect(),
        one => vec![one],
    }
}

/// The `=` and something after it.
fn equals(input: ParseStream<'_>, name: &Ident) -> syn::Result<()> {
    let written = input.peek(Token![=]) && !input.peek(Token![==]);
    if written {
        input.parse::<Token![=]>()?;
    }
    if !written || input.is_empty() || input.peek(Token![,]) {
        return Err(syn::Error::new(name.span(), format!("`{name}` needs a value; write `{}`", example(name))));
    }
    Ok(())
}

/// Replaces the error for a value that ends too early, such as `ttl = self.` while it is typed. `syn` has no token to
/// point at and reports it at the whole attribute; this points at the tokens that are there.
pub(super) fn unfinished(error: syn::Error, name: &Ident, written: ParseStream<'_>) -> syn::Error {
    if !error.to_string().starts_with("unexpected end") {
        return error;
    }
    let value = up_to_comma(written);
    let tokens = quote!(#name #value);
    let message = format!("the value of `{name}` is not finished; write for example `{}`", example(name));
    syn::Error::new_spanned(tokens, message)
}

/// All tokens of a value, even if it cannot be read.
pub(super) fn up_to_comma(written: ParseStream<'_>) -> TokenStream {
    let mut tokens = TokenStream::new();
    while let Ok(token) = written.parse::<TokenTree>() {
        if matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ',') {
            break;
        }
        tokens.extend([token]);
    }
    tokens
}

/// The expression inside the invisible groups that `macro_rules!` puts around its fragments.
pub(super) fn ungroup(expr: Expr) -> Expr {
    match expr {
        Expr::Group(group) => ungroup(*group.expr),
        other => other,
    }
}
