//! The hole `stale_to_all`: a load over a value past its end fails, and a caller that came after the value was
//! invalidated follows it.

use super::desk::Command;
use super::engine::broken;
use super::foreign::Ground;
use super::kept_tag::is_acquire;
use super::row::Reading;
use super::stage::{Finish, Stage, is_get, writer_process};
use std::time::Duration;
use tests::model::scenario;

fn is_select(command: &Command) -> bool {
    matches!(command, Command::Select)
}

pub(crate) async fn run() -> (Finish, Vec<String>, Vec<String>) {
    let mut stage = Stage::new(Ground::Redis, &scenario("stale_to_all").variant, &[]).await;
    stage.reading = Reading::PastItsEnd;
    stage.start_read(0);
    stage.must_take(0, "GET", is_get).await;
    stage.must_take(0, "ACQUIRE", is_acquire).await;
    stage.must_take(0, "SELECT", is_select).await;
    stage.must_take(0, "FILL", |command| matches!(command, Command::Fill { .. })).await;
    stage.collect().await;
    stage.log.push("the value is past its end".into());
    stage.clock.advance(Duration::from_secs(2));

    stage.start_read(0);
    stage.must_take(0, "GET, which finds the value", is_get).await;
    stage.must_take(0, "ACQUIRE of the refresh lease", is_acquire).await;
    stage.must_take(0, "GET, the other look", is_get).await;

    stage.start_write(0);
    stage.must_take(writer_process(0), "COMMIT", |command| matches!(command, Command::Commit)).await;
    stage.committed(0);
    stage.must_take(writer_process(0), "UNLINK", |command| matches!(command, Command::RemoveAll { .. })).await;
    stage.collect().await;

    stage.start_read(1);
    stage.settle().await;
    stage.log.push("reader 1 joins, and the load fails".into());
    if stage.desk.fail(0, broken(), is_select).is_none() {
        stage.fails("there is no load that could fail");
    }
    let finish = stage.finish().await;
    (finish, stage.stale, stage.log)
}
