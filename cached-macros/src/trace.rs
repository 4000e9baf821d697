//! Shows what the macros generate.

use proc_macro2::TokenStream;

/// Prints the expansion to stderr if the environment of the compiler has `CACHED_DEBUG=1`.
pub(crate) fn traced(expansion: TokenStream) -> TokenStream {
    if std::env::var_os("CACHED_DEBUG").is_some_and(|value| value == "1") {
        eprintln!("{expansion}\n");
    }
    expansion
}
