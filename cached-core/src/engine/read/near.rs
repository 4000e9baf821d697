//! A first read that keeps what it finds in the near cache.

use super::{Judgement, Reading};
use crate::engine::budget::Budget;
use crate::engine::gate::get_watched;
use crate::engine::target::Target;
use crate::envelope::{self, Entry, Times};
use crate::error::StoreError;
use crate::key::Key;
use crate::near::slot::Slot;
use crate::near::{Keeping, Reservation};
use crate::store::{GetWatched, Watched};
use bytes::Bytes;
use std::slice;
use std::sync::Arc;
use std::time::Duration;

/// What is known of an entry that was read, besides its value.
#[derive(Debug)]
pub(crate) struct WatchedRead {
    pub(crate) reservation: Reservation,
    /// How long it lives.
    pub(crate) life: Duration,
    /// The size of the key and the register.
    pub(crate) bytes: usize,
    pub(crate) times: Option<Times>,
}

impl Target {
    /// The registers that one read asks for: where the entry stands, then its base and the call tags.
    pub(crate) fn keys(&self) -> &[Key] {
        self.tagged.as_ref().map_or(slice::from_ref(&self.key), |tagged| &tagged.keys)
    }

    /// As [`read`](Self::read), but so that the value can be kept near; `None` if the store does not announce changes
    /// now.
    pub(crate) async fn read_near(
        &self,
        budget: &mut Budget,
    ) -> Result<Option<(Reading, Option<Box<Slot>>)>, StoreError> {
        let Some(local) = &self.site.local else { return Ok(None) };
        let (near, keys) = (&local.near, self.keys());
        let mut depends_on = keys.to_vec();
        if self.base().is_some() {
            // The base goes behind the call tags, because calls that ask the near cache name only those.
            depends_on[1..].rotate_left(1);
        }
        let Some(mut reservation) = near.reserve(&depends_on) else { return Ok(None) };
        // An entry beside a base lives no longer than the base.
        let timed = 1 + usize::from(self.base().is_some());
        let Some(watched) = budget
            .aside(&self.engine, |store, within| get_watched(store, GetWatched::new(keys, within).timed(timed)))
            .await?
        else {
            return Ok(None);
        };
        let Watched { registers, lives } = watched;
        let mut registers = registers.into_iter();
        let register = registers.next().flatten();
        let bytes = self.key.len() + register.as_ref().map_or(0, Bytes::len);
        let times = register.as_deref().and_then(envelope::times);
        let depends_on: Vec<_> = registers.collect();
        let reading = match self.judge(register, &depends_on) {
            Judgement::Reading(reading) => reading,
            Judgement::UnprovenValue(named) => {
                let tags = self.named_tags(&named);
                reservation.extend(near, &tags);
                let read =
                    budget.aside(&self.engine, |store, within| get_watched(store, GetWatched::new(&tags, within)));
                match read.await? {
                    Some(watched) => self.judge_named(*named, &tags, &watched.registers),
                    None => return Ok(None),
                }
            }
        };
        let life = lives.into_iter().min().unwrap_or_default();
        let read = WatchedRead { reservation, life, bytes, times };
        let slot = if let Reading::Value(entry) = &reading { self.slot(entry, read) } else { None };
        Ok(Some((reading, slot)))
    }

    /// The place in the near cache of a value that was read in this way. A value past its end is not kept, because it
    /// is due for a refresh.
    pub(crate) fn slot(&self, entry: &Entry, read: WatchedRead) -> Option<Box<Slot>> {
        let local = self.site.local.as_ref().filter(|_| !entry.age.is_over())?;
        let WatchedRead { reservation, life, bytes, times } = read;
        self.lives(life);
        let fresh = times.map(|times| (times.left(self.engine.clock.wall()), times.load_time));
        let time = local.time.min(life).min(fresh.map_or(Duration::MAX, |(left, _)| left));
        let keeping = Keeping { time, bytes, fresh };
        let (near, name) = (Arc::clone(&local.near), self.asked(local).name());
        Some(Box::new(Slot::new(near, name, reservation, keeping)))
    }
}
