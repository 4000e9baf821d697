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
    /// The module that generated code names, in the crate of `crate = path`. Nothing else of that crate is named, so it
    /// is all that a crate needs that has the library under another name.
    support: Path,
    /// `name = ".."`, for events only.
    name: Setting<LitStr>,
    /// `by(tenant)`, for events only.
    by: Vec<By>,
    /// `emitted = "by hand"`, for events only.
    emitted: Setting<()>,
    /// `heard = "by hand"`, for events only.
    heard: Setting<()>,
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
        let (mut emitted, mut heard) = (Setting::Absent, Setting::Absent);
        for attr in input.attrs.iter().filter(|attr| attr.path().is_ident(attribute)) {
            let parsed =
                attr.parse_nested_meta(|meta| match meta.path.get_ident().map(ToString::to_string).as_deref() {
                    Some("crate") if known.contains(&"crate") => read(&mut krate, &meta, crate_path),
                    Some("name") if known.contains(&"name") => read(&mut name, &meta, text),
                    Some("by") if known.contains(&"by") => {
                        by.push(By { fields: names(&meta)?, option: meta.path.clone() });
                        Ok(())
                    }
                    Some("emitted") if known.contains(&"emitted") => read(&mut emitted, &meta, by_hand),
                    Some("heard") if known.contains(&"heard") => read(&mut heard, &meta, by_hand),
                    _ => {
                        let written = meta.path.to_token_stream();
                        Err(meta.error(format!("unknown option `{written}`; options: {}", list(known))))
                    }
                });
            if let Err(error) = parsed {
                errors.push(error);
            }
        }
        let support = paths::support(&krate.into_value().unwrap_or_else(paths::runtime));
        Self { support, name, by, emitted, heard }
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

/// `(tenant & country)`. Not with a comma, which one could read as two topics; besides, clippy would take fields that
/// stand in several `by` for duplicated attributes.
fn names(meta: &ParseNestedMeta<'_>) -> syn::Result<Vec<Ident>> {
    const MESSAGE: &str = "`by` names fields in parentheses; write `by(tenant)`, or `by(tenant & country)` for those that \
                           agree in both";
    if !meta.input.peek(token::Paren) {
        return Err(meta.error(MESSAGE));
    }
    let content;
    syn::parenthesized!(content in meta.input);
    let names = Punctuated::<Ident, Token![&]>::parse_terminated_with(&content, Ident::parse_any);
    names.map(|names| names.into_iter().collect()).map_err(|error| {
        // Consumes the rest inside the parentheses, which would be reported as well.
        let _ = content.parse::<TokenStream>();
        syn::Error::new(error.span(), MESSAGE)
    })
}

fn by_hand(meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    let name = meta.path.to_token_stream();
    let message = format!("`{name}` takes one value; write `{name} = \"by hand\"`, or leave it out");
    if !meta.input.peek(Token![=]) || !meta.input.peek2(LitStr) {
        return Err(meta.error(message));
    }
    let value: LitStr = meta.value()?.parse()?;
    if value.value() == "by hand" { Ok(()) } else { Err(syn::Error::new_spanned(value, message)) }
}

/// The span of generated code at the type of the field, where rustc reports a float.
fn at_type(field: &Field) -> Span {
    Span::mixed_site().located_at(field.ty.span())
}
