//! Lua scripts on the server. A script is sent in full once, and by its digest from then on.

use super::fault::{Copies, Fault};
use super::reconnect::Link;
use redis::{Cmd, Value};
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::time::Instant;

/// A script and the digest by which the server knows it.
#[derive(Debug)]
pub(super) struct Script {
    source: &'static str,
    digest: String,
    /// Whether this process has sent it in full.
    sent: AtomicBool,
}

impl Script {
    pub(super) fn new(source: &'static str) -> Self {
        Self { source, digest: redis::Script::new(source).get_hash().to_owned(), sent: AtomicBool::new(false) }
    }

    /// Runs the script; `arguments` adds the number of keys, the keys and the arguments.
    pub(super) async fn run(
        &self,
        link: &Link,
        copies: Copies,
        arguments: impl Fn(&mut Cmd),
        deadline: Instant,
    ) -> Result<Value, Fault> {
        let command = |name, script: &str| {
            let mut command = redis::cmd(name);
            command.arg(script);
            arguments(&mut command);
            command
        };
        if self.sent.swap(true, Ordering::Relaxed) {
            match link.send(&command("EVALSHA", &self.digest), copies, deadline).await {
                // The server was restarted, or its scripts were flushed.
                Err(fault) if fault.is_unknown_script => {}
                answer => return answer,
            }
        }
        match link.send(&command("EVAL", self.source), copies, deadline).await {
            Err(fault) if fault.is_unreadable => Err(refusal(link, deadline).await.unwrap_or(fault)),
            answer => answer,
        }
    }
}

/// The refusal of scripts; `None` if the server runs them. A server that does not know EVAL quotes its arguments, which
/// are binary, and the client cannot read that. A script without arguments brings the same refusal in a readable form.
async fn refusal(link: &Link, deadline: Instant) -> Option<Fault> {
    let nothing = redis::cmd("EVAL").arg("return 1").arg(0).to_owned();
    link.send(&nothing, Copies::Harmless, deadline).await.err()
}
