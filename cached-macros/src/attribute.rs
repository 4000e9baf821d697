//! `#[redis_cached(..)]`, `#[redis_invalidate(..)]` and `#[redis_put(..)]`, phase by phase:
//!
//! ```text
//! tokens --parse-----> Options    what the user wrote
//! tokens --signature-> Annotated  what it was written on
//!        --validate--> Model      what will be generated; the only phase that reports broken rules
//!        --expand----> tokens
//! ```
//!
//! The attributes differ in the options they have, in the rules about them and in the statements around the body; all
//! else they share.

use proc_macro2::TokenStream;

use crate::diagnostics::Errors;
use crate::role::Role;
use crate::signature::Annotated;
use crate::{expand, fallback, parse, validate};

/// Expands the attribute; on any fault, into the faults and the item as it was.
pub(crate) fn attribute(role: Role, args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = parse::options(role, args, &mut errors);

    match syn::parse2::<Annotated>(item.clone()) {
        Ok(Annotated::Function(function)) => match validate::model(role, options, function, &mut errors) {
            Ok(model) => expand::expand(&model),
            Err(function) => fallback::expand(function, errors),
        },
        Ok(other) => {
            validate::not_a_function(role, &other, &mut errors);
            fallback::expand(item, errors)
        }
        Err(error) => {
            errors.push(error);
            fallback::expand(item, errors)
        }
    }
}
