//! Where expansions find the library in a crate that has it under another name.

/// Says once where the library is, for all attributes and derives of a crate that has it through a re-export. Write it
/// at the root of the crate, with the path of the re-export:
///
/// ```text
/// // acme/src/lib.rs, the crate that all others depend on:
/// pub use cached_core as caching;
///
/// // shop/src/main.rs, which depends on `acme` only:
/// acme::caching::extern_crate!();
///
/// use acme::caching::redis_cached;
///
/// #[redis_cached(key = "user:<id>")]
/// async fn find_user(id: u64) -> Option<User> { .. }
/// ```
///
/// Expansions name `::cached_core`. This macro is what `extern crate acme::caching as cached_core;` would be, if `extern
/// crate` took a path. It works with every build system and costs no time.
///
/// - For a dependency that is only renamed (`caching = { package = "cached-core", .. }`), plain Rust is enough: `extern
///   crate caching as cached_core;`. Then `cached_core::..` is the library in your own code, too.
/// - Each target of a package is a crate with a root of its own: the library, a program, each file of `tests/`.
/// - `crate = path` on an attribute or derive still wins. A `macro_rules!` that is exported to other crates needs it, since
///   it is expanded there: `#[redis_cached(crate = $crate::caching, ..)]`.
///
/// Anywhere but at the root it does not compile. In a crate with a dependency called `cached_core` it does not compile
/// either, and is not needed.
#[macro_export]
macro_rules! extern_crate {
    () => {
        const _: () = $crate::__private::assert!(
            $crate::__private::is_root($crate::__private::module_path!()),
            "write `extern_crate!();` at the root of the crate, in `lib.rs` or `main.rs`",
        );
        #[allow(unused_extern_crates)]
        extern crate self as cached_core;
        #[doc(hidden)]
        #[allow(unused_imports)]
        pub(crate) use $crate::__private;
    };
}
