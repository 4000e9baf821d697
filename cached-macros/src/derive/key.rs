//! `#[derive(CacheKey)]`: makes a struct or enum a segment of a key.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{
    Data, DataEnum, DeriveInput, Field, Fields, Generics, Ident, Index, Member, Path, Type, Variant, WherePredicate,
    parse_quote,
};

use super::bounds::{contains, identities, is_indirect, mentions};
use super::{Options, at_type, field};
use crate::diagnostics::Errors;
use crate::paths::located_at;
use crate::template::Form;

/// Expands the derive. Reports all faults.
pub(crate) fn derive(input: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let input: DeriveInput = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let support = Options::of(&input, "cache_key", &["crate"], &mut errors).support;
    let mut word = TokenStream::new();
    let body = match &input.data {
        Data::Struct(data) => {
            field::check(&data.fields, &mut errors);
            word = word_of_struct(&support, &data.fields);
            fields_of_struct(&support, &data.fields)
        }
        Data::Enum(data) => {
            field::check_variants(data, &mut errors);
            variants(&support, data)
        }
        Data::Union(data) => {
            let message = "a union does not know which of its fields is set; derive `CacheKey` for a struct or an enum";
            errors.on(data.union_token, message);
            TokenStream::new()
        }
    };
    // Emits the impl even after an error: without it, rustc would report every use of the type.
    let implementation = implementation(&support, &input, &body, &word);
    let errors = errors.into_compile_errors();
    quote!(#implementation #errors)
}

// Input:
//     enum Scope<T> { All, One(T) }
// Output:
//     impl<T> ::cached_core::__private::KeyIdentity for Scope<T> where T: ::cached_core::__private::KeyIdentity {
//         fn write(&self, out: &mut ::cached_core::__private::SegmentWriter<'_>) {
//             match self {
//                 Self::All => out.variant("All", &[]),
//                 Self::One(f0) => out.variant("One", &[f0]),
//             }
//         }
//     }
//     impl<T> ::cached_core::__private::KeySegment for Scope<T>
//     where T: ::cached_core::__private::KeyIdentity, for<'__field> T: ::cached_core::__private::KeySegment {}
// Also, without parameters:
//     impl ::cached_core::__private::OwnedId for Scope {}
fn implementation(support: &Path, input: &DeriveInput, body: &TokenStream, word: &TokenStream) -> TokenStream {
    let name = &input.ident;
    let fields: Vec<&Field> = match &input.data {
        Data::Struct(data) => data.fields.iter().collect(),
        Data::Enum(data) => data.variants.iter().flat_map(|variant| &variant.fields).collect(),
        Data::Union(_) => Vec::new(),
    };
    let generics = identities(support, input.generics.clone(), &fields);
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let segments = segments(support, generics.clone(), name, &fields);
    let where_segments = &segments.where_clause;
    let owned = owned(support, input);
    let site = Span::mixed_site();
    quote_spanned! {site=>
        #[automatically_derived]
        impl #impl_generics #support::KeyIdentity for #name #type_generics #where_clause {
            fn write(&self, out: &mut #support::SegmentWriter<'_>) {
                #body
            }
            #word
        }

        #[automatically_derived]
        impl #impl_generics #support::KeySegment for #name #type_generics #where_segments {}

        #owned
    }
}

/// Implements `OwnedId` for a type without parameters, which cannot borrow.
fn owned(support: &Path, input: &DeriveInput) -> Option<TokenStream> {
    let name = &input.ident;
    let site = Span::mixed_site();
    input.generics.params.is_empty().then(|| {
        quote_spanned! {site=>
            #[automatically_derived]
            impl #support::OwnedId for #name {}
        }
    })
}

/// Adds the bounds of `KeySegment`: a type is a segment if its fields are. The bounds have a lifetime, so rustc checks
/// them only where the type is used as a segment: a type with a float can still be hashed.
fn segments(support: &Path, mut generics: Generics, name: &Ident, fields: &[&Field]) -> Generics {
    // A field that contains the type itself decides nothing.
    let own = |field: &Field| contains(&field.ty, name);
    let plain = fields.iter().filter(|field| field::form(field) == Form::Plain && !own(field));
    let types = plain.flat_map(|field| bounded_types(&field.ty, &generics));
    let bounds: Vec<WherePredicate> = types.map(|ty| parse_quote!(for<'__field> #ty: #support::KeySegment)).collect();
    if !bounds.is_empty() {
        generics.make_where_clause().predicates.extend(bounds);
    }
    generics
}

/// The types that must be segments so that the field's type is one.
///
/// Types that contain each other do so through a `Box` or a list, and bounds on them would never end. Behind a pointer,
/// only types that cannot lead back are bounded: type parameters and floats.
fn bounded_types(ty: &Type, generics: &Generics) -> Vec<Type> {
    if !is_indirect(ty) {
        return vec![ty.clone()];
    }
    let floats = ["f32", "f64"].map(|float| Ident::new(float, ty.span()));
    let leaves = generics.type_params().map(|parameter| parameter.ident.clone()).chain(floats);
    leaves.filter(|leaf| mentions(ty, leaf)).map(|leaf| parse_quote!(#leaf)).collect()
}

/// A struct around one integer lets the near cache use the integer.
fn word_of_struct(support: &Path, fields: &Fields) -> TokenStream {
    let mut only = fields.iter();
    let (Some(field), None) = (only.next(), only.next()) else { return TokenStream::new() };
    if field::form(field) != Form::Plain {
        return TokenStream::new();
    }
    // Located like `fields_of_struct`, so that rustc reports a wrong type of the field only once.
    let span = at_type(field);
    let support = located_at(support, span);
    let member = field.ident.clone().map_or(Member::Unnamed(Index { index: 0, span }), Member::Named);
    quote_spanned! {span=>
        fn __word(&self) -> ::core::option::Option<::core::primitive::i64> {
            #support::KeyIdentity::__word(&self.#member)
        }
    }
}

/// A struct with one field is written like that field; any other like a tuple.
fn fields_of_struct(support: &Path, fields: &Fields) -> TokenStream {
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
            field::value(support, field, &quote_spanned!(span=> &self.#member))
        })
        .collect();
    match values.as_slice() {
        [value] => {
            // The trait is located at the field as well: otherwise rustc would point at the derive.
            let span = fields.iter().next().map_or(site, at_type);
            let support = located_at(support, span);
            quote_spanned!(span=> #support::KeyIdentity::write(#value, out);)
        }
        values => quote_spanned!(site=> out.tuple(&[#(#values),*]);),
    }
}

fn variants(support: &Path, data: &DataEnum) -> TokenStream {
    let site = Span::mixed_site();
    if data.variants.is_empty() {
        // `*self`, because a reference is never uninhabited.
        return quote_spanned!(site=> match *self {});
    }
    let arms = data.variants.iter().map(|each| variant(support, each));
    quote_spanned!(site=> match self { #(#arms)* })
}

// Input:  Page { from: u64, to: u64 }
// Output: Self::Page { from: f0, to: f1 } => out.variant("Page", &[f0, f1]),
fn variant(support: &Path, variant: &Variant) -> TokenStream {
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
    let values =
        variant.fields.iter().zip(&bindings).map(|(field, binding)| field::value(support, field, &quote!(#binding)));
    quote_spanned!(site=> Self::#ident #pattern => out.variant(#name, &[#(#values),*]),)
}
