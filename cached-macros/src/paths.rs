//! The paths that generated code names, and their spans.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::{Path, parse_quote_spanned};

/// The runtime crate, unless `crate = path` says otherwise.
///
/// What `::cached_core` means is said by the user's crate: a dependency of that name, `extern crate .. as cached_core`, or
/// `extern_crate!()`. A rename could be found in the manifest as well, but a macro that reads files works with Cargo
/// only, is not run again when the file has changed, and needs a parser that every user would compile.
pub(crate) fn runtime() -> Path {
    parse_quote_spanned!(Span::mixed_site()=> ::cached_core)
}

/// The module of the runtime that only generated code may call.
pub(crate) fn support(runtime: &Path) -> Path {
    parse_quote_spanned!(Span::mixed_site()=> #runtime::__private)
}

/// The path at another place, resolved as before. If its spans were apart, rustc would underline everything between
/// them.
pub(crate) fn located_at(path: &Path, span: Span) -> TokenStream {
    path.to_token_stream()
        .into_iter()
        .map(|mut token| {
            token.set_span(token.span().located_at(span));
            token
        })
        .collect()
}
