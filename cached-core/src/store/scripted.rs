//! A store in memory for the crate's own tests, whose steps can be made to be late, to fail or never to answer.

mod news;

use super::{
    Acquire, Acquired, Begin, Capabilities, Domain, Each, End, Ended, Fill, ForcedRefresh, Get, GetAll, GetWatched,
    Head, Key, MemoryStore, Ping, Put, Release, Remove, RemoveAll, Renew, Store, StoreFuture, Sweep, Swept, TagAll,
    TakenOver, Takeover, Watch, Watched, Watcher,
};
use crate::clock::Clock;
use crate::error::{FaultKind, StoreError};
use crate::sync::locked;
use bytes::Bytes;
use news::News;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;
use tokio::time::{Instant, sleep};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    Get,
    Acquire,
    Takeover,
    Renew,
    Fill,
    Release,
    Put,
    Remove,
    GetAll,
    GetWatched,
    RemoveAll,
    Tag,
    Begin,
    End,
    Sweep,
    Ping,
}

/// What happens to a step.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// It succeeds at once, as every step does for which nothing is planned.
    Well,
    /// It is carried out after this time.
    Late(Duration),
    /// It is carried out at once, and answered after this time.
    LateAnswer(Duration),
    Fails(FaultKind),
    /// It is carried out, and the connection breaks before it is answered.
    Breaks,
    /// Nothing happens until its time is over.
    Silent,
}

/// A step that was taken, with the moment (since the store was made) and the time that it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) step: Step,
    pub(crate) at: Duration,
    pub(crate) within: Duration,
}

#[derive(Debug)]
pub(crate) struct Scripted {
    pub(crate) memory: MemoryStore,
    planned: Mutex<HashMap<Step, VecDeque<Act>>>,
    /// The answers to the next ACQUIREs, whatever the memory holds.
    answers: Mutex<VecDeque<Acquired>>,
    taken: Mutex<Vec<Taken>>,
    /// The watchers, each behind its relay.
    told: Mutex<Vec<Arc<News>>>,
    holds_news: Arc<AtomicBool>,
    /// The key that fails where others are well, as if it stood on another server.
    failing: Mutex<Option<Key>>,
    /// It cannot refresh by force.
    is_plain: AtomicBool,
    made: Instant,
}

impl Scripted {
    /// Makes a store, on tokio, best with its time paused.
    pub(crate) fn new(clock: Clock) -> Arc<Self> {
        let memory = MemoryStore::new(1 << 24, clock);
        let (planned, answers, taken) = (Mutex::default(), Mutex::default(), Mutex::default());
        let (told, holds_news, failing) = (Mutex::default(), Arc::default(), Mutex::default());
        Arc::new(Self {
            memory,
            planned,
            answers,
            taken,
            told,
            holds_news,
            failing,
            is_plain: AtomicBool::new(false),
            made: Instant::now(),
        })
    }

    /// From now on nobody is told of any change.
    pub(crate) fn hold_news(&self) {
        self.holds_news.store(true, Ordering::SeqCst);
    }

    /// From now on it cannot refresh by force.
    pub(crate) fn become_plain(&self) {
        self.is_plain.store(true, Ordering::SeqCst);
    }

    /// From now on INVALIDATE and END of several keys fail for this one alone; `None`: for none.
    pub(crate) fn fail_on(&self, key: Option<Key>) {
        *locked(&self.failing) = key;
    }

    /// Answers for each of these keys, of which one may fail.
    fn each<'a>(&self, keys: impl Iterator<Item = &'a Key>) -> Each<()> {
        let failing = locked(&self.failing).clone();
        let fault = || Err(StoreError::new(FaultKind::Disconnected, "one of several servers"));
        keys.map(|key| if failing.as_ref() == Some(key) { fault() } else { Ok(()) }).collect()
    }

    fn fails(&self, key: &Key) -> bool {
        locked(&self.failing).as_ref() == Some(key)
    }

    /// Answers the next ACQUIRE that succeeds with this, without a look at the memory.
    pub(crate) fn answer_acquire(&self, answer: Acquired) {
        locked(&self.answers).push_back(answer);
    }

    /// Plans what happens to the next steps of this kind, one after another, after what is planned already.
    pub(crate) fn plan(&self, step: Step, acts: impl IntoIterator<Item = Act>) {
        let mut planned = locked(&self.planned);
        planned.entry(step).or_default().extend(acts);
    }

    /// The steps of this kind taken so far.
    pub(crate) fn taken(&self, step: Step) -> Vec<Taken> {
        let taken = locked(&self.taken);
        taken.iter().filter(|taken| taken.step == step).copied().collect()
    }

    pub(crate) fn count(&self, step: Step) -> usize {
        self.taken(step).len()
    }

    fn next(&self, step: Step, within: Duration) -> Act {
        let at = self.made.elapsed();
        locked(&self.taken).push(Taken { step, at, within });
        let mut planned = locked(&self.planned);
        planned.get_mut(&step).and_then(VecDeque::pop_front).unwrap_or(Act::Well)
    }

    async fn take<'a, T>(
        &'a self,
        step: Step,
        within: Duration,
        carry_out: impl FnOnce() -> StoreFuture<'a, T>,
    ) -> Result<T, StoreError> {
        match self.next(step, within) {
            Act::Well => carry_out().await,
            Act::Late(by) => {
                sleep(by).await;
                carry_out().await
            }
            Act::LateAnswer(by) => {
                let answer = carry_out().await;
                sleep(by).await;
                answer
            }
            Act::Breaks => {
                let _ = carry_out().await;
                Err(StoreError::new(FaultKind::Disconnected, "as planned"))
            }
            Act::Fails(kind) => Err(StoreError::new(kind, "as planned")),
            Act::Silent => {
                sleep(within).await;
                Err(StoreError::new(FaultKind::Timeout, "as planned"))
            }
        }
    }
}

impl Store for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn capabilities(&self) -> Capabilities<'_> {
        let watches = Capabilities::none().with_watch(self);
        if self.is_plain.load(Ordering::SeqCst) { watches } else { watches.with_forced_refresh(self) }
    }

    fn domain(&self, key: &Key) -> Domain {
        self.memory.domain(key)
    }

    fn get<'a>(&'a self, request: Get<'a>) -> StoreFuture<'a, Option<Bytes>> {
        Box::pin(self.take(Step::Get, request.within, move || self.memory.get(request)))
    }

    fn acquire<'a>(&'a self, request: Acquire<'a>) -> StoreFuture<'a, Acquired> {
        let answer = locked(&self.answers).pop_front();
        Box::pin(self.take(Step::Acquire, request.within, move || match answer {
            Some(answer) => Box::pin(std::future::ready(Ok(answer))),
            None => self.memory.acquire(request),
        }))
    }

    fn renew<'a>(&'a self, request: Renew<'a>) -> StoreFuture<'a, bool> {
        Box::pin(self.take(Step::Renew, request.within, move || self.memory.renew(request)))
    }

    fn fill<'a>(&'a self, request: Fill<'a>) -> StoreFuture<'a, bool> {
        Box::pin(self.take(Step::Fill, request.within, move || self.memory.fill(request)))
    }

    fn release<'a>(&'a self, request: Release<'a>) -> StoreFuture<'a, bool> {
        Box::pin(self.take(Step::Release, request.within, move || self.memory.release(request)))
    }

    fn put<'a>(&'a self, request: Put<'a>) -> StoreFuture<'a, bool> {
        Box::pin(self.take(Step::Put, request.within, move || self.memory.put(request)))
    }

    fn remove<'a>(&'a self, request: Remove<'a>) -> StoreFuture<'a, bool> {
        Box::pin(self.take(Step::Remove, request.within, move || self.memory.remove(request)))
    }

    fn get_all<'a>(&'a self, request: GetAll<'a>) -> StoreFuture<'a, Each<Option<Bytes>>> {
        Box::pin(self.take(Step::GetAll, request.within, move || self.memory.get_all(request)))
    }

    fn remove_all<'a>(&'a self, request: RemoveAll<'a>) -> StoreFuture<'a, Each<()>> {
        Box::pin(self.take(Step::RemoveAll, request.within, move || {
            Box::pin(async move {
                let others: Vec<_> = request.keys.iter().filter(|key| !self.fails(key)).cloned().collect();
                let _ = self.memory.remove_all(RemoveAll::new(&others, request.within)).await?;
                Ok(self.each(request.keys.iter()))
            })
        }))
    }

    fn tag<'a>(&'a self, request: TagAll<'a>) -> StoreFuture<'a, Each<Option<Head>>> {
        Box::pin(self.take(Step::Tag, request.within, move || self.memory.tag(request)))
    }

    fn begin<'a>(&'a self, request: Begin<'a>) -> StoreFuture<'a, Each<()>> {
        Box::pin(self.take(Step::Begin, request.within, move || self.memory.begin(request)))
    }

    fn end<'a>(&'a self, request: End<'a>) -> StoreFuture<'a, Ended> {
        Box::pin(self.take(Step::End, request.within, move || {
            Box::pin(async move {
                let others: Vec<_> = request.written.iter().filter(|at| !self.fails(&at.key)).cloned().collect();
                let Ended { put, .. } = self.memory.end(End::new(request.writer, &others, request.within)).await?;
                Ok(Ended::new(put, self.each(request.written.iter().map(|at| &at.key))))
            })
        }))
    }

    fn sweep<'a>(&'a self, request: Sweep<'a>) -> StoreFuture<'a, Swept> {
        Box::pin(self.take(Step::Sweep, request.within, move || self.memory.sweep(request)))
    }

    fn ping(&self, request: Ping) -> StoreFuture<'_, ()> {
        Box::pin(self.take(Step::Ping, request.within, move || self.memory.ping(request)))
    }
}

impl ForcedRefresh for Scripted {
    fn take_over<'a>(&'a self, request: Takeover<'a>) -> StoreFuture<'a, TakenOver> {
        Box::pin(self.take(Step::Takeover, request.within, move || self.memory.take_over(request)))
    }
}

impl Watch for Scripted {
    fn watch(&self, watcher: Weak<dyn Watcher>) {
        let news = Arc::new(News { watcher, is_held: Arc::clone(&self.holds_news) });
        let relay: Weak<News> = Arc::downgrade(&news);
        locked(&self.told).push(news);
        self.memory.watch(relay);
    }

    fn get_watched<'a>(&'a self, request: GetWatched<'a>) -> StoreFuture<'a, Option<Watched>> {
        Box::pin(self.take(Step::GetWatched, request.within, move || self.memory.get_watched(request)))
    }
}
