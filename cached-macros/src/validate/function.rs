//! Rules about the function.

use quote::ToTokens;
use syn::visit::Visit;
use syn::{GenericArgument, PathArguments, ReturnType, Safety, Signature, Type, TypeImplTrait};

use crate::diagnostics::Errors;
use crate::signature::{Annotated, Form, Function, bare, first_type_argument, last_segment};
use crate::spelling::spell;

/// The attribute on something that has no body to run on a miss.
pub(crate) fn not_a_function(item: &Annotated, errors: &mut Errors) {
    match item {
        Annotated::Function(_) => {}
        Annotated::Declaration(sig) => errors
            .on(&sig.ident, "a declaration has no body to run on a miss; put `#[redis_cached]` on the implementation"),
        Annotated::Other(keyword) => {
            let what = keyword.to_string();
            let advice = match what.as_str() {
                "impl" | "trait" | "mod" => "put it on each function in it that is to be cached",
                _ => "put it on the function that makes the value",
            };
            errors.on(keyword, format!("`#[redis_cached]` goes on an `async fn`, not on `{what}`; {advice}"));
        }
    }
}

/// How the function is asynchronous, and what it returns.
pub(super) fn form(function: &Function, errors: &mut Errors) -> Option<Form> {
    for attr in &function.repeated {
        errors.on(attr, "`#[redis_cached]` is on this function already; remove one of the two");
    }
    qualifiers(&function.sig, errors);

    let form = function.form();
    match &form {
        // `const fn` and `extern fn` cannot be async, and that has been said.
        None if function.sig.constness.is_some() || function.sig.abi.is_some() => {}
        None => {
            let name = &function.sig.ident;
            let message = format!("a cached function waits for Redis; write `async fn {name}`");
            errors.on(function.sig.fn_token, message);
            if matches!(function.sig.output, ReturnType::Default) {
                no_return_type(&function.sig, errors);
            }
        }
        Some(Form { returns: None, .. }) => no_return_type(&function.sig, errors),
        // `#[async_trait]` writes the unit type itself; there is no token of the user's to point at.
        Some(Form { returns: Some(ty), boxed: Some(_) }) if is_unit(ty) => no_return_type(&function.sig, errors),
        Some(Form { returns: Some(ty), .. }) => return_type(ty, errors),
    }
    form
}

fn qualifiers(sig: &Signature, errors: &mut Errors) {
    if let Some(constness) = &sig.constness {
        errors.on(constness, "a `const fn` cannot wait for Redis; write `async fn`, without `const`");
    }
    if let Safety::Unsafe(unsafety) = &sig.safety {
        let message = "an `unsafe fn` cannot be cached: one caller keeps its contract, and all get its value; \
                       write a safe `async fn` around the unsafe call";
        errors.on(unsafety, message);
    }
    // Variadic functions are all `extern`.
    if let Some(abi) = &sig.abi {
        errors.on(abi, "an `extern` function cannot be async; write `async fn`, without `extern`");
    }
}

fn no_return_type(sig: &Signature, errors: &mut Errors) {
    let message = "this function returns nothing to cache; give it a return type, such as `-> Result<T, E>`";
    errors.on(&sig.ident, message);
}

fn is_unit(ty: &Type) -> bool {
    matches!(bare(ty), Type::Tuple(tuple) if tuple.elems.is_empty())
}

fn return_type(ty: &Type, errors: &mut Errors) {
    if is_unit(ty) || matches!(bare(ty), Type::Never(_)) {
        let written = ty.to_token_stream();
        errors.on(ty, format!("`{written}` is nothing to cache; return a value, such as `-> Result<T, E>`"));
        return;
    }
    Unnameable { errors }.visit_type(ty);
    borrowed(ty, false, errors);
}

/// `-> impl Trait`.
struct Unnameable<'e> {
    errors: &'e mut Errors,
}

impl Visit<'_> for Unnameable<'_> {
    fn visit_type_impl_trait(&mut self, ty: &TypeImplTrait) {
        let message = "a cached value must have a nameable type, to be read back as; write the type instead of `impl`";
        self.errors.on(ty, message);
    }
}

/// Types whose first argument is stored with them.
const OWNERS: [&str; 4] = ["Result", "Option", "Vec", "Box"];

/// `-> &str`, `-> Name<'_>`. Borrowing is judged only where it is certain that it would be stored: of a type that only
/// its name tells, such as `Res<u64, &str>`, the argument may be the error. What is overlooked here is for the type check.
fn borrowed(ty: &Type, is_value: bool, errors: &mut Errors) {
    match bare(ty) {
        Type::Reference(reference) => {
            let owned = owned(&reference.elem);
            let message =
                format!("a cached value comes from elsewhere and cannot borrow; return an owned value: {owned}");
            errors.on(reference, message);
        }
        Type::Tuple(tuple) => tuple.elems.iter().for_each(|ty| borrowed(ty, true, errors)),
        Type::Array(array) => borrowed(&array.elem, true, errors),
        path @ Type::Path(_) => {
            let owner = OWNERS.iter().find_map(|owner| last_segment(path, owner));
            if let Some(value) = owner.and_then(first_type_argument) {
                borrowed(value, true, errors);
            } else if owner.is_none() && names_lifetime(path) {
                // An alias may hide a `Result` whose error borrows, which is fine. Written out, it is seen to be.
                let but = if is_value { "" } else { "; if only its error borrows, write the `Result<T, E>` out" };
                let message =
                    format!("a cached value comes from elsewhere and cannot borrow; return an owned type{but}");
                errors.on(path, message);
            }
        }
        _ => {}
    }
}

/// `Name<'_>`: the last segment has a lifetime among its arguments, other than `'static`.
fn names_lifetime(ty: &Type) -> bool {
    let Type::Path(ty) = ty else { return false };
    let Some(PathArguments::AngleBracketed(arguments)) = ty.path.segments.last().map(|last| &last.arguments) else {
        return false;
    };
    let borrows =
        |argument: &GenericArgument| matches!(argument, GenericArgument::Lifetime(name) if name.ident != "static");
    arguments.args.iter().any(borrows)
}

/// What to return instead of a reference to this.
fn owned(ty: &Type) -> String {
    match bare(ty) {
        Type::Path(path) if path.path.is_ident("str") => "`String`".to_owned(),
        Type::Slice(slice) => format!("`Vec<{}>`", spell(slice.elem.to_token_stream())),
        Type::Path(_) | Type::Tuple(_) | Type::Array(_) => format!("`{}`", spell(ty.to_token_stream())),
        _ => "the value itself".to_owned(),
    }
}
