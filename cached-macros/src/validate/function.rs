//! Rules for the function.

use quote::ToTokens;
use syn::visit::Visit;
use syn::{GenericArgument, PathArguments, ReturnType, Safety, Signature, Type, TypeImplTrait, parse_quote_spanned};

use crate::diagnostics::Errors;
use crate::role::Role;
use crate::signature::{AnnotatedItem, AsyncForm, Function, bare, first_type_argument, last_segment};
use crate::spelling::spell;

/// Reports the attribute on something that has no body.
pub(crate) fn not_a_function(role: Role, item: &AnnotatedItem, errors: &mut Errors) {
    match item {
        AnnotatedItem::Function(_) => {}
        AnnotatedItem::Declaration(sig) if role == Role::Read => errors
            .on(&sig.ident, "a declaration has no body to run on a miss; put `#[redis_cached]` on the implementation"),
        AnnotatedItem::Declaration(sig) => {
            errors.on(&sig.ident, format!("a declaration has no body that writes; put {role} on the implementation"));
        }
        AnnotatedItem::Other(keyword) => {
            let what = keyword.to_string();
            let advice = match (what.as_str(), role) {
                ("impl" | "trait" | "mod", Role::Read) => "put it on each function that you want to cache",
                ("impl" | "trait" | "mod", _) => "put it on each function that writes",
                (_, Role::Read) => "put it on the function that loads the value",
                _ => "put it on the function that writes",
            };
            errors.on(keyword, format!("{role} goes on an `async fn`, not on `{what}`; {advice}"));
        }
    }
}

/// Checks how the function is asynchronous and what it returns.
pub(super) fn form(role: Role, is_batch: bool, function: &Function, errors: &mut Errors) -> Option<AsyncForm> {
    qualifiers(role, &function.sig, errors);

    let form = function.form();
    match &form {
        // `const fn` and `extern fn` cannot be async; `qualifiers` has reported that.
        None if function.sig.constness.is_some() || function.sig.abi.is_some() => {}
        None => {
            let name = &function.sig.ident;
            let subject =
                if role == Role::Read { "a cached function".to_owned() } else { format!("a function with {role}") };
            errors.on(function.sig.fn_token, format!("{subject} waits for Redis; write `async fn {name}`"));
            if matches!(function.sig.output, ReturnType::Default) && role != Role::Invalidate {
                no_return_type(&function.sig, errors);
            }
        }
        Some(form) if role == Role::Invalidate => {
            if let Some(ty @ Type::Never(_)) = form.returns.as_ref().map(bare) {
                let message = "this function never returns, so its write would never end; put the attribute on the \
                               function that does one write";
                errors.on(ty, message);
            }
        }
        Some(AsyncForm { returns: None, .. }) => no_return_type(&function.sig, errors),
        // `#[async_trait]` writes the unit type itself, so the user has no token to point at.
        Some(AsyncForm { returns: Some(ty), boxed: Some(_) }) if is_unit(ty) => no_return_type(&function.sig, errors),
        Some(AsyncForm { returns: Some(ty), .. }) => return_type(ty, is_batch, errors),
    }
    form
}

fn qualifiers(role: Role, sig: &Signature, errors: &mut Errors) {
    if let Some(constness) = &sig.constness {
        errors.on(constness, "a `const fn` cannot wait for Redis; write `async fn`, without `const`");
    }
    if let (Safety::Unsafe(unsafety), Role::Read) = (&sig.safety, role) {
        let message = "an `unsafe fn` cannot be cached: one caller upholds its contract, but all callers get the \
                       value; write a safe `async fn` around the unsafe call";
        errors.on(unsafety, message);
    }
    // Variadic functions are all `extern`.
    if let Some(abi) = &sig.abi {
        errors.on(abi, "an `extern` function cannot be async; write `async fn`, without `extern`");
    }
}

/// The type that the body must evaluate to, with `_` for `impl Trait`. Without a return type it is the unit type,
/// located at the function's name.
pub(super) fn returns(sig: &Signature, written: Option<Type>) -> Type {
    let span = sig.ident.span();
    let mut ty = written.unwrap_or_else(|| parse_quote_spanned!(span=> ()));
    infer_unnameable(&mut ty);
    ty
}

// Input:  Result<impl IntoResponse, E>
// Output: Result<_, E>
fn infer_unnameable(ty: &mut Type) {
    match ty {
        Type::ImplTrait(unnameable) => {
            let span = unnameable.impl_token.span;
            *ty = parse_quote_spanned!(span=> _);
        }
        Type::Group(group) => infer_unnameable(&mut group.elem),
        Type::Paren(paren) => infer_unnameable(&mut paren.elem),
        Type::Tuple(tuple) => tuple.elems.iter_mut().for_each(infer_unnameable),
        Type::Path(path) => {
            for segment in &mut path.path.segments {
                let PathArguments::AngleBracketed(arguments) = &mut segment.arguments else { continue };
                for argument in &mut arguments.args {
                    if let GenericArgument::Type(ty) = argument {
                        infer_unnameable(ty);
                    }
                }
            }
        }
        _ => {}
    }
}

/// Reports `on_unavailable = "fail"` on a function that cannot return an error.
pub(super) fn refusable(form: &AsyncForm, sig: &Signature, errors: &mut Errors) {
    if form.returns.as_ref().is_none_or(is_unit) {
        let message = "`on_unavailable = \"fail\"` returns an error, and this function returns nothing; return \
                       `Result<(), E>` with `E: From<cached_core::CacheError>`";
        errors.on(&sig.ident, message);
    }
}

/// Reports `ret` of a type that has no name.
pub(super) fn nameable(form: &AsyncForm, errors: &mut Errors) {
    if let Some(ty) = &form.returns {
        Unnameable { errors, message: "`ret` needs a return type that has a name; write the type instead of `impl`" }
            .visit_type(ty);
    }
}

fn no_return_type(sig: &Signature, errors: &mut Errors) {
    let message = "this function returns nothing to cache; give it a return type, such as `-> Result<T, E>`";
    errors.on(&sig.ident, message);
}

fn is_unit(ty: &Type) -> bool {
    matches!(bare(ty), Type::Tuple(tuple) if tuple.elems.is_empty())
}

fn return_type(ty: &Type, is_batch: bool, errors: &mut Errors) {
    if is_unit(ty) || matches!(bare(ty), Type::Never(_)) {
        let written = ty.to_token_stream();
        errors.on(ty, format!("`{written}` holds nothing to cache; return a value, such as `-> Result<T, E>`"));
        return;
    }
    let message = "a cached value is read back, so its type needs a name; write the type instead of `impl`";
    Unnameable { errors, message }.visit_type(ty);
    // The keys of a map are ids, which may be borrowed. rustc checks the values.
    if !is_batch {
        borrowed(ty, false, errors);
    }
}

/// Reports `impl Trait` in a type.
struct Unnameable<'e> {
    errors: &'e mut Errors,
    message: &'static str,
}

impl Visit<'_> for Unnameable<'_> {
    fn visit_type_impl_trait(&mut self, ty: &TypeImplTrait) {
        self.errors.on(ty, self.message);
    }
}

/// Types whose first argument is stored with them.
const OWNERS: [&str; 4] = ["Result", "Option", "Vec", "Box"];

/// Reports `-> &str` and `-> Name<'_>`, but only where the borrow would certainly be stored: in an unknown type such as
/// `Res<u64, &str>` the argument may be the error. The type check finds the rest.
fn borrowed(ty: &Type, is_value: bool, errors: &mut Errors) {
    match bare(ty) {
        Type::Reference(reference) => {
            let owned = owned(&reference.elem);
            let message = format!("a cached value is read from Redis, so it cannot borrow; return {owned}");
            errors.on(reference, message);
        }
        Type::Tuple(tuple) => tuple.elems.iter().for_each(|ty| borrowed(ty, true, errors)),
        Type::Array(array) => borrowed(&array.elem, true, errors),
        path @ Type::Path(_) => {
            let owner = OWNERS.iter().find_map(|owner| last_segment(path, owner));
            if let Some(value) = owner.and_then(first_type_argument) {
                borrowed(value, true, errors);
            } else if owner.is_none() && names_lifetime(path) {
                // An alias may hide a `Result` whose error borrows, which is allowed and visible if written out.
                let but = if is_value { "" } else { "; if only the error borrows, write out the `Result<T, E>`" };
                let message =
                    format!("a cached value is read from Redis, so it cannot borrow; return an owned value{but}");
                errors.on(path, message);
            }
        }
        _ => {}
    }
}

/// Whether the last segment has a lifetime other than `'static` among its arguments, as `Name<'_>` has.
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
        Type::Path(path) if path.path.is_ident("str") => "an owned `String`".to_owned(),
        Type::Slice(slice) => format!("an owned `Vec<{}>`", spell(slice.elem.to_token_stream())),
        Type::Path(_) | Type::Tuple(_) | Type::Array(_) => format!("an owned `{}`", spell(ty.to_token_stream())),
        _ => "an owned value".to_owned(),
    }
}
