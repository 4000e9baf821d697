//! An argument that neither the key nor `skip` names is reported, whatever it is called: two calls that differ only in it would
//! share an entry.

use super::{messages, redis_cached};
use quote::{format_ident, quote};

/// What `#[redis_cached]` says of arguments that are in the key.
const MISSING: &str = "is not part of the key";

fn names() -> Vec<syn::Ident> {
    let plain = ["id", "_id", "__id", "_", "__arg1", "__arg7", "ret", "key", "cache", "f0", "Id"];
    let mut names: Vec<_> = plain.iter().filter(|name| **name != "_").map(|name| format_ident!("{name}")).collect();
    names.push(format_ident!("r#type"));
    names
}

fn missing(args: proc_macro2::TokenStream, item: proc_macro2::TokenStream) -> usize {
    messages(redis_cached(args, item)).iter().filter(|message| message.contains(MISSING)).count()
}

#[test]
fn of_a_function() {
    for name in names() {
        let item = quote!(
            async fn find(#name: u64) -> u64 {
                0
            }
        );
        assert_eq!(missing(quote!(key = "x"), item.clone()), 1, "{name}");
        assert_eq!(missing(quote!(key = "x", skip(#name)), item.clone()), 0, "{name}");
        let default = redis_cached(quote!(), item).to_string();
        assert!(default.contains(&format!("& {name}")), "{name}: {default}");
    }
}

#[test]
fn of_a_pattern() {
    for name in names() {
        let item = quote!(
            async fn find((#name, (_, [other])): (u64, (u64, [u64; 1]))) -> u64 {
                0
            }
        );
        assert_eq!(missing(quote!(key = "<other>"), item.clone()), 1, "{name}");
        assert_eq!(missing(quote!(key = "x"), item), 2, "{name}");
    }
}

#[test]
fn of_a_batch() {
    for name in names() {
        let item = quote!(
            async fn find(ids: &[u64], #name: u64) -> HashMap<u64, u64> {
                load(ids)
            }
        );
        assert_eq!(missing(quote!(key = "x:<id>", batch = ids), item), usize::from(name != "id"), "{name}");
    }
}

/// As `#[async_trait]` leaves them. It calls a `_` by its place.
#[test]
fn behind_async_trait() {
    let item = |name: &syn::Ident| {
        quote! {
            fn find<'life0, 'async_trait>(
                &'life0 self, other: u64, #name: u64,
            ) -> ::core::pin::Pin<Box<dyn ::core::future::Future<Output = u64> + ::core::marker::Send + 'async_trait>> {
                Box::pin(async move {
                    let __self = self;
                    let other = other;
                    let #name = #name;
                    let __ret: u64 = { 0 };
                    __ret
                })
            }
        }
    };
    for name in names() {
        assert_eq!(missing(quote!(key = "<other>"), item(&name)), 1, "{name}");
    }
    assert_eq!(missing(quote!(key = "<other>"), item(&format_ident!("__arg2"))), 0, "it is a `_`");
}
