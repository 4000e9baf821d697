//! The expansion of an attribute with faults: the errors and the user's unchanged item.
//!
//! Without the item, rustc would report every call of the function as unresolved, and hide the message that matters.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use crate::diagnostics::Errors;

/// Emits the item first, because editors highlight the first occurrence of a token.
pub(crate) fn expand(item: impl ToTokens, errors: Errors) -> TokenStream {
    let errors = errors.into_compile_errors();
    quote!(#item #errors)
}
