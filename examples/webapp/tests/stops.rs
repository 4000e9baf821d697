//! The program itself, from its start to SIGTERM: it answers, ends with success, and leaves nothing behind.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longer than anything takes on a busy machine; only reached if something hangs.
const HANGS: Duration = Duration::from_secs(120);

/// A child process that does not outlive its test.
struct Process(Child);

impl Process {
    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.0.id().to_string()]).status().unwrap();
        assert!(sent.success(), "kill {name}");
    }

    fn ended(&mut self) -> ExitStatus {
        until("the process ends", || self.0.try_wait().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn until<T>(what: &str, mut is_so: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = is_so() {
            return found;
        }
        assert!(start.elapsed() < HANGS, "waited in vain: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

struct Webapp {
    process: Process,
    addr: String,
    log: Receiver<String>,
    /// Its temporary files.
    files: TempDir,
}

impl Webapp {
    fn start(redis: Option<&str>) -> Self {
        let files = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_webapp"));
        command.env("ADDR", "127.0.0.1:0").env("TMPDIR", files.path()).env_remove("REDIS_URL").env_remove("RUST_LOG");
        if let Some(url) = redis {
            command.env("REDIS_URL", url);
        }
        let mut process = Process(command.stderr(Stdio::piped()).spawn().unwrap());
        let (sender, log) = channel();
        let lines = BufReader::new(process.0.stderr.take().unwrap()).lines();
        thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut webapp = Self { process, addr: String::new(), log, files };
        if redis.is_none() {
            webapp.logged("REDIS_URL is not set");
        }
        let line = webapp.logged("http://");
        let addr = line.split("http://").nth(1).unwrap().split([' ', '"']).next().unwrap();
        addr.clone_into(&mut webapp.addr);
        webapp
    }

    /// Waits for a log line with this text.
    fn logged(&self, text: &str) -> String {
        loop {
            let line = self.log.recv_timeout(HANGS).unwrap_or_else(|_| panic!("no log line with {text:?}"));
            if line.contains(text) {
                return line;
            }
        }
    }

    /// The whole answer: status line, headers, body.
    fn send(&self, method: &str, path: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.addr).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            self.addr,
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn ok(&self, method: &str, path: &str, body: &str) -> String {
        let answer = self.send(method, path, body);
        assert!(answer.starts_with("HTTP/1.1 20"), "{method} {path}: {answer}");
        answer
    }

    /// Asserts that it ends with success and that its files are gone.
    fn ends_well(mut self) {
        let last = self.logged("stopped");
        assert!(last.contains("nothing is left"), "{last}");
        assert_eq!(self.process.ended().code(), Some(0));
        let left: Vec<PathBuf> = self.files.path().read_dir().unwrap().map(|file| file.unwrap().path()).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn it_serves_and_ends_with_success_on_sigterm() {
    let webapp = Webapp::start(None);
    for path in ["/", "/page.css", "/page.js", "/api/users/42", "/api/search?q=lamp", "/api/top/books", "/api/entries"]
    {
        webapp.ok("GET", path, "");
    }
    for path in ["/api/near?local=on", "/api/turnover?stale=on", "/api/report/2025"] {
        webapp.ok("GET", path, "");
    }
    let all = webapp.ok("POST", "/api/stampede", "");
    assert!(all.contains(r#""loads":1,"#), "{all}");
    webapp.ok("PUT", "/api/users/42", r#"{"name": "Zoe"}"#);
    assert!(webapp.ok("GET", "/api/users/42", "").contains(r#""name":"Zoe""#));
    assert!(webapp.send("GET", "/nothing", "").starts_with("HTTP/1.1 404"));

    // As a browser does: connected, and nothing asked.
    let _silent = TcpStream::connect(&webapp.addr).unwrap();
    webapp.process.signal("-TERM");
    webapp.ends_well();
}

#[test]
fn it_ends_with_success_on_ctrl_c() {
    let webapp = Webapp::start(None);
    webapp.process.signal("-INT");
    webapp.ends_well();
}

/// A Redis server on a socket in a directory of its own.
fn redis(directory: &Path) -> (Process, PathBuf) {
    let socket = directory.join("redis.sock");
    let server = Command::new("redis-server")
        .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"])
        .arg(&socket)
        .arg("--dir")
        .arg(directory)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let server = Process(server);
    until("redis-server answers", || UnixStream::connect(&socket).ok());
    (server, socket)
}

#[test]
fn invalidations_that_redis_has_not_taken_yet_are_applied_before_the_end() {
    let directory = tempfile::tempdir().unwrap();
    let (server, socket) = redis(directory.path());
    let webapp = Webapp::start(Some(&format!("unix://{}", socket.display())));
    webapp.ok("GET", "/api/users/42", "");
    until("the user is cached", || webapp.ok("GET", "/api/entries", "").contains(r#""is_cached":true"#).then_some(()));

    server.signal("-STOP");
    webapp.ok("PUT", "/api/users/42", r#"{"name": "Zoe"}"#);
    assert!(!webapp.ok("GET", "/api/stats", "").contains(r#""pending":0"#), "nothing is pending");
    webapp.process.signal("-TERM");
    webapp.logged("waiting for Redis");
    server.signal("-CONT");
    webapp.ends_well();
}
