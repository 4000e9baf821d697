//! What redis-rs' errors mean for a cache.

use crate::error::{FaultKind, StoreError};
use redis::{ErrorKind, RedisError, ServerErrorKind};

/// Why a command has no answer that is of use.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    pub(super) error: StoreError,
    /// The server asks for the script's source.
    pub(super) is_unknown_script: bool,
}

impl Fault {
    pub(super) fn new(kind: FaultKind, message: &str) -> Self {
        Self { error: StoreError::new(kind, message), is_unknown_script: false }
    }
}

impl From<RedisError> for Fault {
    fn from(error: RedisError) -> Self {
        let is_unknown_script = error.kind() == ErrorKind::Server(ServerErrorKind::NoScript);
        Self { error: classify(&error), is_unknown_script }
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        fault.error
    }
}

/// Sorts an error by what the engine does about it.
pub(super) fn classify(error: &RedisError) -> StoreError {
    let kind = match error.kind() {
        ErrorKind::Io | ErrorKind::Client | ErrorKind::Parse => FaultKind::Disconnected,
        ErrorKind::AuthenticationFailed => by_message(&error.to_string()).unwrap_or(FaultKind::Auth),
        _ => by_code(error.code().unwrap_or_default())
            // Servers before 7 report what failed inside of a script as text behind a general code.
            .or_else(|| by_message(error.detail().unwrap_or_default()))
            .unwrap_or(FaultKind::Refused),
    };
    StoreError::new(kind, error.to_string())
}

fn by_code(code: &str) -> Option<FaultKind> {
    Some(match code {
        "NOAUTH" | "WRONGPASS" => FaultKind::Auth,
        "LOADING" | "MASTERDOWN" | "CLUSTERDOWN" | "BUSY" => FaultKind::Loading,
        "READONLY" => FaultKind::ReadOnly,
        "OOM" => FaultKind::OutOfMemory,
        "WRONGTYPE" => FaultKind::WrongType,
        _ => return None,
    })
}

fn by_message(message: &str) -> Option<FaultKind> {
    message.split(|c: char| !c.is_ascii_uppercase()).find_map(by_code)
}

/// Whether the connection is of no further use.
pub(super) fn is_broken(error: &RedisError) -> bool {
    error.is_connection_dropped() || error.is_unrecoverable_error() || matches!(error.kind(), ErrorKind::Parse)
}
