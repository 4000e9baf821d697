use proc_macro2::TokenStream;
use quote::quote;

use super::{messages, redis_cached};
use crate::attribute::attribute;
use crate::role::Role;

fn faults(args: TokenStream, item: TokenStream) -> String {
    messages(redis_cached(args, item)).join("\n")
}

#[test]
fn all_at_once() {
    snapshot!(faults(
        quote! {
            ttl = "5 minutes", ttl = "5m", none_ttl = "0s", jitter = 1.5, version = 0, codec = "jsn",
            cache_if = true, key = "user:<uid>:<lang>", skip(lang, bd), time_out = "5s", "positional", cache
        },
        quote! {
            #[redis_cached]
            unsafe fn find(id: u64, lang: &str, db: &Db, #[cfg(feature = "trace")] span: Span) -> Result<&str, E> {
                todo!()
            }
        },
    ));
}

#[test]
fn one_fault_makes_one_message() {
    let item = || {
        quote!(
            async fn find(id: u64, db: &Db) -> u64 {
                1
            }
        )
    };
    let cases = [
        // The arguments of a misspelt `skip` are not missing from the key.
        faults(quote!(key = "user:<id>", skp(db)), item()),
        faults(quote!(key = "user:<id>", skip = db), item()),
        // Nor is the argument that a misspelt placeholder means.
        faults(quote!(key = "user:<idd>", skip(db)), item()),
        faults(quote!(key = "user:<x>"), item()),
        // A key that cannot be read names no arguments, and so none are missing.
        faults(quote!(key = "user:<id"), item()),
        faults(quote!(key = 5), item()),
    ];
    snapshot!(cases.join("\n"));
}

/// What a function reads or puts in a transaction may be rolled back.
#[test]
fn uncommitted_rows_must_be_allowed() {
    let read = |args: TokenStream, ty: TokenStream| {
        faults(quote!(key = "user:<id>", skip(tx) #args), quote!(async fn find(tx: #ty, id: u64) -> u64 { id }))
    };
    let types = [
        quote!(&mut Connection),
        quote!(&'a mut Connection),
        quote!((&mut Connection)),
        quote!(Option<&mut Connection>),
        quote!(Pin<&mut Connection>),
        quote!(&RefCell<&mut Connection>),
        quote!(impl Deref<Target = &mut Connection>),
        quote!(&mut (dyn Execute + Send)),
        quote!(&sea_orm::DatabaseTransaction),
        quote!(&mut sqlx::Transaction<'_, Postgres>),
        quote!(Arc<Mutex<Transaction<'static, Postgres>>>),
    ];
    for ty in types {
        let fault = read(quote!(), ty.clone());
        assert!(fault.starts_with("`tx` is ") && fault.contains("`Deferred`") && fault.lines().count() == 1, "{fault}");
        assert_eq!(read(quote!(, uncommitted = "allow"), ty), "");
    }
    let pools =
        [quote!(&Pool), quote!(&impl Fn(&mut Connection)), quote!(fn(&mut Connection)), quote!(impl Executor<'_>)];
    for ty in pools {
        assert_eq!(read(quote!(), ty.clone()), "");
        assert!(read(quote!(, uncommitted = "allow"), ty).contains("this function has none; remove it"));
    }
    // A task cannot borrow it, which is reported once.
    let task = faults(
        quote!(skip(tx), spawn),
        quote!(
            async fn find(tx: &mut Connection, id: u64) -> u64 {
                id
            }
        ),
    );
    assert!(task.contains("as its own task") && task.lines().count() == 1, "{task}");
    // An argument in the key is not a connection, and `self` is a repository.
    let in_key = quote!(
        async fn find(&mut self, id: &mut u64) -> u64 {
            *id
        }
    );
    assert_eq!(faults(quote!(key = "user:<id>"), in_key), "");
    let put = |args: TokenStream, ty: TokenStream| {
        let item = quote!(async fn store(tx: #ty, id: u64) -> u64 { id });
        messages(attribute(Role::Put, quote!(key = "user:<id>" #args), item)).join("\n")
    };
    let fault = put(quote!(), quote!(&mut Connection));
    assert!(fault.starts_with("`tx` is borrowed mutably") && fault.contains("before the commit"), "{fault}");
    assert_eq!(put(quote!(, uncommitted = "allow"), quote!(&mut Connection)), "");
    assert_eq!(put(quote!(), quote!(&Transaction)), "", "a row with this type name");
    let invalidate = |args: TokenStream| {
        let item = quote!(
            async fn store(tx: &mut Connection, id: u64) {}
        );
        messages(attribute(Role::Invalidate, quote!(key = "user:<id>" #args), item)).join("\n")
    };
    let fault = invalidate(quote!());
    assert!(fault.starts_with("`tx` is borrowed mutably") && fault.contains("the commit comes after"), "{fault}");
    assert_eq!(invalidate(quote!(, uncommitted = "allow")), "");
}

#[test]
fn constants_and_types_are_not_ids_of_a_batch() {
    let item = quote!(
        async fn find(&self, ids: &[u64]) -> HashMap<u64, u64> {
            HashMap::new()
        }
    );
    for around in ["<Self::KIND>", "<E::TABLE>", "<TABLE>", "<E>", "<crate::TABLE>"] {
        let key = format!("row:{around}:<id>");
        assert_eq!(faults(quote!(key = #key, batch = ids), item.clone()), "", "{around}");
    }
}

#[test]
fn the_function_is_kept() {
    let item = quote! {
        #[doc = "Kept."]
        #[redis_cached]
        pub fn f(id: u64) -> u64 { #![allow(unused)] id }
    };
    let expansion = redis_cached(quote!(), item).to_string();
    let kept = quote! {
        #[doc = "Kept."]
        pub fn f(id: u64) -> u64 { #![allow(unused)] id }
    };
    assert!(expansion.starts_with(&kept.to_string()), "{expansion}");
}

#[test]
fn not_functions() {
    let cases = [
        quote!(
            struct A;
        ),
        quote!(
            pub(crate) enum A {}
        ),
        quote!(impl A {}),
        quote!(
            unsafe impl A for B {}
        ),
        quote!(
            const A: u8 = 1;
        ),
        quote!(
            async fn f(&self) -> u8;
        ),
    ];
    let report: Vec<String> = cases.into_iter().map(|item| faults(quote!(), item)).collect();
    snapshot!(report.join("\n"));
}

/// While the user types an attribute, editors must find the function under it, even with an unfinished body.
#[test]
fn unfinished() {
    let item = || quote!(pub async fn find(&self, id: u64) -> Result<User, E> { let user = self.db. ; user. });
    let attributes = [
        quote!(key =),
        quote!(key = "user:<"),
        quote!(key = "user:<self."),
        quote!(key = "user:<self.>"),
        quote!(key = "user:<id>", t),
        quote!(key = "user:<id>", ttl),
        quote!(key = "user:<id>", ttl = self.),
        quote!(key = "user:<id>", ttl = |user: &User|),
        quote!(key = "user:<id>", cache_if = |),
        quote!(key = "user:<id>", skip),
        quote!(key = "user:<id>", skip(d)),
        quote!(key = "user:<id>", crate = ::),
        quote!(key = "user:<id>",,),
        quote!(=),
    ];
    let report = attributes.map(|attribute| {
        let expansion = redis_cached(attribute.clone(), item());
        let text = expansion.to_string();
        assert!(text.starts_with(&item().to_string()), "{text}");
        assert!(!text.contains("__CACHED_SITE"), "{text}");
        format!("#[redis_cached({attribute})]\n    {}", messages(expansion).join("\n    "))
    });
    snapshot!(report.join("\n"));
}

/// An unfinished signature is kept as the user wrote it.
#[test]
fn unfinished_signatures_are_kept() {
    let items = [
        quote!(async fn find(id: ) -> u64 { 1 }),
        quote!(async fn find(id) -> u64 { 1 }),
        quote!(async fn find(id: u64) -> { 1 }),
        quote!(async fn find(id: u64, ) -> Result<u64, { 1 }),
        quote!(
            async fn find<T>(id: u64) -> u64 where {
                1
            }
        ),
        quote!(async fn find(&self, id: u64) -> u64),
        quote!(async fn),
        quote!(pub),
    ];
    for item in items {
        let text = redis_cached(quote!(key = "user:<id>"), item.clone()).to_string();
        assert!(text.starts_with(&item.to_string()) || text.contains("__CACHED_SITE"), "{text}");
    }
}
