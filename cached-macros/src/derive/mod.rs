//! `#[derive(CacheKey)]` and `#[derive(CacheEvent)]`.

mod bounds;
mod by;
mod event;
mod field;
mod key;

pub(crate) use event::derive as cache_event;
pub(crate) use key::derive as cache_key;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::meta::ParseNestedMeta;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{DeriveInput, Field, Ident, LitStr, Path, Token, token};

use crate::ast::Setting;
use crate::diagnostics::{Errors, list};
use crate::paths;

/// The options in `#[cache_key(..)]` and `#[event(..)]`.
struct Options {
    /// `crate = path`.
    krate: Path,
    /// `name = ".."`, for events only.
    name: Setting<LitStr>,
    /// `by(tenant)`, for events only.
    by: Vec<By>,
}

/// Some fields of an event, as they are listed.
struct By {
    option: Path,
    fields: Vec<Ident>,
}

impl Options {
    /// Reads the attributes with this name; `known` are the options that they may have.
    fn of(input: &DeriveInput, attribute: &str, known: &[&str], errors: &mut Errors) -> Self {
        let mut krate = Setting::Absent;
        let mut name = Setting::Absent;
        let mut by = Vec::new();
        for attr in input.attrs.iter().filter(|attr| attr.path().is_ident(attribute)) {
            let parsed = attr.parse_nested_meta(|meta| match meta.path.get_ident() {
                Some(option) if known.iter().any(|known| option == known) => {
                    if option == "crate" {
                        read(&mut krate, &meta, crate_path)
                    } else if option == "by" {
                        by.push(By { fields: names(&meta)?, option: meta.path.clone() });
                        Ok(())
                    } else {
                        read(&mut name, &meta, text)
                    }
                }
                _ => {
                    let written = meta.path.to_token_stream();
                    Err(meta.error(format!("unknown option `{written}`; options: {}", list(known))))
                }
            });
            if let Err(error) = parsed {
                errors.push(error);
            }
        }
        Self { krate: krate.into_value().unwrap_or_else(paths::runtime), name, by }
    }
}

fn read<T>(
    setting: &mut Setting<T>,
    meta: &ParseNestedMeta<'_>,
    value: fn(&ParseNestedMeta<'_>) -> syn::Result<T>,
) -> syn::Result<()> {
    let Some(name) = meta.path.get_ident().cloned() else { return Ok(()) };
    if !setting.is_absent() {
        return Err(meta.error(format!("`{name}` is given twice; remove one of the two")));
    }
    // Stays broken if the value cannot be read.
    *setting = Setting::Broken;
    *setting = Setting::Given { value: value(meta)?, name };
    Ok(())
}

fn crate_path(meta: &ParseNestedMeta<'_>) -> syn::Result<Path> {
    if !meta.input.peek(Token![=]) || meta.input.peek2(LitStr) {
        return Err(meta.error("`crate` takes a path, without quotes; write `crate = ::cached_core`"));
    }
    meta.value()?.call(Path::parse_mod_style)
}

fn text(meta: &ParseNestedMeta<'_>) -> syn::Result<LitStr> {
    if !meta.input.peek(Token![=]) || !meta.input.peek2(LitStr) {
        return Err(meta.error("`name` takes a string literal; write `name = \"user_updated\"`"));
    }
    meta.value()?.parse()
}

/// `(tenant, country)`
fn names(meta: &ParseNestedMeta<'_>) -> syn::Result<Vec<Ident>> {
    const MESSAGE: &str = "`by` lists fields in parentheses; write `by(tenant)`";
    if !meta.input.peek(token::Paren) {
        return Err(meta.error(MESSAGE));
    }
    let content;
    syn::parenthesized!(content in meta.input);
    let names = Punctuated::<Ident, Token![,]>::parse_terminated_with(&content, Ident::parse_any);
    names.map(|names| names.into_iter().collect()).map_err(|error| {
        // Consumes the rest inside the parentheses, which would be reported as well.
        let _ = content.parse::<TokenStream>();
        syn::Error::new(error.span(), MESSAGE)
    })
}

/// The span of generated code at the type of the field, where rustc reports a float.
fn at_type(field: &Field) -> Span {
    Span::mixed_site().located_at(field.ty.span())
}
