//! What is emitted when something is wrong: the errors, and the user's item as it was.
//!
//! Without the item, everything that calls the function would be reported as unresolved, and the one message that
//! matters would drown.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use crate::diagnostics::Errors;

/// The item first: editors map what they highlight to the first occurrence of a token.
pub(crate) fn expand(item: impl ToTokens, errors: Errors) -> TokenStream {
    let errors = errors.into_compile_errors();
    quote!(#item #errors)
}
