//! What a batch's body returned that cannot be attributed to the ids it was given, on its way to the other batches that wait for
//! them. Nothing of it is stored, so without that each of them would run the body for itself.

use crate::engine::call::item;
use crate::engine::finding::Unattributed;
use crate::engine::load::ActiveLoad;
use crate::engine::policy::Policy;
use crate::engine::target::Target;
use crate::envelope::Entry;
use crate::key::Key;
use crate::many::{Divided, ManyShape, Part, Passage};
use std::collections::HashMap;

/// What those who wait for this load may share of what cannot be attributed, if anything: all that the body was given has a key, and
/// its ids and values get to other calls.
pub(super) fn pack<S: ManyShape>(
    of: &[(usize, Option<ActiveLoad>)],
    passage: &Passage<S::Id>,
    policy: &Policy<S::Item>,
    divided: &Divided<S::Id, S::Item>,
) -> Option<Unattributed> {
    if !divided.parts.iter().any(|part| matches!(part, Part::Unknown)) {
        return None;
    }
    let begun: Option<Vec<&ActiveLoad>> = of.iter().map(|(_, begun)| begun.as_ref()).collect();
    let begun = begun?;
    let first = begun.first()?;
    let encode = |(id, value): &(S::Id, S::Item)| {
        let (payload, _) = policy.payload(value, first.site(), &first.engine().settings).ok()?;
        Some((id.clone(), Entry::loaded(Some(payload))))
    };
    let strangers = divided.strangers.iter().map(encode).collect::<Option<_>>()?;
    let keys = begun.iter().map(|begun| Key::clone(begun.key())).collect();
    Some(Unattributed { keys, strangers: passage.pack(strangers)? })
}

/// What this call, which asks for what has these keys, is served of what another's body returned. `None` if that was run for
/// something else as well.
pub(super) fn unpack<S: ManyShape>(
    keys: &HashMap<Key, usize>,
    passage: &Passage<S::Id>,
    target: &Target,
    returned: &Unattributed,
) -> Option<Vec<(S::Id, S::Item)>> {
    if !returned.keys.iter().all(|key| keys.contains_key(key)) {
        return None;
    }
    let strangers = passage.unpack(&returned.strangers)?.into_iter();
    strangers.map(|(id, entry)| Some((id, item(&target.site, &entry).ok()??))).collect()
}
