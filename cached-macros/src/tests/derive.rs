use proc_macro2::TokenStream;
use quote::quote;

use super::{messages, side_by_side};
use crate::derive_key::derive;

fn expand(input: &TokenStream) -> String {
    let expansion = derive(input.clone());
    side_by_side(&quote!(#[derive(CacheKey)] #input), &expansion)
}

#[test]
fn structs() {
    let unit = expand(&quote!(
        struct Unit;
    ));
    let newtype = expand(&quote!(
        struct UserId(u64);
    ));
    let named = expand(&quote! {
        #[cache_key(crate = ::renamed)]
        struct Filter<'a, T: Clone> {
            lang: &'a str,
            r#type: T,
        }
    });
    snapshot!([unit, newtype, named].join("\n"));
}

#[test]
fn enums() {
    let empty = expand(&quote!(
        enum Never {}
    ));
    let mixed = expand(&quote! {
        enum Scope<T> where T: Copy {
            All,
            r#Type(T),
            Page { from: u64, to: u64 },
        }
    });
    snapshot!([empty, mixed].join("\n"));
}

#[test]
fn faults() {
    let union = messages(derive(quote!(
        union Bits {
            int: u32,
            float: f32,
        }
    )));
    let options = messages(derive(quote! {
        #[cache_key(krate = x)]
        #[cache_key(crate = "x")]
        struct A;
    }));
    snapshot!([union, options].concat().join("\n"));
}
