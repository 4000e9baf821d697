//! The generic shell around the engine. It is compiled once per return type, and [`Running`] once per cached function.

pub(crate) mod near;
pub(crate) mod spawn;

use super::control::{self, Mode};
use super::health::is_on_tokio;
use super::load::fill::Fill;
use super::load::running::Running;
use super::load::{ActiveLoad, EncodedValue, LoadPermit, Next};
use super::miss::MissedCall;
use super::nesting::Loading;
use super::policy::Policy;
use super::read::{Hit, Miss};
use super::target::Target;
use super::{Engine, SiteRef, SiteState, asking, forced, record};
use crate::envelope::{Content, Entry};
use crate::error::EntryError;
use crate::flight::pulse::Pulse;
use crate::key::{Key, Prefix, Unrenderable};
use crate::near::keep::{Keep, Keeps, Unkept};
use crate::near::slot::Slot;
use crate::near::{CachedNone, KeptError, KeptValue};
use crate::outcome::{CacheValue, Loaded, Shape, Stored};
use crate::reason::{MissReason, UnstoredReason};
use crate::site::Site;
use crate::ttl::Lifetime;
use crate::user_code::UserCode;
use std::any::type_name;
use std::sync::Arc;

/// One call, which has a target or runs uncached.
#[derive(Debug)]
pub struct Call {
    pub(super) target: Option<Target>,
    pub(super) path: &'static str,
}

impl Call {
    /// `key`: the key, or the argument that cannot be rendered.
    pub(crate) fn of(engine: Arc<Engine>, site: SiteRef, key: Result<Key, Unrenderable>, path: &'static str) -> Self {
        let target = match key {
            Err(argument) => {
                cannot_be_rendered(&site, argument);
                None
            }
            // The engine needs timers and tasks.
            Ok(key) if !is_on_tokio() && !asking::is_on() => {
                site.runs_uncached(Some(&key), MissReason::NoRuntime);
                None
            }
            // The fingerprint depends on the type, which is known only later.
            Ok(key) => Some(Target { engine, site, key, fingerprint: 0, left: None, tagged: None }),
        };
        Self { target, path }
    }

    /// Makes the entry depend on one more register.
    pub(crate) fn tagged(mut self, render: impl FnOnce(&Prefix) -> Result<Key, Unrenderable>) -> Self {
        let Some(mut target) = self.target.take() else { return self };
        match render(&target.engine.settings.prefix) {
            Ok(tag) => {
                target.depends_on(tag);
                self.target = Some(target);
            }
            Err(argument) => cannot_be_rendered(&target.site, argument),
        }
        self
    }

    /// The call, now that the type of its values is known.
    pub(crate) fn typed<S: Shape>(self, shape: S) -> TypedCall {
        let Self { mut target, path } = self;
        if let Some(target) = &mut target {
            target.set_type(shape, path);
        }
        TypedCall { target }
    }

    /// A call without a cache.
    pub(crate) fn without_cache(site: &'static Site) -> Self {
        if !asking::refuse(|| EntryError::NoCache { function: site.path() }) {
            record::note(|record| record.runs_uncached(site.names(), None, None));
        }
        Self { target: None, path: "" }
    }
}

/// Reports an argument that cannot be rendered: the function runs uncached.
#[cold]
fn cannot_be_rendered(site: &SiteState, argument: Unrenderable) {
    if !asking::refuse(|| EntryError::Key { function: site.site.path(), argument }) {
        site.note_unrenderable(argument);
        site.runs_uncached(None, MissReason::Key);
    }
}

/// A call whose values' type is known. It no longer needs the function's path, which only the fingerprint is made of.
#[derive(Debug)]
pub struct TypedCall {
    /// `None`: uncached.
    pub(super) target: Option<Target>,
}

impl TypedCall {
    /// The call of an entry, whose values' type is known.
    pub(crate) fn of_target(target: Target) -> Self {
        Self { target: Some(target) }
    }

    /// The same call, which runs uncached if there is no runtime here.
    pub(crate) fn on_tokio(mut self) -> Self {
        if let Some(target) = self.target.take_if(|_| !is_on_tokio()) {
            target.site.runs_uncached(Some(&target.key), MissReason::NoRuntime);
        }
        self
    }

    /// Makes the call in the mode of this thread, which is not the plain one.
    #[cold]
    pub(crate) fn controlled<S: Shape>(self) -> Self {
        match control::mode() {
            Mode::Plain => self,
            Mode::Asking => self.asked::<S>(),
            Mode::Bypass => self.bypassed(),
            Mode::Refresh => self.forced(),
        }
    }

    /// The call, loading and storing though there is a value.
    fn forced(mut self) -> Self {
        if let (Some(target), Some(call)) = (&mut self.target, forced::current()) {
            target.force(call);
        }
        self
    }

    /// The call without its entry: its body runs, and that is all.
    fn bypassed(mut self) -> Self {
        // Without a target, the reason has been counted already.
        if let Some(target) = self.target.take() {
            target.bypassed();
        }
        self
    }

    /// Answers with the description of the call.
    fn asked<S: Shape>(mut self) -> Self {
        // Without a target, the reason has been answered already.
        if let Some(target) = self.target.take() {
            let function = target.site.site.path();
            let holds = type_name::<S::Item>();
            asking::answer(Ok(asking::CallDescription {
                function,
                targets: vec![target],
                is_batch: false,
                holds,
                policy: None,
            }));
        }
        self
    }
}

/// Finds the call's value in the store, or with another call of this process. If there is none, the caller loads it.
///
/// # Errors
/// None: an `Err` is the load to run.
///
/// This is not an `async fn`, which would hold its arguments twice. Everything large is boxed, and only when it is
/// needed, so that a cached function's future is hardly larger than its arguments.
#[expect(clippy::manual_async_fn, reason = "see above")]
pub fn read<S: Shape, K: Keeps<S>>(call: TypedCall, _: S, _: K) -> impl Future<Output = Result<S::Return, Load>> {
    async move {
        let TypedCall { target: Some(mut target) } = call else { return Err(Load::uncached()) };
        // Nothing that was found is held across an `await`, because every call's future would have room for it.
        let miss = match target.first_read().await {
            Ok(Hit { entry, slot, due: None }) => match decode::<S, K::Values, K::Errors>(&target, &entry, slot) {
                Ok(value) => return Ok(value),
                Err(reason) => Ok(Box::new(target.rejects(&entry, reason))),
            },
            Ok(Hit { entry, due: Some(due), .. }) => Err(Box::new((entry, due))),
            Err(miss) => Ok(Box::new(miss)),
        };
        let miss = match miss {
            Ok(miss) => *miss,
            Err(found) => match Box::pin(refresh::<S>(&target, found.0, found.1)).await {
                Ok(value) => return Ok(value),
                Err(AfterRefresh::Load(load)) => return Err(load),
                Err(AfterRefresh::Miss(miss)) => miss,
            },
        };
        let mut missed = Box::new(MissedCall::new(target, miss));
        loop {
            match Box::pin(missed.next()).await {
                Next::Serve(entry) => match decode::<S, K::Values, K::Errors>(&missed.target, &entry, None) {
                    Ok(value) => return Ok(value),
                    Err(reason) => missed.reject(&entry, reason),
                },
                Next::Load(permit) => return Err(Load::permitted(*permit)),
                Next::Unattributed(_) => {}
            }
        }
    }
}

/// A load that has begun. The caller runs and then settles it; a load that is dropped earlier leaves nothing behind.
#[derive(Debug)]
pub struct Load {
    /// `None` if the call runs uncached.
    pub(super) begun: Option<Box<ActiveLoad>>,
    loading: Option<Arc<Loading>>,
    /// Shows those who wait for the load whether it is polled.
    pulse: Option<Arc<Pulse>>,
}

impl Load {
    fn uncached() -> Self {
        Self { begun: None, loading: None, pulse: None }
    }

    fn permitted(permit: LoadPermit) -> Self {
        Self::begun(permit.begin())
    }

    pub(super) fn begun(begun: ActiveLoad) -> Self {
        let begun = Box::new(begun);
        Self { loading: Some(begun.loading()), pulse: begun.pulse(), begun: Some(begun) }
    }

    /// Makes a refresh in the background one that this call makes itself, for callers whose load cannot be a task.
    ///
    /// # Errors
    /// None: an `Err` is the value that there is, because another process refreshes it.
    pub(crate) async fn in_foreground<S: Shape>(self) -> Result<Self, S::Return> {
        let begun = match self.begun {
            Some(begun) if begun.is_claimed() => *begun,
            begun => return Ok(Self { begun, ..self }),
        };
        let (target, old) = (begun.target().clone(), begun.fallback().cloned());
        if let Some(begun) = begun.granted().await {
            target.site.counters.loads.one();
            return Ok(Self::begun(begun));
        }
        if let Some((value, entry)) = old.and_then(|entry| Some((fallback::<S>(&target.site, &entry)?, entry))) {
            target.served(&entry);
            return Err(value);
        }
        target.site.runs_uncached(Some(&target.key), MissReason::Payload);
        Ok(Self::uncached())
    }

    /// Runs the function's body as a load, which calls from inside of it can see. The body of a call that is asked for
    /// its entry does not run.
    pub fn run<T: 'static, E, F: Future>(&mut self, policy: &Policy<T, E>, body: F) -> Running<'_, F> {
        let (loading, pulse) = (self.loading.take(), self.pulse.take());
        let is_asked = self.begun.is_none() && asking::answers(policy);
        Running { body: Box::pin(body), is_load: true, is_asked, loading, pulse, to_keep: self.begun.as_deref_mut() }
    }

    /// Shares what the body returned, stores it in the background, and returns it. If the body has failed, its fallback
    /// is returned instead, where there is one.
    pub fn settle<S: Shape>(self, _: S, policy: &Policy<S::Item, S::Error>, returned: S::Return) -> S::Return {
        let fallback = self.begun.and_then(|begun| settle::<S>(*begun, policy, &returned));
        fallback.unwrap_or(returned)
    }
}

pub(super) fn decode<S: Shape, K: Keep<S::Item>, E: Keep<S::Error>>(
    target: &Target,
    entry: &Entry,
    slot: Option<Box<Slot>>,
) -> Result<S::Return, MissReason> {
    let stored = stored::<S>(&target.site, entry)?;
    if let Some(slot) = slot {
        let kept = match &stored {
            Stored::None => Some(Arc::new(CachedNone) as KeptValue),
            Stored::Some(item) => kept::<S::Item, K>(target, item),
            Stored::Err(error) => kept::<S::Error, E>(target, error).map(|kept| Arc::new(KeptError(kept)) as KeptValue),
        };
        if let Some(kept) = kept {
            slot.keep(kept);
        }
    }
    let value = S::rebuild(stored).ok_or(MissReason::Type)?;
    target.served(entry);
    Ok(value)
}

/// The value in the form in which the near cache keeps it.
fn kept<T, K: Keep<T>>(target: &Target, item: &T) -> Option<KeptValue> {
    let kept = target.site.caught::<T, _>(UserCode::Clone, || K::keep(item));
    kept.unwrap_or_else(|| {
        target.unstored(UnstoredReason::Panicked);
        None
    })
}

/// What an entry has stored, decoded.
fn stored<S: Shape>(site: &SiteState, entry: &Entry) -> Result<Stored<S::Item, S::Error>, MissReason> {
    match entry.content() {
        Content::None => Ok(Stored::None),
        Content::Value(payload) => decoded(site, payload).map(Stored::Some),
        Content::Error(payload) if S::STORES_ERRORS => decoded(site, payload).map(Stored::Err),
        Content::Error(_) => Err(MissReason::Type),
    }
}

/// The value of an entry; `None` if the entry is a cached `None`.
pub(crate) fn item<T: CacheValue>(site: &SiteState, entry: &Entry) -> Result<Option<T>, MissReason> {
    match entry.content() {
        Content::None => Ok(None),
        Content::Value(payload) => decoded(site, payload).map(Some),
        Content::Error(_) => Err(MissReason::Type),
    }
}

fn decoded<T: CacheValue>(site: &SiteState, payload: &[u8]) -> Result<T, MissReason> {
    match site.caught::<T, _>(UserCode::Deserialize, || site.codec.decode(payload)) {
        Some(decoded) => decoded.map_err(|_| MissReason::Payload),
        None => Err(MissReason::Panicked),
    }
}

/// The return value that a fallback makes.
pub(super) fn fallback<S: Shape>(site: &SiteState, entry: &Entry) -> Option<S::Return> {
    S::rebuild(stored::<S>(site, entry).ok()?)
}

/// The next step of a call that does not return the value that it wanted to refresh.
enum AfterRefresh {
    Load(Load),
    /// The value is unusable.
    Miss(Miss),
}

/// Begins a refresh of `entry`, or returns its value if this call is not the one to refresh it.
async fn refresh<S: Shape>(
    target: &Target,
    entry: Entry,
    due: Box<super::refresh::due::DueRefresh>,
) -> Result<S::Return, AfterRefresh> {
    // Checks that the value can be served if the refresh fails. It is not kept, because the call's future would hold
    // it.
    let readable = stored::<S>(&target.site, &entry).and_then(|stored| S::rebuild(stored).ok_or(MissReason::Payload));
    if let Err(reason) = readable.map(drop) {
        return Err(AfterRefresh::Miss(target.rejects(&entry, reason)));
    }
    match target.refresh(entry, *due).await {
        Ok(permit) => Err(AfterRefresh::Load(Load::permitted(permit))),
        Err(entry) => decode::<S, Unkept, Unkept>(target, &entry, None)
            .map_err(|reason| AfterRefresh::Miss(target.rejects(&entry, reason))),
    }
}

/// Shares and stores the value of a load. Returns the fallback if the load has failed and there is one.
fn settle<S: Shape>(begun: ActiveLoad, policy: &Policy<S::Item, S::Error>, returned: &S::Return) -> Option<S::Return> {
    let value = match S::inspect(returned) {
        Loaded::Some(value) => Some(value),
        Loaded::None => None,
        Loaded::Err(error) if policy.is_answer(error, begun.target()) => {
            begun.loaded(true);
            settle_error(begun, policy, error);
            return None;
        }
        Loaded::Err(_) | Loaded::Failed => {
            begun.loaded(false);
            let served = begun.fallback().and_then(|entry| {
                let value = fallback::<S>(begun.site(), entry)?;
                begun.target().falls_back(entry);
                Some(value)
            });
            begun.failed();
            return served;
        }
    };
    begun.loaded(true);
    settle_value(begun, policy, value);
    None
}

/// A `value` of `None` is the `None` of an optional return type.
fn settle_value<T: CacheValue, E>(begun: ActiveLoad, policy: &Policy<T, E>, value: Option<&T>) {
    if let Some(fill) = share(begun, policy, value) {
        fill.start();
    }
}

/// Shares and stores an error that is an answer. Closures of the value are not asked, as for a `None`.
fn settle_error<T, E: CacheValue>(begun: ActiveLoad, policy: &Policy<T, E>, error: &E) {
    let site = begun.site();
    if !begun.is_wanted() {
        begun.target().unstored(UnstoredReason::NoLease);
        return;
    }
    let (payload, ttl) = match policy.error_payload(error, site, &begun.engine().settings) {
        Ok(encoded) => encoded,
        Err(reason) => {
            begun.unencoded(reason);
            return;
        }
    };
    if let Some(fill) = begun.share(EncodedValue { content: Content::Error(payload), ttl, names: Vec::new() }) {
        fill.start();
    }
}

/// Shares the value with those who wait for it. Returns the fill to run in the background.
pub(super) fn share<T: CacheValue, E>(begun: ActiveLoad, policy: &Policy<T, E>, value: Option<&T>) -> Option<Fill> {
    let site = begun.site();
    if !begun.is_wanted() {
        begun.target().unstored(UnstoredReason::NoLease);
        return None;
    }
    let Some(value) = value else {
        let ttl = site.none_ttl.map(Lifetime::About).ok_or(UnstoredReason::Policy);
        return begun.share(EncodedValue { content: Content::None, ttl, names: Vec::new() });
    };
    let (payload, ttl) = match policy.payload(value, site, &begun.engine().settings) {
        Ok(encoded) => encoded,
        Err(reason) => {
            begun.unencoded(reason);
            return None;
        }
    };
    let content = Content::Value(payload);
    let storable = match policy.names(value, site) {
        Ok(names) => EncodedValue { content, ttl, names },
        Err(reason) => EncodedValue { content, ttl: ttl.and(Err(reason)), names: Vec::new() },
    };
    begun.share(storable)
}
