//! A process that writes rows, to be killed before its writes have ended.

use crate::server::signal;
use std::fmt;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// The process; ended when dropped.
pub struct Writer {
    child: Child,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("pid", &self.child.id()).finish()
    }
}

impl Writer {
    /// Starts it and waits until the brackets of all its writes have begun: rows 0 to `rows`, each in one of the ways
    /// to invalidate it. `program` is `env!("CARGO_BIN_EXE_writer")` of the test.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(program: &str, url: &str, rows: u64, marker_ms: u64) -> Self {
        let mut child = Command::new(program)
            .args([url, &rows.to_string(), &marker_ms.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the writer starts");
        let mut line = String::new();
        let output = child.stdout.take().expect("piped");
        BufReader::new(output).read_line(&mut line).expect("the writer speaks");
        assert_eq!(line, "begun\n");
        Self { child }
    }

    /// SIGKILL.
    ///
    /// # Panics
    /// When it cannot be ended.
    pub fn kill(mut self) {
        signal("-KILL", self.child.id());
        self.child.wait().expect("the writer can be waited for");
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
