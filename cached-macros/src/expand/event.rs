//! Events as values, and as types.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Path;
use syn::spanned::Spanned;

use super::is_underscored;
use crate::model::{Event, EventField, EventFields, FieldValue, Frame};
use crate::paths::located_at;

/// The method call that adds an event to a call or a write.
// Output: .event(Occurrence(&UserUpdated { id: Clone::clone(&id) }).__cached_core_event())
// Or:     .any_event(name_of_event(|UserUpdated { .. }| {}))
pub(super) fn call(frame: &Frame, event: &Event) -> TokenStream {
    if let EventFields::Any = event.fields {
        let at = at(&event.path);
        let name = name(frame, &event.path);
        return quote_spanned!(at=> .any_event(#name));
    }
    named(frame, event, |_, field| value(frame, field))
}

/// The same for an event with fields, whose values `value` makes.
pub(super) fn named(frame: &Frame, event: &Event, value: impl Fn(usize, &EventField) -> TokenStream) -> TokenStream {
    let at = at(&event.path);
    let support = located_at(&frame.support, at);
    let literal = literal(event, value);
    quote_spanned!(at=> .event(#support::Occurrence(&#literal).__cached_core_event()))
}

/// The import that the method calls of these events need.
pub(super) fn import<'a>(frame: &Frame, events: impl IntoIterator<Item = &'a Event>) -> Option<TokenStream> {
    let is_any = |event: &Event| matches!(event.fields, EventFields::Any);
    // Has the span of the other imports: rustc reports a wrong `crate = path` once for each span.
    let (at, support) = (frame.at(), frame.support());
    let import = || quote_spanned!(at=> use #support::NoEvent as _;);
    events.into_iter().any(|event| !is_any(event)).then(import)
}

/// The struct literal. All its tokens are the user's, so rustc reports faults in what the user wrote. An event without
/// fields has braces as well, so that rustc resolves it as in [`name`].
fn literal(event: &Event, value: impl Fn(usize, &EventField) -> TokenStream) -> TokenStream {
    let path = &event.path;
    let EventFields::Named { brace, fields } = &event.fields else {
        let at = at(path);
        return quote_spanned!(at=> #path {});
    };
    let fields = fields.iter().enumerate().map(|(index, field)| {
        let (member, value) = (&field.member, value(index, field));
        quote!(#member: #value)
    });
    let mut content = TokenStream::new();
    brace.surround(&mut content, |content| content.extend(quote!(#(#fields),*)));
    quote!(#path #content)
}

/// The value of a field. For `{ id }` the argument is cloned, because the body needs it, too.
pub(super) fn value(frame: &Frame, field: &EventField) -> TokenStream {
    match &field.value {
        FieldValue::Code(code) => quote!(#code),
        // The element is a reference already.
        FieldValue::Element(name) => {
            let span = Span::mixed_site().located_at(name.span());
            let support = frame.support_at(span);
            quote_spanned!(span=> #support::Clone::clone(#name))
        }
        FieldValue::Argument(name) => {
            let span = Span::mixed_site().located_at(name.span());
            let support = frame.support_at(span);
            quote_spanned!(span=> #support::Clone::clone(&#name))
        }
    }
}

/// Whether the fields use an argument whose name begins with an underscore.
pub(super) fn uses_underscored(events: &[Event]) -> bool {
    events.iter().any(|event| event.uses.iter().any(is_underscored))
}

/// An event in the site's descriptor. rustc reports here that a type is not an event.
pub(super) fn described(frame: &Frame, event: &Event) -> TokenStream {
    let support = frame.support();
    let Event { path, text, not_in_key, .. } = event;
    let any = matches!(event.fields, EventFields::Any);
    let name = name(frame, path);
    quote!(#support::EventUse { name: #name, text: #text, any: #any, not_in_key: &[#(#not_in_key),*] })
}

/// The event's name, taken from a pattern. With `<UserUpdated as CacheEvent>::NAME` rustc would report a missing struct
/// a second time, in other words, and would ask for the lifetimes of a struct that borrows.
fn name(frame: &Frame, path: &Path) -> TokenStream {
    let at = at(path);
    let support = located_at(&frame.support, at);
    quote_spanned!(at=> #support::name_of_event(|#path { .. }| {}))
}

/// The span of generated code at the event.
fn at(path: &Path) -> Span {
    Span::mixed_site().located_at(path.span())
}
