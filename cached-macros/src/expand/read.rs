//! `#[redis_cached]`, and the code that `#[redis_put]` shares with it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::{detached, event, is_underscored, segment};
use crate::model::{Codec, Entry, Frame, Local, Policy, Ttl, ValueTags};
use crate::paths::located_at;

// Output:
//     let call = match near(&__CACHED_SITE, .., &[&id], ..) { Ok(value) => return value, Err(call) => call };
//     let mut load = match read(call, ..).await { Ok(value) => return value, Err(load) => load };
//     let returned = load.run(&policy, async move { body }).await;
//     load.settle(.., returned)
pub(super) fn read(frame: &Frame, entry: &Entry, stmts: &TokenStream) -> TokenStream {
    let at = frame.at();
    let support = frame.support();
    let shape = shape(frame, entry);
    let silence = frame.silence(uses_underscored(entry));
    let import = event::import(frame, &entry.listens);
    let keep = keep(frame, entry, &quote_spanned!(at=> shape));
    let call = with_cache(frame, import.as_ref(), &[&|cache| call_or_near(frame, entry, cache)]);
    let load = load(frame, entry, stmts);
    let can_fail = can_fail(frame, entry);
    let bytes = bytes(frame, entry, &quote_spanned!(at=> shape));
    quote_spanned! {at=>
        #shape
        #can_fail
        #bytes
        #keep
        #silence
        let call = match #call {
            #support::Ok(value) => return value,
            #support::Err(call) => call,
        };
        #load
    }
}

/// `let shape`, which with `error_if` stands for errors as well.
fn shape(frame: &Frame, entry: &Entry) -> TokenStream {
    let at = frame.at();
    let support = frame.support();
    let shape = frame.shape();
    let with_errors = entry.errors.as_ref().map(|_| {
        quote_spanned! {at=>
            let shape = {
                use #support::{FindErrors as _, RefuseErrors as _, WithoutValue as _};
                (&&&#support::ErrorsProbe::of(shape)).__cached_core_with_errors()
            };
        }
    });
    quote!(#shape #with_errors)
}

/// Checks that the function can fail, at the option that has no other use.
fn can_fail(frame: &Frame, entry: &Entry) -> Option<TokenStream> {
    let option = entry.fresh.as_ref()?.needs_failure.as_ref()?;
    let here = Span::mixed_site().located_at(option.span());
    let support = frame.support_at(here);
    Some(quote_spanned!(here=> #support::can_fail(shape);))
}

/// Checks that values are bytes, at `"bytes"`.
pub(super) fn bytes(frame: &Frame, entry: &Entry, shape: &TokenStream) -> Option<TokenStream> {
    let (Codec::Bytes, at) = entry.codec? else { return None };
    let here = Span::mixed_site().located_at(at);
    let support = frame.support_at(here);
    Some(quote_spanned!(here=> #support::are_bytes(#shape);))
}

// Output, of a load that may be a task:
//     let load = match read(call, ..).await { Ok(value) => return value, Err(load) => load };
//     let body = { let db = Borrowing(db).own(); async move { let db = db.lend(); body } };
//     load.detach(.., body).await
fn load(frame: &Frame, entry: &Entry, stmts: &TokenStream) -> TokenStream {
    let at = frame.at();
    let support = frame.support();
    let policy = policy(frame, entry, &quote_spanned!(at=> shape));
    let Some(detached) = &entry.detached else {
        let body = frame.body(&quote!(move), stmts);
        return quote_spanned! {at=>
            let mut load = match #support::read(call, shape, keep).await {
                #support::Ok(value) => return value,
                #support::Err(load) => load,
            };
            #policy
            let returned = load.run(&policy, #body).await;
            load.settle(shape, &policy, returned)
        };
    };
    let body = detached::body(frame, detached, stmts);
    // Has the span of the option, so that rustc reports there a body that cannot be a task.
    let option = Span::mixed_site().located_at(detached.option.span());
    let task = quote_spanned!(option=> load.detach(shape, policy, body).await);
    quote_spanned! {at=>
        let load = match #support::read(call, shape, keep).await {
            #support::Ok(value) => return value,
            #support::Err(load) => load,
        };
        #policy
        let body = #body;
        #task
    }
}

/// `let keep`: how the near cache keeps values of this shape.
pub(super) fn keep(frame: &Frame, entry: &Entry, shape: &TokenStream) -> TokenStream {
    let at = frame.at();
    let support = frame.support();
    // Has the span of the option, so that rustc reports there a value that cannot be kept.
    let (here, is_asked) = match &entry.local {
        Some(Local::Off) => return quote_spanned!(at=> let keep = #support::Unkept;),
        Some(Local::Millis(_, option)) => (Span::mixed_site().located_at(option.span()), true),
        None => (at, false),
    };
    let support = frame.support_at(here);
    let chosen = |refused: TokenStream, shape: &TokenStream| {
        let refused = is_asked.then_some(refused);
        quote_spanned! {here=>
            {
                use #support::{KeepCloned as _, KeepNone as _, #refused KeepShared as _};
                (&&&&#support::Values::of(#shape)).__cached_core_keep()
            }
        }
    };
    let values = chosen(quote!(KeepRefused as _,), shape);
    if entry.errors.is_none() {
        return quote_spanned!(here=> let keep = #values;);
    }
    let errors = chosen(quote!(KeepErrorRefused as _,), &quote_spanned!(here=> #shape.errors()));
    quote_spanned!(here=> let keep = #support::KeepBoth(#values, #errors);)
}

/// The call, unless the near cache answers it.
// Output: near(&__CACHED_SITE, .., &[&id], shape, keep)
// Or:     Call::new(&__CACHED_SITE, .., &[&id]).tag(..).event(..).near(shape, keep)
fn call_or_near(frame: &Frame, entry: &Entry, cache: &TokenStream) -> TokenStream {
    let at = frame.at();
    let support = frame.support();
    if entry.listens.is_empty() && entry.tags.is_empty() {
        let segments = segment::segments(frame, &entry.key);
        return quote_spanned! {at=>
            #support::near(&__CACHED_SITE, #cache, #support::name_of(&|| {}), #segments, shape, keep)
        };
    }
    let call = call(frame, entry, cache);
    quote_spanned!(at=> #call.near(shape, keep))
}

/// The call: its key, the tags and events of its entry, and its cache. It borrows nothing when the body runs.
pub(super) fn call(frame: &Frame, entry: &Entry, cache: &TokenStream) -> TokenStream {
    let at = frame.at();
    let support = frame.support();
    call_from(frame, entry, cache, &quote_spanned!(at=> #support::name_of(&|| {})))
}

/// The same with a given path of the function.
pub(super) fn call_from(frame: &Frame, entry: &Entry, cache: &TokenStream, path: &TokenStream) -> TokenStream {
    let at = frame.at();
    let support = frame.support();
    let segments = segment::segments(frame, &entry.key);
    let events = entry.listens.iter().map(|event| event::call(frame, event));
    let tags = entry.tags.iter().map(|tag| {
        let tag = segment::template(frame, tag);
        quote_spanned!(at=> .tag(#tag))
    });
    // Events come last: their fields may consume what the templates borrow.
    quote_spanned!(at=> #support::Call::new(&__CACHED_SITE, #cache, #path, #segments) #(#tags)* #(#events)*)
}

/// The values that `make` makes from the cache; several become a tuple. `import` is in scope only there.
// Output: Call::new(.., None::<&Cache>, ..)
// Or:     { use NoEvent as _; let cache = &(self.cache); Call::new(.., Some(cache), ..) }
pub(super) fn with_cache(
    frame: &Frame,
    import: Option<&TokenStream>,
    make: &[&dyn Fn(&TokenStream) -> TokenStream],
) -> TokenStream {
    let at = frame.at();
    let Some(cache) = &frame.cache else {
        let support = frame.support();
        let made = all(at, make, &quote_spanned!(at=> #support::None::<&#support::Cache>));
        return if import.is_some() { quote_spanned!(at=> { #import #made }) } else { made };
    };
    // Has the span of the option's value, so that rustc reports a wrong type there. The reference is bound first,
    // because as an argument `&(if a { x } else { y })` would not coerce to `&Cache`.
    let here = Span::mixed_site().located_at(cache.span());
    let support = located_at(&frame.support, here);
    let binding = quote_spanned!(here=> let cache = &(#cache););
    if let [_] = make {
        let made = all(at, make, &quote_spanned!(here=> #support::Some(cache)));
        return quote_spanned!(at=> { #import #binding #made });
    }
    // Converted once, so that rustc reports a wrong type only once.
    let named = quote_spanned!(here=> let cache = #support::Some::<&#support::Cache>(cache););
    let made = all(at, make, &quote_spanned!(at=> cache));
    quote_spanned!(at=> { #import #binding #named #made })
}

fn all(at: Span, make: &[&dyn Fn(&TokenStream) -> TokenStream], cache: &TokenStream) -> TokenStream {
    match make {
        [make] => make(cache),
        several => {
            let made = several.iter().map(|make| make(cache));
            quote_spanned!(at=> (#(#made),*))
        }
    }
}

/// Whether the key, a tag or an event uses a name with a leading underscore.
pub(super) fn uses_underscored(entry: &Entry) -> bool {
    segment::uses_underscored(&entry.key)
        || segment::templates_use_underscored(&entry.tags)
        || event::uses_underscored(&entry.listens)
}

/// `let policy`: the options that the user wrote as code. The methods have the spans of the options, so that rustc
/// explains a wrong argument there.
pub(super) fn policy(frame: &Frame, entry: &Entry, shape: &TokenStream) -> TokenStream {
    let at = frame.at();
    let support = frame.support();
    let ttl = match &entry.ttl {
        Some(Ttl::Expr(policy)) => method("ttl", policy),
        Some(Ttl::OfValue(policy)) => method("ttl_of", policy),
        Some(Ttl::Class(_) | Ttl::Millis(_)) | None => TokenStream::new(),
    };
    let cache_if = entry.cache_if.as_ref().map(|policy| method("cache_if", policy));
    let tags_of = entry.tags_of.as_ref().map(|tags| value_tags(frame, tags));
    let error_if = entry.errors.as_ref().map(|errors| {
        let error_if = method("error_if", &errors.error_if);
        let compared = compared(frame, &quote_spanned!(at=> #shape.errors()));
        // The shape knows the type of the errors.
        quote_spanned!(at=> .error_if(#shape #error_if) .errors_compared(#compared))
    });
    let compared = compared(frame, shape);
    let names = entry.tags_of.iter().flat_map(|tags| &tags.arguments);
    let silence = frame.silence(names.into_iter().any(|(name, _)| is_underscored(name)));
    quote_spanned! {at=>
        #silence
        let policy = #support::policy(#shape) #ttl #cache_if #tags_of #error_if .compared(#compared);
    }
}

/// The best way to compare the values of a shape.
fn compared(frame: &Frame, shape: &TokenStream) -> TokenStream {
    let at = frame.at();
    let support = frame.support();
    quote_spanned! {at=>
        {
            use #support::{ComparedByBoth as _, ComparedByBytes as _, ComparedByDebug as _, ComparedByEq as _};
            (&&&&#support::Compared::of(#shape)).__cached_core_compared()
        }
    }
}

/// The method for the closure of `tags`. The body may consume the arguments, so those that the closure names are cloned;
/// they have the spans of the closure's parameters, where rustc reports what cannot be cloned.
// Input:  tags = |page: &Page, tenant| ..
// Output: .tags_of_1(named(Named(&tenant).__cached_core_named()), |page: &Page, tenant| ..)
fn value_tags(frame: &Frame, tags: &ValueTags) -> TokenStream {
    let arguments = tags.arguments.iter().map(|(name, at)| {
        let here = Span::mixed_site().located_at(*at);
        let support = frame.support_at(here);
        let mut name = name.clone();
        name.set_span(name.span().located_at(*at));
        quote_spanned! {here=>
            {
                use #support::NamedWhole as _;
                #support::Named(&#name).__cached_core_named()
            }
        }
    });
    let Policy { option, code } = &tags.policy;
    let name = match tags.arguments.len() {
        0 => "tags_of".to_owned(),
        several => format!("tags_of_{several}"),
    };
    let name = Ident::new(&name, Span::mixed_site().located_at(option.span()));
    quote!(.#name(#(#arguments,)* #code))
}

fn method(name: &str, policy: &Policy) -> TokenStream {
    let name = Ident::new(name, Span::mixed_site().located_at(policy.option.span()));
    let code = &policy.code;
    quote!(.#name(#code))
}
