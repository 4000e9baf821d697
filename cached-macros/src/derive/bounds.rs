//! The bounds that a derive puts on type parameters.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Field, Generics, Ident, Path, Type, WherePredicate, parse_quote};

use super::field;
use crate::template::Form;

/// `T: KeyIdentity` for the type parameters of a key.
pub(super) fn identities(support: &Path, generics: Generics, fields: &[&Field]) -> Generics {
    bounded(support, generics, fields, |_| quote!(#support::KeyIdentity))
}

/// `T: KeySegment` for the type parameters of an event, `T: KeyIdentity` for those that are only hashed.
pub(super) fn segments(support: &Path, generics: Generics, fields: &[Field]) -> Generics {
    let fields: Vec<&Field> = fields.iter().collect();
    bounded(support, generics, &fields, |parameter| {
        let is_plain = |field: &&&Field| field::form(field) == Form::Plain && mentions(&field.ty, parameter);
        if fields.iter().find(is_plain).is_some() {
            quote!(#support::KeySegment)
        } else {
            quote!(#support::KeyIdentity)
        }
    })
}

/// Adds the bound of each type parameter. If a parameter occurs only in fields with `#[cache_key(serde)]`, the types of
/// these fields get the bound instead.
fn bounded(
    support: &Path,
    mut generics: Generics,
    fields: &[&Field],
    bound: impl Fn(&Ident) -> TokenStream,
) -> Generics {
    let parameters: Vec<Ident> = generics.type_params().map(|parameter| parameter.ident.clone()).collect();
    let mut bounds: Vec<WherePredicate> = Vec::new();
    for parameter in &parameters {
        let mut forms = fields.iter().filter(|field| mentions(&field.ty, parameter)).map(|field| field::form(field));
        let is_by_serde = forms.next() == Some(Form::Serde) && forms.all(|form| form == Form::Serde);
        if !is_by_serde {
            let bound = bound(parameter);
            bounds.push(parse_quote!(#parameter: #bound));
        }
    }
    for Field { ty, .. } in fields.iter().filter(|field| field::form(field) == Form::Serde) {
        if parameters.iter().any(|parameter| mentions(ty, parameter)) {
            bounds.push(parse_quote!(#ty: #support::SerializedIdentity));
        }
    }
    if !bounds.is_empty() {
        generics.make_where_clause().predicates.extend(bounds);
    }
    generics
}

/// Whether the name occurs in the type.
pub(super) fn mentions(ty: &Type, name: &Ident) -> bool {
    fn any(tokens: TokenStream, name: &Ident) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(found) => found == *name,
            TokenTree::Group(group) => any(group.stream(), name),
            TokenTree::Punct(_) | TokenTree::Literal(_) => false,
        })
    }
    any(ty.to_token_stream(), name)
}

/// Whether the type contains a pointer. Types can contain each other only through one.
pub(super) fn is_indirect(ty: &Type) -> bool {
    const POINTERS: [&str; 12] = [
        "Box",
        "Rc",
        "Arc",
        "Weak",
        "Cow",
        "Vec",
        "VecDeque",
        "BTreeMap",
        "BTreeSet",
        "HashMap",
        "HashSet",
        "LinkedList",
    ];
    fn any(tokens: TokenStream) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(name) => POINTERS.iter().any(|pointer| name == pointer),
            TokenTree::Punct(punct) => punct.as_char() == '&',
            TokenTree::Group(group) => any(group.stream()),
            TokenTree::Literal(_) => false,
        })
    }
    any(ty.to_token_stream())
}

/// Whether the type contains the type `name`, by its name alone or as `Self`. A type with the same name in another
/// module does not count.
// Input:  Option<Box<Filter>>, Filter   other::Filter, Filter
// Output: true                          false
pub(super) fn contains(ty: &Type, name: &Ident) -> bool {
    fn any(tokens: TokenStream, name: &Ident) -> bool {
        let mut is_path = false;
        tokens.into_iter().any(|token| {
            let was_path =
                std::mem::replace(&mut is_path, matches!(&token, TokenTree::Punct(dots) if dots.as_char() == ':'));
            match token {
                TokenTree::Ident(found) => !was_path && (found == *name || found == "Self"),
                TokenTree::Group(group) => any(group.stream(), name),
                TokenTree::Punct(_) | TokenTree::Literal(_) => false,
            }
        })
    }
    any(ty.to_token_stream(), name)
}
