//! The app ends in good order when it is told to, and leaves nothing behind.
#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

#[test]
fn what_a_service_manager_sends_leaves_nothing_in_the_temporary_folder() {
    for signal in ["-TERM", "-INT"] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut app = Command::new(env!("CARGO_BIN_EXE_webapp"))
            .env("ADDR", "127.0.0.1:0")
            .env("TMPDIR", folder.path())
            .env_remove("REDIS_URL")
            .stderr(Stdio::piped())
            .spawn()
            .expect("the app starts");
        let mut log = BufReader::new(app.stderr.take().expect("it is piped")).lines().map_while(Result::ok);
        assert!(log.any(|line| line.contains("listening")), "{signal}: it never listens");
        let files = || std::fs::read_dir(folder.path()).expect("the folder is there").count();
        assert!(files() > 0, "the database stands elsewhere");
        let sent = Command::new("kill").args([signal, &app.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()));
        assert!(log.any(|line| line.contains("stopped")), "{signal}: it ends without a word");
        assert!(app.wait().expect("it ends").success());
        assert_eq!(files(), 0, "{signal}");
    }
}
