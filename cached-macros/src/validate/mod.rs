//! Options and function -> [`Model`]. Only this phase reports broken rules. Each file holds the rules for one subject.

mod batch;
mod beside;
mod closure;
mod detached;
mod each;
mod event;
mod example;
mod freshness;
mod function;
mod key;
mod mentions;
mod near;
mod options;
mod parts;
mod scope;
mod stored_errors;
mod stored_part;
mod template;
mod uncommitted;
mod write;

use std::mem::take;

use proc_macro2::Span;
use syn::{Ident, LitStr, Type};

use self::event::Purpose;
use self::key::Key;
use self::parts::{InKey, Parts};
use self::scope::Scope;
use crate::ast::{Options, Setting};
use crate::diagnostics::Errors;
use crate::model::{Action, Batch, Entry, Frame, Mode, Model, OnUnavailable, Piece};
use crate::role::Role;
use crate::signature::{AsyncForm, Function, Names};

pub(crate) use function::not_a_function;

/// Checks everything, so that the user sees all faults at once. Returns the function if there are any.
pub(crate) fn model(
    role: Role,
    mut options: Options,
    function: Box<Function>,
    errors: &mut Errors,
) -> Result<Model, Box<Function>> {
    let is_readable = errors.is_empty();
    beside::others(role, &options, &function, errors);
    let form = function::form(role, !options.batch.is_absent(), &function, errors);
    let mut names = Names::of(&function.sig, form.as_ref().and_then(|form| form.boxed.as_ref()));
    let batch = batch::batch(&mut options, &mut names, errors);
    let item = Item { function: &function, form: form.as_ref(), names: &names };
    let action = match role {
        Role::Read => read(&mut options, batch, &item, errors),
        Role::Invalidate => invalidate(&mut options, is_readable, &item, errors),
        Role::Put => put(&mut options, &item, errors),
    };
    let support = options::support(options.crate_path);
    let cache = options::cache(options.cache, errors);

    match form {
        Some(AsyncForm { returns, boxed }) if errors.is_empty() && (returns.is_some() || role == Role::Invalidate) => {
            let returns = function::returns(&function.sig, returns);
            Ok(Model { frame: Frame { support, function: *function, boxed, returns, cache }, action })
        }
        _ => Err(function),
    }
}

/// A function and what is known about it.
struct Item<'a> {
    function: &'a Function,
    form: Option<&'a AsyncForm>,
    names: &'a Names,
}

impl Item<'_> {
    fn returns(&self) -> Option<&Type> {
        self.form.and_then(|form| form.returns.as_ref())
    }
}

fn read(options: &mut Options, batch: Option<Batch>, item: &Item<'_>, errors: &mut Errors) -> Action {
    let scope = Scope::of_entry(Role::Read, item.names);
    stored_part::closures(options, item.returns(), errors);
    let Key { pieces: key, left_out } = key::key(options, &scope, errors);
    uncommitted::uncommitted(Role::Read, options, item.names, &left_out, errors);
    if let Some(batch) = batch {
        let mut entry = entry(options, key, &scope, Some(&batch.element), errors);
        batch::of_element(&mut entry.listens, &batch.element);
        return Action::Batch(entry, Box::new(batch));
    }
    let option = detached::option(options);
    let detached = option.map(|option| detached::captures(option, item.function, item.form, errors));
    Action::Read(Entry { detached, ..entry(options, key, &scope, None, errors) })
}

fn put(options: &mut Options, item: &Item<'_>, errors: &mut Errors) -> Action {
    let scope = Scope::of_entry(Role::Put, item.names);
    stored_part::closures(options, item.returns(), errors);
    uncommitted::uncommitted(Role::Put, options, item.names, &[], errors);
    if options.key.is_absent() {
        let message = "a put needs the key under which it stores the value; write the key of the function that reads \
                       it, for example `#[redis_put(key = \"user:<id>\")]`";
        errors.at(Span::call_site(), message);
    }
    let key = options.key.value().and_then(|key| template::key(key, &scope, errors));
    let entry = entry(options, key.map(|key| key.pieces).unwrap_or_default(), &scope, None, errors);
    let emits = write::events(&mut options.emits, &scope, errors);
    let unavailable = unavailable(take(&mut options.on_unavailable), item, errors);
    Action::Put { entry, emits, unavailable: unavailable.into_value().unwrap_or(OnUnavailable::Proceed) }
}

fn invalidate(options: &mut Options, is_readable: bool, item: &Item<'_>, errors: &mut Errors) -> Action {
    let mode = write::mode(take(&mut options.mode), errors);
    let scope = Scope::of_invalidation(&mode, item.names);
    uncommitted::uncommitted(Role::Invalidate, options, item.names, &[], errors);
    let what = write::invalidated(options, is_readable, &scope, errors);
    if let (true, Some(form)) = (what.uses_ret(), item.form) {
        function::nameable(form, errors);
    }
    let unavailable = unavailable(take(&mut options.on_unavailable), item, errors);
    write::too_late(&mode, &unavailable, errors);
    match mode.into_value() {
        Some(Mode::After) => Action::After(what),
        Some(Mode::Bracket) | None => {
            Action::Bracket { what, unavailable: unavailable.into_value().unwrap_or(OnUnavailable::Proceed) }
        }
    }
}

/// Checks `on_unavailable`, and that the function can return an error if it is `"fail"`.
fn unavailable(setting: Setting<LitStr>, item: &Item<'_>, errors: &mut Errors) -> Setting<OnUnavailable> {
    let unavailable = write::unavailable(setting, errors);
    if let (Some(OnUnavailable::Fail), Some(form)) = (unavailable.value(), item.form) {
        function::refusable(form, &item.function.sig, errors);
    }
    unavailable
}

/// Checks the options about the value that is stored under this key. `element` is the name of one id in a batch.
fn entry(
    options: &mut Options,
    key: Vec<Piece>,
    scope: &Scope<'_>,
    element: Option<&Ident>,
    errors: &mut Errors,
) -> Entry {
    let names = scope.names;
    let in_key: InKey = Some(Parts::of(&key));
    let listens = take(&mut options.invalidate_on).into_value().unwrap_or_default();
    let listens =
        listens.into_iter().filter_map(|event| event::event(event, Purpose::Listen, scope, &in_key, errors)).collect();
    let (tags, tags_of) = options::tags(take(&mut options.tags), scope, &in_key, element, errors);
    let ttl = options::ttl(take(&mut options.ttl), names, errors);
    let fresh = freshness::freshness(options, ttl.as_ref(), errors);
    let entry = Entry {
        ttl,
        fresh,
        detached: None,
        jitter: options::jitter(&options.jitter, errors),
        none_ttl: options::none_ttl(&options.none_ttl, errors),
        cache_if: options::cache_if(take(&mut options.cache_if), names, errors),
        version: options::version(&options.version, errors),
        codec: options::codec(&options.codec, errors),
        errors: None,
        local: near::local(take(&mut options.local), errors),
        serves_in_gap: near::serves_in_gap(&options.on_gap, errors),
        key,
        listens,
        tags,
        tags_of,
    };
    let error_if = take(&mut options.error_if);
    Entry { errors: stored_errors::stored_errors(error_if, &options.error_ttl, entry.codec, names, errors), ..entry }
}
