//! The steps of writes, and of tags. Each takes several registers at once, in one call of a script.
//!
//! A cluster's node refuses a call whose registers stand in several slots. Then each register is taken in a call of its
//! own, and END puts nothing.
//!
//! # On cancellation
//! A command that was sent is carried out.
//!
//! # When the server is down
//! Every step fails within its time. The caller repeats it.

use super::answer::{answer, each, markers, millis};
use super::fault::{Copies, Fault};
use super::reconnect::Link;
use super::refusal::Refusal;
use super::script::Script;
use super::slots;
use super::steps::{Step, Steps};
use crate::envelope::Head;
use crate::error::{FaultKind, StoreError};
use crate::key::is_under;
use crate::store::{Cursor, Each, Ended, Key, PutValue, Swept, Written};
use bytes::Bytes;
use redis::{Cmd, Value};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The number of keys that the server looks at in one stretch of a sweep, which takes some tenths of a millisecond.
const STRETCH: usize = 1000;

#[derive(Debug)]
pub(super) struct Writes {
    link: Arc<Link>,
    tag: Arc<Steps<TagStep>>,
    put: Script,
    begin: Script,
    end: Script,
    /// The refusal of several registers in one call.
    refusal: Refusal,
}

/// The command that takes the registers.
#[derive(Debug, Clone, Copy)]
enum How<'a> {
    Script(&'a Script, Copies),
    Unlink,
}

impl How<'_> {
    fn copies(self) -> Copies {
        match self {
            Self::Script(_, copies) => copies,
            Self::Unlink => Copies::Harmless,
        }
    }
}

/// TAG, as its script takes it.
#[derive(Debug, Clone)]
struct TagStep {
    tags: Vec<Key>,
    fresh: Head,
    ttl: Duration,
}

impl Step for TagStep {
    const COPIES: Copies = Copies::Never;

    fn count(&self) -> usize {
        2 * self.tags.len()
    }

    fn keys(&self, command: &mut Cmd) {
        for tag in &self.tags {
            command.arg(&**tag).arg(markers(tag));
        }
    }

    fn arguments(&self, command: &mut Cmd) {
        command.arg(self.tags.len()).arg(self.fresh.as_bytes()).arg(millis(self.ttl));
    }
}

impl Writes {
    pub(super) fn new(link: Arc<Link>) -> Self {
        Self {
            tag: Arc::new(Steps::new(
                Arc::clone(&link),
                concat!(include_str!("scripts/marked.lua"), include_str!("scripts/tag.lua")),
            )),
            link,
            put: Script::new(concat!(include_str!("scripts/marked.lua"), include_str!("scripts/put.lua"))),
            begin: Script::new(include_str!("scripts/begin.lua")),
            end: Script::new(include_str!("scripts/end.lua")),
            refusal: Refusal::new(),
        }
    }

    pub(super) async fn tag(
        &self,
        tags: &[Key],
        fresh: Head,
        ttl: Duration,
        deadline: Instant,
    ) -> Result<Each<Option<Head>>, StoreError> {
        let step = |tags: &[Key]| self.tag.take(TagStep { tags: tags.to_vec(), fresh, ttl }, deadline);
        let mut refused = None;
        if tags.len() == 1 || !self.refusal.stands(Instant::now()) {
            match step(tags).await {
                Err(fault) if tags.len() > 1 && are_refused_together(&fault, TagStep::COPIES) => refused = Some(fault),
                answer => return Ok(heads(answer?, tags.len())?.into()),
            }
        }
        let take = |tag| {
            let taken = step(std::slice::from_ref(tag));
            async move { taken.await.map_err(|fault| fault.error) }
        };
        let stamps = self.one_by_one(tags, refused, take).await;
        each(stamps.into_iter().map(|stamp| Ok(heads(stamp?, 1)?.pop().flatten())).collect())
    }

    pub(super) async fn put(
        &self,
        key: &Key,
        value: Bytes,
        ttl: Duration,
        deadline: Instant,
    ) -> Result<bool, StoreError> {
        let arguments = |command: &mut Cmd| {
            pairs(command, std::iter::once(key));
            command.arg(&value[..]).arg(millis(ttl));
        };
        answer(self.put.run(&self.link, Copies::Harmless, arguments, deadline).await?)
    }

    pub(super) async fn begin(
        &self,
        writer: Head,
        keys: &[Key],
        marker: Duration,
        token: bool,
        deadline: Instant,
    ) -> Result<Each<()>, StoreError> {
        self.link.removes(keys.iter());
        let arguments = |command: &mut Cmd, keys: &[Key]| {
            pairs(command, keys.iter());
            command.arg(writer.as_bytes()).arg(millis(marker)).arg(u8::from(token));
        };
        // A late copy places a marker that nobody ends, and the marker runs out. But a token is a right, and a late
        // copy would bring it back: END would then put a value that others have overwritten since.
        let copies = if token { Copies::Never } else { Copies::Harmless };
        self.take(How::Script(&self.begin, copies), keys, arguments, deadline).await?.each(keys.len())
    }

    pub(super) async fn end(&self, writer: Head, written: &[Written], deadline: Instant) -> Result<Ended, StoreError> {
        self.link.removes(written.iter().map(|written| &written.key));
        let arguments = |command: &mut Cmd, part: &[Written]| {
            pairs(command, part.iter().map(|written| &written.key));
            command.arg(writer.as_bytes());
            for at in part {
                match &at.put {
                    // In calls of their own, nobody can tell whether all of them could be put.
                    Some(PutValue { value, ttl }) if part.len() == written.len() => {
                        command.arg(&value[..]).arg(millis(*ttl))
                    }
                    _ => command.arg("").arg(0),
                };
            }
        };
        let taken = self.take(How::Script(&self.end, Copies::Harmless), written, arguments, deadline).await?;
        let is_put = |answer: &Value| *answer == Value::Int(1);
        let put = match &taken {
            Taken::AtOnce(answer) => is_put(answer),
            Taken::OneByOne(answers) => answers.iter().flatten().any(is_put),
        };
        Ok(Ended::new(put, taken.each(written.len())?))
    }

    pub(super) async fn remove_all(&self, keys: &[Key], deadline: Instant) -> Result<Each<()>, StoreError> {
        self.link.removes(keys.iter());
        let of = keys.len();
        let keys: Vec<&[u8]> = keys.iter().map(|key| key.as_bytes()).collect();
        self.unlink(&keys, deadline).await?.each(of)
    }

    async fn unlink<K: AsRef<[u8]>>(&self, keys: &[K], deadline: Instant) -> Result<Taken, StoreError> {
        let arguments = |command: &mut Cmd, keys: &[K]| {
            for key in keys {
                command.arg(key.as_ref());
            }
        };
        self.take(How::Unlink, keys, arguments, deadline).await
    }

    /// Sweeps strings; markers are sorted sets, so they stay.
    pub(super) async fn sweep(
        &self,
        prefix: &str,
        from: Option<Cursor>,
        deadline: Instant,
    ) -> Result<Swept, StoreError> {
        let mut scan = redis::cmd("SCAN");
        scan.arg(from.as_ref().map_or(0, Cursor::position)).arg("MATCH").arg(pattern(prefix)).arg("COUNT").arg(STRETCH);
        scan.arg("TYPE").arg("string");
        // Keys are bytes here: those of other programs need not be text.
        let (next, mut keys): (u64, Vec<Vec<u8>>) = answer(self.link.send(&scan, Copies::Harmless, deadline).await?)?;
        keys.retain(|key| is_under(key, prefix));
        let removed = match self.unlink(&keys, deadline).await? {
            Taken::AtOnce(removed) => answer(removed)?,
            Taken::OneByOne(removed) => {
                removed.into_iter().map(|removed| answer::<u64>(removed?)).sum::<Result<_, _>>()?
            }
        };
        if from.is_none() && self.link.is_of_cluster() {
            self.is_the_only_node(deadline).await?;
        }
        Ok(Swept::new((next != 0).then(|| Cursor::at(next)), removed))
    }

    /// Fails on one of several nodes, since a sweep of it leaves what stands on the others.
    async fn is_the_only_node(&self, deadline: Instant) -> Result<(), StoreError> {
        let nodes = self.link.send(redis::cmd("CLUSTER").arg("NODES"), Copies::Harmless, deadline).await?;
        if slots::of_this_node(&answer::<String>(nodes)?) == slots::ALL {
            return Ok(());
        }
        let message = format!("{} is one of several nodes of a cluster: the others' keys stay", self.link.address());
        Err(StoreError::new(FaultKind::Refused, message))
    }

    /// Takes all registers in one call or, if the server refuses that, one by one.
    async fn take<T>(
        &self,
        how: How<'_>,
        all: &[T],
        arguments: impl Fn(&mut Cmd, &[T]),
        deadline: Instant,
    ) -> Result<Taken, StoreError> {
        if all.is_empty() {
            return Ok(Taken::OneByOne(Vec::new()));
        }
        let mut refused = None;
        if all.len() == 1 || !self.refusal.stands(Instant::now()) {
            match self.call(how, |command| arguments(command, all), deadline).await {
                Err(fault) if all.len() > 1 && are_refused_together(&fault, how.copies()) => refused = Some(fault),
                answer => return Ok(Taken::AtOnce(answer?)),
            }
        }
        let arguments = &arguments;
        let take = |one| async move {
            let one = std::slice::from_ref(one);
            self.call(how, |command| arguments(command, one), deadline).await.map_err(|fault| fault.error)
        };
        Ok(Taken::OneByOne(self.one_by_one(all, refused, take).await))
    }

    /// Takes the registers one by one. One that the server refuses does not keep the others from being taken; when the
    /// server is out of reach, the rest is not tried.
    async fn one_by_one<'a, T, F>(
        &self,
        all: &'a [T],
        refused: Option<Fault>,
        take: impl Fn(&'a T) -> F,
    ) -> Vec<Result<Value, StoreError>>
    where
        F: Future<Output = Result<Value, StoreError>>,
    {
        let mut answers = Vec::with_capacity(all.len());
        for one in all {
            answers.push(match answers.last() {
                Some(Err(error)) if !is_answer(error) => Err(error.clone()),
                _ => take(one).await,
            });
        }
        // Only if all were taken it is certain that their number was the reason of the refusal.
        if let Some(fault) = refused
            && answers.iter().all(Result::is_ok)
            && self.refusal.note(&fault, Instant::now())
        {
            tracing::debug!(error = %fault.error, "the server refuses several registers in one call");
        }
        answers
    }

    async fn call(&self, how: How<'_>, arguments: impl Fn(&mut Cmd), deadline: Instant) -> Result<Value, Fault> {
        match how {
            How::Script(script, copies) => script.run(&self.link, copies, arguments, deadline).await,
            How::Unlink => {
                let mut command = redis::cmd("UNLINK");
                arguments(&mut command);
                self.link.send(&command, Copies::Harmless, deadline).await
            }
        }
    }
}

fn is_answer(error: &StoreError) -> bool {
    error.kind.is_answer()
}

/// What the server has answered to a step over several registers.
enum Taken {
    AtOnce(Value),
    OneByOne(Vec<Result<Value, StoreError>>),
}

impl Taken {
    /// Which of this many registers were taken.
    fn each(self, of: usize) -> Result<Each<()>, StoreError> {
        match self {
            Self::AtOnce(_) => Ok(vec![(); of].into()),
            Self::OneByOne(answers) => each(answers.into_iter().map(|answer| answer.map(drop)).collect()),
        }
    }
}

/// Whether what the server refuses for several registers is to be tried one by one.
fn are_refused_together(fault: &Fault, copies: Copies) -> bool {
    fault.error.kind == FaultKind::Refused && fault.allows(copies)
}

/// Each register and its markers.
fn pairs<'a>(command: &mut Cmd, keys: impl ExactSizeIterator<Item = &'a Key>) {
    command.arg(2 * keys.len());
    for key in keys {
        command.arg(&**key).arg(markers(key));
    }
}

/// The heads of this many tags; of none of them if one is being written.
fn heads(answer: Value, of: usize) -> Result<Vec<Option<Head>>, StoreError> {
    let unexpected =
        |answer: &Value| StoreError::new(FaultKind::Refused, format!("unexpected answer to TAG: {answer:?}"));
    let head = |value| match value {
        Value::BulkString(bytes) => Head::from_bytes(&bytes).ok_or_else(|| unexpected(&Value::BulkString(bytes))),
        other => Err(unexpected(&other)),
    };
    match answer {
        Value::Int(-1) => Ok(vec![None; of]),
        Value::Array(stamps) => stamps.into_iter().map(|stamp| head(stamp).map(Some)).collect(),
        other => Err(unexpected(&other)),
    }
}

/// The glob of all keys that contain this text: those that begin with it, their companions, and maybe keys of others.
fn pattern(prefix: &str) -> String {
    let mut pattern = String::with_capacity(prefix.len() + 2);
    pattern.push('*');
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
        assert_eq!(pattern("shop:k:user:"), "*shop:k:user:*");
        assert_eq!(pattern("a*[b]?\\"), "*a\\*\\[b\\]\\?\\\\*");
    }
}
