//! The first read of a batch: one MGET for the registers of many entries and of their tags.

use crate::engine::budget::Budget;
use crate::engine::gate::{get_all, get_watched};
use crate::engine::read::near::WatchedRead;
use crate::engine::read::{Judgement, Miss, MissCause, Reading, UnprovenValue};
use crate::engine::site::NearPolicy;
use crate::engine::target::Target;
use crate::engine::{Engine, SiteState};
use crate::envelope::{self, Entry};
use crate::error::StoreError;
use crate::key::Key;
use crate::near::Reservation;
use crate::near::slot::Slot;
use crate::store::{GetAll, GetWatched, Watched};
use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Registers in one read. Bounded because the server answers a read in one step, and other clients wait meanwhile.
const REGISTERS: usize = 512;
/// Reads under way at once.
const READS: usize = 8;

/// One of the batch's keys.
#[derive(Debug)]
pub(super) struct BatchKey {
    pub(super) at: usize,
    pub(super) target: Target,
}

/// The finding of the first read of a key.
pub(super) type FirstRead = Result<(Entry, Option<Box<Slot>>), Miss>;

/// Reads all keys, which are of one site. Reads that run side by side share one budget, so a batch of some thousand
/// keys has one budget for every [`READS`] times [`REGISTERS`] registers.
pub(super) async fn first_read(engine: &Arc<Engine>, wanted: Vec<BatchKey>) -> Vec<(BatchKey, FirstRead)> {
    let mut found = Vec::with_capacity(wanted.len());
    let mut to_read = Vec::with_capacity(wanted.len());
    for wanted in wanted {
        let target = &wanted.target;
        // As for a single call: another call of this process is about to have the value, or the store must not be used.
        let missed = if target.is_forced() {
            Some(MissCause::Forced)
        } else if engine.flights.has(|| target.flight()) {
            Some(MissCause::Nothing)
        } else {
            target.may_read().err().map(MissCause::Without)
        };
        match missed {
            Some(missed) => found.push((wanted, Err(Miss { budget: engine.budget(), missed }))),
            None => to_read.push(wanted),
        }
    }
    let reads = chunks(to_read).into_iter().map(|chunk| chunk.first_read(engine));
    let mut reads = stream::iter(reads).buffered(READS);
    while let Some(read) = reads.next().await {
        found.extend(read);
    }
    found
}

/// Keys whose registers are read together.
#[derive(Debug, Default)]
struct Chunk {
    wanted: Vec<BatchKey>,
    /// The registers of the entries, in their order, then those of the tags, each once.
    keys: Vec<Key>,
    tags: HashMap<Key, usize>,
}

fn chunks(wanted: Vec<BatchKey>) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut chunk = Chunk::default();
    for wanted in wanted {
        let more = 1 + wanted.target.tags().len();
        if !chunk.wanted.is_empty() && chunk.wanted.len() + chunk.tags.len() + more > REGISTERS {
            chunks.push(std::mem::take(&mut chunk));
        }
        for tag in wanted.target.tags() {
            let next = chunk.tags.len();
            chunk.tags.entry(tag.clone()).or_insert(next);
        }
        chunk.wanted.push(wanted);
    }
    if !chunk.wanted.is_empty() {
        chunks.push(chunk);
    }
    chunks.iter_mut().for_each(Chunk::list_keys);
    chunks
}

/// The registers of a chunk, and what the near cache needs to keep their values.
struct ChunkAnswer {
    registers: Vec<Option<Bytes>>,
    /// For each entry, if the store announces changes from now on: its reservation in the near cache, and how long it
    /// lives.
    watched: Option<Vec<(Reservation, Duration)>>,
}

impl Chunk {
    fn list_keys(&mut self) {
        self.keys = self.wanted.iter().map(|wanted| wanted.target.place().clone()).collect();
        let entries = self.keys.len();
        self.keys.extend(std::iter::repeat_n(Key::from(""), self.tags.len()));
        for (tag, at) in &mut self.tags {
            *at += entries;
            self.keys[*at] = tag.clone();
        }
    }

    async fn first_read(self, engine: &Arc<Engine>) -> Vec<(BatchKey, FirstRead)> {
        let mut budget = engine.budget();
        match self.read(engine, &mut budget).await {
            Ok(read) => self.judge(engine, read, budget).await,
            Err(error) => {
                let missed = || Miss { budget, missed: MissCause::Without(error.kind.into()) };
                self.wanted.into_iter().map(|wanted| (wanted, Err(missed()))).collect()
            }
        }
    }

    fn site(&self) -> Option<&SiteState> {
        self.wanted.first().map(|wanted| &*wanted.target.site)
    }

    async fn read(&self, engine: &Arc<Engine>, budget: &mut Budget) -> Result<ChunkAnswer, StoreError> {
        if let Some(local) = self.site().and_then(|site| site.local.as_ref())
            && let Some(read) = self.read_near(engine, local, budget).await
        {
            return Ok(read);
        }
        let registers = budget.step(engine, |store, within| get_all(store, GetAll::new(&self.keys, within))).await?;
        Ok(ChunkAnswer { registers, watched: None })
    }

    /// Reads so that the near cache can keep the values. If this fails, the keys are read in the common way, as for a
    /// single call.
    async fn read_near(&self, engine: &Arc<Engine>, local: &NearPolicy, budget: &mut Budget) -> Option<ChunkAnswer> {
        let reservations: Option<Vec<_>> =
            self.wanted.iter().map(|wanted| local.near.reserve(wanted.target.keys())).collect();
        let reservations = reservations?;
        let read = budget.aside(engine, |store, within| {
            get_watched(store, GetWatched::new(&self.keys, within).timed(self.wanted.len()))
        });
        let Watched { registers, lives } = read.await.ok()??;
        Some(ChunkAnswer { registers, watched: Some(reservations.into_iter().zip(lives).collect()) })
    }

    async fn judge(self, engine: &Arc<Engine>, read: ChunkAnswer, mut budget: Budget) -> Vec<(BatchKey, FirstRead)> {
        let ChunkAnswer { mut registers, watched } = read;
        let mut watched = watched.into_iter().flatten();
        let mut judged = Vec::with_capacity(self.wanted.len());
        let mut named = Vec::new();
        for (at, wanted) in self.wanted.into_iter().enumerate() {
            let tags: Vec<_> = wanted.target.tags().iter().map(|tag| registers[self.tags[tag]].clone()).collect();
            let register = registers[at].take();
            let kept = watched.next().zip(register.as_ref()).map(|((reservation, life), register)| WatchedRead {
                reservation,
                life,
                bytes: wanted.target.key.len() + register.len(),
                times: envelope::times(register),
            });
            match wanted.target.judge(register, &tags) {
                Judgement::Reading(reading) => judged.push(found(wanted, Ok(reading), kept, budget)),
                Judgement::UnprovenValue(entry) => named.push(UnprovenEntry { wanted, entry, kept }),
            }
        }
        for entries in by_tags(named) {
            judged.extend(read_named_tags(engine, entries, &mut budget).await);
        }
        judged
    }
}

fn found(
    mut wanted: BatchKey,
    reading: Result<Reading, StoreError>,
    kept: Option<WatchedRead>,
    budget: Budget,
) -> (BatchKey, FirstRead) {
    let missed = match reading {
        Ok(Reading::Value(entry)) => {
            let slot = kept.and_then(|kept| wanted.target.slot(&entry, kept));
            return (wanted, Ok((entry, slot)));
        }
        Ok(Reading::Nothing | Reading::Lease(_)) => MissCause::Nothing,
        Ok(Reading::Worthless(head)) => MissCause::Worthless(head),
        Ok(Reading::Unusable(replace)) => MissCause::Unusable(replace),
        Ok(Reading::Fallback(entry)) => MissCause::Fallback(entry),
        Ok(Reading::Base(base)) => {
            wanted.target.goes_beside(base);
            MissCause::Elsewhere
        }
        Ok(Reading::Moved) => {
            wanted.target.comes_back();
            MissCause::Elsewhere
        }
        Err(error) => MissCause::Without(error.kind.into()),
    };
    (wanted, Err(Miss { budget, missed }))
}

/// An entry with tags that its call does not render.
struct UnprovenEntry {
    wanted: BatchKey,
    entry: Box<UnprovenValue>,
    kept: Option<WatchedRead>,
}

/// Groups of these entries with their tags, as many together as one read takes.
fn by_tags(named: Vec<UnprovenEntry>) -> Vec<Vec<(UnprovenEntry, Vec<Key>)>> {
    let mut groups = Vec::new();
    let (mut group, mut registers) = (Vec::new(), 0);
    for named in named {
        let tags = named.wanted.target.named_tags(&named.entry);
        if registers + tags.len() > REGISTERS && registers > 0 {
            groups.push(std::mem::take(&mut group));
            registers = 0;
        }
        registers += tags.len();
        group.push((named, tags));
    }
    if !group.is_empty() {
        groups.push(group);
    }
    groups
}

async fn read_named_tags(
    engine: &Arc<Engine>,
    mut entries: Vec<(UnprovenEntry, Vec<Key>)>,
    budget: &mut Budget,
) -> Vec<(BatchKey, FirstRead)> {
    let keys: Vec<Key> = entries.iter().flat_map(|(_, tags)| tags.iter().cloned()).collect();
    let mut is_kept = false;
    for (named, tags) in &mut entries {
        if let (Some(kept), Some(local)) = (&mut named.kept, &named.wanted.target.site.local) {
            kept.reservation.extend(&local.near, tags);
            is_kept = true;
        }
    }
    let registers = read_named(engine, &keys, is_kept, budget).await;
    let mut from = 0;
    let judge = |(named, tags): (UnprovenEntry, Vec<Key>)| {
        let UnprovenEntry { wanted, entry, kept } = named;
        let here = from..from + tags.len();
        from = here.end;
        let reading =
            registers.as_ref().map(|(registers, _)| wanted.target.judge_named(*entry, &tags, &registers[here]));
        let is_watched = registers.as_ref().is_ok_and(|(_, is_watched)| *is_watched);
        found(wanted, reading.map_err(Clone::clone), kept.filter(|_| is_watched), *budget)
    };
    entries.into_iter().map(judge).collect()
}

/// Reads the registers. Returns them, and whether the store announces their changes.
async fn read_named(
    engine: &Arc<Engine>,
    keys: &[Key],
    is_kept: bool,
    budget: &mut Budget,
) -> Result<(Vec<Option<Bytes>>, bool), StoreError> {
    if is_kept
        && let Ok(Some(watched)) =
            budget.aside(engine, |store, within| get_watched(store, GetWatched::new(keys, within))).await
    {
        return Ok((watched.registers, true));
    }
    Ok((budget.step(engine, |store, within| get_all(store, GetAll::new(keys, within))).await?, false))
}
