//! `#[redis_invalidate]` and `#[redis_put]`.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote_spanned};

use super::read::{bytes, call, policy, uses_underscored, with_cache};
use super::{each, event, late, segment};
use crate::model::{Entry, Event, Frame, Invalidation, OnUnavailable};

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
    let uses_ret = what.uses_ret();
    let shape = uses_ret.then(|| frame.shape());
    let late = if uses_ret { late::additions(frame, what) } else { Vec::new() };
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
    let silence = frame.silence(each::use_underscored(what));
    let known = || what.events.iter().filter(|event| event.ret().is_none());
    let lists = || what.each.iter().filter(|each| each.list.ret.is_none());
    let write = |cache: &TokenStream| {
        let events = known().map(|event| event::call(frame, event));
        let keys = segment::methods(frame, "key", &what.keys);
        let tags = segment::methods(frame, "tag", &what.tags);
        let each = lists().map(|each| each::call(frame, each));
        // Events come last: their fields may consume what the others borrow.
        quote_spanned!(at=> #support::Write::new(&__CACHED_SITE, #cache) #(#keys)* #(#tags)* #(#each)* #(#events)*)
    };
    let of_items = lists().flat_map(|each| &each.what.events);
    let write = with_cache(frame, event::import(frame, known().chain(of_items)).as_ref(), &[&write]);
    quote_spanned! {at=>
        #silence
        let write = #write;
    }
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
