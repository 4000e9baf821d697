//! Rules for `#[redis_invalidate]` and `#[redis_put]`.

use proc_macro2::Span;
use syn::LitStr;

use super::each;
use super::event::{self, Purpose};
use super::scope::Scope;
use super::template;
use crate::ast::{self, Many, Options, Setting};
use crate::diagnostics::{Errors, list};
use crate::model::{Event, Invalidation, Mode, OnUnavailable, Template};
use crate::suggest::did_you_mean;

const MODES: [(&str, Mode); 2] = [("bracket", Mode::Bracket), ("after", Mode::After)];
const UNAVAILABLE: [(&str, OnUnavailable); 2] = [("proceed", OnUnavailable::Proceed), ("fail", OnUnavailable::Fail)];

/// `mode = "after"`
pub(super) fn mode(setting: Setting<LitStr>, errors: &mut Errors) -> Setting<Mode> {
    one_of(setting, &MODES, errors)
}

/// `on_unavailable = "fail"`
pub(super) fn unavailable(setting: Setting<LitStr>, errors: &mut Errors) -> Setting<OnUnavailable> {
    one_of(setting, &UNAVAILABLE, errors)
}

fn one_of<T: Copy>(setting: Setting<LitStr>, known: &[(&str, T)], errors: &mut Errors) -> Setting<T> {
    let (name, text) = match setting {
        Setting::Given { name, value } => (name, value),
        Setting::Absent => return Setting::Absent,
        Setting::Broken => return Setting::Broken,
    };
    let written = text.value();
    if let Some((_, value)) = known.iter().find(|(known, _)| *known == written) {
        return Setting::Given { name, value: *value };
    }
    let known = || known.iter().map(|(known, _)| *known);
    let suggestion = did_you_mean(&written, known());
    errors.on(text, format!("unknown value `{written}` of `{name}`; {suggestion}values: {}", list(known())));
    Setting::Broken
}

/// Reports `on_unavailable = "fail"` beside `mode = "after"`.
pub(super) fn too_late(mode: &Setting<Mode>, unavailable: &Setting<OnUnavailable>, errors: &mut Errors) {
    if let (Some(Mode::After), Setting::Given { name, value: OnUnavailable::Fail }) = (mode.value(), unavailable) {
        let message = "`on_unavailable` is decided before the body runs, and `mode = \"after\"` contacts the cache \
                       only after it; remove one of the two";
        errors.on(name, message);
    }
}

/// The events of a write.
pub(super) fn events(written: &mut Many<ast::Event>, scope: &Scope<'_>, errors: &mut Errors) -> Vec<Event> {
    let written = std::mem::take(written).0;
    written.into_iter().filter_map(|written| event::event(written, Purpose::Emit, scope, &None, errors)).collect()
}

/// Everything that `#[redis_invalidate]` names.
pub(super) fn invalidated(
    options: &mut Options,
    is_readable: bool,
    scope: &Scope<'_>,
    errors: &mut Errors,
) -> Invalidation {
    let is_nothing = options.emits.0.is_empty()
        && options.removes.0.is_empty()
        && options.tag.0.is_empty()
        && options.each.0.is_empty();
    // If an option could not be read, it may be the missing one.
    if is_nothing && is_readable {
        let message = "this attribute invalidates nothing; name an event, a key or a tag, for example \
                       `#[redis_invalidate(UserUpdated { id: user.id })]`";
        errors.at(Span::call_site(), message);
    }
    let keys = templates(&options.removes, errors, |key, errors| template::key(key, scope, errors));
    let tags = templates(&options.tag, errors, |tag, errors| template::tag(tag, "tag", scope, &None, errors));
    let each = std::mem::take(&mut options.each).0;
    let each = each.into_iter().filter_map(|each| each::each(each, scope, errors)).collect();
    Invalidation { events: events(&mut options.emits, scope, errors), keys, tags, each }
}

fn templates(
    written: &Many<LitStr>,
    errors: &mut Errors,
    read: impl Fn(&LitStr, &mut Errors) -> Option<Template>,
) -> Vec<Template> {
    written.0.iter().filter_map(|literal| read(literal, errors)).collect()
}
