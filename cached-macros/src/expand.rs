//! [`Model`] -> tokens. Cannot fail: what could go wrong cannot be written as a [`Model`].
//!
//! The macro stays thin. It emits one `static` that describes the function and one call; what is cached, for how long
//! and whether, is decided by the runtime, from the real types.

use proc_macro2::{Literal, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Ident, Member};

use crate::model::{Codec, Model, NoneTtl, Piece, Policy, Segment, Ttl, Value};
use crate::paths::located_at;
use crate::signature::regroup;
use crate::spelling::spell;

/// The function with its body behind the cache.
// Input:
//     async fn find(id: u64) -> Ret { body }
// Output:
//     async fn find(id: u64) -> Ret {
//         static __CACHED_SITE: Site = ..;
//         let mut load = match look(call, ..).await { Ok(value) => return value, Err(load) => load };
//         let returned = load.run(async move { body }).await;
//         load.settle(.., returned)
//     }
pub(crate) fn expand(model: &Model) -> TokenStream {
    let function = &model.function;
    let attrs = function.outer_attributes();
    let (vis, sig) = (&function.vis, &function.sig);
    let body = match &model.boxed {
        None => regroup(&function.body, cached(model, &function.body.stream())),
        Some(boxed) => {
            let (pin, head, rest) = (&boxed.pin, &boxed.head, &boxed.rest);
            let cached = cached(model, &quote!(#(#rest)*));
            let mut shell = boxed.shell.clone();
            shell.block.stmts.clear();
            let syn::ExprAsync { attrs, async_token, capture, .. } = &shell;
            regroup(&function.body, quote!(#pin(#(#attrs)* #async_token #capture { #(#head)* #cached })))
        }
    };
    quote!(#(#attrs)* #vis #sig #body)
}

/// The statements that take the place of the user's.
fn cached(model: &Model, stmts: &TokenStream) -> TokenStream {
    let at = model.at();
    let support = model.support();
    let returns = &model.returns;
    let site = site(model);
    let call = call(model);
    let policy = policy(model);
    // The edge goes into the user's own block, which becomes the async block: wrapping the block once more would set
    // off `unused_braces`, and without it rustc would not know what `?` converts to.
    let edge = quote_spanned!(at=> if false { return #support::returns::<#returns>(); });
    let body = regroup(&model.function.body, quote!(#edge #stmts));

    quote_spanned! {at=>
        #site
        let shape = {
            use #support::{ShapeOfOption as _, ShapeOfResult as _, ShapeOfResultOption as _, ShapeOfValue as _};
            (&&&&#support::Probe::<#returns>::NEW).__cached_core_shape()
        };
        #call
        let mut load = match #support::look(call, shape).await {
            #support::Ok(value) => return value,
            #support::Err(load) => load,
        };
        #policy
        let returned = load.run(async move #body).await;
        load.settle(shape, &policy, returned)
    }
}

/// The descriptor of the function. It names no type of the user's, since a `static` in a generic function is one for all
/// its instances.
fn site(model: &Model) -> TokenStream {
    let at = model.at();
    let support = model.support();
    let name = model.function.sig.ident.unraw().to_string();
    let template = model.key.iter().map(|piece| template(&support, piece));
    let value = spell(model.returns.to_token_stream());
    let settings = settings(model);
    quote_spanned! {at=>
        static __CACHED_SITE: #support::Site = #support::Site::new(#support::SiteSpec {
            name: #name,
            module: #support::module_path!(),
            file: #support::file!(),
            line: #support::line!(),
            template: &[#(#template),*],
            value: #value,
            #settings
        });
        #support::register!(__CACHED_SITE);
    }
}

/// The fields of the descriptor whose option is given; the others have their defaults.
fn settings(model: &Model) -> TokenStream {
    let support = model.support();
    let ttl = model.ttl.as_ref().map(|ttl| {
        let spec = match ttl {
            Ttl::Class(name) => quote!(Class(#name)),
            Ttl::Millis(millis) => quote!(Millis(#millis)),
            Ttl::Expr(_) | Ttl::OfValue(_) => quote!(Dynamic),
        };
        quote!(ttl: #support::TtlSpec::#spec,)
    });
    let jitter = model.jitter.map(|jitter| {
        let jitter = Literal::f64_suffixed(jitter);
        quote!(jitter: #support::Some(#jitter),)
    });
    let none_ttl = model.none_ttl.as_ref().map(|none_ttl| {
        let spec = match none_ttl {
            NoneTtl::Class(name) => quote!(Class(#name)),
            NoneTtl::Millis(millis) => quote!(Millis(#millis)),
            NoneTtl::Off => quote!(Off),
        };
        quote!(none_ttl: #support::Some(#support::NoneTtl::#spec),)
    });
    let version = model.version.map(|version| quote!(version: #version,));
    let codec = model.codec.map(|codec| {
        let codec = match codec {
            Codec::Json => quote!(Json),
            Codec::MessagePack => quote!(MessagePack),
            Codec::Postcard => quote!(Postcard),
        };
        quote!(codec: #support::Some(#support::CodecName::#codec),)
    });
    let ambient = model.cache.as_ref().map(|_| quote!(ambient: false,));
    let fields = [ttl, jitter, none_ttl, version, codec, ambient];
    // With every field given, clippy calls the rest needless.
    let rest = fields.iter().any(Option::is_none).then(|| quote!(..#support::SiteSpec::DEFAULT));
    quote!(#(#fields)* #rest)
}

// Input:  "user:", <id>, <q:hash>
// Output: Piece::Literal("user:"), Piece::Segment("id"), Piece::Hash("q")
fn template(support: &TokenStream, piece: &Piece) -> TokenStream {
    match piece {
        Piece::Path => quote!(#support::Piece::Path),
        Piece::Literal(text) => quote!(#support::Piece::Literal(#text)),
        Piece::Segment(Segment { path, hashed: false, .. }) => quote!(#support::Piece::Segment(#path)),
        Piece::Segment(Segment { path, hashed: true, .. }) => quote!(#support::Piece::Hash(#path)),
        Piece::All { .. } => quote!(#support::Piece::All),
    }
}

/// `let call`: the key of this call, and the cache to ask. Nothing of it is borrowed any more when the body runs.
fn call(model: &Model) -> TokenStream {
    let at = model.at();
    let support = model.support();
    let segments = model.key.iter().filter_map(|piece| segment(model, piece));
    let silence = names_underscored(model).then(|| quote_spanned!(at=> #[allow(clippy::used_underscore_binding)]));
    let path = quote_spanned!(at=> #support::name_of(&|| {}));
    let segments = quote_spanned!(at=> &[#(#segments),*]);
    let Some(cache) = &model.cache else {
        let ambient = quote_spanned!(at=> #support::None::<&#support::Cache>);
        return quote_spanned! {at=>
            #silence
            let call = #support::Call::new(&__CACHED_SITE, #ambient, #path, #segments);
        };
    };
    // A wrong type is reported where the cache is named. The reference is bound first: as an argument,
    // `&(if a { x } else { y })` would be expected to be a `&Cache` and not coerce to it.
    let here = Span::mixed_site().located_at(cache.span());
    let some = located_at(&model.support, here);
    let binding = quote_spanned!(here=> let cache = &(#cache););
    let named = quote_spanned!(here=> #some::Some(cache));
    quote_spanned! {at=>
        #silence
        let call = {
            #binding
            #support::Call::new(&__CACHED_SITE, #named, #path, #segments)
        };
    }
}

/// Whether the key uses what is named as if it were unused: clippy would blame the user for our use of it.
fn names_underscored(model: &Model) -> bool {
    let underscored = |name: &Ident| name.unraw().to_string().starts_with('_');
    model.key.iter().any(|piece| match piece {
        Piece::All { arguments, .. } => arguments.iter().any(underscored),
        Piece::Segment(Segment { value: Value::Place { root, fields }, .. }) => {
            let named = |field: &Member| matches!(field, Member::Named(name) if underscored(name));
            underscored(root) || fields.iter().any(named)
        }
        Piece::Path | Piece::Literal(_) | Piece::Segment(_) => false,
    })
}

// Input:  <filter.lang>, <T>,                 <q:hash>,        <*>
// Output: &filter.lang,  &TypeName::<T>::NEW, &Hashed(&{ q }), &Hashed(&{ (a, (b, ())) })
// Where `q`, `a` and `b` stand for `Argument(&q).__cached_core_hashed()`, and so on.
fn segment(model: &Model, piece: &Piece) -> Option<TokenStream> {
    match piece {
        Piece::Path | Piece::Literal(_) => None,
        Piece::Segment(segment) => {
            let value = value(&located_at(&model.support, segment.span), segment);
            if !segment.hashed {
                return Some(value);
            }
            let span = segment.span.resolved_at(Span::mixed_site());
            let argument = argument(model, &value, span);
            Some(hashed(model, &argument, span))
        }
        Piece::All { arguments, span } => {
            let nested = arguments.iter().rev().fold(quote!(()), |rest, name| {
                let mut name = name.clone();
                let span = span.unwrap_or_else(|| name.span()).resolved_at(name.span());
                name.set_span(span);
                let span = span.resolved_at(Span::mixed_site());
                let argument = argument(model, &quote_spanned!(span=> &#name), span);
                quote_spanned!(span=> (#argument, #rest))
            });
            // Without a template, the key is the list of arguments.
            let parameters = model.function.sig.paren_token.span.join();
            let span = span.unwrap_or(parameters).resolved_at(Span::mixed_site());
            Some(hashed(model, &nested, span))
        }
    }
}

/// A reference to what is hashed. What cannot be hashed is reported here, once: method resolution takes the inherent
/// method of what is `Serialize`, and `Unhashable`'s of all else.
fn argument(model: &Model, reference: &TokenStream, span: Span) -> TokenStream {
    let support = located_at(&model.support, span);
    quote_spanned!(span=> #support::Argument(#reference).__cached_core_hashed())
}

fn hashed(model: &Model, value: &TokenStream, span: Span) -> TokenStream {
    let support = located_at(&model.support, span);
    // At the place of the other imports: a wrong `crate = path` is reported once for each place.
    let (at, runtime) = (model.at(), model.support());
    let import = quote_spanned!(at=> use #runtime::Unhashable as _;);
    quote_spanned!(span=> &#support::Hashed(&{ #import #value }))
}

/// A reference to what a placeholder stands for.
fn value(support: &TokenStream, segment: &Segment) -> TokenStream {
    match &segment.value {
        Value::Place { root, fields } => {
            let span = root.span();
            quote_spanned!(span=> &#root #(.#fields)*)
        }
        Value::Type(parameter) => {
            let span = segment.span;
            quote_spanned!(span=> &#support::TypeName::<#parameter>::NEW)
        }
        Value::Const(parameter) => {
            let span = segment.span;
            quote_spanned!(span=> &#parameter)
        }
    }
}

/// `let policy`: what the user wrote as code. The methods stand where the options do, since that is where rustc explains
/// a wrong argument.
fn policy(model: &Model) -> TokenStream {
    let at = model.at();
    let support = model.support();
    let ttl = match &model.ttl {
        Some(Ttl::Expr(policy)) => method("ttl", policy),
        Some(Ttl::OfValue(policy)) => method("ttl_of", policy),
        Some(Ttl::Class(_) | Ttl::Millis(_)) | None => TokenStream::new(),
    };
    let cache_if = model.cache_if.as_ref().map(|policy| method("cache_if", policy));
    quote_spanned!(at=> let policy = #support::policy(shape) #ttl #cache_if;)
}

fn method(name: &str, policy: &Policy) -> TokenStream {
    let name = Ident::new(name, Span::mixed_site().located_at(policy.option.span()));
    let code = &policy.code;
    quote!(.#name(#code))
}

impl Model {
    /// Where generated code stands: a value that cannot be cached is then reported at the return type and not at the
    /// attribute. Names are those of this macro, so the body does not see `call` or `policy`.
    fn at(&self) -> Span {
        Span::mixed_site().located_at(self.returns.span())
    }

    /// The path of the support module, located like everything else.
    fn support(&self) -> TokenStream {
        located_at(&self.support, self.at())
    }
}
