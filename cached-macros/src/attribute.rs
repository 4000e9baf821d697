//! `#[redis_cached(..)]`, `#[redis_invalidate(..)]` and `#[redis_put(..)]`, phase by phase:
//!
//! ```text
//! tokens --parse-----> Options        what the user wrote
//! tokens --signature-> AnnotatedItem  the item under the attribute
//!        --validate--> Model          what will be generated; only this phase reports broken rules
//!        --expand----> tokens
//! ```
//!
//! The attributes differ in their options, in the rules for these, and in the statements around the body. Everything
//! else is shared.

use proc_macro2::TokenStream;

use crate::diagnostics::Errors;
use crate::role::Role;
use crate::signature::AnnotatedItem;
use crate::{expand, fallback, parse, validate};

/// Expands the attribute. If there are faults, the expansion is the faults and the unchanged item.
pub(crate) fn attribute(role: Role, args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = parse::options(role, args, &mut errors);

    match syn::parse2::<AnnotatedItem>(item.clone()) {
        Ok(AnnotatedItem::Function(function)) => match validate::model(role, options, function, &mut errors) {
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
