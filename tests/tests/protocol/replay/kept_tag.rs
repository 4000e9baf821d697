//! The hole `found_with_kept_tag`, on the path on which the engine sends ACQUIRE twice in one call.
//!
//! In the model's own run the leader reads with a GET after its wait, which reads the tags as well. If that read finds
//! nothing, ACQUIRE is sent again. Callers that have joined since the first ACQUIRE may share what the second one
//! finds, so the stamps that came with the first must not judge it.

use super::desk::Command;
use super::foreign::Ground;
use super::gate::FOR_EVER;
use super::row::{ENTRY, Reading, TAG};
use super::stage::{Finish, Stage, is_get, writer_process};
use cached_core::store::{Acquire, Acquired, Head, TagAll};
use std::time::Duration;
use tests::model::scenario;

pub(super) fn is_acquire(command: &Command) -> bool {
    matches!(command, Command::Acquire { .. })
}

fn is_tag(command: &Command) -> bool {
    matches!(command, Command::Tag { .. })
}

impl Stage {
    /// Takes a step that must be there.
    pub(super) async fn must_take(&mut self, process: usize, what: &str, is: impl Fn(&Command) -> bool) {
        self.log.push(format!("process {process}: {what}"));
        match self.take(process, is).await {
            Some(taken) => drop(taken.answer),
            None => self.fails("there is no such step"),
        }
    }
}

pub(crate) async fn run(reading: Reading) -> (Finish, Vec<String>, Vec<String>) {
    let mut stage = Stage::new(Ground::Redis, &scenario("found_with_kept_tag").variant, &[]).await;
    stage.reading = reading;
    // A lease of unknown purpose: nobody takes it for another build's.
    let foreign = Head::from_bytes(b"L\0\0anothers lease").expect("a lease");
    let within = Duration::from_secs(20);
    let leased = stage.foreign.store.acquire(Acquire::new(&ENTRY.into(), foreign, FOR_EVER, within)).await;
    assert_eq!(leased.expect("ACQUIRE"), Acquired::Granted);
    // Its loader has read the tag along with it; without a tag, the lease would belong to a worthless load.
    let stamp = Head::from_bytes(&[b'V'; Head::LEN]).expect("a stamp");
    let stamps = stage.foreign.store.tag(TagAll::new(&[TAG.into()], stamp, FOR_EVER, within)).await.expect("TAG");
    stamps.whole().expect("TAG");

    stage.start_read(0);
    stage.must_take(0, "GET", is_get).await;
    stage.must_take(0, "ACQUIRE, which finds a lease", is_acquire).await;
    stage.must_take(0, "TAG", is_tag).await;
    assert!(stage.foreign.evict(ENTRY).await, "the lease runs out");
    stage.await_step(0, is_get).await;
    let held = stage.take(0, is_get).await.expect("the look after the wait, which finds nothing");

    stage.start_read(2);
    stage.must_take(2, "GET", is_get).await;
    stage.must_take(2, "ACQUIRE", is_acquire).await;
    stage.must_take(2, "TAG", is_tag).await;
    stage.must_take(2, "SELECT", |command| matches!(command, Command::Select)).await;
    stage.must_take(2, "FILL", |command| matches!(command, Command::Fill { .. })).await;
    stage.must_take(2, "TAG beside FILL", is_tag).await;

    stage.start_write(0);
    stage.must_take(writer_process(0), "COMMIT", |command| matches!(command, Command::Commit)).await;
    stage.committed(0);
    stage.must_take(writer_process(0), "UNLINK", |command| matches!(command, Command::RemoveAll { .. })).await;
    stage.collect().await;

    stage.start_read(1);
    stage.settle().await;
    stage.log.push("reader 1 joins, and the answer to the look arrives".into());
    drop(held.answer);
    stage.must_take(0, "ACQUIRE again, which finds the value", is_acquire).await;
    let finish = stage.finish().await;
    (finish, stage.stale, stage.log)
}
