//! `#[redis_cached(batch = ids)]`.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{FnArg, ReceiverKind};

use super::{event, read};
use crate::model::{Batch, Entry, Frame};
use crate::signature::Argument;

// Output:
//     let mut batch = Batch::new(&__CACHED_SITE, .., ids(&ids), |each, id| Call::new(.., &[&id]));
//     loop {
//         let loading = match #support::missing(&mut batch).await { Ok(value) => return value, Err(loading) => loading };
//         let filter = again(&filter);
//         let ids = lend(&ids, &loading);
//         let returned = run(&mut batch, &policy, async move { body }).await;
//         if let Some(value) = settle(&mut batch, &policy, returned) { return value; }
//     }
pub(super) fn batch(frame: &Frame, entry: &Entry, batch: &Batch, stmts: &TokenStream) -> TokenStream {
    let at = frame.at();
    let support = frame.support();
    let shape = shape(frame, batch);
    let one = quote_spanned!(at=> one);
    let bytes = read::bytes(frame, entry, &one);
    let keep = read::keep(frame, entry, &one);
    let import = event::import(frame, &entry.listens);
    let new = read::with_cache(frame, import.as_ref(), &[&|cache| new(frame, entry, batch, cache)]);
    let policy = read::policy(frame, entry, &one);
    let changed = batch.others.iter().chain([&batch.ids]).filter_map(mark_changed);
    let again = batch.others.iter().map(|argument| again(frame, argument));
    let lend = lend(frame, &batch.ids);
    let body = frame.body(&capture(frame), stmts);
    let silence = frame.silence(read::uses_underscored(entry) || super::is_underscored(&batch.ids.name));
    quote_spanned! {at=>
        #(#changed)*
        #shape
        let one = #support::one(shape);
        #bytes
        #keep
        let path = #support::name_of(&|| {});
        #silence
        let mut batch = #new;
        loop {
            let loading = match #support::missing(&mut batch).await {
                #support::Ok(value) => return value,
                #support::Err(loading) => loading,
            };
            #policy
            #(#again)*
            #lend
            let returned = #support::run(&mut batch, &policy, #body).await;
            if let #support::Some(value) = #support::settle(&mut batch, &policy, returned) {
                return value;
            }
        }
    }
}

/// `let shape`: how to take the return type apart. `let passage`: whether other calls may get the ids. rustc reports an
/// argument that is not a list of ids at its type.
fn shape(frame: &Frame, batch: &Batch) -> TokenStream {
    let at = frame.at();
    let support = frame.support();
    let returns = &frame.returns;
    let ids = ids(frame, batch);
    let silence = frame.silence(super::is_underscored(&batch.ids.name));
    quote_spanned! {at=>
        #silence
        let list = #ids;
        let shape = {
            use #support::{ManyInResult as _, ManyPlain as _, ManyRefused as _};
            (&&&#support::ManyProbe::<#returns, _>::of(list)).__cached_core_many()
        };
        let passage = {
            use #support::{PassNone as _, PassOwned as _};
            (&&#support::IdsProbe::of(list)).__cached_core_passage()
        };
    }
}

/// The list of ids.
fn ids(frame: &Frame, batch: &Batch) -> TokenStream {
    let name = &batch.ids.name;
    let here = Span::mixed_site().located_at(batch.ids.ty);
    let support = frame.support_at(here);
    quote_spanned!(here=> #support::ids(&#name))
}

// Output:
//     batch(&__CACHED_SITE, None::<&Cache>, shape, keep, passage, list, |each, id| {
//         Call::new(..).tag(..).event(..)
//     })
fn new(frame: &Frame, entry: &Entry, batch: &Batch, cache: &TokenStream) -> TokenStream {
    let at = frame.at();
    let support = frame.support();
    let element = &batch.element;
    let call = read::call_from(frame, entry, &quote_spanned!(at=> #support::Some(each)), &quote_spanned!(at=> path));
    quote_spanned! {at=>
        #support::batch(&__CACHED_SITE, #cache, shape, keep, passage, list, |each, #element| #call)
    }
}

/// `move`, unless the receiver is not a shared reference: then the body borrows it, since it may run again.
fn capture(frame: &Frame) -> TokenStream {
    let is_shared = |input: &FnArg| match input {
        FnArg::Receiver(receiver) => matches!(receiver.kind, ReceiverKind::Reference(_, _, None)),
        FnArg::Typed(_) => true,
    };
    if frame.function.sig.inputs.iter().all(is_shared) { quote!(move) } else { TokenStream::new() }
}

/// An argument for one run of the body. rustc reports at its name that it cannot be cloned.
fn again(frame: &Frame, argument: &Argument) -> TokenStream {
    let Argument { name, is_mut, is_mut_reference, cfg, .. } = argument;
    let here = Span::mixed_site().located_at(name.span());
    let support = frame.support_at(here);
    let mutability = is_mut.then(|| quote_spanned!(here=> mut));
    let value = if *is_mut_reference {
        quote_spanned!(here=> &mut *#name)
    } else {
        quote_spanned!(here=> #support::again(&#name))
    };
    quote_spanned! {here=>
        #cfg
        #[allow(unused_variables, unused_mut, clippy::used_underscore_binding)]
        let #mutability #name = #value;
    }
}

/// The list for one run of the body. It has the same span as in [`ids`], so that rustc reports an argument that is not
/// a list only once.
fn lend(frame: &Frame, ids: &Argument) -> TokenStream {
    let Argument { name, is_mut, ty, .. } = ids;
    let here = Span::mixed_site().located_at(*ty);
    let support = frame.support_at(here);
    let mutability = is_mut.then(|| quote_spanned!(here=> mut));
    quote_spanned! {here=>
        #[allow(unused_variables, unused_mut, clippy::used_underscore_binding)]
        let #mutability #name = #support::lend(&#name, &loading);
    }
}

/// Marks a `mut` argument as changed: each run of the body changes a binding of its own, and rustc would warn of an
/// unused `mut`.
fn mark_changed(argument: &Argument) -> Option<TokenStream> {
    let Argument { name, is_mut, cfg, .. } = argument;
    let here = Span::mixed_site().located_at(name.span());
    is_mut.then(|| quote_spanned!(here=> #cfg let _ = &mut #name;))
}
