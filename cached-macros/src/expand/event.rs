//! Events as values, and as types.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Path;
use syn::spanned::Spanned;

use super::is_underscored;
use crate::model::{Event, EventField, EventFields, FieldValue, Frame};
use crate::paths::located_at;

/// What the entry depends on, or what a write causes.
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

/// The same, with fields as `value` makes them.
pub(super) fn named(frame: &Frame, event: &Event, value: impl Fn(usize, &EventField) -> TokenStream) -> TokenStream {
    let at = at(&event.path);
    let support = located_at(&frame.support, at);
    let literal = literal(event, value);
    quote_spanned!(at=> .event(#support::Occurrence(&#literal).__cached_core_event()))
}

/// What has to be in scope around [`call`]s of these events.
pub(super) fn import<'a>(frame: &Frame, events: impl IntoIterator<Item = &'a Event>) -> Option<TokenStream> {
    let is_any = |event: &Event| matches!(event.fields, EventFields::Any);
    // At the place of the other imports: a wrong `crate = path` is reported once for each place.
    let (at, support) = (frame.at(), frame.support());
    let import = || quote_spanned!(at=> use #support::NoEvent as _;);
    events.into_iter().any(|event| !is_any(event)).then(import)
}

/// The struct. All of its tokens are the user's: what rustc says of it, it says of what was written. One without fields
/// has braces as well, so that rustc looks for it as it does in [`name`].
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

/// The value of a field. An argument that only its name stands for is cloned, since the body needs it, too.
pub(super) fn value(frame: &Frame, field: &EventField) -> TokenStream {
    match &field.value {
        FieldValue::Code(code) => quote!(#code),
        // It is a reference already.
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

/// Whether the fields are made of what is named as if it were unused.
pub(super) fn uses_underscored(events: &[Event]) -> bool {
    events.iter().any(|event| event.uses.iter().any(is_underscored))
}

/// What a site's descriptor says of an event. A type that is none is reported here.
pub(super) fn described(frame: &Frame, event: &Event) -> TokenStream {
    let support = frame.support();
    let Event { path, text, not_in_key, .. } = event;
    let any = matches!(event.fields, EventFields::Any);
    let name = name(frame, path);
    quote!(#support::EventUse { name: #name, text: #text, any: #any, not_in_key: &[#(#not_in_key),*] })
}

/// The event's name, by way of a pattern: `<UserUpdated as CacheEvent>::NAME` would report a struct that does not exist a
/// second time, in other words, and one that borrows for its missing lifetimes.
fn name(frame: &Frame, path: &Path) -> TokenStream {
    let at = at(path);
    let support = located_at(&frame.support, at);
    quote_spanned!(at=> #support::name_of_event(|#path { .. }| {}))
}

/// Names of this macro, at the event.
fn at(path: &Path) -> Span {
    Span::mixed_site().located_at(path.span())
}
