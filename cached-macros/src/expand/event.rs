//! Events as values, and as types.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Member, Path, token};

use super::is_underscored;
use crate::diagnostics::list;
use crate::model::{Event, EventField, EventFields, FieldValue, Frame};
use crate::paths::located_at;

/// The method call that adds an event to a call or a write.
// Output: .event(Occurrence(&UserUpdated { id: Clone::clone(&id) }).__cached_core_event())
// Or:     .some_events(.., &["tenant"], &[..])
// Or:     .any_event(name_of_event(|UserUpdated { .. }| {}))
pub(super) fn call(frame: &Frame, event: &Event) -> TokenStream {
    match &event.fields {
        EventFields::Any => {
            let at = at(&event.path);
            let name = name(frame, &event.path);
            quote_spanned!(at=> .any_event(#name))
        }
        EventFields::Named { fields, are_some: true, .. } => some(frame, &event.path, fields),
        EventFields::Unit | EventFields::Named { .. } => named(frame, event, |_, field| value(frame, field)),
    }
}

// Input:  UserUpdated { tenant: user.tenant, .. }
// Output: .some_events(Declared::of(|UserUpdated { .. }| {}).name, &["tenant"], &[
//             &{
//                 const __CACHED_FORM: u8 = Declared::of(|UserUpdated { .. }| {}).form("tenant");
//                 EventField::<_, __CACHED_FORM>::of(|UserUpdated { tenant: field, .. }| field)
//             }
//             .segment(user.tenant),
//         ])
fn some(frame: &Frame, path: &Path, fields: &[EventField]) -> TokenStream {
    let at = at(path);
    let support = located_at(&frame.support, at);
    let declared = declared(frame, path);
    let fields = sorted(fields);
    let names = fields.iter().map(|(name, _)| name);
    let segments = fields.iter().map(|(name, field)| {
        let (member, value) = (&field.member, value(frame, field));
        // The value is outside of the block, where the user's code sees no constant of ours.
        quote_spanned! {at=>
            &{
                const __CACHED_FORM: #support::primitive::u8 = #declared.form(#name);
                #support::EventField::<_, __CACHED_FORM>::of(|#path { #member: field, .. }| field)
            }
            .segment(#value)
        }
    });
    quote_spanned!(at=> .some_events(#declared.name, &[#(#names),*], &[#(#segments),*]))
}

/// The fields with their names, in the order that all programs agree upon, however their structs are written.
fn sorted(fields: &[EventField]) -> Vec<(String, &EventField)> {
    let mut fields: Vec<_> = fields.iter().map(|field| (spelled(&field.member), field)).collect();
    fields.sort_by(|(a, _), (b, _)| a.cmp(b));
    fields
}

fn spelled(member: &Member) -> String {
    match member {
        Member::Named(name) => name.unraw().to_string(),
        Member::Unnamed(index) => index.index.to_string(),
    }
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
    let is_one = |event: &Event| !matches!(event.fields, EventFields::Any | EventFields::Named { are_some: true, .. });
    // Has the span of the other imports: rustc reports a wrong `crate = path` once for each span.
    let (at, support) = (frame.at(), frame.support());
    let import = || quote_spanned!(at=> use #support::NoEvent as _;);
    events.into_iter().any(is_one).then(import)
}

/// The struct literal. All its tokens are the user's, so rustc reports faults in what the user wrote. An event without
/// fields has braces as well, so that rustc resolves it as in [`name`].
fn literal(event: &Event, value: impl Fn(usize, &EventField) -> TokenStream) -> TokenStream {
    let path = &event.path;
    let EventFields::Named { brace, fields, .. } = &event.fields else {
        let at = at(path);
        return quote_spanned!(at=> #path {});
    };
    // For a field whose name stands alone rustc says `shelf: shelf.to_string()` where it is a `String`, and for any other
    // one `shelf.to_string()`. A text needs no clone, and an item is bound again, unless other fields use it.
    let mut bound = TokenStream::new();
    let mut written = Vec::new();
    for (index, field) in fields.iter().enumerate() {
        let (member, value) = (&field.member, value(index, field));
        written.push(match &field.value {
            FieldValue::Text(name) => quote!(#name),
            FieldValue::Item(name) if is_used_once(name, fields) => {
                let at = at(path);
                bound.extend(quote_spanned!(at=> let #name = #value;));
                quote!(#name)
            }
            _ => quote!(#member: #value),
        });
    }
    let mut content = TokenStream::new();
    brace.surround(&mut content, |content| content.extend(quote!(#(#written),*)));
    let at = at(path);
    if bound.is_empty() { quote!(#path #content) } else { quote_spanned!(at=> { #bound #path #content }) }
}

/// Whether no code of these fields may use the item: its name, also in a format string, is in none of them.
fn is_used_once(name: &Ident, fields: &[EventField]) -> bool {
    let name = name.unraw().to_string();
    !fields.iter().any(
        |field| matches!(&field.value, FieldValue::Code(code) if code.to_token_stream().to_string().contains(&name)),
    )
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
        FieldValue::Item(name) => {
            let span = Span::mixed_site().located_at(name.span());
            let support = frame.support_at(span);
            // The method clones what a reference points at, and any other value.
            quote_spanned! {span=>
                {
                    #[allow(unused_imports, clippy::clone_on_copy)]
                    let value = { use #support::Clone as _; #name.clone() };
                    value
                }
            }
        }
        FieldValue::Argument(name) | FieldValue::Text(name) => {
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

/// An event in the site's descriptor. rustc reports here that a type is not an event, and that it does not declare the
/// fields by which an entry listens to it.
pub(super) fn described(frame: &Frame, event: &Event) -> TokenStream {
    let support = frame.support();
    let Event { path, text, not_in_key, .. } = event;
    let not_in_key = quote!(not_in_key: &[#(#not_in_key),*]);
    let topic = match &event.fields {
        EventFields::Any => quote!(All),
        EventFields::Named { brace, fields, are_some: true } => {
            let topic = topic(frame, path, brace, fields);
            let declared = declared(frame, path);
            return quote!(#support::EventUse { name: #declared.name, text: #text, topic: #topic, #not_in_key });
        }
        EventFields::Unit | EventFields::Named { .. } => quote!(One),
    };
    let name = name(frame, path);
    quote!(#support::EventUse { name: #name, text: #text, topic: #support::Topic::#topic, #not_in_key })
}

/// The topic of some fields. The pattern names them, so that rustc reports a misspelt one. The call spans all that the
/// user wrote, so that a topic that is not declared is reported there.
// Output: Declared::of(|UserUpdated { .. }| {}).topic(|UserUpdated { tenant: _, .. }| {}, &["tenant"], "..", "..")
fn topic(frame: &Frame, path: &Path, brace: &token::Brace, fields: &[EventField]) -> TokenStream {
    let at = at(path);
    let end = Span::mixed_site().located_at(brace.span.join());
    let declared = declared(frame, path);
    let members = fields.iter().map(|field| &field.member);
    let names: Vec<String> = sorted(fields).into_iter().map(|(name, _)| name).collect();
    let event = path.segments.last().map(|last| last.ident.unraw().to_string()).unwrap_or_default();
    let by = names.join(" & ");
    let undeclared = format!(
        "nobody emits `{event}` by {}, because the event does not declare it; write `#[event(by({by}))]` on `struct \
         {event}`",
        list(&names).replace(", ", " and ")
    );
    let complete = format!("these are all fields of `{event}`, so it is one event; remove the `..`");
    let mut arguments = Group::new(
        Delimiter::Parenthesis,
        quote_spanned!(at=> |#path { #(#members: _,)* .. }| {}, &[#(#names),*], #undeclared, #complete),
    );
    arguments.set_span(end);
    quote_spanned!(at=> #declared.topic #arguments)
}

/// What the type of an event declares.
fn declared(frame: &Frame, path: &Path) -> TokenStream {
    let at = at(path);
    let support = located_at(&frame.support, at);
    quote_spanned!(at=> #support::Declared::of(|#path { .. }| {}))
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
