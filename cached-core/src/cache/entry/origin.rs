//! An entry's origin is what it is made from: the call of an annotated function, or a key by hand with its options. The
//! origin's type says how values are kept near and whether loads are tasks.

use crate::engine::call::spawn::Returns;
use crate::engine::call::{Call, Load, TypedCall};
use crate::engine::handle::Cache;
use crate::engine::policy::Policy;
use crate::engine::{Engine, SiteRef, Target, control};
use crate::error::CacheError;
use crate::hand;
use crate::invalidation::Invalidation;
use crate::key::{Key, Unrenderable};
use crate::near::keep::{Keep, KeepBoth, Unkept};
use crate::outcome::{CacheValue, NoError, Shape};
use crate::site::by_hand::HandOptions;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

/// The type of an entry by hand of which nothing has named the type yet: its verbs find it out.
///
/// ```
/// use cached_core::{ByHand, Cache, Entry, Untyped};
///
/// let entry: Entry<Untyped, ByHand> = Cache::memory().entry("user:42");
/// let entry: Entry<String, ByHand> = entry.cache_if(|user: &String| !user.is_empty());
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Untyped(());

/// Whether an entry can hold values of type `V`: any type if it is [`Untyped`], else its own.
#[diagnostic::on_unimplemented(
    message = "this entry holds values of type `{Self}`, not `{V}`",
    label = "the type was fixed before, by the call or by an option with a closure"
)]
pub trait Holds<V>: Sized {
    /// The policy, for values of that type.
    #[doc(hidden)]
    fn policy(policy: &Arc<Policy<Self>>) -> Arc<Policy<V>>;
}

impl<V> Holds<V> for Untyped {
    fn policy(policy: &Arc<Policy<Self>>) -> Arc<Policy<V>> {
        Arc::new(policy.of_type())
    }
}

#[diagnostic::do_not_recommend]
impl<V: CacheValue> Holds<V> for V {
    fn policy(policy: &Arc<Policy<V>>) -> Arc<Policy<V>> {
        Arc::clone(policy)
    }
}

/// The entry is that of a call, made by [`entry!`](crate::entry).
#[derive(Debug, Clone)]
pub struct OfCall {
    pub(super) target: Target,
}

/// The entry is one by hand, made by [`Cache::entry`](crate::Cache::entry). `K` says whether the near cache keeps its
/// values ([`near`](crate::Entry::near)), `R` whether its loads are tasks ([`spawn`](crate::Entry::spawn)).
pub struct ByHand<K = Unkept, R = InCall> {
    pub(super) hand: Hand,
    types: PhantomData<fn() -> (K, R)>,
}

/// A key by hand with its options.
#[derive(Debug, Clone)]
pub(super) struct Hand {
    pub(super) engine: Arc<Engine>,
    key: Key,
    pub(super) options: HandOptions,
    pub(super) depends_on: Invalidation,
}

impl<K, R> Clone for ByHand<K, R> {
    fn clone(&self) -> Self {
        Self { hand: self.hand.clone(), types: PhantomData }
    }
}

impl<K, R> fmt::Debug for ByHand<K, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.hand.fmt(f)
    }
}

impl ByHand {
    pub(super) fn of(cache: &Cache, key: &str) -> Self {
        let engine = Arc::clone(cache.engine());
        let key = engine.settings.prefix.literal(key);
        let hand = Hand { engine, key, options: HandOptions::default(), depends_on: Invalidation::new() };
        Self { hand, types: PhantomData }
    }
}

impl<K, R> ByHand<K, R> {
    /// Sets an option.
    pub(super) fn option(&mut self, set: impl FnOnce(&mut HandOptions)) {
        set(&mut self.hand.options);
    }

    /// Adds what the entry depends on.
    pub(super) fn dependency(&mut self, add: impl FnOnce(Invalidation) -> Invalidation) {
        let depends_on = &mut self.hand.depends_on;
        *depends_on = add(std::mem::take(depends_on));
    }

    /// The same with other types.
    pub(super) fn retyped<K2, R2>(self) -> ByHand<K2, R2> {
        ByHand { hand: self.hand, types: PhantomData }
    }
}

impl Hand {
    pub(super) fn text(&self) -> &str {
        self.engine.settings.prefix.text_of(&self.key)
    }

    /// The call of the key `key` with these options.
    pub(super) fn call(&self, key: Key) -> Call {
        hand::uses(hand::Kind::Key, self.engine.settings.prefix.text_of(&key));
        let call = Call::of(Arc::clone(&self.engine), self.engine.site_by_hand(&self.options), Ok(key), "");
        let tags = self.depends_on.tag_registers(&self.engine.settings.prefix);
        tags.into_iter().fold(call, |call, tag| call.tagged(|_| tag))
    }

    /// # Errors
    /// The tag or the event that cannot be rendered.
    fn target<V: CacheValue>(&self) -> Result<Target, NoTarget> {
        hand::uses(hand::Kind::Key, self.text());
        let site = self.engine.site_by_hand(&self.options);
        let tags = self.depends_on.tag_registers(&self.engine.settings.prefix);
        let tags: Vec<Key> = match tags.into_iter().collect() {
            Ok(tags) => tags,
            Err(argument) => return Err(NoTarget { site, argument }),
        };
        Ok(self.engine.target_at::<V>(site, Key::clone(&self.key)).with_tags(tags.into_iter()))
    }
}

/// An entry without a target, because a tag or an event of it cannot be rendered.
#[derive(Debug)]
pub struct NoTarget {
    pub(super) site: SiteRef,
    pub(super) argument: Unrenderable,
}

/// What an entry is made from. Only [`OfCall`] and [`ByHand`] are.
pub trait Origin: sealed::Origin {}

impl Origin for OfCall {}
impl<K: Default + 'static, R: 'static> Origin for ByHand<K, R> {}

pub(crate) mod sealed {
    use crate::cache::entry::origin::NoTarget;
    use crate::engine::call::TypedCall;
    use crate::engine::{Engine, Target};
    use crate::error::CacheError;
    use crate::invalidation::Invalidation;
    use crate::key::Key;
    use crate::near::keep::Keep;
    use crate::outcome::{CacheValue, Shape};
    use std::sync::Arc;

    /// What the verbs need of an origin.
    pub trait Origin: Clone + Send + Sync + 'static {
        /// How the near cache keeps values.
        type Keep: Default;
        /// How loads run.
        type Run;
        /// Whether the near cache is asked.
        const IS_NEAR: bool;

        #[doc(hidden)]
        fn engine(&self) -> &Arc<Engine>;

        #[doc(hidden)]
        fn key(&self) -> &Key;

        /// Its target, of which the type is set.
        ///
        /// # Errors
        /// What cannot be rendered.
        #[doc(hidden)]
        fn target<V: CacheValue>(&self) -> Result<Target, NoTarget>;

        /// Begins a call.
        ///
        /// # Errors
        /// None: an `Err` is the call that the near cache did not answer.
        #[doc(hidden)]
        fn call<S: Shape>(&self, shape: S) -> Result<S::Return, TypedCall>
        where
            Self::Keep: Keep<S::Item>;

        /// Checks that the key is no pattern.
        ///
        /// # Errors
        /// It is one.
        #[doc(hidden)]
        fn is_name(&self) -> Result<(), CacheError>;

        /// Notes that the key is invalidated.
        #[doc(hidden)]
        fn invalidates(&self);

        /// Adds the entry to an invalidation.
        #[doc(hidden)]
        fn add_to(&self, what: Invalidation) -> Invalidation;
    }
}

impl sealed::Origin for OfCall {
    // The function may keep values in another way, so its near cache is not asked.
    type Keep = Unkept;
    type Run = InCall;
    const IS_NEAR: bool = false;

    fn engine(&self) -> &Arc<Engine> {
        self.target.engine()
    }

    fn key(&self) -> &Key {
        self.target.key()
    }

    fn target<V: CacheValue>(&self) -> Result<Target, NoTarget> {
        Ok(self.target.clone())
    }

    fn call<S: Shape>(&self, _: S) -> Result<S::Return, TypedCall> {
        let call = TypedCall::of_target(self.target.clone().without_errors());
        Err(if control::is_on() { call.controlled::<S>().on_tokio() } else { call.on_tokio() })
    }

    fn is_name(&self) -> Result<(), CacheError> {
        Ok(())
    }

    fn invalidates(&self) {}

    fn add_to(&self, what: Invalidation) -> Invalidation {
        what.by_text(self.engine().settings.prefix.text_of(self.key()))
    }
}

impl<K: Default + 'static, R: 'static> sealed::Origin for ByHand<K, R> {
    type Keep = K;
    type Run = R;
    const IS_NEAR: bool = true;

    fn engine(&self) -> &Arc<Engine> {
        &self.hand.engine
    }

    fn key(&self) -> &Key {
        &self.hand.key
    }

    fn target<V: CacheValue>(&self) -> Result<Target, NoTarget> {
        self.hand.target::<V>()
    }

    fn call<S: Shape>(&self, shape: S) -> Result<S::Return, TypedCall>
    where
        K: Keep<S::Item>,
    {
        self.hand.call(Key::clone(&self.hand.key)).near(shape, KeepBoth(K::default(), Unkept))
    }

    fn is_name(&self) -> Result<(), CacheError> {
        hand::is_name(hand::Kind::Key, self.hand.text())
    }

    fn invalidates(&self) {
        hand::invalidates(hand::Kind::Key, self.hand.text(), &self.hand.engine.settings.prefix);
    }

    fn add_to(&self, what: Invalidation) -> Invalidation {
        what.key(self.hand.text())
    }
}

/// Loads run in the call.
#[derive(Debug, Clone, Copy)]
pub struct InCall;

/// Loads run as tasks: [`spawn`](crate::Entry::spawn), or
/// [`refresh_in_background`](crate::Entry::refresh_in_background).
#[derive(Debug, Clone, Copy)]
pub struct AsTask;

/// Whether a load can run as the entry's options say.
#[diagnostic::on_unimplemented(
    message = "this load cannot be a task",
    label = "needs `Send + 'static`, and so does what it returns, its error included",
    note = "`.spawn()` and `.refresh_in_background()` run the load as a task of its own, which may outlive the call and \
            run on another thread: write `move`, and give it owned values instead of borrowed ones",
    note = "or remove `.spawn()` and `.refresh_in_background()`"
)]
pub trait Runs<S: Shape<Error = NoError>, F>: Sized {
    /// Whether it runs as a task.
    const IS_TASK: bool;

    /// Runs the load as a task and settles it.
    ///
    /// # Errors
    /// None: an `Err` gives the load back, because it runs in the call.
    // Not an `async fn`: whether its future is `Send` would depend on this trait, and rustc cannot prove that for errors
    // with a lifetime, such as `&'static str`.
    #[doc(hidden)]
    fn task(load: Load, shape: S, policy: &Policy<S::Item>, body: F) -> Result<Task<S::Return>, (Load, F)>;
}

type Task<R> = Pin<Box<dyn Future<Output = R> + Send>>;

impl<S: Shape<Error = NoError>, F: Future<Output = S::Return>> Runs<S, F> for InCall {
    const IS_TASK: bool = false;

    fn task(load: Load, _: S, _: &Policy<S::Item>, body: F) -> Result<Task<S::Return>, (Load, F)> {
        Err((load, body))
    }
}

#[diagnostic::do_not_recommend]
impl<S, F> Runs<S, F> for AsTask
where
    S: Shape<Return: Returns, Error = NoError> + Send + 'static,
    F: Future<Output = S::Return> + Send + 'static,
{
    const IS_TASK: bool = true;

    fn task(load: Load, shape: S, policy: &Policy<S::Item>, body: F) -> Result<Task<S::Return>, (Load, F)> {
        Ok(Box::pin(load.detach(shape, policy.clone(), body)))
    }
}
