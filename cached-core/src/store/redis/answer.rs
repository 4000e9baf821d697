//! The contents of redis-rs' answers, and the forms of keys and times that commands take.

use crate::error::{FaultKind, StoreError};
use crate::key::companion;
use crate::store::Each;
use redis::{FromRedisValue, Value};
use std::time::Duration;

pub(super) fn register(value: Value) -> Result<Option<Vec<u8>>, StoreError> {
    match value {
        Value::Nil => Ok(None),
        Value::BulkString(register) => Ok(Some(register)),
        other => Err(unexpected(&other)),
    }
}

/// The answers of several keys. If all keys have failed, the step has.
pub(super) fn each<T>(answers: Vec<Result<T, StoreError>>) -> Result<Each<T>, StoreError> {
    match answers.first() {
        Some(Err(error)) if answers.iter().all(Result::is_err) => Err(error.clone()),
        _ => Ok(answers.into_iter().collect()),
    }
}

pub(super) fn unexpected(answer: &Value) -> StoreError {
    StoreError::new(FaultKind::Refused, format!("unexpected answer to a read: {answer:?}"))
}

pub(super) fn answer<T: FromRedisValue>(value: Value) -> Result<T, StoreError> {
    T::from_redis_value(value).map_err(|error| StoreError::new(FaultKind::Refused, error.to_string()))
}

/// The markers of writes in progress on `key`, in the same slot of a cluster.
pub(super) fn markers(key: &str) -> String {
    companion(key, "w")
}

pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1)
}
