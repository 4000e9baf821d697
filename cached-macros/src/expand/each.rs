//! `for user in users { .. }` of a write.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::{event, is_underscored, segment};
use crate::model::{Each, Frame, Invalidation, List, Listed};

// Input:  for user in users { UserUpdated { id: user.id }, key = "user:<user.id>" }
// Output: .each(items(&*users), |write, user| write.key(&[..], &[&user.id]).event(&UserUpdated { id: user.id }))
pub(super) fn call(frame: &Frame, each: &Each) -> TokenStream {
    let keys = segment::methods(frame, "key", &each.what.keys);
    let tags = segment::methods(frame, "tag", &each.what.tags);
    let events = each.what.events.iter().map(|written| event::call(frame, written));
    with_parts(frame, each, &quote!(#(#keys)* #(#tags)* #(#events)*))
}

/// The same with given method calls.
pub(super) fn with_parts(frame: &Frame, each: &Each, parts: &TokenStream) -> TokenStream {
    let at = frame.at();
    let (pattern, list) = (&each.pattern, list(frame, &each.list));
    quote_spanned!(at=> .each(#list, |write, #pattern| write #parts))
}

/// The list, located where the user wrote it: rustc reports there that it has no items.
fn list(frame: &Frame, list: &List) -> TokenStream {
    let code = &list.code;
    let here = Span::mixed_site().located_at(code.span());
    let support = frame.support_at(here);
    let list = match list.is {
        Listed::Place => quote_spanned!(here=> &#code),
        Listed::Reference => quote_spanned!(here=> &*#code),
        Listed::Value => quote!(#code),
    };
    quote_spanned!(here=> #support::items(#list))
}

/// Whether a part of it uses a name with a leading underscore.
pub(super) fn use_underscored(what: &Invalidation) -> bool {
    event::uses_underscored(&what.events)
        || segment::templates_use_underscored(&what.keys)
        || segment::templates_use_underscored(&what.tags)
        || what.each.iter().any(|each| each.items.iter().any(is_underscored) || use_underscored(&each.what))
}
