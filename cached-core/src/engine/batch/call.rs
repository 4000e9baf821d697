//! The generic shell of a batch: compiled once per annotated function with `batch`.

use super::read::{BatchKey, first_read};
use super::unattributed::{pack, unpack};
use super::{EndedMiss, MissedCalls};
use crate::engine::bulkhead::Place;
use crate::engine::call::{Call, decode, share};
use crate::engine::control::{self, Mode};
use crate::engine::flight_value::Unattributed;
use crate::engine::handle::Cache;
use crate::engine::load::fill::Fill;
use crate::engine::load::{ActiveLoad, LoadPermit, Next};
use crate::engine::nesting::{self, Loading};
use crate::engine::policy::Policy;
use crate::engine::site::notices::Cause;
use crate::engine::{Engine, ambient, asking, forced};
use crate::envelope::{Content, Entry};
use crate::flight::pulse::{self, Pulse};
use crate::key::Key;
use crate::lease::Renewal;
use crate::many::{AskedIds, Division, DivisionError, ManyShape, Part, Passage, one};
use crate::near::keep::{Keep, Unkept};
use crate::outcome::OptionValue;
use crate::site::Site;
use std::collections::HashMap;
use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

/// One call for many ids. Generated code asks it for ids to load until it has a value to return.
pub struct Batch<'a, S: ManyShape, K> {
    keep: PhantomData<fn() -> K>,
    state: Box<BatchState<'a, S>>,
}

struct BatchState<'a, S: ManyShape> {
    asked: AskedIds<'a, S::Id>,
    /// The position of the distinct id that has this key.
    keys: HashMap<Key, usize>,
    /// The value of each distinct id, once it is known.
    values: Vec<Value<S::Item>>,
    /// Entries that the body returned for ids it was not given.
    strangers: Vec<(S::Id, S::Item)>,
    /// Passes those on to other calls.
    passage: Passage<S::Id>,
    /// Unattributed entries that this batch has taken from the loads of others.
    taken: Vec<Arc<Unattributed>>,
    /// Keys that have not been read yet.
    wanted: Vec<BatchKey>,
    /// The misses, once there are any.
    misses: Option<MissedCalls>,
    /// The ids that may be loaded now. Those without a permit are not cached.
    permitted: Vec<(usize, Option<LoadPermit>)>,
    load: Option<BatchLoad>,
    engine: Option<Arc<Engine>>,
}

enum Value<T> {
    Open,
    Known(Option<T>),
}

/// One run of the body.
struct BatchLoad {
    /// The distinct ids that it loads, each with its load unless it is not cached.
    of: Vec<(usize, Option<ActiveLoad>)>,
    loading: Option<Arc<Loading>>,
    renewal: Option<Renewal>,
    /// The room that the body takes while it runs.
    room: Option<Place>,
}

impl<S: ManyShape, K> fmt::Debug for Batch<'_, S, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BatchState { asked, misses, permitted, .. } = &*self.state;
        f.debug_struct("Batch")
            .field("ids", &asked.ids.len())
            .field("misses", misses)
            .field("permitted", &permitted.len())
            .finish_non_exhaustive()
    }
}

// Generated code calls functions and not methods, because rustc then reports only once that a value cannot be cached.

/// Finds the cache, and the target of each id.
pub fn batch<'a, S: ManyShape, K: Keep<S::Item>>(
    site: &'static Site,
    cache: Option<&Cache>,
    shape: S,
    _: K,
    passage: Passage<S::Id>,
    ids: &'a [S::Id],
    call: impl Fn(&Cache, &S::Id) -> Call,
) -> Batch<'a, S, K> {
    let asked = AskedIds { ids, firsts: Vec::new(), places: Vec::new() };
    let mut state = BatchState {
        asked,
        keys: HashMap::new(),
        values: Vec::new(),
        strangers: Vec::new(),
        passage,
        taken: Vec::new(),
        wanted: Vec::new(),
        misses: None,
        permitted: Vec::new(),
        load: None,
        engine: None,
    };
    let cache = cache.cloned().or_else(ambient::current);
    match (cache, control::mode()) {
        (Some(cache), Mode::Asking) => {
            let targets = ids.iter().map(|id| call(&cache, id).typed(one(shape)).target);
            asking::asked_each::<S::Item>(site, targets);
        }
        (None, Mode::Asking) => drop(Call::without_cache(site)),
        (Some(cache), mode) if !ids.is_empty() => {
            state.add_all(shape, |id| call(&cache, id));
            match state.wanted.first() {
                // By hand, the options make the site.
                Some(BatchKey { target, .. }) => target.site.counters.batches.one(),
                None => cache.engine().site(site).counters.batches.one(),
            }
            match mode {
                Mode::Bypass => state.bypassed(),
                Mode::Refresh => {
                    state.force();
                    state.engine = Some(cache.into_engine());
                }
                Mode::Plain | Mode::Asking => state.engine = Some(cache.into_engine()),
            }
        }
        (None, _) if !ids.is_empty() => drop(Call::without_cache(site)),
        _ => {}
    }
    Batch { keep: PhantomData, state: Box::new(state) }
}

/// Returns the value of the call, once the values of all ids are known.
///
/// # Errors
/// None: an `Err` has the ids that the body has to load.
pub async fn missing<S: ManyShape, K: Keep<S::Item>>(batch: &mut Batch<'_, S, K>) -> Result<S::Return, Vec<S::Id>> {
    let state = &mut *batch.state;
    if state.engine.is_none() {
        return if state.asked.ids.is_empty() { Ok(state.collect()) } else { Err(state.asked.ids.to_vec()) };
    }
    Box::pin(state.next::<K>()).await
}

/// Runs the body as a load, which calls from inside of it can see. Missed calls that wait for others go on meanwhile.
/// The body of a call that is asked for its entries does not run.
pub fn run<'b, S: ManyShape, K, F: Future>(
    batch: &'b mut Batch<'_, S, K>,
    policy: &Policy<S::Item>,
    body: F,
) -> Running<'b, F> {
    let BatchState { load, misses, engine, .. } = &mut *batch.state;
    let is_asked = load.is_none() && asking::answers(policy);
    let loading = load.as_mut().and_then(|load| load.loading.take());
    let to_renew = load.as_mut().zip(engine.as_ref());
    let pulse = misses.as_ref().map(MissedCalls::ready);
    Running { body: Box::pin(body), is_asked, loading, pulse, misses: misses.as_mut(), to_renew }
}

/// Shares what the body returned and stores it in the background. Returns the value of the call if it is known now.
pub fn settle<S: ManyShape, K>(
    batch: &mut Batch<'_, S, K>,
    policy: &Policy<S::Item>,
    returned: S::Return,
) -> Option<S::Return> {
    let state = &mut *batch.state;
    match state.load.take() {
        Some(load) => state.settle(load, policy, returned),
        None => Some(returned),
    }
}

impl<S: ManyShape> BatchState<'_, S> {
    /// Adds each id once. Ids with equal keys are equal unless the return type tells them apart.
    fn add_all(&mut self, shape: S, call: impl Fn(&S::Id) -> Call) {
        let ids = self.asked.ids;
        self.keys.reserve(ids.len());
        for (at, id) in ids.iter().enumerate() {
            let mut target = call(id).typed(one(shape)).target;
            let next = self.asked.firsts.len();
            // An id without a key equals no other.
            let mut place = next;
            if let Some(found) = &target {
                place = *self.keys.entry(Key::clone(&found.key)).or_insert(next);
                // The returned map needs an entry for both, and one value cannot be returned twice. So the second is
                // loaded without the cache.
                if place < next && !S::is_same(self.asked.id(place), id) {
                    (target, place) = (None, next);
                }
            }
            self.asked.places.push(place);
            if place < next {
                continue;
            }
            self.asked.firsts.push(at);
            self.values.push(Value::Open);
            match target {
                Some(target) => self.wanted.push(BatchKey { at: place, target }),
                None => self.permitted.push((place, None)),
            }
        }
    }

    /// Counts each distinct id as a call that does not use the cache. Without an engine, the body runs once for all
    /// ids, and what it returns is returned as it is.
    fn bypassed(&mut self) {
        self.wanted.drain(..).for_each(|wanted| wanted.target.bypassed());
    }

    /// Loads all ids though there may be values.
    fn force(&mut self) {
        if let Some(call) = forced::current() {
            self.wanted.iter_mut().for_each(|wanted| wanted.target.force(call.clone()));
        }
    }

    async fn next<K: Keep<S::Item>>(&mut self) -> Result<S::Return, Vec<S::Id>> {
        if !self.wanted.is_empty() {
            self.read_near::<K>();
            self.read_store::<K>().await;
        }
        loop {
            self.take_ended::<K>();
            let Some(misses) = &mut self.misses else { break };
            // Even if there are permits already: a miss that is still deciding may get one in a moment.
            let is_settled = !self.permitted.is_empty() && !misses.are_deciding();
            if is_settled || misses.is_empty() {
                break;
            }
            misses.progress().await;
        }
        if self.permitted.is_empty() {
            return Ok(self.collect());
        }
        let load = self.begin().await;
        let ids = load.of.iter().map(|(at, _)| self.asked.id(*at).clone()).collect();
        self.load = Some(load);
        Err(ids)
    }

    fn read_near<K: Keep<S::Item>>(&mut self) {
        let values = &mut self.values;
        self.wanted.retain(|BatchKey { at, target }| {
            let near = if target.is_forced() { None } else { target.near::<OptionValue<S::Item>, K>() };
            let is_open = near.is_none();
            if let Some(value) = near {
                values[*at] = Value::Known(value);
            }
            is_open
        });
    }

    async fn read_store<K: Keep<S::Item>>(&mut self) {
        let wanted = std::mem::take(&mut self.wanted);
        let Some(engine) = &self.engine else { return };
        let found = first_read(engine, wanted).await;
        for (BatchKey { at, target }, found) in found {
            let miss = match found {
                Ok((entry, slot)) => match decode::<OptionValue<S::Item>, K, Unkept>(&target, &entry, slot) {
                    Ok(value) => {
                        self.values[at] = Value::Known(value);
                        continue;
                    }
                    Err(reason) => target.rejects(&entry, reason),
                },
                Err(miss) => miss,
            };
            self.misses.get_or_insert_with(|| MissedCalls::new(engine)).start(at, target, miss);
        }
    }

    /// Takes the values and the permits of misses that have ended.
    fn take_ended<K: Keep<S::Item>>(&mut self) {
        let (Some(misses), taken) = (&mut self.misses, &mut self.taken) else { return };
        let ended = misses.take_ended();
        for EndedMiss { at, call, next } in ended {
            match next {
                Next::Load(permit) => self.permitted.push((at, Some(*permit))),
                Next::Serve(entry) => match decode::<OptionValue<S::Item>, K, Unkept>(&call.target, &entry, None) {
                    Ok(value) => self.values[at] = Value::Known(value),
                    Err(reason) => misses.reject(at, call, &entry, reason),
                },
                Next::Unattributed(returned) => {
                    let is_taken = taken.iter().any(|taken| Arc::ptr_eq(taken, &returned));
                    let strangers = if is_taken {
                        Some(Vec::new())
                    } else {
                        unpack::<S>(&self.keys, &self.passage, &call.target, &returned)
                    };
                    let Some(more) = strangers else {
                        misses.go_on(at, call);
                        continue;
                    };
                    call.target.served(&Entry::loaded(Content::None));
                    self.values[at] = Value::Known(None);
                    self.strangers.extend(more);
                    taken.push(returned);
                }
            }
        }
    }

    /// Begins to load all permitted ids, in their order.
    async fn begin(&mut self) -> BatchLoad {
        // An unanswered ACQUIRE may have granted a lease, which must not keep others waiting during the load.
        self.release();
        let mut permitted = std::mem::take(&mut self.permitted);
        permitted.sort_unstable_by_key(|(at, _)| *at);
        // If one of them needs no room, the load runs anyway and takes the others along.
        let owes_room = permitted.iter().all(|(_, permit)| permit.as_ref().is_some_and(LoadPermit::owes_room));
        let room = if owes_room { self.room().await } else { None };
        let of: Vec<_> = permitted.into_iter().map(|(at, permit)| (at, permit.map(LoadPermit::begin))).collect();
        let keys = of.iter().filter_map(|(_, begun)| begun.as_ref()).map(|begun| begun.key().clone());
        let loading = self.engine.as_ref().map(|engine| nesting::loading_all(engine.id, keys));
        BatchLoad { of, loading, renewal: None, room }
    }

    /// Waits for room among the bounded loads. Missed calls that wait for others go on meanwhile.
    async fn room(&mut self) -> Option<Place> {
        let engine = self.engine.as_ref()?;
        let room = engine.bulkhead.enter();
        let Some(misses) = &mut self.misses else { return room.await };
        let pulse = misses.ready();
        let mut room = pin!(room);
        let mut with_room = |context: &mut Context<'_>| {
            misses.poll(context);
            room.as_mut().poll(context)
        };
        poll_fn(|context| pulse::poll(Some(&pulse), context, &mut with_room)).await
    }

    fn settle(&mut self, load: BatchLoad, policy: &Policy<S::Item>, returned: S::Return) -> Option<S::Return> {
        let BatchLoad { of, renewal, room, .. } = load;
        drop(room);
        let ids: Vec<_> = of.iter().map(|(at, _)| self.asked.id(*at).clone()).collect();
        let divided = match S::divide(returned, &ids) {
            Ok(divided) => divided,
            Err(DivisionError::Failed(failed)) => {
                of.into_iter().filter_map(|(_, begun)| begun).for_each(|begun| {
                    begun.loaded(false);
                    begun.failed();
                });
                self.release();
                return Some(failed);
            }
            Err(DivisionError::Misfit(returned, values)) => return self.misfit(of, returned, values),
        };
        note(&of, &divided);
        let unattributed = pack::<S>(&of, &self.passage, policy, &divided).map(Arc::new);
        let Division { parts, strangers } = divided;
        self.strangers.extend(strangers);
        let mut closings = Vec::new();
        for ((at, begun), part) in of.into_iter().zip(parts) {
            if let Some(begun) = begun {
                begun.loaded(true);
                match &part {
                    Part::Value(value) => closings.extend(share(begun, policy, Some(value))),
                    Part::Absent => closings.extend(share(begun, policy, None)),
                    Part::Unknown => begun.unattributed(unattributed.clone()),
                }
            }
            self.values[at] = Value::Known(part.value());
        }
        self.release();
        if let Some(engine) = &self.engine {
            Fill::start_all(engine, closings, renewal);
        }
        None
    }

    /// Handles a return value whose elements cannot be assigned to ids: nothing is stored, and the call returns what
    /// the body returns for all of its ids. If the body was given only some of them, it runs once more, without the
    /// cache.
    fn misfit(
        &mut self,
        of: Vec<(usize, Option<ActiveLoad>)>,
        returned: S::Return,
        values: usize,
    ) -> Option<S::Return> {
        let is_all = of.len() == self.asked.ids.len();
        if let Some(site) = of.iter().find_map(|(_, begun)| Some(begun.as_ref()?.site())) {
            site.note(Cause::Misfit, || Some(format!("{values} values for {} ids", of.len())));
        }
        for begun in of.into_iter().filter_map(|(_, begun)| begun) {
            begun.loaded(true);
            // Calls that wait for it load it themselves.
            begun.unattributed(None);
        }
        self.release();
        if is_all {
            return Some(returned);
        }
        (self.engine, self.misses) = (None, None);
        self.permitted.clear();
        None
    }

    /// Releases unused leases now and not when the batch ends.
    fn release(&self) {
        if let Some(misses) = &self.misses {
            misses.releases.start();
        }
    }

    fn collect(&mut self) -> S::Return {
        let known = |value| match value {
            Value::Known(value) => value,
            // There is none left.
            Value::Open => None,
        };
        let values = std::mem::take(&mut self.values).into_iter().map(known).collect();
        S::collect(&self.asked, values, std::mem::take(&mut self.strangers))
    }
}

/// Logs once for the site that its body returned entries that cannot be attributed.
fn note<Id, T>(of: &[(usize, Option<ActiveLoad>)], divided: &Division<Id, T>) {
    if !divided.is_unattributed() {
        return;
    }
    if let Some(site) = of.iter().find_map(|(_, begun)| Some(begun.as_ref()?.site())) {
        site.note(Cause::Strangers, || {
            let unknown = divided.parts.iter().filter(|part| matches!(part, Part::Unknown)).count();
            let (ids, strangers) = (of.len(), divided.strangers.len());
            Some(format!("{unknown} of {ids} ids without an entry, {strangers} entries under other ids"))
        });
    }
}

/// The running body of a batch. Boxed, because the user's future may be large.
#[derive(Debug)]
pub struct Running<'a, F> {
    body: Pin<Box<F>>,
    /// The call was asked for its entries; while this thread asks, the body does not run.
    is_asked: bool,
    loading: Option<Arc<Loading>>,
    pulse: Option<Arc<Pulse>>,
    misses: Option<&'a mut MissedCalls>,
    /// Taken when the body turns out to take time: from then on its leases are renewed.
    to_renew: Option<(&'a mut BatchLoad, &'a Arc<Engine>)>,
}

impl<F: Future> Future for Running<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Self { body, is_asked, loading, pulse, misses, to_renew } = &mut *self;
        if *is_asked && asking::is_on() {
            return Poll::Pending;
        }
        let pulse = pulse.as_ref();
        pulse::poll(pulse, context, |context| {
            let uncontrolled = control::begin_body();
            let inside = nesting::enter(loading);
            let polled = body.as_mut().poll(context);
            drop(inside);
            drop(uncontrolled);
            if polled.is_pending() {
                if let Some((load, engine)) = to_renew.take() {
                    load.renew_leases(engine, pulse);
                }
                if let Some(misses) = misses {
                    misses.poll(context);
                }
            }
            polled
        })
    }
}

impl BatchLoad {
    fn renew_leases(&mut self, engine: &Engine, pulse: Option<&Arc<Pulse>>) {
        let leases: Vec<_> = self.of.iter().filter_map(|(_, begun)| begun.as_ref()?.to_renew()).collect();
        if !leases.is_empty() {
            let (store, time) = (Arc::clone(engine.store.off_path()), engine.settings.lease_ttl);
            self.renewal = Some(Renewal::start(store, leases, time, time, pulse.cloned()));
        }
    }
}

impl fmt::Debug for BatchLoad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchLoad").field("ids", &self.of.len()).finish_non_exhaustive()
    }
}
