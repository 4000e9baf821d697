//! The closures of options get a reference to what is stored, and not all that the function returns. rustc only says
//! "expected fn pointer, found closure", and not what to write.

use quote::ToTokens;
use syn::{Expr, ExprClosure, GenericArgument, Ident, Pat, PatType, PathArguments, Type};

use crate::ast::{Options, Setting};
use crate::diagnostics::Errors;
use crate::signature::{bare, first_type_argument, last_segment};
use crate::spelling::spell;

/// Maps of what a batch returns.
const MAPS: [&str; 3] = ["HashMap", "BTreeMap", "IndexMap"];

/// Types around what is stored, from the outside to the inside.
struct Layers<'a> {
    /// Each with its name in messages.
    around: Vec<(&'static str, &'a Type)>,
    value: &'a Type,
    error: Option<&'a Type>,
}

/// Reports closures whose parameter has the type of something around the value.
pub(super) fn closures(options: &Options, returns: Option<&Type>, errors: &mut Errors) {
    let Some(returns) = returns else { return };
    let layers = layers(returns, !options.batch.is_absent());
    for setting in [&options.ttl, &options.cache_if] {
        if let Setting::Given { name, value } = setting {
            of_value(name, value, &layers, errors);
        }
    }
    if let Setting::Given { name, value } = &options.tags {
        value.of_value.iter().for_each(|code| of_value(name, code, &layers, errors));
    }
    if let Setting::Given { name, value } = &options.error_if {
        of_error(name, value, &layers, errors);
    }
}

// Input:  Result<Option<Book>, E>
// Output: around: [Result<..>, Option<Book>], value: Book, error: E
fn layers(returns: &Type, is_batch: bool) -> Layers<'_> {
    let mut layers = Layers { around: Vec::new(), value: bare(returns), error: None };
    if let Some(inside) = inside(layers.value, "Result") {
        layers.error = argument(layers.value, 1);
        layers.enter("Result", inside);
    }
    let map = MAPS.iter().find(|map| last_segment(layers.value, map).is_some());
    if is_batch && let Some(inside) = map.and_then(|_| argument(layers.value, 1)) {
        layers.enter("map", inside);
    } else if !is_batch && let Some(inside) = inside(layers.value, "Option") {
        layers.enter("Option", inside);
    }
    layers
}

impl<'a> Layers<'a> {
    fn enter(&mut self, name: &'static str, inside: &'a Type) {
        self.around.push((name, self.value));
        self.value = bare(inside);
    }
}

/// What is in a type of the standard library: `search::Result<T>` may be anything.
fn inside<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    let Type::Path(path) = ty else { return None };
    let first = &path.path.segments.first()?.ident;
    let is_standard = path.path.segments.len() == 1 || first == "std" || first == "core";
    first_type_argument(last_segment(ty, name).filter(|_| is_standard)?)
}

/// One of the type arguments of a path.
fn argument(ty: &Type, at: usize) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    let PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else { return None };
    let mut types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    types.nth(at)
}

/// `|book: &Option<Book>| ..`, `|book: Book| ..`
fn of_value(option: &Ident, code: &Expr, layers: &Layers<'_>, errors: &mut Errors) {
    let Some((closure, parameter, ty, is_reference)) = typed(code) else { return };
    let around = layers.around.iter().find(|(name, around)| is_same(ty, around) || is_other(ty, name, layers.value));
    let what = match around {
        Some((name, _)) if *name == "map" => "one value of the map".to_owned(),
        Some((name, _)) => format!("what is in the `{name}`, and not the `{name}`"),
        None if !is_reference && is_same(ty, layers.value) && !is_unknown(ty) => "a reference to the value".to_owned(),
        None => return,
    };
    let advice = written(closure, parameter, layers.value);
    let none = if option == "cache_if" && around.is_some_and(|(name, _)| *name == "Option") {
        "; how long a `None` is stored says `none_ttl`"
    } else {
        ""
    };
    errors.on(&parameter.ty, format!("the closure of `{option}` gets {what}; write `{advice}`{none}"));
}

/// `|error: &Result<Book, E>| ..`, `|error: E| ..`
fn of_error(option: &Ident, code: &Expr, layers: &Layers<'_>, errors: &mut Errors) {
    let (Some((closure, parameter, ty, is_reference)), Some(error)) = (typed(code), layers.error) else { return };
    let is_result = |(name, around): &(&str, &Type)| *name == "Result" && is_same(ty, around);
    let what = if layers.around.iter().any(is_result) {
        "the error, and not the `Result`"
    } else if !is_reference && is_same(ty, error) {
        "a reference to the error"
    } else {
        return;
    };
    let advice = written(closure, parameter, error);
    errors.on(&parameter.ty, format!("the closure of `{option}` gets {what}; write `{advice}`"));
}

/// A closure, its first parameter if that has a type, that type without `&`, and whether it has one.
fn typed(code: &Expr) -> Option<(&ExprClosure, &PatType, &Type, bool)> {
    let Expr::Closure(closure) = code else { return None };
    let Some(Pat::Type(parameter)) = closure.inputs.first() else { return None };
    match bare(&parameter.ty) {
        Type::Reference(reference) => Some((closure, parameter, bare(&reference.elem), true)),
        ty => Some((closure, parameter, ty, false)),
    }
}

fn is_same(a: &Type, b: &Type) -> bool {
    spell(a.to_token_stream()) == spell(b.to_token_stream())
}

/// Whether something else may be stored than this.
fn is_unknown(ty: &Type) -> bool {
    ["Result", "Option"].iter().any(|layer| last_segment(ty, layer).is_some())
}

/// Whether it is the same layer, spelled otherwise: `std::option::Option<_>`.
fn is_other(ty: &Type, layer: &str, value: &Type) -> bool {
    last_segment(ty, layer).is_some() && last_segment(value, layer).is_none()
}

/// The head of the closure with the right type.
// Input:  |book: &Option<Book>, shelf| ..
// Output: |book: &Book, shelf|
fn written(closure: &ExprClosure, parameter: &PatType, ty: &Type) -> String {
    let spelled = |parameter: &Pat| match parameter {
        Pat::Type(typed) => {
            format!("{}: {}", spell(typed.pat.to_token_stream()), spell(typed.ty.to_token_stream()))
        }
        name => spell(name.to_token_stream()),
    };
    let first = format!("{}: &{}", spell(parameter.pat.to_token_stream()), spell(ty.to_token_stream()));
    let all: Vec<String> = [first].into_iter().chain(closure.inputs.iter().skip(1).map(spelled)).collect();
    format!("|{}|", all.join(", "))
}
