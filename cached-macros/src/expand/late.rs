//! What a write invalidates that uses the returned value: `ret`. All that is known before is made before the body runs,
//! which may consume it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use super::{each, event, segment};
use crate::model::{Each, Event, EventField, EventFields, FieldValue, Frame, Invalidation, Piece, Template};

/// Code for what uses the returned value.
pub(super) struct LateAddition {
    /// Evaluates what is known before the body runs.
    pub(super) before: TokenStream,
    /// Adds it to the write.
    pub(super) then: TokenStream,
}

/// A method call on the write, and what is known before the body runs.
struct LatePart {
    before: TokenStream,
    call: TokenStream,
}

/// Where a part stands.
#[derive(Clone, Copy)]
enum Place<'e> {
    Once,
    /// In a `for`, so that it is made again for each item.
    InEach(&'e Each),
}

impl Place<'_> {
    /// Whether the piece is made after the body.
    fn is_late(self, piece: &Piece) -> bool {
        piece.uses_ret() || matches!(self, Self::InEach(each) if each.has(piece))
    }
}

pub(super) fn additions(frame: &Frame, what: &Invalidation) -> Vec<LateAddition> {
    let events = what.events.iter().enumerate().filter_map(|(index, event)| {
        let ret = event.ret()?;
        let LatePart { before, call } = late_event(frame, event, &format!("event{index}"), Place::Once);
        // Binds the user's own `ret` token, whose hygiene the field has.
        let (at, import) = (frame.at(), event::import(frame, [event]));
        Some(LateAddition { before, then: then(frame, ret, &quote_spanned!(at=> { #import write #call })) })
    });
    let templates = templates(what).filter(|(_, template)| template.uses_ret()).enumerate();
    let templates = templates.map(|(index, (method, template))| {
        let LatePart { before, call } =
            late_template(frame, method, template, &format!("{method}{index}"), Place::Once);
        let at = frame.at();
        LateAddition { before, then: then(frame, &own_ret(), &quote_spanned!(at=> write #call)) }
    });
    let lists = what.each.iter().enumerate().filter_map(|(index, each)| late_each(frame, each, index));
    templates.chain(events).chain(lists).collect()
}

/// The keys and tags of a write, with the methods that add them.
fn templates(what: &Invalidation) -> impl Iterator<Item = (&'static str, &Template)> {
    let keys = what.keys.iter().map(|template| ("key", template));
    keys.chain(what.tags.iter().map(|template| ("tag", template)))
}

// Input:  for order in ret.orders { OrderPlaced { user, order: order.id } }
// Before: let each0_event0_0 = Clone::clone(&user);
// Then:   .each(&ret.orders, |write, order| {
//             write.event(&OrderPlaced { user: Clone::clone(&each0_event0_0), order: order.id })
//         })
fn late_each(frame: &Frame, each: &Each, index: usize) -> Option<LateAddition> {
    let ret = each.list.ret.as_ref()?;
    let place = Place::InEach(each);
    let of_templates = templates(&each.what).enumerate().map(|(part, (method, template))| {
        late_template(frame, method, template, &format!("each{index}_{method}{part}"), place)
    });
    let of_events = each.what.events.iter().enumerate();
    let of_events = of_events.map(|(part, event)| late_event(frame, event, &format!("each{index}_event{part}"), place));
    let parts: Vec<LatePart> = of_templates.chain(of_events).collect();
    let (before, calls) = (parts.iter().map(|part| &part.before), parts.iter().map(|part| &part.call));
    let before = quote!(#(#before)*);
    let at = frame.at();
    let import = event::import(frame, &each.what.events);
    // Placeholders name a `ret` of their own hygiene.
    let own = templates(&each.what).any(|(_, template)| template.uses_ret()).then(|| {
        let own = own_ret();
        quote_spanned!(at=> let #own = #ret;)
    });
    let list = each::with_parts(frame, each, &quote!(#(#calls)*));
    Some(LateAddition { before, then: then(frame, ret, &quote_spanned!(at=> { #import #own write #list })) })
}

// Input:  OrderPlaced { user: user.id, order: ret.id }
// Before: let event0_0 = user.id;
// Then:   .event(&OrderPlaced { user: event0_0, order: ret.id })
fn late_event(frame: &Frame, event: &Event, name: &str, place: Place<'_>) -> LatePart {
    let at = frame.at();
    let support = frame.support();
    let EventFields::Named { fields, .. } = &event.fields else {
        return LatePart { before: TokenStream::new(), call: event::call(frame, event) };
    };
    // Where the value is written, so that rustc reports a wrong type there.
    let local = |index: usize, field: &EventField| {
        format_ident!("{name}_{index}", span = Span::mixed_site().located_at(field.value.end()))
    };
    // A text is copied, whatever the body does with it.
    let is_late =
        |field: &EventField| field.ret.is_some() || field.is_of_item || matches!(field.value, FieldValue::Text(_));
    let silence = frame.silence(event::uses_underscored(std::slice::from_ref(event)));
    let known = fields.iter().enumerate().filter(|(_, field)| !is_late(field)).map(|(index, field)| {
        let (local, value) = (local(index, field), event::value(frame, field));
        quote_spanned!(at=> #silence let #local = #value;)
    });
    let before = quote!(#(#known)*);
    let value = |index: usize, field: &EventField| {
        if is_late(field) {
            return event::value(frame, field);
        }
        let local = local(index, field);
        match place {
            Place::Once => quote!(#local),
            Place::InEach(_) => quote_spanned!(at=> #support::Clone::clone(&#local)),
        }
    };
    LatePart { before, call: event::named(frame, event, value) }
}

// Input:  "order:<user.id>:<ret.id>"
// Before: let key0_1 = rendered(&user.id);
// Then:   .key(&[..], &[&key0_1, &ret.id])
fn late_template(frame: &Frame, method: &str, template: &Template, name: &str, place: Place<'_>) -> LatePart {
    let at = frame.at();
    let support = frame.support();
    let mut before = TokenStream::new();
    let mut segments = Vec::new();
    for (index, piece) in template.pieces.iter().enumerate() {
        let Some(value) = segment::segment(frame, piece) else { continue };
        if place.is_late(piece) {
            segments.push(value);
            continue;
        }
        let local = format_ident!("{name}_{index}", span = at);
        let silence = frame.silence(segment::uses_underscored(std::slice::from_ref(piece)));
        before.extend(quote_spanned!(at=> #silence let #local = #support::rendered(#value);));
        segments.push(quote_spanned!(at=> &#local));
    }
    let pieces = segment::pieces(frame, &template.pieces);
    let method = Ident::new(method, at);
    LatePart { before, call: quote_spanned!(at=> .#method(#pieces, &[#(#segments),*])) }
}

/// The `ret` of placeholders.
fn own_ret() -> Ident {
    Ident::new("ret", Span::mixed_site())
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
