//! Watched reads: GET or MGET, followed by PTTL.

use crate::error::{FaultKind, StoreError};
use crate::store::redis::answer::{register, unexpected};
use crate::store::redis::fault::{Fault, is_broken};
use crate::store::redis::refusal::Refusal;
use crate::store::{Key, Watched};
use redis::aio::MultiplexedConnection;
use redis::{Pipeline, RedisError, Value};
use std::time::{Duration, Instant};

/// The reason why nothing was read.
#[derive(Debug)]
pub(super) enum Unread {
    /// The connection is useless from now on.
    Broken,
    /// The user may not ask for times to live, so nothing could be kept.
    Untimed(StoreError),
    Fault(Fault),
}

impl From<RedisError> for Unread {
    fn from(error: RedisError) -> Self {
        if is_broken(&error) { Self::Broken } else { Self::Fault(error.into()) }
    }
}

impl From<StoreError> for Unread {
    fn from(error: StoreError) -> Self {
        Self::Fault(error.into())
    }
}

/// Reads some keys. PTTL follows the read that it belongs to: if the register changes in between, the server tells of
/// it. The times count from before the question, not from the answer.
pub(super) async fn read(
    redis: &mut MultiplexedConnection,
    keys: &[Key],
    timed: usize,
    several: &Refusal,
) -> Result<Watched, Unread> {
    let asked = Instant::now();
    let timed = &keys[..timed.min(keys.len())];
    let at_once = keys.len() > 1 && !several.stands(asked.into());
    let (pipeline, questions) = questions(keys, timed, at_once);
    let mut answers = redis.send_packed_commands(&pipeline, 0, questions).await?;
    let lives = answers.split_off(questions - timed.len());
    let registers = match answers.pop() {
        Some(all) if at_once => match all_of(all, keys.len()) {
            Err(Unread::Fault(fault)) if fault.is_refusal => {
                several.note(&fault, asked.into());
                return Box::pin(read(redis, keys, timed.len(), several)).await;
            }
            registers => registers?,
        },
        Some(last) => {
            answers.push(last);
            let is_one = answers.len() == 1;
            answers.into_iter().map(|answer| one(answer, is_one)).collect::<Result<_, _>>()?
        }
        None => Vec::new(),
    };
    let elapsed = asked.elapsed();
    let lives = lives.into_iter().map(|life| Ok(life_of(life)?.saturating_sub(elapsed)));
    Ok(Watched { registers, lives: lives.collect::<Result<_, Unread>>()? })
}

fn questions(keys: &[Key], timed: &[Key], at_once: bool) -> (Pipeline, usize) {
    let mut pipeline = redis::pipe();
    if at_once {
        pipeline.cmd("MGET");
        for key in keys {
            pipeline.arg(&**key);
        }
    } else {
        for key in keys {
            pipeline.cmd("GET").arg(&**key);
        }
    }
    for key in timed {
        pipeline.cmd("PTTL").arg(&**key);
    }
    (pipeline, if at_once { 1 } else { keys.len() } + timed.len())
}

fn all_of(answer: Value, count: usize) -> Result<Vec<Option<bytes::Bytes>>, Unread> {
    match answer.extract_error()? {
        Value::Array(values) if values.len() == count => {
            values.into_iter().map(|value| Ok(register(value)?.map(Into::into))).collect()
        }
        other => Err(unexpected(&other).into()),
    }
}

/// Data of another type is a fault if it was asked for alone, as with GET; else it counts as none, as with MGET.
fn one(answer: Value, is_one: bool) -> Result<Option<bytes::Bytes>, Unread> {
    match answer.extract_error().map_err(Unread::from) {
        Err(Unread::Fault(fault)) if fault.error.kind == FaultKind::WrongType && !is_one => Ok(None),
        answer => Ok(register(answer?)?.map(Into::into)),
    }
}

/// The time to live; zero for an absent register, and for one that lives for ever, which this library never makes.
fn life_of(answer: Value) -> Result<Duration, Unread> {
    match answer.extract_error().map_err(Unread::from) {
        Ok(Value::Int(ms)) => Ok(Duration::from_millis(u64::try_from(ms).unwrap_or(0))),
        Ok(other) => Err(unexpected(&other).into()),
        Err(Unread::Fault(fault)) if fault.is_refusal => Err(Unread::Untimed(fault.error)),
        Err(unread) => Err(unread),
    }
}
