//! `#[redis_invalidate]` and `#[redis_put]`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use super::read::{bytes, call, policy, uses_underscored, with_cache};
use super::{event, segment};
use crate::model::{Entry, Event, EventField, EventFields, Frame, Invalidation, OnUnavailable, Template};

// Output:
//     let write = Write::new(&__CACHED_SITE, ..).key(&[..], &[&id]).event(&UserUpdated { id: user.id });
//     let write = write.begin().await;
//     let returned = async move { body }.await;
//     write.end().await;
//     returned
pub(super) fn bracket(
    frame: &Frame,
    what: &Invalidation,
    unavailable: OnUnavailable,
    body: &TokenStream,
) -> TokenStream {
    let at = frame.at();
    let write = write(frame, what);
    let begin = begin(frame, "write", "begin", &TokenStream::new(), unavailable);
    quote_spanned! {at=>
        #write
        #begin
        let returned = #body.await;
        write.end().await;
        returned
    }
}

// Output:
//     let write = Write::new(&__CACHED_SITE, ..).key(&[..], &[&id]);
//     write.starts().await;
//     let event0_0 = user.id;
//     let returned = async move { body }.await;
//     let write = match ret(shape, &returned) {
//         Some(ret) => write.event(&OrderPlaced { user: event0_0, order: ret.id }),
//         None => write,
//     };
//     write.apply().await;
//     returned
pub(super) fn after(frame: &Frame, what: &Invalidation, body: &TokenStream) -> TokenStream {
    let at = frame.at();
    let write = write(frame, what);
    let (shape, late) = if what.uses_ret() { (Some(frame.shape()), late(frame, what)) } else { (None, Vec::new()) };
    let before = late.iter().map(|late| &late.before);
    let then = late.iter().map(|late| &late.then);
    quote_spanned! {at=>
        #write
        write.starts().await;
        #(#before)*
        let returned = #body.await;
        #shape
        #(#then)*
        write.apply().await;
        returned
    }
}

// Output:
//     let (call, write) = (Call::new(..), Write::new(..).event(..));
//     let policy = ..;
//     let put = write.begin_put(call, shape).await;
//     let returned = put.run(async move { body }).await;
//     put.settle(shape, &policy, returned).await
pub(super) fn put(
    frame: &Frame,
    entry: &Entry,
    emits: &[Event],
    unavailable: OnUnavailable,
    body: &TokenStream,
) -> TokenStream {
    let at = frame.at();
    let support = frame.support();
    let shape = frame.shape();
    let silence = frame.silence(uses_underscored(entry) || event::uses_underscored(emits));
    let write = |cache: &TokenStream| {
        let events = emits.iter().map(|event| event::call(frame, event));
        quote_spanned!(at=> #support::Write::new(&__CACHED_SITE, #cache) #(#events)*)
    };
    let import = event::import(frame, entry.listens.iter().chain(emits));
    let both = with_cache(frame, import.as_ref(), &[&|cache| call(frame, entry, cache), &write]);
    let bytes = bytes(frame, entry, &quote_spanned!(at=> shape));
    // Made before the body, which may consume what these expressions use.
    let policy = policy(frame, entry, &quote_spanned!(at=> shape));
    let begin = begin(frame, "put", "begin_put", &quote_spanned!(at=> call, shape), unavailable);
    quote_spanned! {at=>
        #shape
        #bytes
        #silence
        let (call, write) = #both;
        #policy
        #begin
        let returned = put.run(#body).await;
        put.settle(shape, &policy, returned).await
    }
}

/// `let write`: everything that is known before the body runs.
fn write(frame: &Frame, what: &Invalidation) -> TokenStream {
    let at = frame.at();
    let support = frame.support();
    let is_underscored = event::uses_underscored(&what.events)
        || segment::templates_use_underscored(&what.keys)
        || segment::templates_use_underscored(&what.tags);
    let silence = frame.silence(is_underscored);
    let known = || what.events.iter().filter(|event| event.ret().is_none());
    let write = |cache: &TokenStream| {
        let events = known().map(|event| event::call(frame, event));
        let keys = methods(frame, "key", &what.keys);
        let tags = methods(frame, "tag", &what.tags);
        // Events come last: their fields may consume what the templates borrow.
        quote_spanned!(at=> #support::Write::new(&__CACHED_SITE, #cache) #(#keys)* #(#tags)* #(#events)*)
    };
    let write = with_cache(frame, event::import(frame, known()).as_ref(), &[&write]);
    quote_spanned! {at=>
        #silence
        let write = #write;
    }
}

/// `.key(&["user:", <id>], &[&id])`
fn methods(frame: &Frame, name: &str, templates: &[Template]) -> Vec<TokenStream> {
    let at = frame.at();
    let name = Ident::new(name, at);
    let known = templates.iter().filter(|template| !template.uses_ret());
    known
        .map(|template| {
            let template = segment::template(frame, template);
            quote_spanned!(at=> .#name(#template))
        })
        .collect()
}

/// `let put = write.begin_put(call, shape).await;`, or an early return.
fn begin(frame: &Frame, bound: &str, method: &str, arguments: &TokenStream, unavailable: OnUnavailable) -> TokenStream {
    let at = frame.at();
    let bound = Ident::new(bound, at);
    if unavailable == OnUnavailable::Proceed {
        let method = Ident::new(method, at);
        return quote_spanned!(at=> let #bound = write.#method(#arguments).await;);
    }
    let support = frame.support();
    let method = format_ident!("{method}_or_fail", span = at);
    let returns = &frame.returns;
    quote_spanned! {at=>
        let #bound = match write.#method(#arguments).await {
            #support::Ok(#bound) => #bound,
            #support::Err(error) => return #support::refused::<#returns>(error),
        };
    }
}

/// Code for an event, key or tag that uses the returned value.
struct LateAddition {
    /// Evaluates what is known before the body runs.
    before: TokenStream,
    then: TokenStream,
}

fn late(frame: &Frame, what: &Invalidation) -> Vec<LateAddition> {
    let events = what.events.iter().filter_map(|event| Some((event, event.ret()?))).enumerate();
    let events = events.map(|(index, (event, ret))| late_event(frame, event, ret, index));
    let keys = what.keys.iter().map(|template| ("key", template));
    let tags = what.tags.iter().map(|template| ("tag", template));
    let templates = keys.chain(tags).filter(|(_, template)| template.uses_ret()).enumerate();
    let templates = templates.map(|(index, (method, template))| late_template(frame, method, template, index));
    templates.chain(events).collect()
}

// Input:  OrderPlaced { user: user.id, order: ret.id }
// Before: let event0_0 = user.id;
// Then:   .event(&OrderPlaced { user: event0_0, order: ret.id })
fn late_event(frame: &Frame, event: &Event, ret: &Ident, index: usize) -> LateAddition {
    let at = frame.at();
    let local = |field: usize| format_ident!("event{index}_{field}", span = at);
    let EventFields::Named { fields, .. } = &event.fields else {
        return LateAddition { before: TokenStream::new(), then: TokenStream::new() };
    };
    let silence = frame.silence(event::uses_underscored(std::slice::from_ref(event)));
    let known = fields.iter().enumerate().filter(|(_, field)| field.ret.is_none()).map(|(field, written)| {
        let (local, value) = (local(field), event::value(frame, written));
        quote_spanned!(at=> #silence let #local = #value;)
    });
    let before = quote!(#(#known)*);
    let value = |index: usize, field: &EventField| {
        if field.ret.is_some() {
            return event::value(frame, field);
        }
        let local = local(index);
        quote!(#local)
    };
    // Binds the user's own `ret` token, whose hygiene the field has.
    let (import, event) = (event::import(frame, [event]), event::named(frame, event, value));
    let then = then(frame, ret, &quote_spanned!(at=> { #import write #event }));
    LateAddition { before, then }
}

// Input:  "order:<user.id>:<ret.id>"
// Before: let key0_1 = rendered(&user.id);
// Then:   .key(&[..], &[&key0_1, &ret.id])
fn late_template(frame: &Frame, method: &str, template: &Template, index: usize) -> LateAddition {
    let at = frame.at();
    let support = frame.support();
    let mut before = TokenStream::new();
    let mut segments = Vec::new();
    for (place, piece) in template.pieces.iter().enumerate() {
        let Some(value) = segment::segment(frame, piece) else { continue };
        if piece.uses_ret() {
            segments.push(value);
            continue;
        }
        let local = format_ident!("{method}{index}_{place}", span = at);
        let silence = frame.silence(segment::uses_underscored(std::slice::from_ref(piece)));
        before.extend(quote_spanned!(at=> #silence let #local = #support::rendered(#value);));
        segments.push(quote_spanned!(at=> &#local));
    }
    let pieces = segment::pieces(frame, &template.pieces);
    let name = Ident::new(method, at);
    let ret = Ident::new("ret", Span::mixed_site());
    let then = then(frame, &ret, &quote_spanned!(at=> write.#name(#pieces, &[#(#segments),*])));
    LateAddition { before, then }
}

/// Adds to the write what uses `ret`, unless the function failed.
fn then(frame: &Frame, ret: &Ident, with: &TokenStream) -> TokenStream {
    let at = frame.at();
    let support = frame.support();
    quote_spanned! {at=>
        let write = match #support::ret(shape, &returned) {
            #support::Some(#ret) => #with,
            #support::None => write,
        };
    }
}
