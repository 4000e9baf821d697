//! The role of the server: whether it is the primary, and whether it is a node of a cluster.
//!
//! A replica may serve values that its primary has long replaced, and takes no writes. After a failover an old
//! connection may still lead to the former primary, which is a replica by then. So the server is asked when the
//! connection is made, and again while it is in use.
//!
//! The question is HELLO without arguments: it answers every user, whatever his rights, and changes nothing. Servers
//! before 6.2, proxies, and servers that have renamed it are asked by ROLE, or by INFO.

use super::fault::classify;
use crate::error::{FaultKind, StoreError};
use redis::aio::MultiplexedConnection;
use redis::{Cmd, RedisError, Value};

/// The command by which the server is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    Hello,
    Role,
    Info,
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Role {
    is_primary: bool,
    is_sentinel: bool,
    /// A node of a cluster.
    pub(super) is_cluster: bool,
}

impl Question {
    pub(super) fn command(self) -> Cmd {
        let mut command = Cmd::new();
        match self {
            Self::Hello => command.arg("HELLO"),
            Self::Role => command.arg("ROLE"),
            Self::Info => command.arg("INFO").arg("replication"),
        };
        command
    }

    /// Reads the role from the answer; `None` if the answer does not tell it.
    pub(super) fn answer(self, answer: &Value) -> Option<Role> {
        match (self, answer) {
            (Self::Hello, Value::Map(fields)) => hello(fields.iter().map(|(name, value)| (name, value))),
            (Self::Hello, Value::Array(words)) => hello(words.chunks_exact(2).map(|pair| (&pair[0], &pair[1]))),
            (Self::Role, Value::Array(words)) => role(text(words.first()?)?),
            (Self::Info, answer) => {
                let role_of = |line: &str| line.strip_prefix("role:").and_then(|word| role(word.trim().as_bytes()));
                std::str::from_utf8(text(answer)?).ok()?.lines().find_map(role_of)
            }
            _ => None,
        }
    }
}

impl Role {
    /// The reason why the server at this address is no place for a cache; `None` if it is one.
    pub(super) fn fault(self, address: &str) -> Option<StoreError> {
        let message = if self.is_sentinel {
            format!("{address} is a Sentinel, which holds no data: give the address of the primary that it watches")
        } else if self.is_primary {
            return None;
        } else {
            format!(
                "{address} is a replica, which may serve what its primary has replaced and takes no writes: give the \
                 address of the primary, or a name that follows it"
            )
        };
        Some(StoreError::new(FaultKind::NotPrimary, message))
    }
}

/// Asks by one command after the other. Returns `None` if the server answers none of them: then nobody can tell its
/// role.
pub(super) async fn ask(redis: &mut MultiplexedConnection) -> Result<Option<(Question, Role)>, RedisError> {
    let mut refusal = None;
    for question in [Question::Hello, Question::Role, Question::Info] {
        match redis.send_packed_command(&question.command()).await.and_then(Value::extract_error) {
            Ok(answer) => {
                if let Some(role) = question.answer(&answer) {
                    return Ok(Some((question, role)));
                }
            }
            // A server with too many clients says so and closes. Its words are the reason, not the broken connection.
            Err(error) if classify(&error).kind.is_outage() => return Err(refusal.unwrap_or(error)),
            Err(error) => refusal = refusal.or(Some(error)),
        }
    }
    Ok(None)
}

fn hello<'a>(fields: impl Iterator<Item = (&'a Value, &'a Value)>) -> Option<Role> {
    let (mut told, mut mode) = (None, None);
    for (name, value) in fields {
        match text(name) {
            Some(b"role") => told = text(value),
            Some(b"mode") => mode = text(value),
            _ => {}
        }
    }
    match (told, mode) {
        // A Sentinel tells no role.
        (_, Some(b"sentinel")) => role(b"sentinel"),
        (told, mode) => Some(Role { is_cluster: mode == Some(b"cluster"), ..role(told?)? }),
    }
}

fn role(word: &[u8]) -> Option<Role> {
    let known = matches!(word, b"master" | b"primary" | b"slave" | b"replica" | b"sentinel");
    known.then(|| Role {
        is_primary: matches!(word, b"master" | b"primary"),
        is_sentinel: word == b"sentinel",
        is_cluster: false,
    })
}

fn text(value: &Value) -> Option<&[u8]> {
    match value {
        Value::BulkString(text) => Some(text),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Some(text.as_bytes()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.into())
    }

    fn hello(role: &str, mode: &str) -> [Option<Role>; 2] {
        let fields = [("server", "redis"), ("mode", mode), ("role", role)];
        let words = fields.iter().flat_map(|(name, value)| [bulk(name), bulk(value)]).collect();
        let pairs = fields.iter().map(|(name, value)| (bulk(name), bulk(value))).collect();
        [Question::Hello.answer(&Value::Array(words)), Question::Hello.answer(&Value::Map(pairs))]
    }

    #[test]
    fn only_a_primary_is_a_place_for_a_cache() {
        for role in hello("master", "standalone") {
            let role = role.unwrap();
            assert!(role.fault("host:1").is_none() && !role.is_cluster);
        }
        for role in hello("replica", "cluster") {
            let role = role.unwrap();
            assert!(role.is_cluster);
            let fault = role.fault("host:1").unwrap();
            assert_eq!(fault.kind, FaultKind::NotPrimary);
            assert!(fault.message.starts_with("host:1 is a replica"), "{fault}");
        }
        let sentinel = Question::Hello.answer(&Value::Map(vec![(bulk("mode"), bulk("sentinel"))])).unwrap();
        assert!(sentinel.fault("host:1").unwrap().message.contains("is a Sentinel"));
    }

    #[test]
    fn what_older_servers_answer_is_understood() {
        let is_primary = |question: Question, answer| question.answer(&answer).map(|role: Role| role.is_primary);
        assert_eq!(is_primary(Question::Role, Value::Array(vec![bulk("master"), Value::Int(7)])), Some(true));
        assert_eq!(is_primary(Question::Role, Value::Array(vec![bulk("slave"), bulk("host")])), Some(false));
        assert_eq!(is_primary(Question::Info, bulk("# Replication\r\nrole:slave\r\nx:1\r\n")), Some(false));
        assert_eq!(is_primary(Question::Info, bulk("# Replication\r\nrole:master\r\nx:1\r\n")), Some(true));
    }

    #[test]
    fn an_answer_that_tells_no_role_is_none() {
        for question in [Question::Hello, Question::Role, Question::Info] {
            for answer in [Value::Okay, Value::Nil, Value::Array(Vec::new()), Value::Map(Vec::new()), bulk("hello")] {
                assert_eq!(question.answer(&answer), None, "{question:?} {answer:?}");
            }
        }
    }
}
