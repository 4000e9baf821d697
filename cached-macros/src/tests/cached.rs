use proc_macro2::TokenStream;
use quote::quote;

use super::{redis_cached, side_by_side};

fn expand(args: &TokenStream, item: &TokenStream) -> String {
    let expansion = redis_cached(args.clone(), item.clone());
    let options = if args.is_empty() { quote!() } else { quote!((#args)) };
    side_by_side(&quote!(#[redis_cached #options] #item), &expansion)
}

#[test]
fn simple() {
    snapshot!(expand(
        &quote!(ttl = "medium", key = "user:<id>"),
        &quote! {
            /// Finds a user.
            pub async fn find_user(id: u64) -> Result<User, DbError> {
                let row = fetch(id).await?;
                Ok(row.into())
            }
        }
    ));
}

#[test]
fn default_key() {
    snapshot!(
        "default_key_of_arguments",
        expand(
            &quote!(skip(db)),
            &quote! {
                async fn find(db: &Db, id: u64, lang: &str) -> Option<User> { db.find(id, lang).await }
            }
        )
    );
    snapshot!(
        "default_key_without_arguments",
        expand(
            &quote!(),
            &quote!(
                async fn rates() -> Vec<Rate> {
                    fetch().await
                }
            )
        )
    );
}

#[test]
fn method_with_all_options() {
    snapshot!(expand(
        &quote! {
            ttl = |user: &User| user.lifetime(), key = "user:<id>:<filter.lang>:<q:hash>", skip(db, filter), none_ttl = "30s",
            cache_if = |u: &User| u.active, version = 2, codec = "json", jitter = 0.2, cache = self.cache,
            crate = ::renamed
        },
        &quote! {
            async fn find_user(&self, db: &Db, id: u64, filter: Filter, q: &str) -> Result<Option<User>, DbError> {
                db.find(id, filter, q).await
            }
        }
    ));
}

#[test]
fn stored_errors() {
    snapshot!(expand(
        &quote! {
            key = "user:<id>", error_if = |error| matches!(error, ApiError::NotFound), error_ttl = "30s", local = "10s"
        },
        &quote! {
            async fn find_user(id: u64) -> Result<User, ApiError> {
                get(id).await
            }
        }
    ));
}

#[test]
fn value_tags() {
    snapshot!(expand(
        &quote!(key = "page:<_tenant>:<lang>", tags = |page: &Page, lang, _tenant: &u64| page.tags(lang)),
        &quote! {
            async fn page(_tenant: u64, lang: &str) -> Page {
                load(lang).await
            }
        }
    ));
}

#[test]
fn batch() {
    snapshot!(expand(
        &quote! {
            key = "<self.tenant>:user:<id>:<lang>", batch = ids, skip(db), uncommitted = "allow",
            invalidate_on = UserUpdated { id },
            tags = "user:<id>"
        },
        &quote! {
            async fn find_users(&self, db: &mut Db, mut ids: Vec<u64>, lang: String) -> Result<HashMap<u64, User>, DbError> {
                ids.sort();
                db.find(ids, lang).await
            }
        }
    ));
}

#[test]
fn generics() {
    snapshot!(expand(
        &quote!(key = "page:<T>:<N>:<self.tenant>:<range.0>:<type>", skip(range), ttl = range.1),
        &quote! {
            async fn page<T: Row, const N: usize>(&mut self, range: (u64, Duration), r#type: impl AsRef<str>) -> Vec<T>
            where
                T: 'static,
            {
                self.load(range, r#type).await
            }
        }
    ));
}

#[test]
fn patterns() {
    snapshot!(expand(
        &quote!(key = "x:<id>:<a>:<*>"),
        &quote! {
            async fn find(Path(id): Path<u64>, (a, mut b): (u8, u8), Filter { lang, size: [w, h], .. }: Filter, _: Span) -> u64 {
                0
            }
        }
    ));
}

#[test]
fn inner_attributes() {
    snapshot!(expand(
        &quote!(key = "one"),
        &quote! {
            #[must_use]
            async fn one() -> u8 {
                #![allow(unused_variables)]
                let x = 1;
                1
            }
        }
    ));
}

#[test]
fn async_trait() {
    snapshot!(expand(
        &quote!(key = "user:<id>:<a>:<self.tenant>", skip(b, filter)),
        &quote! {
            #[allow(clippy::type_complexity)]
            fn find<'life0, 'life1, 'async_trait>(
                &'life0 self,
                id: u64,
                __arg2: (u64, u64),
                __arg3: Span,
                filter: &'life1 Filter,
            ) -> ::core::pin::Pin<Box<dyn ::core::future::Future<Output = Result<User, E>> + ::core::marker::Send + 'async_trait>>
            where
                'life0: 'async_trait,
                'life1: 'async_trait,
                Self: 'async_trait,
            {
                Box::pin(async move {
                    if let ::core::option::Option::Some(__ret) = ::core::option::Option::None::<Result<User, E>> {
                        #[allow(unreachable_code)]
                        return __ret;
                    }
                    let __self = self;
                    let mut id = id;
                    let (a, b) = { let __arg2 = __arg2; __arg2 };
                    let __arg3 = __arg3;
                    let __ret: Result<User, E> = {
                        let id = id + 1;
                        let b = id;
                        __self.load(id, a, b, filter).await
                    };
                    #[allow(unreachable_code)]
                    __ret
                })
            }
        }
    ));
}

#[test]
fn detached() {
    snapshot!(expand(
        &quote!(
            key = "user:<id>:<a>",
            skip(db, b),
            stale_while_revalidate = "5m",
            refresh = "background",
            refresh_ahead
        ),
        &quote! {
            async fn find(&self, db: &Db, id: u64, (a, b): (u8, u8)) -> Result<User, E> {
                self.load(db, id, a, b).await
            }
        }
    ));
}

/// The user's code at the head of a boxed block is part of the load, even if it looks like a renamed argument.
#[test]
fn boxed_by_hand() {
    snapshot!(expand(
        &quote!(key = "x:<id>"),
        &quote! {
            fn find(id: u64) -> Pin<Box<dyn Future<Output = u64>>> {
                Box::pin(async move {
                    let doubled = { let id = id * 2; id };
                    let id = id;
                    id + doubled
                })
            }
        }
    ));
}

/// The body is not parsed, so rustc reports its faults.
#[test]
fn a_half_typed_body_is_kept() {
    let expansion = redis_cached(quote!(), quote!(async fn f(id: u64) -> u64 { let x = ; id. }));
    let text = expansion.to_string();
    assert!(text.contains("let x = ; id ."), "{text}");
    assert!(!text.contains("compile_error"), "{text}");
}

#[test]
fn a_half_typed_signature_is_kept() {
    let expansion = redis_cached(quote!(), quote!(async fn f(id: ) -> u64 { 1 }));
    let text = expansion.to_string();
    assert!(text.starts_with("async fn f (id :) -> u64 { 1 }"), "{text}");
    assert!(text.contains("compile_error"), "{text}");
}
