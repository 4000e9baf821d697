//! `#[derive(CacheEvent)]`: makes a struct an event.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Data, DataEnum, DataStruct, DeriveInput, Field, Fields, FieldsUnnamed, Ident};

use super::bounds::segments;
use super::{Options, at_type, by, field};
use crate::ast::Setting;
use crate::diagnostics::Errors;
use crate::paths;
use crate::spelling::spell;
use crate::template::Form;

/// The longest name of an event. The name is part of the key of each of its registers.
const LONGEST_NAME: usize = 64;

/// Expands the derive. Reports all faults.
pub(crate) fn derive(input: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let input: DeriveInput = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let options = Options::of(&input, "event", &["name", "by", "crate"], &mut errors);
    let name = name(&input.ident, &options.name, &mut errors);
    let fields = fields(&input, &mut errors);
    field::check(&fields, &mut errors);
    let by = by::by(&options.by, &fields, &mut errors);
    // Emits the impl even after an error: without it, rustc would report every use of the event.
    let implementation = implementation(&input, &options, &name, &fields, &by);
    let errors = errors.into_compile_errors();
    quote!(#implementation #errors)
}

// Input:
//     struct UserUpdated { id: u64 }
// Output:
//     impl ::cached_core::CacheEvent for UserUpdated {
//         const NAME: &'static str = "UserUpdated";
//         const FIELDS: &'static [&'static str] = &["id"];
//         fn with_segments<R>(&self, read: impl FnOnce(&[&dyn KeySegment]) -> R) -> R {
//             read(&[&self.id])
//         }
//     }
//     ::cached_core::__private::register_event!(EventSpec { name: "UserUpdated", fields: &["id"], by: &[], .. });
fn implementation(
    input: &DeriveInput,
    options: &Options,
    name: &str,
    fields: &[Field],
    by: &[Vec<String>],
) -> TokenStream {
    let krate = &options.krate;
    let support = paths::support(krate);
    let ident = &input.ident;
    let generics = segments(krate, input.generics.clone(), fields);
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let site = Span::mixed_site();
    let names: Vec<String> =
        fields.iter().filter_map(|field| field.ident.as_ref()).map(|name| name.unraw().to_string()).collect();
    let segments = fields.iter().map(|field| {
        let (span, member) = (at_type(field), &field.ident);
        field::value(krate, field, &quote_spanned!(span=> &self.#member))
    });
    let str = quote_spanned!(site=> &'static #support::primitive::str);
    let by = by.iter().map(|by| quote_spanned!(site=> &[#(#by),*]));
    let by = quote_spanned!(site=> &[#(#by),*]);
    let is_declared = !options.by.is_empty();
    let by_const = is_declared.then(|| quote_spanned!(site=> const BY: &'static [&'static [#str]] = #by;));
    let forms = forms(fields).map(|forms| {
        quote_spanned!(site=> #[doc(hidden)] const __FORMS: &'static [#support::primitive::u8] = &[#(#forms),*];)
    });
    // The name of the type parameter must differ from all parameters of the user's struct.
    quote_spanned! {site=>
        #[automatically_derived]
        impl #impl_generics #krate::CacheEvent for #ident #type_generics #where_clause {
            const NAME: #str = #name;
            const FIELDS: &'static [#str] = &[#(#names),*];
            #by_const
            #forms

            fn with_segments<__R>(&self, read: impl #support::FnOnce(&[&dyn #krate::KeySegment]) -> __R) -> __R {
                read(&[#(#segments),*])
            }
        }

        #support::register_event!(#support::EventSpec {
            name: #name,
            module: #support::module_path!(),
            file: #support::file!(),
            line: #support::line!(),
            fields: &[#(#names),*],
            by: #by,
        });
    }
}

/// How each field is written; `None` if all are written as they are.
fn forms(fields: &[Field]) -> Option<Vec<u8>> {
    let number = |field: &Field| match field::form(field) {
        Form::Plain => 0,
        Form::Hash => 1,
        Form::Serde => 2,
    };
    let forms: Vec<u8> = fields.iter().map(number).collect();
    forms.iter().any(|form| *form != 0).then_some(forms)
}

/// The event's name: the name of the struct, unless `name = ".."` gives another one.
fn name(ident: &Ident, setting: &Setting<syn::LitStr>, errors: &mut Errors) -> String {
    let (name, written) = match setting.value() {
        Some(text) => (text.value(), text.span()),
        None => (ident.unraw().to_string(), ident.span()),
    };
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.');
    if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(allowed) {
        let message = format!(
            "the name of an event has 1 to {LONGEST_NAME} characters out of `A-Z a-z 0-9 _ - .`; write for example \
             `#[event(name = \"user_updated\")]`"
        );
        errors.at(written, message);
    }
    name
}

/// The named fields. Reports a type that cannot be an event, and returns no fields for it.
fn fields(input: &DeriveInput, errors: &mut Errors) -> Vec<Field> {
    let ident = &input.ident;
    match &input.data {
        Data::Struct(DataStruct { fields: Fields::Named(fields), .. }) => fields.named.iter().cloned().collect(),
        Data::Struct(DataStruct { fields: Fields::Unit, .. }) => Vec::new(),
        Data::Struct(DataStruct { fields: Fields::Unnamed(fields), .. }) => {
            errors.on(fields, unnamed(ident, fields));
            Vec::new()
        }
        Data::Enum(data) => {
            errors.on(data.enum_token, variants(data));
            Vec::new()
        }
        Data::Union(data) => {
            let message =
                format!("a union cannot be an event; write `struct {ident} {{ .. }}` with a name for each field");
            errors.on(data.union_token, message);
            Vec::new()
        }
    }
}

fn unnamed(ident: &Ident, fields: &FieldsUnnamed) -> String {
    let types: Vec<String> = fields.unnamed.iter().map(|field| spell(field.ty.to_token_stream())).collect();
    let named = match types.as_slice() {
        [] => return format!("an event without fields has no parentheses; write `struct {ident};`"),
        [ty] => format!("id: {ty}"),
        types => {
            let named: Vec<String> = types.iter().zip('a'..).map(|(ty, name)| format!("{name}: {ty}")).collect();
            named.join(", ")
        }
    };
    format!("the fields of an event need names; write `struct {ident} {{ {named} }}`")
}

fn variants(data: &DataEnum) -> String {
    let example = data.variants.iter().next().map(|variant| &variant.ident);
    let example = example.map_or_else(|| "UserUpdated".to_owned(), Ident::to_string);
    format!(
        "an enum cannot be an event, because entries listen to one kind of change; write a struct for each variant: \
         `struct {example} {{ .. }}`"
    )
}
