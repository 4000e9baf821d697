//! A module that gives other meanings to the names of the prelude.

#![deny(warnings)]
#![allow(dead_code, non_camel_case_types)]

mod shadowed {
    use cached_core::{CacheEvent, CacheKey, redis_cached, redis_invalidate, redis_put};

    mod core {}
    mod std {}
    mod alloc {}
    struct Option;
    struct Result;
    struct String;
    struct Vec;
    struct Box;
    struct Some;
    struct None;
    struct Ok;
    struct Err;
    struct bool;
    struct str;
    struct u32;
    struct f64;
    trait Future {}
    trait Send {}
    trait Fn {}
    trait FnOnce {}
    trait Copy {}
    trait Clone {}
    trait KeySegment {}
    trait Shape {}

    #[allow(unused_macros)]
    macro_rules! module_path {
        () => {
            compile_error!("not this one")
        };
    }
    #[allow(unused_macros)]
    macro_rules! file {
        () => {
            compile_error!("not this one")
        };
    }
    #[allow(unused_macros)]
    macro_rules! line {
        () => {
            compile_error!("not this one")
        };
    }

    #[derive(CacheKey)]
    struct Pair {
        out: u8,
        write: i8,
    }

    #[derive(CacheKey)]
    enum Scope {
        All,
        One(u8),
    }

    #[redis_cached(
        key = "a:<pair>:<scope>:<call>:<id:hash>",
        jitter = 0.1,
        none_ttl = "off",
        codec = "json",
        version = 2
    )]
    async fn find(
        pair: Pair,
        scope: Scope,
        call: u8,
        id: u8,
    ) -> ::core::result::Result<::core::option::Option<u8>, u8> {
        let policy = call;
        let shape = policy;
        match (scope, pair) {
            (Scope::All, Pair { out, .. }) => ::core::result::Result::Ok(::core::option::Option::Some(out + shape)),
            (Scope::One(one), _) => ::core::result::Result::Err(one + id),
        }
    }

    #[redis_cached]
    async fn default_key(load: u8) -> u8 {
        load
    }

    #[derive(CacheEvent)]
    struct Updated {
        id: u8,
        read: u8,
    }

    #[derive(CacheEvent)]
    struct Reloaded;

    #[redis_cached(
        key = "b:<id>:<read>",
        invalidate_on = [Updated { id, read }, Reloaded, Updated { .. }],
        tags = ["<id>", |value: &u8| [::std::format!("{value}")]]
    )]
    async fn listens(id: u8, read: u8) -> u8 {
        id + read
    }

    #[redis_invalidate(Updated { id, read: write }, Reloaded, key = "c:<id:hash>", tag = "<write>", on_unavailable = "fail")]
    async fn bracket(id: u8, write: u8) -> ::core::result::Result<u8, ::cached_core::CacheError> {
        let returned = id + write;
        ::core::result::Result::Ok(returned)
    }

    #[redis_invalidate(Updated { id: *ret, read: returned }, key = "d:<ret>:<returned>", mode = "after")]
    async fn after(returned: u8) -> u8 {
        returned
    }

    #[redis_invalidate(Reloaded)]
    async fn nothing(write: u8) {
        let _ = write;
    }

    #[redis_put(key = "e:<put>", Updated { id: put, read: 1 })]
    async fn put(put: u8) -> ::core::option::Option<u8> {
        ::core::option::Option::Some(put)
    }
}

fn main() {}
