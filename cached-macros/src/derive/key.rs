//! `#[derive(CacheKey)]`: a struct or enum as a segment of a key.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Data, DataEnum, DeriveInput, Fields, Index, Member, Path, Variant};

use super::{Options, at_type, bounded};
use crate::diagnostics::Errors;
use crate::paths::located_at;

/// Expands the derive; on any fault, into the faults.
pub(crate) fn derive(input: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let input: DeriveInput = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let krate = Options::of(&input, "cache_key", &["crate"], &mut errors).krate;
    let mut word = TokenStream::new();
    let body = match &input.data {
        Data::Struct(data) => {
            word = word_of_struct(&krate, &data.fields);
            fields_of_struct(&krate, &data.fields)
        }
        Data::Enum(data) => variants(data),
        Data::Union(data) => {
            let message = "a union does not know which of its fields holds; derive `CacheKey` for a struct or an enum";
            errors.on(data.union_token, message);
            TokenStream::new()
        }
    };
    // On error the impl is emitted all the same: its absence would be reported once more wherever the type is used.
    let implementation = implementation(&krate, &input, &body, &word);
    let errors = errors.into_compile_errors();
    quote!(#implementation #errors)
}

// Input:
//     enum Scope<T> { All, One(T) }
// Output:
//     impl<T> ::cached_core::KeySegment for Scope<T> where T: ::cached_core::KeySegment {
//         fn write(&self, out: &mut ::cached_core::SegmentWriter<'_>) {
//             match self {
//                 Self::All => out.variant("All", &[]),
//                 Self::One(f0) => out.variant("One", &[f0]),
//             }
//         }
//     }
fn implementation(krate: &Path, input: &DeriveInput, body: &TokenStream, word: &TokenStream) -> TokenStream {
    let name = &input.ident;
    let generics = bounded(krate, input.generics.clone());
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let site = Span::mixed_site();
    quote_spanned! {site=>
        #[automatically_derived]
        impl #impl_generics #krate::KeySegment for #name #type_generics #where_clause {
            fn write(&self, out: &mut #krate::SegmentWriter<'_>) {
                #body
            }
            #word
        }
    }
}

/// A struct around an integer is one to the near cache as well.
fn word_of_struct(krate: &Path, fields: &Fields) -> TokenStream {
    let mut only = fields.iter();
    let (Some(field), None) = (only.next(), only.next()) else { return TokenStream::new() };
    // Whatever is wrong with the field's type is said once: at the same place, in the same words.
    let span = at_type(field);
    let krate = located_at(krate, span);
    let member = field.ident.clone().map_or(Member::Unnamed(Index { index: 0, span }), Member::Named);
    quote_spanned! {span=>
        fn __word(&self) -> ::core::option::Option<::core::primitive::i64> {
            #krate::KeySegment::__word(&self.#member)
        }
    }
}

/// A struct around one value is written like that value; any other like a tuple.
fn fields_of_struct(krate: &Path, fields: &Fields) -> TokenStream {
    let site = Span::mixed_site();
    let values: Vec<TokenStream> = fields
        .iter()
        .zip(0..)
        .map(|(field, index)| {
            let span = at_type(field);
            let member = match &field.ident {
                Some(name) => Member::Named(name.clone()),
                None => Member::Unnamed(Index { index, span }),
            };
            quote_spanned!(span=> &self.#member)
        })
        .collect();
    match values.as_slice() {
        [value] => {
            // The trait stands at the field, too: rustc would mark it as what requires the field to be a segment.
            let span = fields.iter().next().map_or(site, at_type);
            let krate = located_at(krate, span);
            quote_spanned!(span=> #krate::KeySegment::write(#value, out);)
        }
        values => quote_spanned!(site=> out.tuple(&[#(#values),*]);),
    }
}

fn variants(data: &DataEnum) -> TokenStream {
    let site = Span::mixed_site();
    if data.variants.is_empty() {
        // `*self`, because a reference is never uninhabited.
        return quote_spanned!(site=> match *self {});
    }
    let arms = data.variants.iter().map(variant);
    quote_spanned!(site=> match self { #(#arms)* })
}

// Input:  Page { from: u64, to: u64 }
// Output: Self::Page { from: f0, to: f1 } => out.variant("Page", &[f0, f1]),
fn variant(variant: &Variant) -> TokenStream {
    let site = Span::mixed_site();
    let ident = &variant.ident;
    let name = ident.unraw().to_string();
    let bindings: Vec<_> = variant
        .fields
        .iter()
        .enumerate()
        .map(|(index, field)| format_ident!("f{index}", span = at_type(field)))
        .collect();
    let pattern = match &variant.fields {
        Fields::Unit => TokenStream::new(),
        Fields::Unnamed(_) => quote!((#(#bindings),*)),
        Fields::Named(fields) => {
            let names = fields.named.iter().map(|field| &field.ident);
            quote!({ #(#names: #bindings),* })
        }
    };
    quote_spanned!(site=> Self::#ident #pattern => out.variant(#name, &[#(#bindings),*]),)
}
