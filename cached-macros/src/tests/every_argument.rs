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

/// Of a struct, a field is not the whole; of a tuple, all items are.
#[test]
fn of_a_field() {
    let of = |ty: proc_macro2::TokenStream| quote!(async fn find(page: #ty) -> u64 { 0 });
    let only = |key: &str, ty| {
        let said = messages(redis_cached(quote!(key = #key), of(ty)));
        assert!(said.iter().all(|message| message.starts_with("only `<page.")), "{said:?}");
        said.len()
    };
    assert_eq!(only("<page.from>", quote!(Page)), 1);
    assert_eq!(only("<page.from>:<page.to>", quote!(&Page)), 1);
    assert_eq!(only("<page.from:hash>:<page>", quote!(Page)), 0);
    assert_eq!(only("<page.from>:<page:serde>", quote!(Page)), 0);
    assert_eq!(only("<page.from>:<*>", quote!(Page)), 0);
    for (key, ty) in [("<page.0>:<page.1>", quote!((u8, u8))), ("<page.0>:<page.1.0>", quote!(&(u8, &(u8,))))] {
        assert_eq!(only(key, ty), 0, "{key}");
    }
    for ty in [quote!((u8, u8, u8)), quote!((u8, (u8, u8))), quote!(Pair), quote!([u8; 2])] {
        assert_eq!(only("<page.0>:<page.1.0>", ty), 1);
    }
    let skipped = messages(redis_cached(quote!(key = "<page.from>", skip(page)), of(quote!(Page))));
    assert_eq!(skipped, [""; 0]);
}

/// What events and tags are made of, as far as two calls with one key may differ in it.
#[test]
fn of_what_is_told_by_the_key() {
    let undetermined = |on: proc_macro2::TokenStream| {
        let item = quote!(
            async fn find(page: Page, id: u64) -> u64 {
                0
            }
        );
        let args = quote!(key = "<page.from>:<page.of.0>:<id>", skip(page), invalidate_on = Turned { to: #on });
        let expansion = redis_cached(args, item).to_string();
        let (_, list) = expansion.split_once("not_in_key : & [").unwrap();
        list.split_once(']').unwrap().0.trim().replace('"', "")
    };
    for told in [
        quote!(page.from),
        quote!(page.from.clone()),
        quote!((*page).from),
        quote!((&page.from).to_owned()),
        quote!(page.of.0),
        quote!(page.from.day + id),
        quote!(format!("{id} {}", page.from)),
        quote!(format!("{}", page.from.day())),
        quote!(format!("{}", page.of.0)),
    ] {
        assert_eq!(undetermined(told.clone()), "", "{told}");
    }
    for (open, said) in [
        (quote!(page.to), "page.to"),
        (quote!(page.of), "page.of"),
        (quote!(page.of.1), "page.of.1"),
        (quote!(page.from()), "page"),
        (quote!(count(&page)), "page"),
        (quote!(format!("{}", page.to)), "page.to"),
        (quote!(format!("{}", page.of.1)), "page.of.1"),
        (quote!(format!("{}", page.from())), "page"),
        (quote!(format!("{page}")), "page"),
    ] {
        assert_eq!(undetermined(open.clone()), said, "{open}");
    }
}
