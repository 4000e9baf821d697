use proc_macro2::TokenStream;
use quote::quote;

use super::{messages, side_by_side};
use crate::derive::{cache_event, cache_key};

fn expand(input: &TokenStream) -> String {
    let expansion = cache_key(input.clone());
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
    let union = messages(cache_key(quote!(
        union Bits {
            int: u32,
            float: f32,
        }
    )));
    let options = messages(cache_key(quote! {
        #[cache_key(krate = x)]
        #[cache_key(crate = "x")]
        struct A;
    }));
    snapshot!([union, options].concat().join("\n"));
}

#[test]
fn events() {
    let expand = |input: TokenStream| side_by_side(&quote!(#[derive(CacheEvent)] #input), &cache_event(input.clone()));
    let unit = expand(quote!(
        struct CatalogueReloaded;
    ));
    let named = expand(quote! {
        #[event(name = "price-changed", crate = ::renamed)]
        struct PriceChanged<'a, T: Clone> {
            country: &'a str,
            r#type: T,
        }
    });
    let by = expand(quote! {
        #[event(by(tenant), by(tenant & r#type))]
        struct UserUpdated {
            tenant: u64,
            #[cache_key(hash)]
            r#type: String,
            id: u64,
        }
    });
    snapshot!([unit, named, by].join("\n"));
}

#[test]
fn faults_of_events() {
    let cases = [
        quote!(
            struct UserId(u64);
        ),
        quote!(
            struct Moved(u64, Vec<u8>);
        ),
        quote!(
            struct Empty();
        ),
        quote!(
            enum Change {
                Updated { id: u64 },
                Deleted,
            }
        ),
        quote!(
            union Bits {
                int: u32,
            }
        ),
        quote!(
            #[event(name = "user updated", name = "twice", nam = "x")]
            #[event(name = 5)]
            struct Named;
        ),
    ];
    let report: Vec<String> = cases.into_iter().flat_map(|case| messages(cache_event(case))).collect();
    snapshot!(report.join("\n"));
}

/// A field of a type with the same name in another module gets its bound.
#[test]
fn a_type_of_the_same_name_is_not_the_type_itself() {
    let expanded = cache_key(quote!(
        struct Filter {
            same: Option<Box<Filter>>,
            other: other::Filter,
            own: Option<Box<Self>>,
        }
    ))
    .to_string();
    let bound = |ty: &str| expanded.contains(&format!("{ty} : :: cached_core :: __private :: KeySegment"));
    assert!(bound("other :: Filter"), "{expanded}");
    assert!(!bound("Option < Box < Filter > >") && !bound("Option < Box < Self > >"), "{expanded}");
}
