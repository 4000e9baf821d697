//! Events as values, and as types.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Path;
use syn::spanned::Spanned;

use crate::model::{Event, EventField, EventFields, FieldValue, Frame};
use crate::paths::located_at;

/// What the entry depends on: `.event(&UserUpdated { .. })`, `.any_event::<UserUpdated>()`.
pub(super) fn call(frame: &Frame, event: &Event) -> TokenStream {
    match &event.fields {
        EventFields::Any => {
            let path = &event.path;
            let name = method("any_event", path);
            quote!(.#name::<#path>())
        }
        EventFields::Unit => unit(&event.path),
        EventFields::Named { .. } => named(event, |_, field| value(frame, field)),
    }
}

/// The same, of fields that are given by what `field` makes of each.
pub(super) fn named(event: &Event, value: impl Fn(usize, &EventField) -> TokenStream) -> TokenStream {
    let EventFields::Named { brace, fields } = &event.fields else { return unit(&event.path) };
    let path = &event.path;
    let name = method("event", path);
    let fields = fields.iter().enumerate().map(|(index, field)| {
        let (member, value) = (&field.member, value(index, field));
        quote!(#member: #value)
    });
    // All tokens of the struct are the user's: what rustc says of it, it says of what was written.
    let mut content = TokenStream::new();
    brace.surround(&mut content, |content| content.extend(quote!(#(#fields),*)));
    quote!(.#name(&#path #content))
}

fn unit(path: &Path) -> TokenStream {
    let name = method("event", path);
    quote!(.#name(&#path))
}

/// The value of a field. An argument that only its name stands for is cloned, since the body needs it, too.
pub(super) fn value(frame: &Frame, field: &EventField) -> TokenStream {
    match &field.value {
        FieldValue::Code(code) => quote!(#code),
        FieldValue::Argument(name) => {
            let span = Span::mixed_site().located_at(name.span());
            let support = frame.support_at(span);
            quote_spanned!(span=> #support::Clone::clone(&#name))
        }
    }
}

/// What a site's descriptor says of an event.
pub(super) fn described(frame: &Frame, event: &Event) -> TokenStream {
    let at = Span::mixed_site().located_at(event.path.span());
    let (support, here) = (frame.support(), located_at(&frame.support, at));
    let Event { path, text, not_in_key, .. } = event;
    let any = matches!(event.fields, EventFields::Any);
    let name = quote_spanned!(at=> <#path as #here::CacheEvent>::NAME);
    quote!(#support::EventUse { name: #name, text: #text, any: #any, not_in_key: &[#(#not_in_key),*] })
}

/// A method of this macro, at the event.
fn method(name: &str, path: &Path) -> Ident {
    Ident::new(name, Span::mixed_site().located_at(path.span()))
}
