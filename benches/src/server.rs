//! A `redis-server` of our own: on a free port of 127.0.0.1, in its own directory, without persistence.

use std::fmt;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Another program may take a port between our check and the server's start.
const ATTEMPTS: u32 = 5;
const STARTS_WITHIN: Duration = Duration::from_secs(10);

/// Why there is no server to measure against.
#[derive(Debug)]
pub(crate) enum ServerError {
    NoBinary,
    NotStarted(io::Error),
    NoPort(io::Error),
    NoDirectory(io::Error),
    Ended(String),
    Silent(u16),
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoBinary => f.write_str(
                "there is no `redis-server` in PATH: install it (Debian: apt-get install redis-server; macOS: brew install redis)",
            ),
            Self::NotStarted(error) => write!(f, "`redis-server` cannot be started: {error}"),
            Self::NoPort(error) => write!(f, "no free port on 127.0.0.1: {error}"),
            Self::NoDirectory(error) => write!(f, "no temporary directory: {error}"),
            Self::Ended(log) => write!(f, "`redis-server` ended at once, {ATTEMPTS} times; its log ends with: {log}"),
            Self::Silent(port) => write!(f, "`redis-server` does not listen on port {port} within {STARTS_WITHIN:?}"),
        }
    }
}

/// Ends with its owner, even on a panic.
#[derive(Debug)]
pub(crate) struct RedisServer {
    child: Child,
    port: u16,
    directory: TempDir,
}

impl RedisServer {
    pub(crate) fn start() -> Result<Self, ServerError> {
        let mut log = String::new();
        for _ in 0..ATTEMPTS {
            let port = free_port().map_err(ServerError::NoPort)?;
            let directory = tempfile::tempdir().map_err(ServerError::NoDirectory)?;
            let child = spawn(port, &directory)?;
            let mut server = Self { child, port, directory };
            if server.listens()? {
                return Ok(server);
            }
            log = server.end_of_log();
        }
        Err(ServerError::Ended(log))
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// SIGSTOP: connections stay open, nothing is answered.
    pub(crate) fn freeze(&self) {
        self.signal("-STOP");
    }

    /// SIGCONT.
    pub(crate) fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status();
        assert!(sent.is_ok_and(|status| status.success()), "kill {signal} {pid} failed");
    }

    /// `false` if the server has ended instead.
    fn listens(&mut self) -> Result<bool, ServerError> {
        let deadline = Instant::now() + STARTS_WITHIN;
        while Instant::now() < deadline {
            if self.child.try_wait().map_err(ServerError::NotStarted)?.is_some() {
                return Ok(false);
            }
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return Ok(true);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Err(ServerError::Silent(self.port))
    }

    fn end_of_log(&self) -> String {
        let log = std::fs::read_to_string(self.directory.path().join("redis.log")).unwrap_or_default();
        log.lines().last().unwrap_or("(nothing)").to_owned()
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // Neither fails for a reason that could be mended here. SIGKILL also ends a frozen process.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

fn spawn(port: u16, directory: &TempDir) -> Result<Child, ServerError> {
    Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"])
        .arg(directory.path())
        .args(["--logfile", "redis.log"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => ServerError::NoBinary,
            _ => ServerError::NotStarted(error),
        })
}
