//! Templates and the values in them.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Member;

use super::is_underscored;
use crate::model::{Frame, Piece, Segment, Template, Value};
use crate::template::Form;

/// The pieces of a template for the runtime.
// Input:  "user:", <id>, <q:hash>
// Output: &[Piece::Literal("user:"), Piece::Segment("id"), Piece::Hash("q")]
pub(super) fn pieces(frame: &Frame, pieces: &[Piece]) -> TokenStream {
    let (at, support) = (frame.at(), frame.support());
    let pieces = pieces.iter().map(|piece| match piece {
        Piece::Path => quote!(#support::Piece::Path),
        Piece::Literal(text) => quote!(#support::Piece::Literal(#text)),
        Piece::Segment(Segment { path, form, .. }) => match form {
            Form::Plain => quote!(#support::Piece::Segment(#path)),
            Form::Hash => quote!(#support::Piece::Hash(#path)),
            Form::Serde => quote!(#support::Piece::Serde(#path)),
        },
        Piece::All { .. } => quote!(#support::Piece::All),
    });
    quote_spanned!(at=> &[#(#pieces),*])
}

/// The values of a template.
pub(super) fn segments(frame: &Frame, pieces: &[Piece]) -> TokenStream {
    let at = frame.at();
    let segments = pieces.iter().filter_map(|piece| segment(frame, piece));
    quote_spanned!(at=> &[#(#segments),*])
}

/// The arguments of `.key(..)` and `.tag(..)`.
pub(super) fn template(frame: &Frame, template: &Template) -> TokenStream {
    let (pieces, segments) = (pieces(frame, &template.pieces), segments(frame, &template.pieces));
    quote!(#pieces, #segments)
}

/// `.key(&["user:", <id>], &[&id])`, for each template that does not use the returned value.
pub(super) fn methods(frame: &Frame, name: &str, templates: &[Template]) -> Vec<TokenStream> {
    let at = frame.at();
    let name = Ident::new(name, at);
    let known = templates.iter().filter(|template| !template.uses_ret());
    known
        .map(|template| {
            let template = self::template(frame, template);
            quote_spanned!(at=> .#name(#template))
        })
        .collect()
}

/// Whether the pieces use a name with a leading underscore.
pub(super) fn uses_underscored(pieces: &[Piece]) -> bool {
    pieces.iter().any(|piece| match piece {
        Piece::All { arguments, .. } => arguments.iter().any(is_underscored),
        Piece::Segment(Segment { value: Value::Place { root, fields }, .. }) => {
            let named = |field: &Member| matches!(field, Member::Named(name) if is_underscored(name));
            is_underscored(root) || fields.iter().any(named)
        }
        Piece::Path | Piece::Literal(_) | Piece::Segment(_) => false,
    })
}

pub(super) fn templates_use_underscored(templates: &[Template]) -> bool {
    templates.iter().any(|template| uses_underscored(&template.pieces))
}

// Input:  <filter.lang>, <T>,                 <q:serde>,       <q:hash>,        <*>
// Output: &filter.lang,  &TypeName::<T>::NEW, &Serialized(&q), &Hashed(&{ q }), &Hashed(&{ (a, (b, ())) })
// Where `q`, `a` and `b` stand for `Argument(&q).__cached_core_hashed()`, and so on.
pub(super) fn segment(frame: &Frame, piece: &Piece) -> Option<TokenStream> {
    match piece {
        Piece::Path | Piece::Literal(_) => None,
        Piece::Segment(segment) => {
            let value = value(&frame.support_at(segment.span), segment);
            let span = segment.span.resolved_at(Span::mixed_site());
            Some(match segment.form {
                Form::Plain => value,
                Form::Hash => hashed(frame, &argument(frame, &value, span), span),
                Form::Serde => {
                    let support = frame.support_at(span);
                    quote_spanned!(span=> &#support::Serialized(#value))
                }
            })
        }
        Piece::All { arguments, span } => {
            let nested = arguments.iter().rev().fold(quote!(()), |rest, name| {
                let mut name = name.clone();
                let span = span.unwrap_or_else(|| name.span()).resolved_at(name.span());
                name.set_span(span);
                let span = span.resolved_at(Span::mixed_site());
                let argument = argument(frame, &quote_spanned!(span=> &#name), span);
                quote_spanned!(span=> (#argument, #rest))
            });
            // Without a template, the key is the list of arguments.
            let parameters = frame.function.sig.paren_token.span.join();
            let span = span.unwrap_or(parameters).resolved_at(Span::mixed_site());
            Some(hashed(frame, &nested, span))
        }
    }
}

/// A reference to a value that is hashed. rustc reports here, once, that a value cannot be hashed: method resolution
/// takes the inherent method of a type that has an identity, and that of `Unhashable` for all other types.
fn argument(frame: &Frame, reference: &TokenStream, span: Span) -> TokenStream {
    let support = frame.support_at(span);
    quote_spanned!(span=> #support::Argument(#reference).__cached_core_hashed())
}

fn hashed(frame: &Frame, value: &TokenStream, span: Span) -> TokenStream {
    let support = frame.support_at(span);
    // Has the span of the other imports: rustc reports a wrong `crate = path` once for each span.
    let (at, runtime) = (frame.at(), frame.support());
    let import = quote_spanned!(at=> use #runtime::Unhashable as _;);
    quote_spanned!(span=> &#support::Hashed(&{ #import #value }))
}

/// A reference to the value of a placeholder.
fn value(support: &TokenStream, segment: &Segment) -> TokenStream {
    match &segment.value {
        Value::Place { root, fields } => {
            let span = root.span();
            quote_spanned!(span=> &#root #(.#fields)*)
        }
        Value::Returned { fields } => {
            let span = segment.span.resolved_at(Span::mixed_site());
            let ret = Ident::new("ret", span);
            quote_spanned!(span=> &#ret #(.#fields)*)
        }
        Value::Type(parameter) => {
            let span = segment.span;
            quote_spanned!(span=> &#support::TypeName::<#parameter>::NEW)
        }
        Value::Const { path, fields } => {
            let span = segment.span;
            quote_spanned!(span=> &#path #(.#fields)*)
        }
    }
}
