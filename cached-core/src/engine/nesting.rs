//! Which keys this task is loading: a cached function may call itself, or another one that calls it back.
//!
//! Also whether this task is inside of any load at all. What a call from inside returns becomes part of the value that
//! others are served, under stamps that were read when the load began. So it must not be older than these stamps, but a
//! near hit may be, by the time that a notification takes.
//!
//! A task that the load has spawned is known to be inside of it only if it was spawned so that it keeps the cache
//! ([`Carried`]): other tasks do not tell us who spawned them.

use crate::key::Key;
use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

thread_local! {
    /// The innermost load of the task that is being polled. Not a `task_local!`: its future would be compiled once more
    /// for every cached function.
    static LOADING: RefCell<Option<Arc<Loading>>> = const { RefCell::new(None) };
    /// Whether there is one. This has a variable of its own because every near hit reads it: without a destructor, a
    /// read need not check whether that has run.
    static IS_INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Whether this task is inside of a load, or of a write that stores what it returns.
#[inline]
pub(crate) fn is_inside() -> bool {
    IS_INSIDE.get()
}

/// A load that runs, and the loads that it runs inside of.
#[derive(Debug)]
pub(crate) struct Loading {
    engine: u64,
    keys: Keys,
    outer: Option<Arc<Loading>>,
}

#[derive(Debug)]
enum Keys {
    One(Key),
    /// The keys of a batch. A set, because every call from inside of the load looks its own key up here.
    Many(HashSet<Key>),
    /// No key that others wait for: a write that stores what it returns.
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

/// Whether this task is inside of a load of the same key, or of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nesting {
    /// Not inside of any load.
    None,
    /// Inside of loads of other keys.
    Other,
    /// Inside of a load of this very key: if the call waited for that load, it would wait for itself.
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

/// Makes `loading` the innermost load during one poll, until the returned scope is dropped. `None` changes nothing.
pub(crate) fn enter(loading: &mut Option<Arc<Loading>>) -> LoadScope<'_> {
    if loading.is_none() {
        return LoadScope(None);
    }
    swap(loading);
    LoadScope(Some(loading))
}

/// The time inside of a load. At its end the outer load is the innermost again, also when the poll panics.
#[derive(Debug)]
pub(crate) struct LoadScope<'a>(Option<&'a mut Option<Arc<Loading>>>);

impl Drop for LoadScope<'_> {
    fn drop(&mut self) {
        if let Some(loading) = self.0.as_deref_mut() {
            swap(loading);
        }
    }
}

/// A future that stays inside of the load in which it was made, whichever task polls it.
///
/// It is boxed, so that it can be polled without `unsafe`; a task is an allocation anyway.
#[derive(Debug)]
pub(crate) struct Carried<F> {
    future: Pin<Box<F>>,
    loading: Option<Arc<Loading>>,
}

impl<F> Carried<F> {
    pub(crate) fn from_here(future: F) -> Self {
        Self { future: Box::pin(future), loading: innermost() }
    }
}

impl<F: Future> Future for Carried<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Self { future, loading } = &mut *self;
        // Awaited inside of a load: that one may wait for it, and knows the loads around itself.
        if is_inside() {
            return future.as_mut().poll(context);
        }
        let _inside = enter(loading);
        future.as_mut().poll(context)
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
