//! Registers that are too large to be read within a caller's time. Their start is read instead; see
//! [`overdue`](super::overdue).

use super::answer::{register, unexpected};
use super::overdue::LARGE;
use super::reconnect::Link;
use crate::error::{FaultKind, StoreError};
use crate::store::Key;
use redis::Value;
use std::collections::HashMap;
use tokio::time::Instant;

/// The number of bytes that are read of a large register: more than a head.
const START: usize = 64;

/// The starts of those registers that are overdue and large. Those that are not large are no longer overdue.
pub(super) async fn starts(link: &Link, keys: &[Key], deadline: Instant) -> Result<HashMap<Key, Vec<u8>>, StoreError> {
    let overdue = link.overdue().among(keys, Instant::now());
    if overdue.is_empty() {
        return Ok(HashMap::new());
    }
    let behind = ranges(link, &overdue, (LARGE, LARGE), deadline).await?;
    let (mut large, mut others) = (Vec::new(), Vec::new());
    for (key, behind) in overdue.into_iter().zip(behind) {
        if behind.is_empty() { others.push(key) } else { large.push(key) }
    }
    link.overdue().forget(others.iter());
    if large.is_empty() {
        return Ok(HashMap::new());
    }
    for key in &large {
        link.overdue().warn(key);
    }
    let starts = ranges(link, &large, (0, START - 1), deadline).await?;
    Ok(large.into_iter().zip(starts).filter(|(_, start)| !start.is_empty()).collect())
}

/// Reads a range of each register, in one write. It is empty for a register that is shorter, absent, or of another
/// type.
async fn ranges(
    link: &Link,
    keys: &[Key],
    (from, to): (usize, usize),
    deadline: Instant,
) -> Result<Vec<Vec<u8>>, StoreError> {
    let range = |key: &Key| redis::cmd("GETRANGE").arg(&**key).arg(from).arg(to).to_owned();
    let commands: Vec<_> = keys.iter().map(range).collect();
    match link.send_all(&commands, deadline).await {
        Ok(Value::Array(ranges)) if ranges.len() == keys.len() => {
            ranges.into_iter().map(|range| Ok(register(range)?.unwrap_or_default())).collect()
        }
        Ok(other) => Err(unexpected(&other)),
        // The read itself tells.
        Err(fault) if fault.is_refusal || fault.error.kind == FaultKind::WrongType => Ok(vec![Vec::new(); keys.len()]),
        Err(fault) => Err(fault.into()),
    }
}
