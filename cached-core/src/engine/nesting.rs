//! Which keys this task is loading: a cached function may call itself, or another that calls it back.
//!
//! And whether it is inside of any load at all. What a call in there brings gets into what others are served, under stamps that
//! were read when the load began: so it must not be older than these, as a near hit may be by the time that news take.
//! A task that the load has spawned is not known to be inside of it.

use crate::key::Key;
use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::sync::Arc;

thread_local! {
    /// The innermost load of the task that is being polled. Not a `task_local!`: its future would be compiled once more
    /// for every cached function.
    static LOADING: RefCell<Option<Arc<Loading>>> = const { RefCell::new(None) };
    /// Whether there is one. On its own, since every near hit asks: it needs no destructor, and so no look at whether that has run.
    static IS_INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Whether this task is inside of a load, or of a write that stores what it returns.
#[inline]
pub(crate) fn is_inside() -> bool {
    IS_INSIDE.get()
}

/// What one load is about, inside of the loads of other keys.
#[derive(Debug)]
pub(crate) struct Loading {
    engine: u64,
    keys: Keys,
    outer: Option<Arc<Loading>>,
}

#[derive(Debug)]
enum Keys {
    One(Key),
    /// Those of a batch. A set, since every call from inside of the load asks for its own among them.
    Many(HashSet<Key>),
    /// None that others wait for: of a write that stores what it returns.
    Unawaited,
}

impl Keys {
    fn has(&self, key: &str) -> bool {
        match self {
            Self::One(one) => **one == *key,
            Self::Many(many) => many.contains(key),
            Self::Unawaited => false,
        }
    }
}

/// Whether this task is inside of a load, and of which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nesting {
    /// Not inside of any load.
    None,
    /// Inside of loads of other keys.
    Other,
    /// Inside of a load of this very key: waiting for it would be waiting for oneself.
    Same,
}

/// Where this task stands with respect to `key` of the engine with that id.
pub(crate) fn of(engine: u64, key: &str) -> Nesting {
    let innermost = innermost();
    let (mut loading, mut nesting) = (innermost.as_ref(), Nesting::None);
    while let Some(at) = loading {
        if at.engine == engine && at.keys.has(key) {
            return Nesting::Same;
        }
        if !matches!(at.keys, Keys::Unawaited) {
            nesting = Nesting::Other;
        }
        loading = at.outer.as_ref();
    }
    nesting
}

/// A load of `key`, inside of the loads that this task is in.
pub(crate) fn loading(engine: u64, key: Key) -> Arc<Loading> {
    Arc::new(Loading { engine, keys: Keys::One(key), outer: innermost() })
}

/// One load of many keys.
pub(crate) fn loading_all(engine: u64, keys: impl Iterator<Item = Key>) -> Arc<Loading> {
    Arc::new(Loading { engine, keys: Keys::Many(keys.collect()), outer: innermost() })
}

/// A write that stores what it returns.
pub(crate) fn storing(engine: u64) -> Arc<Loading> {
    Arc::new(Loading { engine, keys: Keys::Unawaited, outer: innermost() })
}

/// Makes `loading` the innermost load until this is dropped: while it is polled once. Without one, all stays as it is.
pub(crate) fn enter(loading: &mut Option<Arc<Loading>>) -> Entered<'_> {
    if loading.is_none() {
        return Entered(None);
    }
    swap(loading);
    Entered(Some(loading))
}

/// Being inside of a load. Puts the outer one back, also when the poll panics.
#[derive(Debug)]
pub(crate) struct Entered<'a>(Option<&'a mut Option<Arc<Loading>>>);

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        if let Some(loading) = self.0.as_deref_mut() {
            swap(loading);
        }
    }
}

fn innermost() -> Option<Arc<Loading>> {
    LOADING.with_borrow(Option::clone)
}

fn swap(loading: &mut Option<Arc<Loading>>) {
    LOADING.with_borrow_mut(|innermost| {
        std::mem::swap(innermost, loading);
        IS_INSIDE.set(innermost.is_some());
    });
}
