//! A copy of the tree, so that the checkout itself is never broken. The copy is kept, together with what was built of
//! it.

use crate::run::{TestRun, Verdict, cargo_test};
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tests::Break;

#[derive(Debug)]
pub(crate) struct Copy {
    tree: PathBuf,
    target: PathBuf,
}

/// By arguments of tests that cannot notice any break: why.
pub(crate) type Unfit = BTreeMap<String, Verdict>;

impl Copy {
    /// Brings the copy up to date. Equal files are left alone, so only what has changed is built again.
    pub(crate) fn of(root: &Path, dir: &Path) -> Result<Self, Box<dyn Error>> {
        let tree = dir.join("tree");
        let files = files(root)?;
        for file in &files {
            let (from, to) = (root.join(file), tree.join(file));
            let now = fs::read(&from)?;
            if fs::read(&to).is_ok_and(|then| then == now) {
                continue;
            }
            fs::create_dir_all(to.parent().unwrap_or(&tree))?;
            fs::copy(&from, &to)?;
        }
        for file in left_over(&tree, &tree)? {
            if !files.contains(&file) {
                fs::remove_file(tree.join(file))?;
            }
        }
        Ok(Self { tree, target: dir.join("target") })
    }

    /// Applies the break, runs the tests that it names, and reverts it.
    pub(crate) fn with(&self, one: &Break, unfit: &Unfit) -> Result<Verdict, Box<dyn Error>> {
        let path = self.tree.join(&one.file);
        let Ok(whole) = fs::read_to_string(&path) else { return Ok(Verdict::Stale(0)) };
        let Some(broken) = one.broken(&whole) else { return Ok(Verdict::Stale(one.places(&whole))) };
        if let Some(verdict) = unfit.get(&one.red) {
            return Ok(verdict.clone());
        }
        fs::write(&path, broken)?;
        let ran = cargo_test(&self.tree, &self.target, &one.red);
        fs::write(&path, whole)?;
        Ok(match ran? {
            TestRun::Green => Verdict::Survived,
            TestRun::Nothing => Verdict::NoTest,
            TestRun::Red(_) => Verdict::Red,
            TestRun::Hangs => Verdict::Hangs,
            TestRun::NotBuilt(said) => Verdict::DoesNotCompile(said),
        })
    }

    /// Without any break the tests must be green. They are run before the first break is applied, so that each program
    /// of tests is built once for this, however many ways there are to choose among its tests.
    pub(crate) fn unfit(&self, breaks: &[Break]) -> Result<Unfit, Box<dyn Error>> {
        let mut unfit = Unfit::new();
        for red in breaks.iter().map(|one| &*one.red).collect::<BTreeSet<_>>() {
            let verdict = match cargo_test(&self.tree, &self.target, red)? {
                TestRun::Green => continue,
                TestRun::Nothing => Verdict::NoTest,
                TestRun::Red(said) | TestRun::NotBuilt(said) => Verdict::RedBefore(said),
                TestRun::Hangs => Verdict::RedBefore("they hang".to_owned()),
            };
            unfit.insert(red.to_owned(), verdict);
        }
        Ok(unfit)
    }
}

/// The files that git tracks, or would.
fn files(root: &Path) -> Result<BTreeSet<PathBuf>, Box<dyn Error>> {
    let mut git = Command::new("git");
    git.current_dir(root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let output = git.output()?;
    if !output.status.success() {
        return Err(format!("git ls-files: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let listed = String::from_utf8(output.stdout)?;
    // A removed file may still be listed.
    Ok(listed.split('\0').filter(|file| root.join(file).is_file()).map(PathBuf::from).collect())
}

/// The files under `dir`, relative to `tree`; there may be none yet.
fn left_over(tree: &Path, dir: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(left_over(tree, &path)?);
        } else {
            found.push(path.strip_prefix(tree)?.to_path_buf());
        }
    }
    Ok(found)
}
