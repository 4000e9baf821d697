//! Finds signs of a transaction in the type of an argument. Reports nothing.

use syn::visit::{self, Visit};
use syn::{Ident, ParenthesizedGenericArguments, Path, Type, TypeFnPtr, TypeReference};

/// Why an argument may be a transaction.
#[derive(Clone)]
pub(crate) enum Sign {
    /// Its type contains `&mut`, as that of most transactions does.
    Exclusive,
    /// Its type contains a type with such a name: `Transaction`, `DatabaseTransaction`.
    Named(Ident),
}

/// The first sign in a type. `impl Executor<'_>` has none, because it accepts a pool as well.
pub(crate) fn sign(ty: &Type) -> Option<Sign> {
    let mut finder = SignFinder { found: None };
    finder.visit_type(ty);
    finder.found
}

struct SignFinder {
    found: Option<Sign>,
}

impl<'a> Visit<'a> for SignFinder {
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

    // The arguments of a function type are not held by the value.
    fn visit_type_fn_ptr(&mut self, _: &'a TypeFnPtr) {}
    fn visit_parenthesized_generic_arguments(&mut self, _: &'a ParenthesizedGenericArguments) {}
}
