//! Passes entries that cannot be attributed to the ids of a batch on to the other batches that wait for these ids. Such
//! entries are not stored, so otherwise each of those batches would run the body itself.

use crate::engine::call::item;
use crate::engine::flight_value::Unattributed;
use crate::engine::load::ActiveLoad;
use crate::engine::policy::Policy;
use crate::engine::target::Target;
use crate::envelope::{Content, Entry};
use crate::key::Key;
use crate::many::{Division, ManyShape, Part, Passage};
use crate::user_code::caught;
use std::collections::HashMap;

/// The unattributed entries, for other calls of this function that wait for the load. `None` if nobody waits, if one of
/// the ids has no key, or if ids of this type cannot be passed from one call to another.
pub(super) fn pack<S: ManyShape>(
    of: &[(usize, Option<ActiveLoad>)],
    passage: &Passage<S::Id>,
    policy: &Policy<S::Item>,
    divided: &Division<S::Id, S::Item>,
) -> Option<Unattributed> {
    if !divided.parts.iter().any(|part| matches!(part, Part::Unknown)) {
        return None;
    }
    let begun: Option<Vec<&ActiveLoad>> = of.iter().map(|(_, begun)| begun.as_ref()).collect();
    let begun = begun?;
    let first = begun.first()?;
    if !passage.is_open() || !begun.iter().any(|begun| begun.is_wanted()) {
        return None;
    }
    let encode = |(id, value): &(S::Id, S::Item)| {
        let (payload, _) = policy.payload(value, first.site(), &first.engine().settings).ok()?;
        let id = caught(|| id.clone()).ok()?;
        Some((id, Entry::loaded(Content::Value(payload))))
    };
    let strangers = divided.strangers.iter().map(encode).collect::<Option<_>>()?;
    let keys = begun.iter().map(|begun| Key::clone(begun.key())).collect();
    Some(Unattributed { of: first.site().site, keys, strangers: passage.pack(strangers)? })
}

/// The unattributed entries of another call's body for this call, which asks for these keys. `None` if that body is of
/// another function, or was given more than these keys.
pub(super) fn unpack<S: ManyShape>(
    keys: &HashMap<Key, usize>,
    passage: &Passage<S::Id>,
    target: &Target,
    returned: &Unattributed,
) -> Option<Vec<(S::Id, S::Item)>> {
    if !std::ptr::eq(returned.of, target.site.site) {
        return None;
    }
    if !returned.keys.iter().all(|key| keys.contains_key(key)) {
        return None;
    }
    let strangers = caught(|| passage.unpack(&returned.strangers)).ok()??.into_iter();
    strangers.map(|(id, entry)| Some((id, item(&target.site, &entry).ok()??))).collect()
}
