//! `#[derive(CacheKey)]`: a struct or enum as a segment of a key.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Data, DataEnum, DeriveInput, Field, Fields, Generics, Index, Member, Path, Token, Variant, parse_quote};

use crate::diagnostics::Errors;
use crate::paths::{self, located_at};

/// Expands the derive; on any fault, into the faults.
pub(crate) fn derive(input: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let input: DeriveInput = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let krate = crate_path(&input, &mut errors);
    let body = match &input.data {
        Data::Struct(data) => fields_of_struct(&krate, &data.fields),
        Data::Enum(data) => variants(data),
        Data::Union(data) => {
            let message = "a union does not know which of its fields holds; derive `CacheKey` for a struct or an enum";
            errors.on(data.union_token, message);
            TokenStream::new()
        }
    };
    // On error the impl is emitted all the same: its absence would be reported once more wherever the type is used.
    let implementation = implementation(&krate, &input, &body);
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
fn implementation(krate: &Path, input: &DeriveInput, body: &TokenStream) -> TokenStream {
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
        }
    }
}

/// `T: KeySegment` for every type parameter.
fn bounded(krate: &Path, mut generics: Generics) -> Generics {
    let params: Vec<_> = generics.type_params().map(|param| param.ident.clone()).collect();
    if !params.is_empty() {
        let predicates = &mut generics.make_where_clause().predicates;
        predicates
            .extend(params.iter().map(|param| -> syn::WherePredicate { parse_quote!(#param: #krate::KeySegment) }));
    }
    generics
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

/// Names of this macro, at the type of the field: a float is reported there.
fn at_type(field: &Field) -> Span {
    Span::mixed_site().located_at(field.ty.span())
}

/// `#[cache_key(crate = path)]`.
fn crate_path(input: &DeriveInput, errors: &mut Errors) -> Path {
    let mut found = None;
    for attr in input.attrs.iter().filter(|attr| attr.path().is_ident("cache_key")) {
        let parsed = attr.parse_nested_meta(|meta| {
            if !meta.path.is_ident("crate") {
                let name = meta.path.to_token_stream();
                return Err(meta.error(format!("unknown option `{name}`; options: `crate`")));
            }
            if found.is_some() {
                return Err(meta.error("`crate` is given twice; remove one of the two"));
            }
            if !meta.input.peek(Token![=]) || meta.input.peek2(syn::LitStr) {
                return Err(meta.error("`crate` takes a path, without quotes; write `crate = ::cached_core`"));
            }
            found = Some(meta.value()?.call(Path::parse_mod_style)?);
            Ok(())
        });
        if let Err(error) = parsed {
            errors.push(error);
        }
    }
    found.unwrap_or_else(paths::runtime)
}
