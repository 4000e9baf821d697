//! Processes that use the cache, started and controlled by a test.

use crate::server::signal;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The report of a worker.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// Loads that its callers caused.
    pub loads: u64,
    /// The longest that a caller waited, in milliseconds.
    pub slowest_ms: f64,
    /// The values its callers got, without repetitions.
    pub values: Vec<String>,
}

/// A worker process; ended when dropped.
pub struct Worker {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("pid", &self.child.id()).finish_non_exhaustive()
    }
}

impl Worker {
    /// Starts a worker and waits until it is ready to go. `program` is `env!("CARGO_BIN_EXE_worker")` of the test.
    ///
    /// Arguments: the server's URL, the key, callers, milliseconds of one load, milliseconds of a lease.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(program: &str, url: &str, key: &str, callers: u32, load_ms: u64, lease_ms: u64) -> Self {
        Self::with(program, &[url, key, &callers.to_string(), &load_ms.to_string(), &lease_ms.to_string()])
    }

    /// As [`start`](Self::start), with callers that refresh by force. A lease of theirs lives for ten seconds.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn forcing(program: &str, url: &str, key: &str, callers: u32, load_ms: u64) -> Self {
        Self::with(program, &[url, key, &callers.to_string(), &load_ms.to_string(), "10000", "force"])
    }

    fn with(program: &str, arguments: &[&str]) -> Self {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the worker starts");
        let input = child.stdin.take().expect("piped");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let mut worker = Self { child, input, output };
        worker.expect("ready");
        worker
    }

    /// Lets its callers go.
    ///
    /// # Panics
    /// When it has ended.
    pub fn go(&mut self) {
        self.input.write_all(b"go\n").expect("the worker listens");
    }

    /// Waits until its load has begun.
    ///
    /// # Panics
    /// When it has ended.
    pub fn wait_until_loading(&mut self) {
        self.expect("loading");
    }

    /// Waits for its report.
    ///
    /// # Panics
    /// When it ends without one.
    pub fn report(&mut self) -> Report {
        loop {
            let line = self.line();
            if line.starts_with('{') {
                return serde_json::from_str(&line).expect("a report");
            }
        }
    }

    /// Ends it at once: SIGKILL.
    ///
    /// # Panics
    /// When it cannot be ended.
    pub fn kill(&mut self) {
        signal("-KILL", self.child.id());
        self.child.wait().expect("the worker can be waited for");
    }

    fn expect(&mut self, word: &str) {
        let line = self.line();
        assert_eq!(line, word);
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        let read = self.output.read_line(&mut line).expect("the worker speaks");
        assert!(read > 0, "the worker has ended");
        line.trim_end().to_owned()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
