//! A process that exchanges lines of JSON with its parent: commands in, answers out.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The process; ended when dropped.
pub(crate) struct LineProcess {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl fmt::Debug for LineProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Process").field(&self.child.id()).finish()
    }
}

impl LineProcess {
    pub(crate) fn start(program: &str, arguments: &[&str]) -> Self {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the process starts");
        let input = child.stdin.take().expect("piped");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, input, output }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a command, and does not wait for the answer.
    pub(crate) fn tell(&mut self, what: &impl Serialize) {
        let line = serde_json::to_string(what).expect("it can be written");
        writeln!(self.input, "{line}").expect("the process listens");
    }

    /// Its answer.
    pub(crate) fn answer<T: for<'de> Deserialize<'de>>(&mut self) -> T {
        let mut line = String::new();
        let read = self.output.read_line(&mut line).expect("the process speaks");
        assert!(read > 0, "the process has ended");
        serde_json::from_str(&line).expect("an answer")
    }
}

impl Drop for LineProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
