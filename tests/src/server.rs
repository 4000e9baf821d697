//! A Redis server of the test's own.

use crate::Sentinel;
use futures_util::StreamExt;
use std::fmt;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A `redis-server` process; ended when dropped.
pub struct RedisServer {
    child: Child,
    port: u16,
    directory: TempDir,
    arguments: Vec<String>,
}

impl fmt::Debug for RedisServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisServer").field("port", &self.port).finish_non_exhaustive()
    }
}

/// A port that is free now.
///
/// # Panics
/// When the system has none.
#[must_use]
pub fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("no free port");
    listener.local_addr().expect("a bound socket has an address").port()
}

impl RedisServer {
    /// A server that answers.
    ///
    /// # Panics
    /// When `redis-server` is not installed or does not start.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// A server with further arguments, such as `["--maxmemory", "2mb"]`.
    ///
    /// # Panics
    /// Like [`start`](Self::start).
    #[must_use]
    pub fn start_with(arguments: &[&str]) -> Self {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let mut failed = String::new();
        // A port that was free may be taken by now.
        for _ in 0..3 {
            let directory = tempfile::tempdir().expect("no temporary directory");
            let port = free_port();
            let child = spawn(port, directory.path(), &arguments);
            let mut server = Self { child, port, directory, arguments: arguments.clone() };
            match server.wait_until_said(READY, 0) {
                Ok(()) => return server,
                Err(log) if log.contains("Address already in use") => failed = log,
                Err(log) => panic!("redis-server does not start: {log}"),
            }
        }
        panic!("redis-server finds no free port: {failed}");
    }

    /// The only node of a cluster. It owns all slots, and refuses commands whose keys stand in several slots.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn cluster_node() -> Self {
        let server = Self::start_with(&["--cluster-enabled", "yes"]);
        server.owns_slots(0..16_384).await;
        crate::eventually("the cluster is up", async || {
            server.send::<String>(&[b"CLUSTER", b"INFO"]).await.contains("cluster_state:ok")
        })
        .await;
        server
    }

    /// Gives these slots of its cluster to this node, one by one, because servers before 7.0 know no ranges.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn owns_slots(&self, slots: std::ops::Range<u16>) {
        let slots: Vec<String> = slots.map(|slot| slot.to_string()).collect();
        let words = [b"CLUSTER".as_slice(), b"ADDSLOTS"].into_iter().chain(slots.iter().map(String::as_bytes));
        let _: () = self.send(&words.collect::<Vec<_>>()).await;
    }

    /// A Sentinel that watches this server under the name `cache` and acts alone; `None` if `redis-sentinel` is not
    /// installed.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn sentinel(&self) -> Option<Sentinel> {
        Sentinel::start(self.port)
    }

    /// `redis://127.0.0.1:port/`
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A file in its directory.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A connection that is not the library's.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn connection(&self) -> redis::aio::MultiplexedConnection {
        let client = redis::Client::open(self.url()).expect("a sound URL");
        client.get_multiplexed_async_connection().await.expect("the server answers")
    }

    /// Sends one command from outside.
    ///
    /// # Panics
    /// When the server refuses it.
    pub async fn send<T: redis::FromRedisValue>(&self, words: &[&[u8]]) -> T {
        let mut command = redis::Cmd::new();
        for word in words {
            command.arg(*word);
        }
        command.query_async(&mut self.connection().await).await.expect("the server takes the command")
    }

    /// Records all commands from now on: [`Monitor::stop`] returns them.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn monitor(&self) -> Monitor {
        let client = redis::Client::open(self.url()).expect("a sound URL");
        let monitor = client.get_async_monitor().await.expect("the server answers");
        let lines = Arc::new(Mutex::new(Vec::new()));
        let task = tokio::spawn({
            let lines = Arc::clone(&lines);
            async move {
                let mut seen = monitor.into_on_message::<String>();
                while let Some(line) = seen.next().await {
                    lines.lock().expect("not poisoned").push(line);
                }
            }
        });
        Monitor { lines, task }
    }

    /// Makes it a replica of the server at this port, or a primary for `None`.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn follows(&self, port: Option<u16>) {
        let port = port.map(|port| port.to_string());
        let (host, port) = match &port {
            Some(port) => ("127.0.0.1", port.as_str()),
            None => ("NO", "ONE"),
        };
        let _: String = self.send(&[b"REPLICAOF", host.as_bytes(), port.as_bytes()]).await;
    }

    /// Waits until it has all of its primary's data.
    ///
    /// # Panics
    /// When that takes ten seconds.
    pub async fn is_in_step(&self) {
        crate::eventually("the replica is in step", async || {
            self.send::<String>(&[b"INFO", b"replication"]).await.contains("master_link_status:up")
        })
        .await;
    }

    /// Ends it at once: SIGKILL.
    ///
    /// # Panics
    /// When the process cannot be ended.
    pub fn kill(&mut self) {
        self.child.kill().expect("the server can be killed");
        self.child.wait().expect("the server can be waited for");
    }

    /// Starts it again on the same port, empty or with the data that it has saved.
    ///
    /// # Panics
    /// When it does not start.
    pub fn restart(&mut self) {
        self.start_again(READY);
    }

    /// Starts it again with other arguments, on the same port; it may still be loading the data that it has saved.
    ///
    /// # Panics
    /// When it does not start.
    pub fn restart_with(&mut self, arguments: &[&str]) {
        self.arguments = arguments.iter().map(ToString::to_string).collect();
        self.start_again("Server initialized");
    }

    fn start_again(&mut self, word: &str) {
        let before = self.times_said(word);
        self.child = spawn(self.port, self.directory.path(), &self.arguments);
        self.wait_until_said(word, before).unwrap_or_else(|log| panic!("redis-server does not start again: {log}"));
    }

    /// Freezes it: SIGSTOP. Connections stay open, nothing is answered.
    pub fn freeze(&self) {
        signal("-STOP", self.child.id());
    }

    /// Continues it: SIGCONT.
    pub fn thaw(&self) {
        signal("-CONT", self.child.id());
    }

    /// Waits for the server's own log line: a port that takes connections may be another server's, or the first of
    /// several sockets.
    fn wait_until_said(&mut self, word: &str, before: usize) -> Result<(), String> {
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.times_said(word) == before {
            if Instant::now() > deadline || self.child.try_wait().is_ok_and(|status| status.is_some()) {
                return Err(self.log());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// How often its log has this line; a restart continues the same file.
    fn times_said(&self, word: &str) -> usize {
        self.log().matches(word).count()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.file(LOG)).unwrap_or_default()
    }
}

const LOG: &str = "redis.log";
/// The log line of a server that takes commands, with all of its data.
const READY: &str = "Ready to accept connections";

fn spawn(port: u16, directory: &Path, arguments: &[String]) -> Child {
    Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"])
        .arg(directory)
        .args(["--logfile", LOG])
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("`redis-server` cannot be started: install it (Debian: apt-get install redis-server)")
}

/// Sends a signal by the system's `kill`, because the workspace forbids unsafe code, and with it the call itself.
pub(crate) fn signal(signal: &str, pid: u32) {
    let status = Command::new("kill").args([signal, &pid.to_string()]).status();
    assert!(status.is_ok_and(|status| status.success()), "kill {signal} {pid}");
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const END: &str = "end of the test's watch";

/// `1700000000.000000 [0 127.0.0.1:50000] "GET" "key"` → `0 127.0.0.1:50000`
#[must_use]
pub fn client_of(monitored: &str) -> &str {
    monitored.split(['[', ']']).nth(1).unwrap_or_default()
}

/// The commands that a server was sent since [`RedisServer::monitor`].
#[derive(Debug)]
pub struct Monitor {
    lines: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Monitor {
    /// The commands that clients have sent until now, without those inside scripts, and without the question for the
    /// server's role, which is sent along as time passes.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn stop(self, server: &RedisServer) -> Vec<String> {
        let _: String = server.send(&[b"ECHO", END.as_bytes()]).await;
        let mut seen = Vec::new();
        crate::eventually("the monitor has seen all", async || {
            seen.clone_from(&self.lines.lock().expect("not poisoned"));
            seen.iter().any(|line| line.contains(END))
        })
        .await;
        self.task.abort();
        // The last connection is the one that sent the end mark.
        let is_end = |line: &String| line.contains(END);
        let end_client = seen.iter().find(|line| is_end(line)).map(|line| client_of(line).to_owned());
        let is_told = |line: &str| !line.contains(" lua]") && !line.ends_with("] \"HELLO\"");
        seen.retain(|line| is_told(line) && Some(client_of(line)) != end_client.as_deref());
        seen
    }
}
