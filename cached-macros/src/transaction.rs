//! What the type of an argument tells of a transaction. Reads; judges nothing.

use syn::visit::{self, Visit};
use syn::{Ident, ParenthesizedGenericArguments, Path, Type, TypeFnPtr, TypeReference};

/// Why an argument may be a transaction.
#[derive(Clone)]
pub(crate) enum Sign {
    /// `&mut` stands in its type, as in that of most.
    Exclusive,
    /// A type of this name stands there: `Transaction`, `DatabaseTransaction`.
    Named(Ident),
}

/// The first sign in a type. `impl Executor<'_>` and the like have none: a pool may be meant as well.
pub(crate) fn sign(ty: &Type) -> Option<Sign> {
    let mut inside = Inside { found: None };
    inside.visit_type(ty);
    inside.found
}

struct Inside {
    found: Option<Sign>,
}

impl<'a> Visit<'a> for Inside {
    fn visit_type_reference(&mut self, ty: &'a TypeReference) {
        if ty.mutability.is_some() {
            self.found.get_or_insert(Sign::Exclusive);
        }
        visit::visit_type_reference(self, ty);
    }

    fn visit_path(&mut self, path: &'a Path) {
        if let Some(last) = path.segments.last().filter(|last| last.ident.to_string().ends_with("Transaction")) {
            self.found.get_or_insert_with(|| Sign::Named(last.ident.clone()));
        }
        visit::visit_path(self, path);
    }

    // What a function takes is not held here.
    fn visit_type_fn_ptr(&mut self, _: &'a TypeFnPtr) {}
    fn visit_parenthesized_generic_arguments(&mut self, _: &'a ParenthesizedGenericArguments) {}
}
