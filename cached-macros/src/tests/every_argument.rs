//! Arguments that neither the key nor `skip` names are reported, whatever their names: two calls that differ only in
//! such an argument would share an entry.

use super::{messages, redis_cached};
use quote::{format_ident, quote};

/// Part of the message for an argument that is not in the key.
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
fn a_missing_argument_of_a_function_is_reported() {
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
fn a_missing_name_of_a_pattern_is_reported() {
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
fn a_missing_argument_of_a_batch_is_reported() {
    for name in names() {
        let item = quote!(
            async fn find(ids: &[u64], #name: u64) -> HashMap<u64, u64> {
                load(ids)
            }
        );
        assert_eq!(missing(quote!(key = "x:<id>", batch = ids), item), usize::from(name != "id"), "{name}");
    }
}

/// Arguments as `#[async_trait]` leaves them. It names a `_` by its index.
#[test]
fn a_missing_argument_behind_async_trait_is_reported() {
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
    assert_eq!(missing(quote!(key = "<other>"), item(&format_ident!("__arg2"))), 0, "`__arg2` is a `_`");
}

/// One field is not the whole of a struct; all items are the whole of a tuple.
#[test]
fn a_field_is_not_the_whole_argument() {
    let of = |ty: proc_macro2::TokenStream| quote!(async fn find(page: #ty) -> u64 { 0 });
    let only = |key: &str, ty| {
        let found = messages(redis_cached(quote!(key = #key), of(ty)));
        assert!(found.iter().all(|message| message.starts_with("only `<page.")), "{found:?}");
        found.len()
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

/// The descriptor lists the parts of arguments in events and tags that two calls with one key may differ in.
#[test]
fn parts_that_the_key_does_not_determine_are_listed() {
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
    for determined in [
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
        assert_eq!(undetermined(determined.clone()), "", "{determined}");
    }
    for (undetermined_code, listed) in [
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
        assert_eq!(undetermined(undetermined_code.clone()), listed, "{undetermined_code}");
    }
}
