//! A Redis Sentinel of the test's own.

use crate::free_port;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A `redis-sentinel` process that acts alone; ended when dropped.
#[derive(Debug)]
pub struct Sentinel {
    child: Child,
    port: u16,
    _directory: TempDir,
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Sentinel {
    /// Watches the primary at this port; `None` if the program is not installed.
    pub(crate) fn start(primary: u16) -> Option<Self> {
        let (directory, port) = (tempfile::tempdir().expect("no temporary directory"), free_port());
        let file = directory.path().join("sentinel.conf");
        let settings = format!(
            "port {port}\nbind 127.0.0.1\nsentinel monitor cache 127.0.0.1 {primary} 1\n\
             sentinel down-after-milliseconds cache 2000\nsentinel failover-timeout cache 4000\n"
        );
        std::fs::write(&file, settings).expect("the settings can be written");
        let child = Command::new("redis-sentinel")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        Some(Self { child, port, _directory: directory })
    }

    /// `redis://127.0.0.1:port/`
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    async fn ask<T: redis::FromRedisValue>(&self, words: &[&str]) -> Option<T> {
        let client = redis::Client::open(self.url()).expect("a sound URL");
        let mut connection = client.get_multiplexed_async_connection().await.ok()?;
        let mut command = redis::cmd("SENTINEL");
        for word in words {
            command.arg(*word);
        }
        command.query_async(&mut connection).await.ok()
    }

    /// The port of the primary, as the Sentinel sees it.
    pub async fn primary(&self) -> Option<u16> {
        let (_, port) = self.ask::<(String, String)>(&["GET-MASTER-ADDR-BY-NAME", "cache"]).await?;
        port.parse().ok()
    }

    /// Whether it knows of a replica that could be promoted.
    pub async fn knows_a_replica(&self) -> bool {
        let known = self.ask::<Vec<std::collections::HashMap<String, String>>>(&["REPLICAS", "cache"]).await;
        known.is_some_and(|known| {
            known.iter().any(|replica| replica.get("master-link-status").is_some_and(|s| s == "ok"))
        })
    }

    /// Promotes a replica. `false` if it does not, yet.
    pub async fn promotes(&self) -> bool {
        self.ask::<String>(&["FAILOVER", "cache"]).await.is_some()
    }
}
