//! How the fields of a derived key or event are written: as they are, or as `#[cache_key(hash)]` or
//! `#[cache_key(serde)]` says.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote_spanned};
use syn::{Attribute, DataEnum, Field, Path};

use super::at_type;
use crate::diagnostics::Errors;
use crate::paths::located_at;
use crate::template::Form;

/// The attribute of a field.
const ATTRIBUTE: &str = "cache_key";

/// The form that a field's attributes ask for.
pub(super) fn form(field: &Field) -> Form {
    // `check` reports what is wrong with them.
    parsed(&field.attrs, &mut Errors::default())
}

/// Reports what is wrong with the attributes of these fields.
pub(super) fn check<'a>(fields: impl IntoIterator<Item = &'a Field>, errors: &mut Errors) {
    for field in fields {
        parsed(&field.attrs, errors);
        for attr in field.attrs.iter().filter(|attr| attr.path().is_ident("event")) {
            errors.on(attr, "`#[event(..)]` goes on the struct; on a field, write `#[cache_key(hash)]`");
        }
    }
}

/// Reports attributes on a variant, where they have no effect, and checks those on its fields.
pub(super) fn check_variants(data: &DataEnum, errors: &mut Errors) {
    for variant in &data.variants {
        for attr in variant.attrs.iter().filter(|attr| attr.path().is_ident(ATTRIBUTE)) {
            errors.on(
                attr,
                "`#[cache_key(..)]` goes on a field, not on a variant; write it on each field of the variant",
            );
        }
        check(&variant.fields, errors);
    }
}

fn parsed(attrs: &[Attribute], errors: &mut Errors) -> Form {
    let mut form = Form::Plain;
    for attr in attrs.iter().filter(|attr| attr.path().is_ident(ATTRIBUTE)) {
        let parsed = attr.parse_nested_meta(|meta| {
            let asked = match meta.path.get_ident().map(ToString::to_string).as_deref() {
                Some("hash") => Form::Hash,
                Some("serde") => Form::Serde,
                Some("crate") => {
                    return Err(meta.error("`crate` goes on the type; write `#[cache_key(crate = path)]` there"));
                }
                _ => {
                    let written = meta.path.to_token_stream();
                    return Err(meta.error(format!("unknown option `{written}`; options: `hash`, `serde`")));
                }
            };
            if form != Form::Plain {
                return Err(
                    meta.error("a field takes one of the two; write `#[cache_key(hash)]` or `#[cache_key(serde)]`")
                );
            }
            form = asked;
            Ok(())
        });
        if let Err(error) = parsed {
            errors.push(error);
        }
    }
    form
}

/// Wraps a reference to the field in its form.
// Input:  &self.text, `#[cache_key(hash)]`
// Output: &::cached_core::__private::Hashed(&self.text)
pub(super) fn value(support: &Path, field: &Field, reference: &TokenStream) -> TokenStream {
    let span = at_type(field);
    let support = located_at(support, span);
    match form(field) {
        Form::Plain => reference.clone(),
        Form::Hash => quote_spanned!(span=> &#support::Hashed(#reference)),
        Form::Serde => quote_spanned!(span=> &#support::Serialized(#reference)),
    }
}
