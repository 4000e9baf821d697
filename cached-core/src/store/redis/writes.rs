//! The steps of writes, and of tags: each takes several registers at once, as one call of a script.
//!
//! A cluster's node refuses a call whose registers stand in several slots; then they are taken one by one, and what was to
//! be put is not.
//!
//! # On cancellation
//! What was sent is carried out.
//!
//! # When the server is down
//! Every step fails within its time; repeating it is for the caller.

use super::answer;
use super::link::{Copies, Link};
use super::script::Script;
use super::{markers, millis};
use crate::envelope::Head;
use crate::error::{FaultKind, StoreError};
use crate::store::{Key, Swept, Written};
use redis::{Cmd, Value};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// Keys that the server looks at in one step of a sweep: some tenths of a millisecond.
const STRETCH: usize = 1000;

#[derive(Debug)]
pub(super) struct Writes {
    link: Arc<Link>,
    tag: Script,
    begin: Script,
    end: Script,
    /// The server refused several registers in one call.
    refused: AtomicBool,
}

impl Writes {
    pub(super) fn new(link: Arc<Link>) -> Self {
        Self {
            link,
            tag: Script::new(include_str!("scripts/tag.lua")),
            begin: Script::new(include_str!("scripts/begin.lua")),
            end: Script::new(include_str!("scripts/end.lua")),
            refused: AtomicBool::new(false),
        }
    }

    pub(super) async fn tag(
        &self,
        tags: &[Key],
        fresh: Head,
        ttl: Duration,
        deadline: Instant,
    ) -> Result<Option<Vec<Head>>, StoreError> {
        let call = async |tags: &[Key]| {
            let arguments = |command: &mut Cmd| {
                pairs(command, tags.iter());
                command.arg(fresh.as_bytes()).arg(millis(ttl));
            };
            heads(self.tag.run(&self.link, Copies::Never, arguments, deadline).await?)
        };
        if let Some(stamps) = self.at_once(tags, call).await {
            return stamps;
        }
        let mut stamps = Vec::with_capacity(tags.len());
        for tag in tags {
            match call(std::slice::from_ref(tag)).await? {
                Some(stamp) => stamps.extend(stamp),
                None => return Ok(None),
            }
        }
        Ok(Some(stamps))
    }

    pub(super) async fn begin(
        &self,
        writer: Head,
        keys: &[Key],
        marker: Duration,
        token: bool,
        deadline: Instant,
    ) -> Result<(), StoreError> {
        self.link.removes(keys.iter());
        let call = async |keys: &[Key]| {
            let arguments = |command: &mut Cmd| {
                pairs(command, keys.iter());
                command.arg(writer.as_bytes()).arg(millis(marker)).arg(u8::from(token));
            };
            // A late copy is a marker that nobody ends: it runs out.
            self.begin.run(&self.link, Copies::Harmless, arguments, deadline).await.map(drop).map_err(StoreError::from)
        };
        if let Some(begun) = self.at_once(keys, call).await {
            return begun;
        }
        for key in keys {
            call(std::slice::from_ref(key)).await?;
        }
        Ok(())
    }

    pub(super) async fn end(&self, writer: Head, written: &[Written], deadline: Instant) -> Result<bool, StoreError> {
        self.link.removes(written.iter().map(|written| &written.key));
        let call = async |written: &[Written], puts: bool| {
            let arguments = |command: &mut Cmd| {
                pairs(command, written.iter().map(|written| &written.key));
                command.arg(writer.as_bytes());
                for written in written {
                    match &written.put {
                        Some((value, ttl)) if puts => command.arg(&value[..]).arg(millis(*ttl)),
                        _ => command.arg("").arg(0),
                    };
                }
            };
            answer(self.end.run(&self.link, Copies::Harmless, arguments, deadline).await?)
        };
        if let Some(put) = self.at_once(written, async |written| call(written, true).await).await {
            return put;
        }
        for written in written {
            call(std::slice::from_ref(written), false).await?;
        }
        Ok(false)
    }

    pub(super) async fn remove_all(&self, keys: &[Key], deadline: Instant) -> Result<(), StoreError> {
        self.link.removes(keys.iter());
        self.unlink(keys, deadline).await
    }

    async fn unlink(&self, keys: &[Key], deadline: Instant) -> Result<(), StoreError> {
        let call = async |keys: &[Key]| {
            let mut command = redis::cmd("UNLINK");
            for key in keys {
                command.arg(&**key);
            }
            self.link.send(&command, Copies::Harmless, deadline).await.map(drop).map_err(StoreError::from)
        };
        if let Some(removed) = self.at_once(keys, call).await {
            return removed;
        }
        for key in keys {
            call(std::slice::from_ref(key)).await?;
        }
        Ok(())
    }

    /// Markers are sorted sets, so a sweep of strings passes them by.
    pub(super) async fn sweep(&self, prefix: &str, from: Option<u64>, deadline: Instant) -> Result<Swept, StoreError> {
        let mut scan = redis::cmd("SCAN");
        scan.arg(from.unwrap_or(0)).arg("MATCH").arg(pattern(prefix)).arg("COUNT").arg(STRETCH);
        scan.arg("TYPE").arg("string");
        let (next, keys): (u64, Vec<String>) = answer(self.link.send(&scan, Copies::Harmless, deadline).await?)?;
        let keys: Vec<Key> = keys.into_iter().map(Key::from).collect();
        if !keys.is_empty() {
            self.unlink(&keys, deadline).await?;
        }
        Ok(Swept { next: (next != 0).then_some(next), removed: keys.len() as u64 })
    }

    /// Takes all in one call; `None` if they are to be taken one by one.
    async fn at_once<T, R>(
        &self,
        all: &[T],
        call: impl AsyncFnOnce(&[T]) -> Result<R, StoreError>,
    ) -> Option<Result<R, StoreError>> {
        if all.len() > 1 && self.refused.load(Ordering::Relaxed) {
            return None;
        }
        match call(all).await {
            Err(error) if error.kind == FaultKind::Refused && all.len() > 1 => {
                tracing::debug!(%error, "the server refuses several registers in one call");
                self.refused.store(true, Ordering::Relaxed);
                None
            }
            answer => Some(answer),
        }
    }
}

/// Each register and its markers.
fn pairs<'a>(command: &mut Cmd, keys: impl ExactSizeIterator<Item = &'a Key>) {
    command.arg(2 * keys.len());
    for key in keys {
        command.arg(&**key).arg(markers(key));
    }
}

fn heads(answer: Value) -> Result<Option<Vec<Head>>, StoreError> {
    let unexpected =
        |answer: &Value| StoreError::new(FaultKind::Refused, format!("unexpected answer to TAG: {answer:?}"));
    let head = |value| match value {
        Value::BulkString(bytes) => Head::from_bytes(&bytes).ok_or_else(|| unexpected(&Value::BulkString(bytes))),
        other => Err(unexpected(&other)),
    };
    match answer {
        Value::Int(-1) => Ok(None),
        Value::Array(stamps) => stamps.into_iter().map(head).collect::<Result<_, _>>().map(Some),
        other => Err(unexpected(&other)),
    }
}

/// The glob of all keys that begin with this text.
fn pattern(prefix: &str) -> String {
    let mut pattern = String::with_capacity(prefix.len() + 1);
    for c in prefix.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '\\' | '^' | '-') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('*');
    pattern
}

#[cfg(test)]
mod tests {
    use super::pattern;

    #[test]
    fn a_prefix_is_taken_literally() {
        assert_eq!(pattern("shop:v1:user:"), "shop:v1:user:*");
        assert_eq!(pattern("a*[b]?\\"), "a\\*\\[b\\]\\?\\\\*");
    }
}
