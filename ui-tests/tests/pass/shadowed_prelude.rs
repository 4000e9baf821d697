//! A module in which nothing is called what it usually is.

#![deny(warnings)]
#![allow(dead_code, non_camel_case_types)]

mod shadowed {
    use cached_core::{CacheKey, redis_cached};

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
}

fn main() {}
