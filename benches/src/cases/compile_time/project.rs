//! The generated crate, in a temporary directory. Its dependencies stay built in ours.

use super::source::Variant;
use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const HERE: &str = env!("CARGO_MANIFEST_DIR");

pub(super) struct Project {
    directory: TempDir,
    target: PathBuf,
}

impl Project {
    pub(super) fn new() -> io::Result<Self> {
        let directory = tempfile::tempdir()?;
        fs::create_dir(directory.path().join("src"))?;
        fs::write(directory.path().join("Cargo.toml"), manifest()?)?;
        // The same versions that are measured elsewhere; they are also there without a network.
        fs::copy(Path::new(HERE).join("Cargo.lock"), directory.path().join("Cargo.lock"))?;
        // `target/release/benches` → `target/generated`
        let executable = env::current_exe()?;
        let target = executable.ancestors().nth(2).unwrap_or(Path::new(HERE)).join("generated");
        Ok(Self { directory, target })
    }

    /// Builds that variant of the crate again, and returns how long it took, including dependencies that were not built
    /// yet.
    pub(super) fn build(&self, variant: Variant) -> Result<Duration, String> {
        let source = self.directory.path().join("src/lib.rs");
        fs::write(&source, variant.source()).map_err(|error| format!("{}: {error}", source.display()))?;
        let began = Instant::now();
        match self.cargo(&["--offline"]) {
            Ok(()) => return Ok(began.elapsed()),
            Err(problem) if problem.contains("error[") => return Err(format!("{}: {problem}", variant.name())),
            Err(_) => {}
        }
        let began = Instant::now();
        self.cargo(&[]).map_err(|problem| format!("{}: {problem}", variant.name()))?;
        Ok(began.elapsed())
    }

    fn cargo(&self, arguments: &[&str]) -> Result<(), String> {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args(["build", "--quiet"])
            .args(arguments)
            .arg("--manifest-path")
            .arg(self.directory.path().join("Cargo.toml"))
            .arg("--target-dir")
            .arg(&self.target)
            .env("CARGO_INCREMENTAL", "0")
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("cargo cannot be started: {error}"))?;
        if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
    }
}

/// It has the dependencies of this workspace.
fn manifest() -> io::Result<String> {
    let own = fs::read_to_string(Path::new(HERE).join("Cargo.toml"))?;
    let dependencies = own.split("[dependencies]").nth(1).and_then(|rest| rest.split("\n[").next()).unwrap_or_default();
    let library = Path::new(HERE).join("../cached-core").display().to_string();
    let dependencies = dependencies.replace("../cached-core", &library);
    Ok(format!(
        "[workspace]\n[package]\nname = \"generated\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[dependencies]{dependencies}"
    ))
}
