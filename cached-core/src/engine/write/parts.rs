//! A write over many registers goes to the store in parts, so that no command has an unbounded size or keeps the server
//! from others for long.
//!
//! Each part is a step of the write's budget. A part that follows an answer has a budget of its own: a long list needs its
//! time, and a store that is silent is still noticed within one budget.
//!
//! A part that fails fails the step, and the rest is not sent. What was done for the other parts is done again, which is
//! safe: a marker without its write runs out, and removing twice is the same as removing once.

use crate::engine::Engine;
use crate::engine::budget::Budget;
use crate::engine::gate;
use crate::envelope::Head;
use crate::error::{FaultKind, StoreError};
use crate::key::Key;
use crate::store::{Begin, End, RemoveAll, Written};
use tokio::time::Instant;

/// The most registers in one part. BEGIN takes the server 15 µs for each of them, so a part takes 3 ms.
const MOST: usize = 200;

/// The parts of these registers. Their order stays: the register of all tags comes before each tag.
pub(super) fn of(keys: &[Key]) -> impl Iterator<Item = &[Key]> {
    keys.chunks(MOST)
}

/// BEGIN. When it succeeds, all markers stand, and live long enough to be extended.
pub(super) async fn begin(
    engine: &Engine,
    budget: &mut Budget,
    writer: Head,
    keys: &[Key],
    token: bool,
) -> Result<(), StoreError> {
    let marker = engine.settings.write_marker_ttl;
    let began = Instant::now();
    for (at, keys) in of(keys).enumerate() {
        renew(budget, engine, at);
        let begin = |store, within| gate::begin(store, Begin::new(writer, keys, marker, within).with_token(token));
        budget.step(engine, begin).await?;
        // Nobody extends the first markers before the last ones stand.
        if at > 0 && began.elapsed() > marker / 3 {
            return Err(StoreError::new(FaultKind::Timeout, "the markers of a write over many take too long"));
        }
    }
    Ok(())
}

/// INVALIDATE of several registers.
pub(super) async fn remove_all(engine: &Engine, budget: &mut Budget, keys: &[Key]) -> Result<(), StoreError> {
    for (at, keys) in of(keys).enumerate() {
        renew(budget, engine, at);
        budget.step(engine, |store, within| gate::remove_all(store, RemoveAll::new(keys, within))).await?;
    }
    Ok(())
}

/// END. Returns whether the values were put. What is to be put comes first in `written`.
pub(super) async fn end(
    engine: &Engine,
    budget: &mut Budget,
    writer: Head,
    written: &[Written],
) -> Result<bool, StoreError> {
    let (first, rest) = written.split_at(first_part(written));
    let put = budget.step(engine, |store, within| gate::end(store, End::new(writer, first, within))).await?;
    for part in rest.chunks(MOST) {
        *budget = engine.budget();
        budget.step(engine, |store, within| gate::end(store, End::new(writer, part, within))).await?;
    }
    Ok(put)
}

/// Renews the budget for a part that is not the first.
fn renew(budget: &mut Budget, engine: &Engine, at: usize) {
    if at > 0 {
        *budget = engine.budget();
    }
}

/// The length of the first part of an END, which has all that is to be put: the store puts all of it or nothing.
fn first_part(written: &[Written]) -> usize {
    let puts = written.iter().rposition(|written| written.put.is_some()).map_or(0, |last| last + 1);
    puts.max(MOST).min(written.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn all_that_is_put_stands_in_the_first_part() {
        let key = |n: usize| Key::from(n.to_string().as_str());
        let written = |puts: usize, others: usize| -> Vec<Written> {
            let put = |n| Written::value(key(n), "value".into(), Duration::from_secs(1));
            (0..puts).map(put).chain((0..others).map(|n| Written::nothing(key(puts + n)))).collect()
        };
        assert_eq!(first_part(&written(0, 3)), 3);
        assert_eq!(first_part(&written(2, 2 * MOST)), MOST);
        assert_eq!(first_part(&written(MOST + 2, MOST)), MOST + 2);
    }
}
