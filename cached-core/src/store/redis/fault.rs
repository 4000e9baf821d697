//! The meaning of redis-rs' errors for a cache.

use crate::error::{FaultKind, StoreError};
use redis::{ErrorKind, RedisError, ServerErrorKind};

/// Whether a command may reach the server twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Copies {
    /// It is sent again when its connection broke: a copy that is carried out late does no harm.
    Harmless,
    /// It is sent once: it creates a fresh identity, and a late copy would bring that back after an invalidation has
    /// ended it.
    Never,
}

/// The reason why a command has no usable answer.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    pub(super) error: StoreError,
    /// The server asks for the script's source.
    pub(super) is_unknown_script: bool,
    /// The client cannot read the answer.
    pub(super) is_unreadable: bool,
    /// The server answers that it does not take this command: it does not know the command, does not grant it to this
    /// user, or is a cluster's node and the keys stand in several slots.
    pub(super) is_refusal: bool,
    carried_out: CarriedOut,
}

/// The part of a failed command that was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CarriedOut {
    /// Nothing: the server does not know the command, or the keys stand in several slots.
    Nothing,
    /// Possibly a part: the server stops a script at a command for which the user has no right.
    Unknown,
}

impl Fault {
    pub(super) fn new(kind: FaultKind, message: &str) -> Self {
        StoreError::new(kind, message).into()
    }

    /// Whether the failed command may be sent once more in another form, such as step by step.
    pub(super) fn allows(&self, copies: Copies) -> bool {
        copies == Copies::Harmless || self.carried_out == CarriedOut::Nothing
    }
}

impl From<RedisError> for Fault {
    fn from(error: RedisError) -> Self {
        let is_unknown_script = error.kind() == ErrorKind::Server(ServerErrorKind::NoScript);
        Self {
            error: classify(&error),
            is_unknown_script,
            is_unreadable: error.kind() == ErrorKind::Parse,
            is_refusal: is_refusal(&error),
            carried_out: if is_refused_before(&error) { CarriedOut::Nothing } else { CarriedOut::Unknown },
        }
    }
}

/// The command was not sent, or has no answer that says anything about it.
impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        let carried_out = CarriedOut::Unknown;
        Self { error, is_unknown_script: false, is_unreadable: false, is_refusal: false, carried_out }
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        fault.error
    }
}

/// The kind of an error: what the engine does about it.
pub(super) fn classify(error: &RedisError) -> StoreError {
    let kind = match error.kind() {
        ErrorKind::Io | ErrorKind::Client | ErrorKind::Parse => FaultKind::Disconnected,
        ErrorKind::AuthenticationFailed => by_message(&error.to_string()).unwrap_or(FaultKind::Auth),
        _ => by_code(error.code().unwrap_or_default())
            .or_else(|| by_message(of_a_script(error.detail()?)?))
            .unwrap_or(FaultKind::Refused),
    };
    let meaning = if error.kind() == ErrorKind::Parse { UNREADABLE } else { "" };
    StoreError::new(kind, format!("{error}{meaning}"))
}

/// A refusal quotes the arguments of the command. Here they are binary, and the client takes the answer for a broken
/// protocol.
const UNREADABLE: &str = "; the server's answer cannot be read: it may be a refusal that quotes binary arguments (does \
                          the server know EVAL, and may this user run scripts?), or the port is not a Redis server's";

/// Servers before 7 report what failed inside of a script as a text behind a general code. Other texts quote what the
/// client has sent, such as keys, and say nothing.
fn of_a_script(detail: &str) -> Option<&str> {
    detail.starts_with("Error running script").then_some(detail)
}

fn is_refusal(error: &RedisError) -> bool {
    error.code() == Some("NOPERM") || is_refused_before(error)
}

/// Whether the server gives this answer before it begins with a command.
fn is_refused_before(error: &RedisError) -> bool {
    match error.code() {
        Some("CROSSSLOT") => true,
        Some("ERR") => error.detail().is_some_and(|detail| detail.starts_with("unknown command")),
        _ => false,
    }
}

fn by_code(code: &str) -> Option<FaultKind> {
    Some(match code {
        "NOAUTH" | "WRONGPASS" => FaultKind::Auth,
        "LOADING" | "CLUSTERDOWN" => FaultKind::Loading,
        "BUSY" => FaultKind::Busy,
        // A replica, and one that has no contact to its primary.
        "READONLY" | "MASTERDOWN" => FaultKind::NotPrimary,
        "OOM" => FaultKind::OutOfMemory,
        "WRONGTYPE" => FaultKind::WrongType,
        _ => return None,
    })
}

fn by_message(message: &str) -> Option<FaultKind> {
    message.split(|c: char| !c.is_ascii_uppercase()).find_map(by_code)
}

/// Whether the connection is useless from now on.
pub(super) fn is_broken(error: &RedisError) -> bool {
    error.is_connection_dropped() || error.is_unrecoverable_error() || matches!(error.kind(), ErrorKind::Parse)
}
