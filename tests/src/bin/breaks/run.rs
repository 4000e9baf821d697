//! Runs the tests, and judges how they end.

use std::error::Error;
use std::fmt;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

/// Tests that take longer wait for something that never comes.
const HANGS_AFTER: Duration = Duration::from_secs(180);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How a test run has ended.
#[derive(Debug)]
pub(crate) enum TestRun {
    Green,
    /// With the output of the tests.
    Red(String),
    Hangs,
    /// No test has the name.
    Nothing,
    /// With the output of the compiler.
    NotBuilt(String),
}

/// The verdict on a break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    Red,
    Hangs,
    Survived,
    /// The number of places at which its text stands.
    Stale(usize),
    DoesNotCompile(String),
    /// With the output.
    RedBefore(String),
    NoTest,
}

impl Verdict {
    /// The output of the compiler or the tests, if that helps.
    pub(crate) fn said(&self) -> Option<&str> {
        match self {
            Self::DoesNotCompile(said) | Self::RedBefore(said) => Some(said),
            Self::Red | Self::Hangs | Self::Survived | Self::Stale(_) | Self::NoTest => None,
        }
    }

    pub(crate) fn is_red(&self) -> bool {
        matches!(self, Self::Red | Self::Hangs)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Red => f.pad("RED"),
            Self::Hangs => f.pad("RED (hangs)"),
            Self::Survived => f.pad("SURVIVED"),
            Self::Stale(places) => f.pad(&format!("STALE ({places})")),
            Self::DoesNotCompile(_) => f.pad("DOES NOT COMPILE"),
            Self::RedBefore(_) => f.pad("RED BEFORE"),
            Self::NoTest => f.pad("NO TEST"),
        }
    }
}

/// A break that was run.
#[derive(Debug)]
pub(crate) struct BreakRun {
    pub(crate) name: String,
    pub(crate) verdict: Verdict,
}

/// Builds the tests and runs them.
pub(crate) fn cargo_test(tree: &Path, target: &Path, arguments: &str) -> Result<TestRun, Box<dyn Error>> {
    // The words after the target's name choose among its tests; cargo builds only the target.
    let (chosen, rest) = arguments.split_once(" -- ").unwrap_or((arguments, ""));
    let command = |first: &[&str]| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(tree).arg("test").args(first).args(["--locked", "--quiet"]);
        cargo.env("CARGO_TARGET_DIR", target).env("CARGO_TERM_COLOR", "never").stdin(Stdio::null());
        // All processes that it starts end with it.
        cargo.args(chosen.split_whitespace()).process_group(0);
        cargo
    };
    let built = command(&["--no-run"]).stdout(Stdio::null()).stderr(Stdio::piped()).output()?;
    if !built.status.success() {
        return Ok(TestRun::NotBuilt(String::from_utf8_lossy(&built.stderr).into_owned()));
    }
    let mut run = command(&[]);
    if !rest.is_empty() {
        run.arg("--").args(rest.split_whitespace());
    }
    ended(run.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?)
}

fn ended(mut tests: Child) -> Result<TestRun, Box<dyn Error>> {
    let output = tests.stdout.take();
    let said = thread::spawn(move || {
        let mut said = String::new();
        // Unreadable output counts as none.
        let _ = output.map(|mut output| output.read_to_string(&mut said));
        said
    });
    let until = Instant::now() + HANGS_AFTER;
    let status = loop {
        if let Some(status) = tests.try_wait()? {
            break status;
        }
        if Instant::now() >= until {
            // The whole group, by its number.
            Command::new("kill").args(["-KILL", "--", &format!("-{}", tests.id())]).status()?;
            tests.wait()?;
            return Ok(TestRun::Hangs);
        }
        sleep(LOOK_EVERY);
    };
    let said = said.join().map_err(|_| "the reader of the tests' output has panicked")?;
    if !status.success() {
        return Ok(TestRun::Red(said));
    }
    // A filter that matches nothing is green as well.
    let has_run = said.lines().any(|line| line.starts_with("running ") && line != "running 0 tests");
    Ok(if has_run { TestRun::Green } else { TestRun::Nothing })
}
