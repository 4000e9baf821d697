//! The descriptor of a function.

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{FnArg, GenericArgument, Pat, PatType, PathArguments, Type};

use super::{event, segment};
use crate::model::{
    Action, Codec, Entry, Event, Frame, Freshness, Invalidation, Local, NoneTtl, Piece, Segment, Template, Ttl, Value,
};
use crate::spelling::spell;
use crate::template::Form;

/// The descriptor. It names no types of the user except events, because a generic function has one `static` for all its
/// instances. Fields of options that are not given keep their defaults.
pub(super) fn site(frame: &Frame, action: &Action) -> TokenStream {
    let at = frame.at();
    let support = frame.support();
    let name = frame.function.sig.ident.unraw().to_string();
    let fields = match action {
        Action::Read(entry) => entry_fields(frame, entry),
        Action::Batch(entry, _) => {
            let entry = entry_fields(frame, entry);
            quote!(batch: true, #entry)
        }
        Action::Bracket { what, .. } | Action::After(what) => invalidated_fields(frame, what),
        Action::Put { entry, emits, .. } => {
            let (entry, emits) = (entry_fields(frame, entry), events(frame, "emits", emits));
            quote!(role: #support::Role::Put, #entry #emits)
        }
    };
    let ambient = frame.cache.as_ref().map(|_| quote!(ambient: false,));
    quote_spanned! {at=>
        static __CACHED_SITE: #support::Site = #support::Site::new(#support::SiteSpec {
            name: #name,
            inside: #support::inside(&|| {}),
            module: #support::module_path!(),
            file: #support::file!(),
            line: #support::line!(),
            column: #support::column!(),
            #fields
            #ambient
            ..#support::SiteSpec::DEFAULT
        });
        #support::register!(__CACHED_SITE);
    }
}

/// The fields about the stored entry.
fn entry_fields(frame: &Frame, entry: &Entry) -> TokenStream {
    let template = segment::pieces(frame, &entry.key);
    let value = spell(frame.returns.to_token_stream());
    let settings = settings(frame, entry);
    let listens = events(frame, "listens", &entry.listens);
    let tags = tags_of_entry(frame, entry);
    let texts = texts(frame, entry);
    quote!(template: #template, value: #value, #settings #listens #tags #texts)
}

/// The placeholders of arguments that are text, judged by how their types are spelled.
fn texts(frame: &Frame, entry: &Entry) -> Option<TokenStream> {
    let pieces = entry.key.iter().chain(entry.tags.iter().flat_map(|tag| &tag.pieces));
    let mut names: Vec<String> = pieces.filter_map(|piece| text_argument(frame, piece)).collect();
    names.sort_unstable();
    names.dedup();
    (!names.is_empty()).then(|| quote!(texts: &[#(#names),*],))
}

fn text_argument(frame: &Frame, piece: &Piece) -> Option<String> {
    let Piece::Segment(Segment { path, value: Value::Place { root, fields }, form: Form::Plain, .. }) = piece else {
        return None;
    };
    let is_text = frame.function.sig.inputs.iter().any(|input| match input {
        FnArg::Typed(PatType { pat, ty, .. }) => {
            matches!(&**pat, Pat::Ident(name) if name.ident == *root) && is_text(ty)
        }
        FnArg::Receiver(_) => false,
    });
    (fields.is_empty() && is_text).then(|| path.clone())
}

/// `&str`, `String`, `Option<Cow<'_, str>>`
fn is_text(ty: &Type) -> bool {
    match ty {
        Type::Reference(reference) => is_text(&reference.elem),
        Type::Path(path) => path.path.segments.last().is_some_and(|last| match (&last.arguments, &last.ident) {
            (PathArguments::None, name) => name == "str" || name == "String",
            (PathArguments::AngleBracketed(arguments), name) => {
                let is_around = ["Option", "Cow", "Arc", "Rc", "Box"].iter().any(|around| name == around);
                let is_text = |argument: &GenericArgument| matches!(argument, GenericArgument::Type(ty) if is_text(ty));
                is_around && arguments.args.iter().any(is_text)
            }
            (PathArguments::Parenthesized(_), _) => false,
        }),
        _ => false,
    }
}

fn settings(frame: &Frame, entry: &Entry) -> TokenStream {
    let support = frame.support();
    let ttl = entry.ttl.as_ref().map(|ttl| {
        let spec = match ttl {
            Ttl::Class(name) => quote!(Class(#name)),
            Ttl::Millis(millis) => quote!(Millis(#millis)),
            Ttl::Expr(_) | Ttl::OfValue(_) => quote!(Dynamic),
        };
        quote!(ttl: #support::TtlSpec::#spec,)
    });
    let jitter = entry.jitter.map(|jitter| {
        let jitter = Literal::f64_suffixed(jitter);
        quote!(jitter: #support::Some(#jitter),)
    });
    let none_ttl = entry.none_ttl.as_ref().map(|none_ttl| {
        let spec = match none_ttl {
            NoneTtl::Class(name) => quote!(Class(#name)),
            NoneTtl::Millis(millis) => quote!(Millis(#millis)),
            NoneTtl::Off => quote!(Off),
        };
        quote!(none_ttl: #support::Some(#support::NoneTtl::#spec),)
    });
    let error_ttl = entry.errors.as_ref().map(|errors| {
        let spec = match &errors.ttl {
            Some(Ttl::Millis(millis)) => quote!(Millis(#millis)),
            Some(Ttl::Class(name)) => quote!(Class(#name)),
            _ => quote!(Class("short")),
        };
        quote!(error_ttl: #support::Some(#support::TtlSpec::#spec),)
    });
    let version = entry.version.map(|version| quote!(version: #support::Some(#version),));
    let codec = entry.codec.map(|(codec, _)| {
        let codec = match codec {
            Codec::Json => quote!(Json),
            Codec::MessagePack => quote!(MessagePack),
            Codec::Postcard => quote!(Postcard),
            Codec::Bytes => quote!(Bytes),
        };
        quote!(codec: #support::Some(#support::CodecName::#codec),)
    });
    let local = entry.local.as_ref().map(|local| {
        let local = match local {
            Local::Off => quote!(Off),
            Local::Millis(millis, _) => quote!(Millis(#millis)),
        };
        quote!(local: #support::Some(#support::Local::#local),)
    });
    let in_gap = entry.serves_in_gap.then(|| quote!(serves_in_gap: true,));
    let fresh = entry.fresh.as_ref().map(|fresh| freshness(frame, fresh));
    quote!(#ttl #jitter #none_ttl #error_ttl #version #codec #local #in_gap #fresh)
}

fn freshness(frame: &Frame, fresh: &Freshness) -> TokenStream {
    let support = frame.support();
    let millis = |name: TokenStream, millis: Option<u64>| millis.map(|millis| quote!(#name: #support::Some(#millis),));
    let revalidate = millis(quote!(revalidate_ms), fresh.revalidate);
    let if_error = millis(quote!(if_error_ms), fresh.if_error);
    let ahead = fresh.ahead.map(|beta| {
        let beta = Literal::f64_suffixed(beta);
        quote!(ahead: #support::Some(#beta),)
    });
    let background = fresh.background.then(|| quote!(background: true,));
    let spawn = fresh.spawn.then(|| quote!(spawn: true,));
    let load_timeout = millis(quote!(load_timeout_ms), fresh.load_timeout);
    quote! {
        fresh: #support::Freshness {
            #revalidate #if_error #ahead #background #spawn #load_timeout
            ..#support::Freshness::NONE
        },
    }
}

fn invalidated_fields(frame: &Frame, what: &Invalidation) -> TokenStream {
    let support = frame.support();
    let of_items = || what.each.iter().map(|each| &each.what);
    let emits = events(frame, "emits", what.events.iter().chain(of_items().flat_map(|what| &what.events)));
    let untags = what.tags.iter().chain(of_items().flat_map(|what| &what.tags));
    let untags: Vec<TokenStream> = untags.map(|tag| tag_use(frame, tag)).collect();
    let untags = (!untags.is_empty()).then(|| quote!(untags: &[#(#untags),*],));
    let removes = what.keys.iter().chain(of_items().flat_map(|what| &what.keys));
    let removes: Vec<TokenStream> = removes.map(|key| segment::pieces(frame, &key.pieces)).collect();
    let removes = (!removes.is_empty()).then(|| quote!(removes: &[#(#removes),*],));
    quote!(role: #support::Role::Invalidate, #emits #untags #removes)
}

/// A field that lists events, if there are any.
fn events<'e>(frame: &Frame, field: &str, events: impl IntoIterator<Item = &'e Event>) -> Option<TokenStream> {
    let field = proc_macro2::Ident::new(field, frame.at());
    let uses: Vec<TokenStream> = events.into_iter().map(|event| event::described(frame, event)).collect();
    (!uses.is_empty()).then(|| quote!(#field: &[#(#uses),*],))
}

/// The tags of the entry. Tags from a closure have no template.
fn tags_of_entry(frame: &Frame, entry: &Entry) -> Option<TokenStream> {
    let support = frame.support();
    let of_value = entry.tags_of.as_ref();
    let of_value = of_value.map(|_| quote!(#support::TagUse { template: #support::None, not_in_key: &[] }));
    let tags: Vec<TokenStream> = entry.tags.iter().map(|tag| tag_use(frame, tag)).chain(of_value).collect();
    (!tags.is_empty()).then(|| quote!(tags: &[#(#tags),*],))
}

fn tag_use(frame: &Frame, tag: &Template) -> TokenStream {
    let support = frame.support();
    let (template, not_in_key) = (segment::pieces(frame, &tag.pieces), &tag.not_in_key);
    quote!(#support::TagUse { template: #support::Some(#template), not_in_key: &[#(#not_in_key),*] })
}
