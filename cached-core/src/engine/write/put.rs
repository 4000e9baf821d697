//! Put: what a write returns is stored, unless another write has overlapped it.
//!
//! A token in the entry's register shows whether one has: BEGIN puts it there if nobody else is writing, and anything
//! that another write does to the register removes it. Tags that the entry depends on and that this write invalidates
//! itself have a token as well, and get a new stamp together with the entry. The stamps of all other tags are read
//! before the write begins.

use super::bracket::{Bracket, FailedBegin};
use super::scope::Scope;
use crate::engine::budget::Budget;
use crate::engine::gate;
use crate::engine::load::running::Running;
use crate::engine::policy::Policy;
use crate::engine::target::Target;
use crate::envelope::tags::MAX_TAGS;
use crate::envelope::{Content, Head};
use crate::key::Key;
use crate::lease::random_id;
use crate::outcome::{Loaded, Shape};
use crate::reason::UnstoredReason;
use crate::store::{TagAll, Written};
use crate::ttl::Lifetime;
use bytes::Bytes;
use futures_util::future::join;
use std::time::Duration;

/// A write in progress whose value is to be stored.
#[derive(Debug)]
pub struct Put {
    bracket: Bracket,
    /// `None` if the value is not to be stored.
    draft: Option<PutDraft>,
}

#[derive(Debug)]
struct PutDraft {
    target: Target,
    /// The registers that the write invalidates itself.
    own: Vec<Key>,
    /// The stamp of each of [`Target::load_tags`] before the write; `None` for those that the write invalidates itself.
    stamps: Vec<Option<Head>>,
}

/// A value to store.
struct PutValue {
    /// `None` if the value is a `None`.
    payload: Option<Vec<u8>>,
    ttl: Lifetime,
    value_tags: Vec<Key>,
}

impl Put {
    pub(crate) fn none() -> Self {
        Self { bracket: Bracket::none(), draft: None }
    }

    /// A write that invalidates, and stores nothing.
    pub(super) fn without_entry(bracket: Bracket) -> Self {
        Self { bracket, draft: None }
    }

    /// A write that removes the entry instead of storing it, because its BEGIN has failed.
    pub(crate) fn removal_only(bracket: Bracket, target: &Target) -> Self {
        target.unstored(UnstoredReason::NoLease);
        Self { bracket, draft: None }
    }

    /// Begins the write and, side by side, reads the stamps of the tags that the write does not invalidate itself.
    pub(crate) async fn begin(mut scope: Scope, target: Target) -> Result<Self, (FailedBegin, Target)> {
        scope.registers.key(Key::clone(&target.key));
        let own = scope.keys().to_vec();
        let tags = target.load_tags();
        let others: Vec<Key> = tags.iter().filter(|tag| !own.contains(tag)).cloned().collect();
        let (engine, fresh) = (scope.engine.clone(), random_id().map(Head::value));
        let mut budget = engine.budget();
        let read = async {
            match fresh {
                Some(_) if others.is_empty() => Some(Vec::new()),
                Some(fresh) => {
                    let time = target.site.tag_time;
                    budget
                        .step(&engine, |store, within| gate::tag(store, TagAll::new(&others, fresh, time, within)))
                        .await
                        .ok()
                        .flatten()
                }
                None => None,
            }
        };
        let (begun, read) = Box::pin(join(Bracket::begin(scope, true), read)).await;
        let mut bracket = match begun {
            Ok(bracket) => bracket,
            Err(failed) => return Err((failed, target)),
        };
        if let Some(of_bracket) = bracket.budget() {
            of_bracket.alongside(budget);
        }
        let Some(read) = read else {
            target.unstored(UnstoredReason::Tags);
            return Ok(Self { bracket, draft: None });
        };
        let mut read = read.into_iter();
        let stamps = tags.iter().map(|tag| if own.contains(tag) { None } else { read.next() }).collect();
        Ok(Self { bracket, draft: Some(PutDraft { target, own, stamps }) })
    }

    /// Runs the function's body. Calls from inside of it can see that its value is to be stored.
    pub fn run<F: Future>(&self, body: F) -> Running<'static, F> {
        Running::storing(self.draft.as_ref().map(|draft| draft.target.engine.id), body)
    }

    /// Ends the write and stores the returned value.
    pub async fn settle<S: Shape>(self, _: S, policy: &Policy<S::Item, S::Error>, returned: S::Return) -> S::Return {
        let Self { bracket, draft } = self;
        let value = draft.as_ref().and_then(|draft| draft.encode::<S>(policy, &returned));
        // Only the encoded value is held while the store is waited for, and no reference to the returned one.
        match (draft, value) {
            (Some(draft), Some(value)) => Box::pin(draft.put(bracket, value)).await,
            _ => bracket.end().await,
        }
        returned
    }
}

impl PutDraft {
    /// Encodes what is to be stored of the returned value.
    fn encode<S: Shape>(&self, policy: &Policy<S::Item, S::Error>, returned: &S::Return) -> Option<PutValue> {
        let site = &self.target.site;
        let value = match S::inspect(returned) {
            Loaded::Some(value) => value,
            Loaded::None => {
                return site.none_ttl.map(|ttl| PutValue {
                    payload: None,
                    ttl: Lifetime::About(ttl),
                    value_tags: Vec::new(),
                });
            }
            Loaded::Err(_) | Loaded::Failed => return None,
        };
        let encoded = policy.encoded(value, site, &self.target.engine.settings);
        encoded
            .and_then(|(payload, ttl)| {
                let prefix = &self.target.engine.settings.prefix;
                let names = policy.names(value, site)?;
                if names.len() > MAX_TAGS {
                    return Err(UnstoredReason::TooManyTags);
                }
                let value_tags: Option<Vec<Key>> = names.iter().map(|tag| tag.register(prefix)).collect();
                let value_tags = value_tags.ok_or(UnstoredReason::Tags)?;
                Ok(PutValue { payload: Some(payload), ttl, value_tags })
            })
            .map_err(|reason| self.target.unstored(reason))
            .ok()
    }

    async fn put(self, mut bracket: Bracket, value: PutValue) {
        let target = self.target.clone();
        let stamps = match bracket.budget() {
            Some(budget) => self.value_stamps(&value, budget).await,
            None => None,
        };
        let (Some(stamps), Some(fresh)) = (stamps, random_id().map(Head::value)) else {
            target.unstored(UnstoredReason::Tags);
            return bracket.end().await;
        };
        let mut size = 0;
        let (_, was_put) = bracket
            .end_with(|writer| {
                let (register, ttl) = self.register(&value, stamps, writer, fresh);
                size = register.len() as u64;
                self.written(register, ttl, fresh)
            })
            .await;
        if was_put {
            target.stored(size);
        } else {
            target.unstored(UnstoredReason::LeaseLost);
        }
    }

    /// The stamps of the value tags. `None` if a tag that the entry depends on was invalidated since the write began.
    async fn value_stamps(&self, value: &PutValue, budget: &mut Budget) -> Option<Vec<Head>> {
        let engine = &self.target.engine;
        let (ttl, to_recheck) = self.tags_to_recheck(value);
        if value.value_tags.is_empty() && to_recheck.is_empty() {
            return Some(Vec::new());
        }
        if engine.queue.covers(value.value_tags.iter().chain(to_recheck.iter().map(|(tag, _)| tag))) {
            return None;
        }
        let (rechecked, before): (Vec<Key>, Vec<Head>) = to_recheck.into_iter().unzip();
        let tags: Vec<Key> = value.value_tags.iter().cloned().chain(rechecked).collect();
        let fresh = Head::value(random_id()?);
        let mut stamps = budget
            .step(engine, |store, within| gate::tag(store, TagAll::new(&tags, fresh, ttl, within)))
            .await
            .ok()??;
        let now = stamps.split_off(value.value_tags.len());
        (now == before).then_some(stamps)
    }

    /// How long the tags of this value have to live, and which tags have to be read again, with their stamps from
    /// before the write. If there are value tags, the register of all tags is read again: if it has changed, one of
    /// them may have been invalidated. (If this write invalidates tags itself, its token in that register shows it
    /// instead.) The other tags are read again if they might not outlive the value, whose time to live was not known
    /// before the write.
    fn tags_to_recheck(&self, value: &PutValue) -> (Duration, Vec<(Key, Head)>) {
        let site = &self.target.site;
        let ttl = value.ttl.time().saturating_mul(2).max(site.tag_time);
        let all_tags = self.target.tags().len();
        let is_due = |at: usize| if at < all_tags { ttl > site.tag_time } else { !value.value_tags.is_empty() };
        let tags = self.target.load_tags().into_iter().zip(&self.stamps).enumerate();
        let due = tags.filter_map(|(at, (tag, stamp))| is_due(at).then_some((tag, (*stamp)?)));
        (ttl, due.collect())
    }

    fn register(&self, value: &PutValue, stamps: Vec<Head>, writer: Head, fresh: Head) -> (Bytes, Duration) {
        let of_call = &self.stamps[..self.stamps.len().min(self.target.tags().len())];
        let of_call: Vec<Head> = of_call.iter().map(|stamp| stamp.unwrap_or(fresh)).collect();
        let prefix = &self.target.engine.settings.prefix;
        let of_value = value.value_tags.iter().map(|tag| Box::from(prefix.name_of(tag))).zip(stamps);
        let recorded = self.target.recorded(&of_call, of_value.collect());
        // A writer puts at most once, so its random bits can also identify the value.
        self.target.register(Content::of(value.payload.as_deref()), &recorded, value.ttl, writer.id(), Duration::ZERO)
    }

    /// The entry, and a new stamp for each tag that the entry depends on and this write invalidates itself.
    fn written(&self, register: Bytes, ttl: Duration, fresh: Head) -> Vec<Written> {
        let tag_ttl = ttl.saturating_mul(2).max(self.target.site.tag_time);
        let stamp = Bytes::copy_from_slice(fresh.as_bytes());
        let tags = self.target.load_tags().into_iter().filter(|tag| self.own.contains(tag));
        let tags = tags.map(|key| Written::value(key, stamp.clone(), tag_ttl));
        std::iter::once(Written::value(Key::clone(&self.target.key), register, ttl)).chain(tags).collect()
    }
}
